"""Keys given out before a change of the pseudonym key: old person, household and alert numbers still resolve.

Belongs here: the tables from old to new, encrypted, since together with an old list they say who is who. Does not
belong here: making new keys (``rekeying``).

Numbers of households and alerts are made by the warehouse, some of them of person keys. What they become is known only
after the next run (``identity.household_alias`` says it then), so an old one is kept here with the new key of its
reference person and its month.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ingestion.change import Change
from ingestion.store import Store
from ingestion.vault.rekeying import KeyMap

_SCHEMA: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "old": pl.String(),
    "new_key": pl.String(),
    "side": pl.String(),
    "month": pl.Date(),
}
PERSON, HOUSEHOLD, ALERT = "person", "household", "alert"


class Aliases:
    """The alias tables of one vault, one a change of the pseudonym key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.folder: Path = store.vault / "alias"

    def all(self) -> pl.DataFrame:
        """kind, old (as given out), new_key (person key of now), side (alerts), month (households, alerts)."""
        parts = [self._store.encrypted.read(path) for path in self._files()]
        return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts])

    def resolve(self, number: str) -> pl.DataFrame:
        """What an old number stands for; newest first; empty where it was never changed."""
        return self.all().filter(pl.col("old") == number).sort("month", descending=True, nulls_last=True)

    def add(self, known: pl.DataFrame, published: Path, mapping: KeyMap, change: Change) -> None:
        """Stage the table of a change: everybody in ``known``, every household and alert that was published."""
        persons = known.select(pl.lit(PERSON).alias("kind"), "old", pl.col("new").alias("new_key"))
        parts = [persons, *_published_numbers(published, mapping)]
        table = pl.concat([pl.DataFrame(schema=_SCHEMA), *parts], how="diagonal")
        self._store.encrypted.write(table, change.stage(self.folder / f"{len(self._files()) + 1:04d}.parquet"))

    def alert_numbers(self) -> pl.Series:
        """Numbers of alerts that were given out before a change of the pseudonym key."""
        return self.all().filter(pl.col("kind") == ALERT)["old"].alias("alert_id").unique()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))


def _published_numbers(published: Path, mapping: KeyMap) -> list[pl.DataFrame]:
    parts = []
    if (published / "household_month.parquet").exists():
        months = pl.read_parquet(published / "household_month.parquet")
        parts.append(_numbers(months, HOUSEHOLD, "household_id", "month", mapping))
    if (published / "alert.parquet").exists():
        alerts = pl.read_parquet(published / "alert.parquet").filter(pl.col("month") == pl.col("first_month"))
        parts.append(_numbers(alerts, ALERT, "alert_id", "month", mapping))
    return parts


def _numbers(frame: pl.DataFrame, kind: str, number: str, month: str, mapping: KeyMap) -> pl.DataFrame:
    newest = frame.sort(month).unique(number, keep="last", maintain_order=True)
    side = pl.col("side").cast(pl.String) if "side" in frame.columns else pl.lit(None, pl.String)
    return newest.select(
        pl.lit(kind).alias("kind"),
        pl.col(number).cast(pl.String).alias("old"),
        mapping.of(newest["reference_person_key"].cast(pl.String)).alias("new_key"),
        side.alias("side"),
        pl.col(month).cast(pl.Date).alias("month"),
    ).drop_nulls("new_key")
