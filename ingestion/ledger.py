"""The ledger: every file ever seen, what became of it, and who decided what about it.

Belongs here: the transactional record; its row is the commit of a delivery. Does not belong here: the decision
itself (``decision``), files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
import sqlalchemy as sa

Status = Literal["accepted", "rejected", "duplicate", "held"]

_METADATA = sa.MetaData()


class _Moment(sa.types.TypeDecorator[datetime]):
    """Moments with a zone; SQLite keeps none, so they are stored in UTC."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


_DELIVERY = sa.Table(
    "delivery",
    _METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("delivery_id", sa.String, nullable=False, unique=True),
    sa.Column("feed", sa.String, nullable=False, index=True),
    sa.Column("mode", sa.String),
    sa.Column("file_name", sa.String, nullable=False),
    sa.Column("file_key", sa.String, nullable=False),
    sa.Column("sha256", sa.String),
    sa.Column("statement_key", sa.String, nullable=False),
    sa.Column("period", sa.String),
    sa.Column("division", sa.String),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("reason", sa.String),
    sa.Column("detail", sa.String),
    sa.Column("rows_data", sa.Integer, nullable=False),
    sa.Column("rows_framing", sa.Integer, nullable=False),
    sa.Column("rows_accepted", sa.Integer, nullable=False),
    sa.Column("rows_quarantined", sa.Integer, nullable=False),
    sa.Column("quarantined_by_reason", sa.JSON, nullable=False),
    sa.Column("cell_defects_by_reason", sa.JSON, nullable=False),
    sa.Column("control_totals", sa.JSON, nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("schema_drift", sa.JSON, nullable=False),
    sa.Column("supersedes", sa.String),
    sa.Column("received_at", _Moment, nullable=False),
    sa.Column("ingested_at", _Moment, nullable=False),
    sa.Column("contract_version", sa.String),
)
_DECISION = sa.Table(
    "decision",
    _METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("delivery_id", sa.String, nullable=False, index=True),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("decided_by", sa.String, nullable=False),
    sa.Column("decided_at", _Moment, nullable=False),
)

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


class DeliveryNotFoundError(LookupError):
    """No delivery of that id, or none in the state that the wish supposes."""


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
    sequence: int | None = None


class Ledger:
    """The ledger of one data home, in SQLite."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 60}, poolclass=sa.NullPool)
        sa.event.listen(self._engine, "connect", _set_pragmas)
        _METADATA.create_all(self._engine)

    def record(self, delivery: Delivery) -> None:
        """Enter a file; this is what makes its delivery count."""
        row = {name: value for name, value in asdict(delivery).items() if name != "sequence"}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_DELIVERY).values(**row))

    def deliveries(self, feed: str | None = None, status: Status | None = None) -> list[Delivery]:
        """Entries in the order in which they were made."""
        query = sa.select(_DELIVERY).order_by(_DELIVERY.c.sequence)
        if feed is not None:
            query = query.where(_DELIVERY.c.feed == feed)
        if status is not None:
            query = query.where(_DELIVERY.c.status == status)
        with self._engine.connect() as connection:
            return [Delivery(**row) for row in connection.execute(query).mappings()]

    def delivery(self, delivery_id: str) -> Delivery:
        """One entry; ``DeliveryNotFoundError`` where there is none."""
        query = sa.select(_DELIVERY).where(_DELIVERY.c.delivery_id == delivery_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise DeliveryNotFoundError(f"no delivery {delivery_id}")
        return Delivery(**row)

    def change(self, delivery_id: str, status: Status, reason: str, decided_by: str, now: datetime, **also: Any) -> None:
        """Set a delivery's status by a person's or a check's decision, which is kept."""
        with self._engine.begin() as connection:
            done = connection.execute(
                sa.update(_DELIVERY).where(_DELIVERY.c.delivery_id == delivery_id).values(status=status, **also)
            )
            if not done.rowcount:
                raise DeliveryNotFoundError(f"no delivery {delivery_id}")
            connection.execute(
                sa.insert(_DECISION).values(
                    delivery_id=delivery_id, status=status, reason=reason, decided_by=decided_by, decided_at=now
                )
            )

    def decisions(self, delivery_id: str | None = None) -> list[dict[str, Any]]:
        """Who released, rejected or held what, why and when; oldest first."""
        query = sa.select(_DECISION).order_by(_DECISION.c.sequence)
        if delivery_id is not None:
            query = query.where(_DECISION.c.delivery_id == delivery_id)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def frame(self) -> pl.DataFrame:
        """The ledger with exactly the stable columns of the export; maps and lists as JSON text."""
        return ledger_frame(self.deliveries())


def ledger_frame(deliveries: Sequence[Delivery], *extra: str) -> pl.DataFrame:
    """Deliveries as a frame of the stable columns, and those named besides."""
    schema = {**STABLE_COLUMNS, **dict.fromkeys(extra, pl.String())}
    rows = [[_flat(getattr(delivery, name)) for name in schema] for delivery in deliveries]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _flat(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
