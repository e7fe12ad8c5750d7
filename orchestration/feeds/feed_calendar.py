"""Which feed has arrived for a month, which is late, stale, held or rejected.

Belongs here: comparing the ledger with the contracts' cadence and due days. Files are judged in ``ingestion``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import polars as pl

from models.calendar import BUREAU_ZONE, next_month
from models.contract import Feed, load_feeds
from orchestration.warehouse.run_plan import parse_month

QUARTER_MONTHS = 3


def newest_month(ledger: pl.DataFrame) -> date | None:
    """The newest month of which something was accepted."""
    periods = ledger.filter(pl.col("status") == "accepted")["period"].drop_nulls()
    return parse_month(str(periods.max())) if len(periods) else None


def due_on(feed: Feed, month: date) -> date:
    """The last day on which a delivery of that month is on time."""
    return next_month(month) + timedelta(days=feed.due_day - 1)


def feed_calendar(
    ledger: pl.DataFrame, month: date, now: datetime, missing: Mapping[tuple[str, str], Sequence[str]] | None = None
) -> pl.DataFrame:
    """One row a feed: ``state`` is on time, late, expected, missing, carried forward, held or rejected.

    ``is_stale`` marks a register that an earlier month still speaks for; counts are those of the deliveries in
    force. ``missing`` names by feed and month (YYYY-MM) the districts whose part is missing.
    """
    lacking = missing or {}
    rows = [
        _row(feed, ledger, month, now, lacking.get((feed.name, f"{month:%Y-%m}"), ())) for feed in load_feeds().values()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _row(feed: Feed, ledger: pl.DataFrame, month: date, now: datetime, missing: Sequence[str]) -> dict[str, object]:
    own = ledger.filter(pl.col("feed") == feed.name, pl.col("status") != "duplicate")
    this = own.filter(pl.col("period") == f"{month:%Y-%m}").sort("received_at")
    accepted = this.filter(pl.col("status") == "accepted")
    due = due_on(feed, month)
    state, data_month = _state(feed, own, this, accepted, month, due, now)
    speaking = accepted
    if "state" in accepted.columns:
        speaking = accepted.filter(pl.col("state") != "superseded")
    return {
        "feed": feed.name,
        "title": feed.title_zh,
        "department": feed.department,
        "due_on": due,
        "state": state,
        "data_month": data_month,
        "is_stale": data_month is not None and data_month < f"{month:%Y-%m}",
        "rows_accepted": int(speaking["rows_accepted"].sum()),
        "rows_quarantined": int(speaking["rows_quarantined"].sum()),
        "superseded": accepted.height - speaking.height,
        "note": _note(this, missing),
    }


def _state(
    feed: Feed,
    own: pl.DataFrame,
    this: pl.DataFrame,
    accepted: pl.DataFrame,
    month: date,
    due: date,
    now: datetime,
) -> tuple[str, str | None]:
    label = f"{month:%Y-%m}"
    if not accepted.is_empty():
        first = accepted["received_at"].min()
        assert isinstance(first, datetime)
        return ("on time" if first.astimezone(BUREAU_ZONE).date() <= due else "late"), label
    for status in ("held", "rejected"):
        if status in this["status"].to_list():
            return status, None
    earlier = own.filter(pl.col("status") == "accepted", pl.col("period") < label)["period"].max()
    if feed.mode == "snapshot" and earlier is not None and not _quarter_due(feed, str(earlier), month):
        return "not due (quarterly)", str(earlier)
    state = "expected" if now.astimezone(BUREAU_ZONE).date() <= due else "missing"
    carried = feed.mode == "snapshot" and earlier is not None
    return (f"{state}, carried forward" if carried else state), str(earlier) if carried else None


def _quarter_due(feed: Feed, earlier: str, month: date) -> bool:
    """Whether a feed owes a delivery of the month: monthly always, quarterly three months after its last."""
    last = parse_month(earlier)
    passed = (month.year - last.year) * 12 + month.month - last.month
    return feed.frequency == "monthly" or passed >= QUARTER_MONTHS


def _note(this: pl.DataFrame, missing: Sequence[str]) -> str:
    reasons = this.filter(pl.col("reason").is_not_null())["reason"].unique().sort().to_list()
    warnings = this.filter(pl.col("status") == "accepted")["warnings"].explode().drop_nulls().unique().sort().to_list()
    parts = [f"without {division}" for division in missing]
    return ", ".join([*reasons, *warnings, *parts])
