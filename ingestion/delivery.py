"""One file and what became of it: the entry of the ledger as a typed object and as a table.

Belongs here: the columns of a delivery. Does not belong here: storing them (``ledger``), deciding (``decision``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from ingestion.pseudonym import letters_of_digest
from ingestion.statement import LOCAL_ZONE

Status = Literal["accepted", "rejected", "duplicate", "held"]
KEPT: tuple[Status, ...] = ("accepted", "held")
"""Of deliveries of these, rows and quarantine are kept."""
_ID_LETTERS = 10

STABLE_COLUMNS: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "feed": pl.String(),
    "file_name": pl.String(),
    "sha256": pl.String(),
    "period": pl.String(),
    "division": pl.String(),
    "status": pl.String(),
    "reason": pl.String(),
    "rows_data": pl.Int64(),
    "rows_framing": pl.Int64(),
    "rows_accepted": pl.Int64(),
    "rows_quarantined": pl.Int64(),
    "quarantined_by_reason": pl.String(),
    "cell_defects_by_reason": pl.String(),
    "warnings": pl.String(),
    "schema_drift": pl.String(),
    "supersedes": pl.String(),
    "received_at": pl.Datetime("us", "UTC"),
    "ingested_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Delivery:
    """One file and what became of it; maps count by reason, ``period`` is ``YYYY-MM``."""

    delivery_id: str
    feed: str
    mode: str | None
    file_name: str
    file_key: str
    sha256: str | None
    statement_key: str
    period: str | None
    division: str | None
    status: Status
    received_at: datetime
    ingested_at: datetime
    reason: str | None = None
    detail: str | None = None
    rows_data: int = 0
    rows_framing: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    quarantined_by_reason: dict[str, int] = field(default_factory=dict)
    cell_defects_by_reason: dict[str, int] = field(default_factory=dict)
    control_totals: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    schema_drift: list[str] = field(default_factory=list)
    supersedes: str | None = None
    contract_version: str | None = None
    sender: str | None = None
    """Who sent it where that is not the department itself; deliveries of another sender are not its corrections."""
    supplements: str | None = None
    """The delivery whose quarantined rows it mends; it counts wherever that one does."""
    sequence: int | None = None

    @property
    def received_on(self) -> date:
        """The day of receipt where the departments are."""
        return self.received_at.astimezone(LOCAL_ZONE).date()


def delivery_id_of(feed: str, period: str | None, parts: Sequence[object]) -> str:
    """The name of a delivery: feed, month, and letters that stand for all that it is known by."""
    digest = hashlib.sha256(repr(list(parts)).encode()).digest()
    return f"{feed}.{period or 'none'}.{letters_of_digest(digest, _ID_LETTERS)}"


def delivery_frame(deliveries: Sequence[Delivery], *extra: str) -> pl.DataFrame:
    """Deliveries as a frame of the stable columns, and those named besides."""
    schema = {**STABLE_COLUMNS, **dict.fromkeys(extra, pl.String())}
    rows = [[_flat(getattr(delivery, name)) for name in schema] for delivery in deliveries]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _flat(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
