"""Quarantined rows as the command line sees them: which are open, since when, in which delivery.

Belongs here: plain frames of ingestion's quarantine. What becomes of a row is decided in ``ingestion``.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from ingestion import Quarantine
from ingestion.database import is_there
from ingestion.mending import OPEN, row_states, with_state
from models.contract import load_feeds
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, store_of

STATES = ("open", "mended", "superseded", "withdrawn")


def quarantined_rows(home: DataHome, feed: str | None, delivery: str | None, *, every: bool) -> pl.DataFrame:
    """Rows set aside, without values: the open ones, or with ``every`` all of them with what became of them."""
    if not is_there(home.ledger):
        return pl.DataFrame(schema={"delivery_id": pl.String, "feed": pl.String, "state": pl.String})
    store = store_of(home)
    deliveries = ledger_of(home).deliveries(feed)
    rows = with_state(Quarantine(store).rows(feed, delivery), row_states(store, deliveries), deliveries)
    known = pl.Series([item.delivery_id for item in deliveries], dtype=pl.String)
    # Rows of a delivery that never came into the ledger (a run was killed) do not count.
    rows = rows.filter(pl.col("delivery_id").is_in(known.implode()))
    return rows if every else rows.filter(pl.col("state") == OPEN)


def open_count(home: DataHome) -> int:
    """How many rows are set aside and open; read without any key."""
    if not is_there(home.ledger):
        return 0
    store, deliveries = store_of(home), ledger_of(home).deliveries()
    rows = Quarantine(store).faults("row", load_feeds()).unique(["delivery_id", "row_number"])
    known = pl.Series([item.delivery_id for item in deliveries], dtype=pl.String)
    found = with_state(
        rows.filter(pl.col("delivery_id").is_in(known.implode())), row_states(store, deliveries), deliveries
    )
    return found.filter(pl.col("state") == OPEN).height


def by_delivery(home: DataHome, rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """One row a delivery: how many of its rows are in which state, and for how many days it has been here."""
    if rows.is_empty():
        return pl.DataFrame()
    entries = {item.delivery_id: item for item in ledger_of(home).deliveries()}
    counts = [(pl.col("state") == state).sum().alias(state) for state in STATES]
    found = rows.group_by("delivery_id", maintain_order=True).agg(*counts)
    about = [entries[name] for name in found["delivery_id"]]
    return found.with_columns(
        feed=pl.Series([item.feed for item in about]),
        period=pl.Series([item.period for item in about]),
        division=pl.Series([item.division for item in about], dtype=pl.String),
        status=pl.Series([item.status for item in about]),
        file_name=pl.Series([item.file_name for item in about]),
        age_days=pl.Series([(now - item.ingested_at).days for item in about]),
    ).sort("age_days", "open", "delivery_id", descending=[True, True, False])
