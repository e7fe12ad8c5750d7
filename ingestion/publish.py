"""What the warehouse may know of deliveries, as Parquet in the reference folder, as of a moment.

Belongs here: writing ledger, validity, person keys and faults for dbt. Does not belong here: how they come
about (``ledger``, ``in_force``, ``vault``, ``quarantine``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.delivery import delivery_frame
from ingestion.in_force import as_of, delivery_validity, received_by
from ingestion.ledger import Ledger
from ingestion.quarantine import Quarantine
from ingestion.standing import as_they_stand
from ingestion.store import Store
from ingestion.vault import Vault
from models.contract import Feed

DELIVERY_EXTRA = ("mode",)


def publish(
    store: Store, feeds: Mapping[str, Feed], moment: datetime | None = None, directory: Path | None = None
) -> None:
    """Write delivery, delivery_validity, person_key, cell_defect and quarantine_row as of a moment (None: now)."""
    target = directory or store.reference
    with Ledger(store.ledger_file) as ledger:
        entered = ledger.deliveries()
    deliveries = as_they_stand(received_by(entered, moment), feeds)
    accepted = {item.delivery_id for item in as_of(deliveries, moment)}
    write_parquet(delivery_frame(deliveries, *DELIVERY_EXTRA), target / "delivery.parquet")
    write_parquet(delivery_validity(deliveries, moment), target / "delivery_validity.parquet")
    Vault(store).publish_person_keys(target / "person_key.parquet", accepted)
    listed = pl.Series([item.delivery_id for item in deliveries], dtype=pl.String)
    for kind, name in (("cell", "cell_defect"), ("row", "quarantine_row")):
        faults = Quarantine(store).faults(kind, dict(feeds))
        write_parquet(faults.filter(pl.col("delivery_id").is_in(listed.implode())), target / f"{name}.parquet")
