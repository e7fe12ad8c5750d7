"""Which households were ever given out to readers, with their members, so that an old alert's household still
resolves when corrected data or rules lead to another key.

Belongs here: keeping ``household_given.parquet`` at each publication. Who answers for a key now is
``identity.household_alias`` in dbt.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

FILE = "household_given.parquet"
SCHEMA: dict[str, pl.DataType] = {
    "household_id": pl.String(),
    "month": pl.Date(),
    "person_key": pl.String(),
    "is_reference": pl.Boolean(),
}


def ensure_given(reference: Path) -> None:
    """A table without rows where nothing has been published yet: dbt reads it in any case."""
    if not (reference / FILE).is_file():
        _replace(pl.DataFrame(schema=SCHEMA).lazy(), reference)


def keep_given(published: Path, reference: Path) -> None:
    """Add the households of a generation of published tables; of each its newest month with its members then.

    Keys of earlier generations stay for good, also those that no table knows any more.
    """
    ensure_given(reference)
    members, households = published / "household_member_month.parquet", published / "household_month.parquet"
    if not (members.is_file() and households.is_file()):
        return
    newest = (
        pl.scan_parquet(households)
        .sort("month")
        .group_by("household_id")
        .agg(pl.col("month", "reference_person_key").last())
    )
    is_reference = (pl.col("person_key") == pl.col("reference_person_key")).fill_null(False)
    given = (
        pl.scan_parquet(members)
        .select("household_id", "month", "person_key")
        .join(newest, on=["household_id", "month"])
        .select("household_id", "month", "person_key", is_reference.alias("is_reference"))
    )
    before = pl.scan_parquet(reference / FILE)
    gone = before.join(newest, on="household_id", how="anti")
    _replace(pl.concat([gone, given]).cast(SCHEMA).sort("household_id", "person_key"), reference)  # type: ignore[arg-type]


def _replace(table: pl.LazyFrame, reference: Path) -> None:
    reference.mkdir(parents=True, exist_ok=True)
    aside = reference / f".{FILE}.part"
    table.collect(engine="streaming").write_parquet(aside)
    aside.replace(reference / FILE)
