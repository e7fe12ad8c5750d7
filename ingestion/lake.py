"""Accepted rows as they stand in the lake: person keys instead of ID numbers, no names, texts masked.

Belongs here: the step from checked rows to lake rows. Does not belong here: the vault that keeps who is who.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.pseudonym import Algorithm, pseudonyms
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
_MAY_IDENTIFY = rf"{ID_PATTERN}|{PHONE_PATTERN}"


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
    accepted: pl.DataFrame, feed: Feed, delivery_id: str, period: str, key: bytes, algorithm: Algorithm
) -> pl.DataFrame:
    """Accepted rows without any direct identifier."""
    keys: dict[str, pl.Series] = {}
    columns = []
    for field in feed.lake_fields:
        source = feed.column(field.source)
        if source.type == "id" or source.carries_id_number:
            columns.append(_identity_field(field, source, accepted, keys, key, algorithm))
        elif source.type == "text":
            columns.append(_masked(accepted[source.name], _names_of(accepted, feed), source).rename(field.name))
        else:
            columns.append(accepted[source.name].rename(field.name))
    rows = pl.DataFrame(columns).with_columns(
        pl.lit(delivery_id).alias("delivery_id"), accepted[ROW_NUMBER], pl.lit(period).alias("period")
    )
    return rows.select(pl.col(name).cast(dtype) for name, dtype in lake_schema(feed).items())


def _identity_field(
    field: LakeField,
    source: Column,
    accepted: pl.DataFrame,
    keys: dict[str, pl.Series],
    key: bytes,
    algorithm: Algorithm,
) -> pl.Series:
    cells = accepted[source.name]
    if field.name.endswith("_category"):
        return cells.str.slice(18, 1).rename(field.name)
    if field.name.endswith("_grade"):
        return cells.str.slice(19, 1).rename(field.name)
    if source.name not in keys:
        keys[source.name] = pseudonyms(cells, key, algorithm)
    return keys[source.name].rename(field.name)


def _names_of(accepted: pl.DataFrame, feed: Feed) -> list[pl.Series]:
    return [accepted[column.name] for column in feed.columns if column.type == "name"]


def _masked(texts: pl.Series, names: list[pl.Series], source: Column) -> pl.Series:
    """Texts with ID numbers, phones and the names of the same row masked; few rows, so each by itself."""
    may = texts.str.contains(_MAY_IDENTIFY).fill_null(False) if not source.key else _long_digits(texts)
    rows = {int(at): texts[int(at)] for at in may.arg_true()}
    for name in names:
        long = pl.when(pl.col("name").str.len_chars() >= 2).then("name").otherwise(pl.lit("\x00"))
        frame = pl.DataFrame({"text": texts, "name": name})
        holds = frame.select(pl.col("text").str.contains(long, literal=True).fill_null(False)).to_series()
        for at in holds.arg_true():
            known = rows.get(int(at), texts[int(at)])
            rows[int(at)] = known.replace(name[int(at)], mask_name(name[int(at)]))
    if not rows:
        return texts
    return texts.scatter(list(rows), [mask_text(text) for text in rows.values()])


def _long_digits(texts: pl.Series) -> pl.Series:
    """Numbers of certificates and accounts are kept as they are, unless an ID number stands in them."""
    return texts.str.contains(ID_PATTERN).fill_null(False)
