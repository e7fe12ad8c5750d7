"""Accepted rows as they stand in the lake: person keys instead of ID numbers, no names, texts masked.

Belongs here: the step from checked rows to lake rows. Does not belong here: the vault that keeps who is who.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.table import ROW_NUMBER
from models.contract import Column, Feed, LakeField, LakeType
from models.masking import ID_PATTERN, PHONE_PATTERN, mask_name, mask_text

LAKE_DTYPES: dict[LakeType, pl.DataType] = {
    "string": pl.String(),
    "date": pl.Date(),
    "decimal": pl.Decimal(14, 2),
    "float": pl.Float64(),
    "int": pl.Int64(),
}
# The patterns of ``models.masking`` stand apart from other digits; this finds no less than they do.
_APART = r"(?:^|[^0-9A-Za-z])(?:{})(?:$|[^0-9])"
_ID_OR_PHONE = _APART.format(f"{ID_PATTERN}|{PHONE_PATTERN}")
_ID = _APART.format(ID_PATTERN)


def lake_schema(feed: Feed) -> dict[str, pl.DataType]:
    """Columns of the lake rows of a feed."""
    fields = {field.name: LAKE_DTYPES[field.type] for field in feed.lake_fields}
    return {**fields, "delivery_id": pl.String(), ROW_NUMBER: pl.Int64(), "period": pl.String()}


def write_empty_tables(lake: Path, feeds: dict[str, Feed]) -> None:
    """One table without rows for each feed, so that readers find columns before the first delivery."""
    for feed in feeds.values():
        path = lake / feed.name / "schema.parquet"
        schema = lake_schema(feed)
        if not path.exists() or pl.read_parquet_schema(path) != schema:
            write_parquet(pl.DataFrame(schema=schema), path)


def lake_rows(
    accepted: pl.DataFrame, feed: Feed, keys: Mapping[str, pl.Series], delivery_id: str, period: str
) -> pl.DataFrame:
    """Accepted rows without any direct identifier; ``keys`` are the pseudonyms by column."""
    columns = []
    for field in feed.lake_fields:
        source = feed.column(field.source)
        if source.name in keys:
            columns.append(_identity_field(field, accepted[source.name], keys[source.name]))
        elif source.type == "text":
            columns.append(_masked(accepted[source.name], _names_of(accepted, feed), source).rename(field.name))
        else:
            columns.append(accepted[source.name].rename(field.name))
    rows = pl.DataFrame(columns).with_columns(
        pl.lit(delivery_id).alias("delivery_id"), accepted[ROW_NUMBER], pl.lit(period).alias("period")
    )
    return rows.select(pl.col(name).cast(dtype) for name, dtype in lake_schema(feed).items())


def _identity_field(field: LakeField, cells: pl.Series, keys: pl.Series) -> pl.Series:
    """The person key, or of a certificate number (ID number, category digit, grade digit) one of its parts."""
    if field.name.endswith("_category"):
        return cells.str.slice(18, 1).rename(field.name)
    if field.name.endswith("_grade"):
        return cells.str.slice(19, 1).rename(field.name)
    return keys.rename(field.name)


def _names_of(accepted: pl.DataFrame, feed: Feed) -> list[pl.Series]:
    return [accepted[column.name] for column in feed.columns if column.type == "name"]


def _masked(texts: pl.Series, names: list[pl.Series], source: Column) -> pl.Series:
    """Texts with ID numbers, phones and the names of the same row masked; few rows, so each by itself."""
    # Numbers of certificates and accounts are kept as they are, unless an ID number stands in them.
    may = texts.str.contains(_ID if source.key else _ID_OR_PHONE).fill_null(False)
    rows = {int(at): texts[int(at)] for at in may.arg_true()}
    for name in names:
        for at in _holding(texts, name):
            known = rows.get(at, texts[at])
            rows[at] = known.replace(name[at], mask_name(name[at]))
    if not rows:
        return texts
    return texts.scatter(list(rows), [mask_text(text) for text in rows.values()])


def _holding(texts: pl.Series, names: pl.Series) -> list[int]:
    """The rows whose text holds the name of the same row (names of one character are no names)."""
    if texts.str.len_bytes().max() is None:
        return []
    long = pl.when(pl.col("name").str.len_chars() >= 2).then("name").otherwise(pl.lit("\x00"))
    # A text of digits and letters alone holds no name; most are.
    likely = pl.col("text").str.contains(r"[^\x00-\x7f]")
    frame = pl.DataFrame({"text": texts, "name": names}).with_row_index("at").filter(likely)
    return frame.filter(pl.col("text").str.contains(long, literal=True))["at"].to_list()
