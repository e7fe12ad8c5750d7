"""A ledger entry made by hand, for tests of pure functions over the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from ingestion import Delivery
from tests.ingestion.conftest import NOW


def entry(
    at: int,
    *,
    period: str,
    division: str | None,
    received_at: datetime,
    mode: str = "snapshot",
    **other: Any,
) -> Delivery:
    """An accepted delivery of one feed; ``other`` are further fields."""
    made = Delivery(
        delivery_id=f"custody_record.{period}.{at}",
        feed="custody_record",
        mode=mode,
        file_name=f"{at}.csv",
        file_key=str(at),
        sha256=str(at),
        statement_key="",
        period=period,
        division=division,
        status="accepted",
        received_at=received_at,
        ingested_at=NOW,
        sequence=at,
    )
    return replace(made, **other)
