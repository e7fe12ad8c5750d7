"""What the warehouse may know of links: aliases of keys, and evidence without any value.

Belongs here: the reference tables of this room, as of a moment. Does not belong here: how links come about.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.delivery import Delivery
from ingestion.linkage.decisions import LinkDecisions, undecided
from ingestion.linkage.events import IdentityEvents
from ingestion.linkage.proposals import ROW, read_proposals, received_by
from ingestion.linkage.resolve import alias_frame, row_alias_frame
from ingestion.quarantine import COMPLETED
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from models.contract import person_key_name

EVIDENCE: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    ROW_NUMBER: pl.Int64(),
    "column_name": pl.String(),
    "pass": pl.String(),
    "person_key": pl.String(),
    "other_key": pl.String(),
    "confirmed_by": pl.String(),
    "against": pl.String(),
    "state": pl.String(),
    "decided_at": pl.Datetime("us", "UTC"),
}
"""One row a decision or open proposal; of a pair of persons without delivery and row."""
FIFTEEN_DIGITS, APPLIED = "fifteen_digits", "applied"


def publish_links(store: Store, target: Path, entries: Sequence[Delivery], moment: datetime | None = None) -> None:
    """Write person_alias, person_row_alias and link_evidence as of a moment (None: now)."""
    events = IdentityEvents(store).all()
    write_parquet(_naive(alias_frame(events, moment)), target / "person_alias.parquet")
    write_parquet(_naive(row_alias_frame(events, moment)), target / "person_row_alias.parquet")
    write_parquet(_naive(link_evidence(store, entries, moment)), target / "link_evidence.parquet")


def link_evidence(store: Store, entries: Sequence[Delivery], moment: datetime | None = None) -> pl.DataFrame:
    """Evidence (``EVIDENCE``): what was decided by a moment, and what was proposed and is still open."""
    decided = LinkDecisions(store).frame(moment)
    proposals = received_by(read_proposals(store), entries, moment)
    # A pair is known once both have a number; proposals of a past moment are not kept, decisions are.
    opened = undecided(proposals, decided).filter((pl.col("kind") == ROW) | pl.lit(moment is None))
    in_force = [item for item in entries if item.status == "accepted"]
    parts = [
        _completed(store, in_force),
        decided.with_columns(pl.col("answer").alias("state"), pl.lit(None, pl.String).alias("against")),
        opened.with_columns(pl.lit(None, pl.Datetime("us", "UTC")).alias("decided_at")),
    ]
    shaped = [
        part.rename({"column": "column_name"}).select(pl.col(name).cast(kind) for name, kind in EVIDENCE.items())
        for part in parts
    ]
    return pl.concat(shaped).sort("delivery_id", ROW_NUMBER, "column_name", "person_key", "other_key", nulls_last=True)


def _completed(store: Store, deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """Rows linked although their number was written with 15 digits: ingestion completed it, the key is the same."""
    missing = [name for name in EVIDENCE if name not in ("delivery_id", ROW_NUMBER, "column_name", "person_key")]
    found = [pl.DataFrame(schema={**EVIDENCE, "column": pl.String}).drop("column_name")]
    for item in deliveries:
        noted = store.faults / COMPLETED / item.feed / f"{item.delivery_id}.parquet"
        lake = store.lake_file(item.feed, str(item.period), item.delivery_id)
        if noted.exists() and lake.exists():
            rows = pl.read_parquet(noted)
            keys = {name: person_key_name(name) for name in rows["column"].unique()}
            borne = pl.read_parquet(lake, columns=[ROW_NUMBER, *keys.values()])
            told = borne.rename({key: name for name, key in keys.items()}).unpivot(
                index=ROW_NUMBER, variable_name="column", value_name="person_key"
            )
            linked = rows.join(told, on=[ROW_NUMBER, "column"]).with_columns(
                pl.lit(item.delivery_id).alias("delivery_id"),
                *(pl.lit(None, EVIDENCE[name]).alias(name) for name in missing),
            )
            stated = linked.with_columns(pl.lit(FIFTEEN_DIGITS).alias("pass"), pl.lit(APPLIED).alias("state"))
            found.append(stated.select(found[0].columns))
    return pl.concat(found)


def _naive(frame: pl.DataFrame) -> pl.DataFrame:
    """Moments in UTC without a zone, as the run's as-of time is published."""
    return frame.with_columns(pl.col("decided_at").dt.replace_time_zone(None))
