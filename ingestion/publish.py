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
from ingestion.delivery import KEPT, Delivery, delivery_frame
from ingestion.in_force import as_of, delivery_validity
from ingestion.ledger import Ledger
from ingestion.life import known_at, states_of
from ingestion.linkage.evidence import publish_links
from ingestion.mending import row_states, with_state
from ingestion.name_conflict import publish_name_conflicts
from ingestion.quarantine import Quarantine
from ingestion.standing import as_they_stand
from ingestion.store import Store
from ingestion.vault import Vault
from models.contract import Feed

DELIVERY_EXTRA = ("mode", "sender", "supplements")
HELD = "held"


def publish(
    store: Store, feeds: Mapping[str, Feed], moment: datetime | None = None, directory: Path | None = None
) -> None:
    """Write delivery, delivery_validity, person_key, name_conflict, cell_defect, quarantine_row and what linking
    decided, as of a moment (None: now)."""
    target = directory or store.reference
    with Ledger(store.ledger_file) as ledger:
        entered, decisions = ledger.deliveries(), ledger.decisions()
    deliveries = as_they_stand(known_at(entered, decisions, moment), feeds)
    accepted = {item.delivery_id for item in as_of(deliveries, moment)}
    states = pl.Series("state", list(states_of(deliveries, decisions).values()), dtype=pl.String)
    write_parquet(delivery_frame(deliveries, *DELIVERY_EXTRA).with_columns(states), target / "delivery.parquet")
    write_parquet(delivery_validity(deliveries, moment), target / "delivery_validity.parquet")
    vault = Vault(store)
    vault.publish_person_keys(target / "person_key.parquet", accepted)
    publish_name_conflicts(vault, target / "name_conflict.parquet", accepted)
    write_parquet(_cell_defects(store, feeds, accepted), target / "cell_defect.parquet")
    write_parquet(_quarantine_rows(store, feeds, deliveries), target / "quarantine_row.parquet")
    publish_links(store, target, deliveries, moment)


def _cell_defects(store: Store, feeds: Mapping[str, Feed], accepted: set[str]) -> pl.DataFrame:
    """Cells nulled in rows that the warehouse may see; those of held deliveries are none of them."""
    faults = Quarantine(store).faults("cell", dict(feeds))
    return faults.filter(pl.col("delivery_id").is_in(list(accepted)))


def _quarantine_rows(store: Store, feeds: Mapping[str, Feed], deliveries: list[Delivery]) -> pl.DataFrame:
    """Faults of quarantined rows of accepted and held deliveries, with the state of the row.

    ``held`` while nobody has decided about the whole delivery, else open, mended, superseded or withdrawn.
    """
    status = {item.delivery_id: item.status for item in deliveries if item.status in KEPT}
    faults = Quarantine(store).faults("row", dict(feeds)).filter(pl.col("delivery_id").is_in(list(status)))
    known = with_state(faults, row_states(store, deliveries), deliveries)
    is_held = pl.col("delivery_id").is_in([name for name, value in status.items() if value == "held"])
    state = pl.when(is_held).then(pl.lit(HELD)).otherwise("state")
    return known.select(*faults.columns, state.alias("state"), "by_delivery", "by_row")
