"""Persons whom two departments name differently: that they do, and in which rows, never the names.

Belongs here: comparing the names in the vault, which never leave it. Does not belong here: what counts as one name
(``models.names``), contradictions of other facts (``identity.contradiction`` in dbt), who is believed
(``models.policy.precedence``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.vault import Vault
from models.names import comparable_names
from models.policy.precedence import load_precedence

SCHEMA: dict[str, pl.DataType] = {
    "person_key": pl.String(),
    "source_a": pl.String(),
    "delivery_a": pl.String(),
    "row_a": pl.Int64(),
    "source_b": pl.String(),
    "delivery_b": pl.String(),
    "row_b": pl.Int64(),
    "known_month": pl.Date(),
}
"""``a`` is the one that is believed; ``known_month`` the first month in which both were told."""


def publish_name_conflicts(vault: Vault, path: Path, deliveries: Iterable[str] | None = None) -> None:
    """Write one row per person and feed that now names the person otherwise than the feed that is believed."""
    parts = [name_conflicts(told) for told in vault.told_names(deliveries)]
    write_parquet(pl.concat([pl.DataFrame(schema=SCHEMA), *parts]).sort("person_key", "source_b"), path)


def name_conflicts(told: pl.DataFrame) -> pl.DataFrame:
    """The conflicts among ``told``: person_key, feed, role, name, former_name, delivery_id, row_number, first_month
    and place (order in time of the last delivery that said it).

    Compared is the newest that each feed says in each role; a former name that the believed feed knows is none.
    """
    named = told.drop_nulls("name").with_columns(
        comparable=comparable_names(pl.col("name")), former=comparable_names(pl.col("former_name"))
    )
    ranks = {rank.source: rank.rank for rank in load_precedence() if rank.attribute == "name"}
    rank = pl.col("feed").replace_strict(ranks, default=len(ranks) + 1, return_dtype=pl.Int64)
    newest = (
        named.sort("place", "row_number").group_by("person_key", "feed", "role").last().with_columns(rank=rank)
    ).sort("person_key", "rank", pl.col("place") * -1, "feed", "role")
    believed = newest.group_by("person_key", maintain_order=True).first()
    others = newest.join(believed, on="person_key", suffix="_a").filter(
        pl.col("comparable") != pl.col("comparable_a"),
        pl.col("comparable").ne_missing(pl.col("former_a")),
        pl.col("former").ne_missing(pl.col("comparable_a")),
        pl.col("comparable") != "",
        pl.col("comparable_a") != "",
    )
    return (
        others.select(
            "person_key",
            pl.col("feed_a").alias("source_a"),
            pl.col("delivery_id_a").alias("delivery_a"),
            pl.col("row_number_a").alias("row_a"),
            pl.col("feed").alias("source_b"),
            pl.col("delivery_id").alias("delivery_b"),
            pl.col("row_number").alias("row_b"),
            pl.max_horizontal("first_month", "first_month_a").alias("known_month"),
        )
        .unique(["person_key", "delivery_b", "row_b"], keep="first", maintain_order=True)
        .cast(SCHEMA)  # type: ignore[arg-type]
    )
