"""Rows of one file that say the same, or say something else under the same key.

Belongs here: which of them stays. Does not belong here: duplicate files (``decision``).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from ingestion.reason import DUPLICATE_KEY, DUPLICATE_ROW
from ingestion.table import ROW_NUMBER
from models.contract import Feed

# So many rows with repeated keys are compared at a time.
_ROWS_AT_A_TIME = 500_000
NO_DUPLICATES = pl.DataFrame(schema={ROW_NUMBER: pl.Int64, "reason": pl.String})

Hashes = npt.NDArray[np.uint64]


class DuplicateSearch:
    """Finds duplicates over chunks of rows that are not all in memory at once.

    A hash of each key says which rows can have a twin; those are fetched and compared by what they hold, so that
    keys of the same hash are no more than a little work for nothing.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._seed = secrets.randbits(64)
        self._hashes: list[Hashes] = []

    def add(self, rows: pl.DataFrame) -> None:
        """The next chunk of rows that are otherwise valid."""
        self._hashes.append(key_hashes(rows, self._feed, self._seed))

    def found(self, fetch: Callable[[int], pl.DataFrame]) -> pl.DataFrame:
        """Row number and reason of the rows that give way, in order; ``fetch`` gives a chunk of rows again."""
        suspects = self._suspects()
        groups = 1 + sum(map(len, suspects)) // _ROWS_AT_A_TIME
        found = [NO_DUPLICATES]
        for group in range(groups):
            parts = []
            for number, positions in enumerate(suspects):
                inside = positions[self._hashes[number][positions] % np.uint64(groups) == group]
                if len(inside):
                    parts.append(fetch(number)[inside])
            if parts:
                found.append(duplicate_rows(pl.concat(parts), self._feed))
        return pl.concat(found).sort(ROW_NUMBER)

    def _suspects(self) -> list[npt.NDArray[np.int64]]:
        """By chunk, the positions of rows whose key's hash stands more than once in the file."""
        ordered = np.sort(np.concatenate(self._hashes)) if self._hashes else np.empty(0, dtype=np.uint64)
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        del ordered
        if not len(repeated):
            return []
        return [np.flatnonzero(np.isin(hashes, repeated)) for hashes in self._hashes]


def key_hashes(rows: pl.DataFrame, feed: Feed, seed: int) -> Hashes:
    """A hash of each row's key."""
    return rows.select(pl.struct(_keys(feed)).hash(seed)).to_series().to_numpy()


def duplicate_rows(rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Row number and reason of the rows that give way.

    The content of a key's last row stays: rows with other content are ``duplicate_key``; of those with the same
    content the first stays and the rest are ``duplicate_row``. A row whose key is not complete has no key.
    """
    content = [column.name for column in feed.columns]
    keys = _keys(feed)
    repeated = rows.select(pl.struct(keys).is_duplicated() if len(keys) > 1 else pl.col(keys[0]).is_duplicated())
    mask = repeated.to_series()
    if not mask.any():
        return NO_DUPLICATES
    group = rows.filter(mask).with_columns(pl.struct(content).rank("dense").alias("content"))
    last = pl.col("content").last().over(keys)
    same = pl.col("content") == last
    again = same & (pl.int_range(pl.len()).over([*keys, "content"]) > 0)
    reason = pl.when(~same).then(pl.lit(DUPLICATE_KEY)).when(again).then(pl.lit(DUPLICATE_ROW)).alias("reason")
    return group.select(ROW_NUMBER, reason).filter(pl.col("reason").is_not_null())


def _keys(feed: Feed) -> list[str]:
    return [column.name for column in feed.key_columns] or [column.name for column in feed.columns]
