"""What a data home knows of persons, for the passes: numbers and names from the vault, second facts from the lake.

Belongs here: reading vault and lake into the shape of ``known``. Does not belong here: the passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import polars as pl

from ingestion.linkage.known import FACTS, PEOPLE, PRESENT
from ingestion.store import Store
from ingestion.vault import Vault
from models.contract import Feed, person_key_name
from models.linkage import Fact, Linkage
from models.names import comparable_names

_MAIN = "id_number"
# Of direct identifiers the lake keeps nothing; the vault keeps the newest.
_IN_VAULT = ("phone", "address")


class StoreKnown:
    """The knowledge of one data home, read when it is first asked for."""

    def __init__(self, store: Store, feeds: Mapping[str, Feed], linkage: Linkage) -> None:
        self._store = store
        self._feeds = feeds
        self._linkage = linkage

    @cached_property
    def vault(self) -> pl.DataFrame:
        """Newest facts of every person, as ``Vault.people``."""
        return Vault(self._store).people().filter(pl.col("id_number").is_not_null())

    @cached_property
    def people(self) -> pl.DataFrame:
        forms = [
            self.vault.select("id_number", comparable_names(pl.col(name)).alias("name"))
            for name in ("name", "former_name")
        ]
        return pl.concat([pl.DataFrame(schema=PEOPLE), *forms]).drop_nulls("name").unique()

    @property
    def keys(self) -> pl.DataFrame:
        """person_key and id_number."""
        return self.vault.select("person_key", "id_number")

    def facts_of(self, id_numbers: pl.Series) -> pl.DataFrame:
        """Second facts of these persons, of every delivery that was ever accepted."""
        wanted = self.keys.join(id_numbers.rename("id_number").to_frame().unique(), on="id_number", how="semi")
        parts = [
            part.join(wanted.lazy(), on="person_key", how="semi").unique().collect() for part in self._lake_facts()
        ]
        return self._with_numbers(parts, wanted)

    def holders(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """All persons of whom one of these facts is known."""
        asked = wanted.select("kind", "value").unique()
        parts = [
            part.join(asked.lazy(), on=["kind", "value"], how="semi").unique().collect() for part in self._lake_facts()
        ]
        found = self._with_numbers(parts, self.keys)
        return found.join(asked, on=["kind", "value"], how="semi")

    def present(self, groups: pl.Series) -> pl.DataFrame:
        """Whose rows these deliveries have."""
        parts = [pl.DataFrame(schema=PRESENT)]
        for delivery_id in groups.unique():
            path = Vault(self._store).file(str(delivery_id).split(".")[0], delivery_id)
            if path.exists():
                rows = self._store.encrypted.read(path).filter(pl.col("role") == _MAIN)
                parts.append(rows.select(pl.lit(delivery_id).alias("group"), "id_number").drop_nulls())
        return pl.concat(parts)

    def _with_numbers(self, parts: list[pl.DataFrame], wanted: pl.DataFrame) -> pl.DataFrame:
        schema = {"person_key": pl.String, "kind": pl.String, "value": pl.String}
        facts = pl.concat([pl.DataFrame(schema=schema), *parts]).unique()
        told = facts.join(self.keys, on="person_key").select(list(FACTS))
        kept = self.vault.join(wanted, on="id_number", how="semi")
        vault = [
            kept.select("id_number", pl.lit(name).alias("kind"), pl.col(name).alias("value")).drop_nulls("value")
            for name in _IN_VAULT
        ]
        return pl.concat([told, *vault]).unique()

    def _lake_facts(self) -> Iterator[pl.LazyFrame]:
        """person_key, kind, value of each declared column that the lake has."""
        for fact in self._linkage.facts:
            for feed_name, column_name in fact.columns:
                feed = self._feeds[feed_name]
                folder = self._store.lake / feed_name
                files = sorted(folder.glob("period=*/*.parquet"))
                if fact.name not in _IN_VAULT and files:
                    yield _facts_in(files, feed, column_name, fact)


def _facts_in(files: list[Path], feed: Feed, column_name: str, fact: Fact) -> pl.LazyFrame:
    column = feed.column(column_name)
    name = person_key_name(column.name) if column.type == "id" else column.name
    rows = pl.scan_parquet(files, missing_columns="insert", extra_columns="ignore")
    told = rows.select("person_key", pl.lit(fact.name).alias("kind"), pl.col(name).cast(pl.String).alias("value"))
    told = told.drop_nulls(["person_key", "value"])
    return told if fact.length is None else told.filter(pl.col("value").str.len_bytes() == fact.length)
