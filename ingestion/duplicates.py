"""Rows of one file that say the same, or say something else under the same key.

Belongs here: which of them stays. Does not belong here: duplicate files (``decision``).
"""

from __future__ import annotations

import polars as pl

from ingestion.reason import DUPLICATE_KEY, DUPLICATE_ROW
from ingestion.table import ROW_NUMBER
from models.contract import Feed


def duplicate_rows(rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Row number and reason of the rows that give way.

    The content of a key's last row stays: rows with other content are ``duplicate_key``; of those with the same
    content the first stays and the rest are ``duplicate_row``. A row whose key is not complete has no key.
    """
    content = [column.name for column in feed.columns]
    keys = [column.name for column in feed.key_columns] or content
    repeated = rows.select(pl.struct(keys).is_duplicated() if len(keys) > 1 else pl.col(keys[0]).is_duplicated())
    mask = repeated.to_series()
    if not mask.any():
        return pl.DataFrame(schema={ROW_NUMBER: pl.Int64, "reason": pl.String})
    group = rows.filter(mask).with_columns(pl.struct(content).rank("dense").alias("content"))
    last = pl.col("content").last().over(keys)
    same = pl.col("content") == last
    again = same & (pl.int_range(pl.len()).over([*keys, "content"]) > 0)
    reason = pl.when(~same).then(pl.lit(DUPLICATE_KEY)).when(again).then(pl.lit(DUPLICATE_ROW)).alias("reason")
    return group.select(ROW_NUMBER, reason).filter(pl.col("reason").is_not_null())
