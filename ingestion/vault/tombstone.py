"""Marks of persons whose identities were deleted, so that old data of theirs cannot bring them back.

Belongs here: making the marks and holding rows against them. Does not belong here: who is deleted (``retention``).

A mark is a keyed hash of the ID number under a key of its own, which lies in the vault. It says neither who it is nor
which person key that was, and it outlives a change of the pseudonym key. It holds for deliveries of data months up to
the month of the deletion: what is told of the person after that is new data.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import polars as pl

from ingestion.pseudonym import pseudonyms
from ingestion.store import Store

_SCHEMA = {"mark": pl.String(), "feed": pl.String(), "until": pl.String()}
KEY_BYTES = 32


class Tombstones:
    """The marks of one vault; ``until`` is the last data month (YYYY-MM) that they hold for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.folder: Path = store.vault / "tombstone"
        self._known: dict[tuple[str, str], pl.Series] = {}

    def marks_of(self, id_numbers: pl.Series) -> pl.Series:
        """The mark of each ID number; only once there is a key."""
        return pseudonyms(id_numbers, self._key(), self._store.algorithm)

    def write(self, deleted: pl.DataFrame, until: str, path: Path) -> None:
        """Write the marks of ``deleted`` (id_number, feed) to a file of the folder."""
        rows = deleted.drop_nulls("id_number").unique(["id_number", "feed"])
        marks = rows.select(self.marks_of(rows["id_number"]).alias("mark"), "feed", pl.lit(until).alias("until"))
        self._store.encrypted.write(marks.sort("mark", "feed"), path)

    def next_file(self) -> Path:
        """Where the marks of the next deletion go."""
        return self.folder / f"{len(self._files()) + 1:04d}.parquet"

    def sieve(self, rows: pl.DataFrame, feed: str, period: str) -> pl.DataFrame:
        """Identity rows of a delivery without those of persons deleted since its data month."""
        if (feed, period) not in self._known:
            self._known[feed, period] = self._marks(feed, period)
        marks = self._known[feed, period]
        if marks.is_empty() or rows.is_empty():
            return rows
        is_marked = self.marks_of(rows["id_number"]).is_in(marks.implode()).fill_null(False)
        return rows.filter(~is_marked)

    def _marks(self, feed: str, period: str) -> pl.Series:
        parts = [
            self._store.encrypted.read(path).filter(pl.col("feed") == feed, pl.col("until") >= period)
            for path in self._files()
        ]
        return pl.concat([pl.DataFrame(schema=_SCHEMA), *parts])["mark"].unique()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.parquet"))

    def _key(self) -> bytes:
        path = self.folder / "key.parquet"
        if not path.exists():
            fresh = pl.DataFrame({"key": [secrets.token_bytes(KEY_BYTES)]})
            self._store.encrypted.write(fresh, path)
        return bytes(self._store.encrypted.read(path)["key"][0])
