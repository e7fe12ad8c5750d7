"""Birth date and sex of persons whose identities were deleted, so that their pseudonymous rows keep their meaning.

Belongs here: these two facts by person key. Does not belong here: anything that says who somebody was.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ingestion.parse_identity import born_on_of, sex_of
from ingestion.store import Store

_SCHEMA = {"person_key": pl.String(), "born_on": pl.Date(), "sex": pl.String()}


class Former:
    """The former persons of one vault."""

    def __init__(self, store: Store) -> None:
        self._encrypted = store.encrypted
        self.file: Path = store.vault / "former" / "former.parquet"

    def all(self) -> pl.DataFrame:
        """person_key, born_on and sex of each."""
        return self._encrypted.read(self.file) if self.file.exists() else pl.DataFrame(schema=_SCHEMA)

    def add(self, deleted: pl.DataFrame, gone: pl.Series, path: Path) -> None:
        """Write those known and those of ``deleted`` (person_key, id_number) who are ``gone`` to a file."""
        number = pl.col("id_number")
        fresh = deleted.filter(pl.col("person_key").is_in(gone.implode())).drop_nulls("id_number")
        rows = fresh.select("person_key", born_on_of(number).alias("born_on"), sex_of(number).alias("sex"))
        self._encrypted.write(pl.concat([self.all(), rows]).unique("person_key", keep="last").sort("person_key"), path)
