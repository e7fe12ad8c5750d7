"""What the warehouse may know of deliveries, as Parquet in the reference folder, as of a moment.

Belongs here: writing ledger, validity, person keys and faults for dbt. Does not belong here: how they come
about (``ledger``, ``in_force``, ``vault``, ``quarantine``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.in_force import as_of, delivery_validity, missing_parts
from ingestion.ledger import Delivery, Ledger, ledger_frame
from ingestion.quarantine import Quarantine
from ingestion.reason import PART_MISSING
from ingestion.store import Store
from ingestion.vault import Vault
from models.codes import load_divisions
from models.contract import Feed

DELIVERY_EXTRA = ("mode",)


def publish(store: Store, feeds: Mapping[str, Feed], moment: datetime | None = None, directory: Path | None = None) -> None:
    """Write delivery, delivery_validity, person_key, cell_defect and quarantine_row as of a moment (None: now)."""
    target = directory or store.reference
    deliveries = known_by(Ledger(store.ledger_file).deliveries(), moment)
    accepted = {item.delivery_id for item in as_of(deliveries, moment)}
    write_parquet(ledger_frame(deliveries, *DELIVERY_EXTRA), target / "delivery.parquet")
    write_parquet(validity(deliveries, moment), target / "delivery_validity.parquet")
    Vault(store).publish_person_keys(target / "person_key.parquet", accepted)
    listed = pl.Series([item.delivery_id for item in deliveries], dtype=pl.String)
    for kind, name in (("cell", "cell_defect"), ("row", "quarantine_row")):
        faults = Quarantine(store).faults(kind, dict(feeds))
        write_parquet(faults.filter(pl.col("delivery_id").is_in(listed.implode())), target / f"{name}.parquet")


def known_by(deliveries: list[Delivery], moment: datetime | None) -> list[Delivery]:
    """Entries of files received by a moment, with the warning ``part_missing`` where a district's part is."""
    known = [item for item in deliveries if moment is None or item.received_at <= moment]
    missing = missing_parts(known, moment)
    return [
        replace(item, warnings=[*item.warnings, PART_MISSING])
        if item.status == "accepted" and (item.feed, item.period) in missing
        else item
        for item in known
    ]


def validity(deliveries: list[Delivery], moment: datetime | None = None) -> pl.DataFrame:
    """Validity of the deliveries over the districts of the city."""
    counties = [division.short_code for division in load_divisions() if division.level == "county"]
    return delivery_validity(deliveries, dict.fromkeys({item.feed for item in deliveries}, counties), moment)
