"""Deliveries as the command line and the assets see them: taking them in, and what a person must look at.

Belongs here: calls of ingestion and plain frames of its ledger. What becomes of a file is decided in ``ingestion``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from ingestion import Delivery, ignored, ingest
from ingestion.database import is_there
from ingestion.in_force import Validity, validity_rows
from ingestion.life import RESUBMITTED, history_of, states_of, superseding
from ingestion.standing import missing_parts
from models.contract import load_feeds
from models.labels import LabelError, label
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, store_of

# What the command line says is English; lists and reports for people follow the settings.
LANGUAGE = "en"
NEEDS_A_PERSON = ("rejected", "held")
FRAME_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "delivery_id": pl.String,
    "feed": pl.String,
    "file_name": pl.String,
    "period": pl.String,
    "division": pl.String,
    "status": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "rows_data": pl.Int64,
    "rows_accepted": pl.Int64,
    "rows_quarantined": pl.Int64,
    "warnings": pl.List(pl.String),
    "received_at": pl.Datetime("us", "UTC"),
    "ingested_at": pl.Datetime("us", "UTC"),
}


def take_in_unknown(home: DataHome, inbox: Path) -> None:
    """Enter the files of folders that are no feed, so that they are seen and answered."""
    for folder in seen_feeds(inbox) - load_feeds().keys():
        ingest(inbox, store_of(home), load_feeds(), datetime.now(UTC), only_feed=folder)


def seen_feeds(inbox: Path) -> set[str]:
    """Names of the folders of an inbox."""
    return {path.name for path in inbox.iterdir() if path.is_dir()} if inbox.is_dir() else set()


def ignored_files(inbox: Path) -> list[dict[str, str]]:
    """What lies in the inbox and is not read, with why; names masked."""
    found = ignored(inbox, datetime.now(UTC)) if inbox.is_dir() else []
    return [{"file": item.path, "why": item.reason.replace("_", " ")} for item in found]


def frame_of(deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """Deliveries as a frame of what is shown of them."""
    rows = [[getattr(delivery, name) for name in FRAME_SCHEMA] for delivery in deliveries]
    return pl.DataFrame(rows, schema=FRAME_SCHEMA, orient="row")


def ledger_frame(home: DataHome) -> pl.DataFrame:
    """All entries of the ledger with their ``state``; none before the first ingestion."""
    if not is_there(home.ledger):
        return frame_of([]).with_columns(state=pl.lit(None, pl.String))
    ledger = ledger_of(home)
    deliveries = ledger.deliveries()
    states = states_of(deliveries, ledger.decisions())
    return frame_of(deliveries).with_columns(pl.Series("state", list(states.values()), dtype=pl.String))


def parts_missing(home: DataHome) -> dict[tuple[str, str], list[str]]:
    """Districts whose part is missing, by feed and month."""
    return missing_parts(ledger_of(home).deliveries()) if is_there(home.ledger) else {}


def problems_of(home: DataHome, known: int = 0) -> pl.DataFrame:
    """Rejected and held deliveries with what to do.

    Those after the first ``known`` entries, and every held one for whose month nothing else is in force.
    """
    ledger = ledger_frame(home).with_row_index("entry")
    faulty = ledger.filter(pl.col("status").is_in(NEEDS_A_PERSON))
    in_force = ledger.filter(pl.col("status") == "accepted").select("feed", "period", "division").unique()
    replaced = faulty.join(in_force, on=["feed", "period", "division"], how="semi", nulls_equal=True)["entry"]
    is_replaced = pl.col("entry").is_in(replaced.implode())
    problems = faulty.filter((pl.col("entry") >= known) | ((pl.col("status") == "held") & ~is_replaced))
    reasons = problems.select(pl.when(is_replaced).then(pl.lit("replaced")).otherwise("reason"))
    steps = [next_step(reason) for reason in reasons.to_series()]
    return problems.drop("entry").with_columns(next_step=pl.Series(steps, dtype=pl.String))


def released_deliveries(home: DataHome) -> list[str]:
    """Deliveries that a person let in, released or resubmitted: no check holds them again."""
    decisions = ledger_of(home).decisions()
    return [str(one["delivery_id"]) for one in decisions if one["status"] in ("accepted", RESUBMITTED)]


def standing_of(home: DataHome, item: Delivery) -> dict[str, Any]:
    """Where a delivery stands in its life, what has superseded it, and how it came to that: who, when, why."""
    ledger = ledger_of(home)
    deliveries, decisions = ledger.deliveries(item.feed), ledger.decisions()
    return {
        "state": states_of(deliveries, decisions)[item.delivery_id],
        "superseded_by": [other.delivery_id for other in superseding(item, deliveries)],
        "supplemented_by": [
            other.delivery_id
            for other in deliveries
            if other.supplements == item.delivery_id and other.status == "accepted"
        ],
        "history": [asdict(moment) for moment in history_of(item, deliveries, decisions)],
    }


def validity_now(home: DataHome) -> list[Validity]:
    """What is in force in which month."""
    return validity_rows(ledger_of(home).deliveries())


def next_step(reason: str | None) -> str:
    """What to do about a rejected or held delivery."""
    kind = (reason or "other").split(":")[0]
    try:
        return label(f"quality.action.{kind}", LANGUAGE)
    except LabelError:
        return label("quality.action.other", LANGUAGE)
