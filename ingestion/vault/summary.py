"""How many people are in the vault, from which feeds, since when: counts only.

Belongs here: figures about the vault as a whole. Does not belong here: anybody in it (``lookup``).
"""

from __future__ import annotations

import polars as pl

from ingestion.store import Store
from ingestion.vault.lookup import Vault
from models.policy.retention import RetentionPolicy

SUMMARY_SCHEMA: dict[str, pl.DataType] = {
    "feed": pl.String(),
    "class": pl.String(),
    "class_zh": pl.String(),
    "persons": pl.Int64(),
    "first_month": pl.String(),
    "last_month": pl.String(),
    "deliveries": pl.Int64(),
    "bytes": pl.Int64(),
}


def vault_summary(store: Store, policy: RetentionPolicy) -> tuple[int, pl.DataFrame]:
    """The number of persons, and one row a feed (``SUMMARY_SCHEMA``)."""
    vault = Vault(store)
    spans = vault.spans()
    sources = pl.DataFrame(
        [(item.feed, item.delivery_id, item.path.stat().st_size) for item in vault.sources()],
        schema={"feed": pl.String, "delivery_id": pl.String, "bytes": pl.Int64},
        orient="row",
    ).with_columns(month=pl.col("delivery_id").str.split(".").list.get(1, null_on_oob=True))
    files = sources.group_by("feed").agg(
        pl.col("month").min().alias("first_month"),
        pl.col("month").max().alias("last_month"),
        pl.len().cast(pl.Int64).alias("deliveries"),
        pl.col("bytes").sum(),
    )
    persons = spans.group_by("feed").agg(pl.col("person_key").n_unique().cast(pl.Int64).alias("persons"))
    classes = [(feed, item.label_en, item.label_zh) for item in policy.classes for feed in item.feeds]
    named = pl.DataFrame(classes, schema=dict.fromkeys(("feed", "class", "class_zh"), pl.String), orient="row")
    told = files.join(persons, on="feed", how="left").join(named, on="feed", how="left")
    everybody = spans["person_key"].n_unique()
    return everybody, told.with_columns(pl.col("persons").fill_null(0)).select(list(SUMMARY_SCHEMA)).sort("feed")
