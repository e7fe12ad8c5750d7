"""Whether a row that was set aside has come again: compared by what of it can be read.

Belongs here: the readable columns of a quarantined row, the same of accepted rows, and which belong together. Does
not belong here: what follows from it (``settlement``). Values stay in memory; only row numbers leave this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from ingestion.header import header_of
from ingestion.lake import lake_rows, lake_schema
from ingestion.normalise import normalise_cells
from ingestion.parse import parse_column, value_dtype
from ingestion.parsed import ParseContext
from ingestion.pseudonym import identity_keys
from ingestion.reason import ROW_MALFORMED
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from ingestion.vault import Vault
from models.contract import Column, Feed, LakeField

BY_ROW = "by_row"
MATCH_SCHEMA = {ROW_NUMBER: pl.Int64(), BY_ROW: pl.Int64()}
_FACTS = ("name", "phone", "address")
# A unit row of the file is not kept with a row, so an amount may be read in another unit than it was meant in.
_UNCERTAIN = ("money", "wan")
_MIN_COLUMNS = 2


def quarantined_view(rows: pl.DataFrame, feed: Feed, store: Store, received_on: date) -> pl.DataFrame:
    """Readable columns of quarantined rows (``row_number``, ``reasons``, ``raw``) as the lake would hold them, and
    name, phone and address; null where a cell is empty or at fault. Rows that never fitted the header are left out.
    """
    read = rows.filter(~pl.col("reasons").str.contains(ROW_MALFORMED, literal=True))
    values = _read_cells(cells_of_raw(read), feed, received_on)
    keys = identity_keys(values, feed, store.keys.pseudonym, store.algorithm)
    lake = lake_rows(values, feed, keys, "", "").drop("delivery_id", "period")
    return lake.with_columns(values[name] for name in _facts_of(feed))


def accepted_view(store: Store, feed: Feed, path: Path, delivery_id: str) -> pl.DataFrame:
    """The same columns of a delivery's accepted rows, put together from lake and vault."""
    if not path.exists():
        return empty_view(feed)
    lake = pl.read_parquet(path).select(list(_lake_part(feed)))
    facts = _facts_of(feed)
    vault_file = Vault(store).file(feed.name, delivery_id)
    if not facts or not vault_file.exists():
        return lake.with_columns(pl.lit(None, pl.String).alias(name) for name in facts)
    known = store.encrypted.read(vault_file).filter(pl.col("role").is_in(["id_number", "name"]))
    if "person_key" not in lake.columns:
        return lake.join(known.select(ROW_NUMBER, *facts), on=ROW_NUMBER, how="left")
    persons = known.filter(pl.col("person_key").is_not_null()).select("person_key", *facts)
    others = known.filter(pl.col("person_key").is_null()).select(ROW_NUMBER, *facts)
    has_key = pl.col("person_key").is_not_null()
    return pl.concat(
        [
            lake.filter(has_key).join(persons, on="person_key", how="left"),
            lake.filter(~has_key).join(others, on=ROW_NUMBER, how="left"),
        ]
    )


def empty_view(feed: Feed) -> pl.DataFrame:
    return pl.DataFrame(schema={**_lake_part(feed), **dict.fromkeys(_facts_of(feed), pl.String())})


def match(rows: pl.DataFrame, candidates: pl.DataFrame, feed: Feed, known_before: pl.DataFrame) -> pl.DataFrame:
    """``row_number`` and ``by_row``: which candidate each row has become; rows without one are left out.

    By the key where all of it can be read. Otherwise by every column that can be read, among the candidates whose
    key is not that of a row accepted before (``known_before``): a mended row is a new one. Rows that cannot be told
    apart are taken in their order, each candidate once.
    """
    keys = key_fields(feed)
    by_key = _joined(rows.drop_nulls(keys), candidates, keys)
    left = rows.join(by_key, on=ROW_NUMBER, how="anti").filter(pl.any_horizontal(pl.col(key).is_null() for key in keys))
    new = candidates.join(known_before.select(keys), on=keys, how="anti", nulls_equal=True)
    new = new.join(by_key, left_on=ROW_NUMBER, right_on=BY_ROW, how="anti")
    found = [by_key]
    for columns, part in _patterns(left, feed):
        found.append(_joined(part, new, columns))
    matched = pl.concat(found)
    # A candidate that two patterns point at has become of neither alone; the first keeps it.
    return matched.unique(BY_ROW, keep="first", maintain_order=True)


def key_fields(feed: Feed) -> list[str]:
    """The columns of the lake by which a row of the feed is known within its month."""
    keys = {column.name for column in feed.key_columns}
    names = [field.name for field in feed.lake_fields if field.source in keys]
    return names or [field.name for field in feed.lake_fields]


def _joined(rows: pl.DataFrame, candidates: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Rows and candidates that agree in those columns, the first with the first, the second with the second."""
    if rows.is_empty() or candidates.is_empty():
        return pl.DataFrame(schema=MATCH_SCHEMA)
    place = pl.int_range(pl.len()).over(columns).alias("place")
    mine = rows.unique(ROW_NUMBER).sort(ROW_NUMBER).with_columns(place)
    theirs = candidates.unique([ROW_NUMBER, *columns]).sort(ROW_NUMBER).with_columns(place)
    found = mine.join(theirs.rename({ROW_NUMBER: BY_ROW}), on=[*columns, "place"], how="inner")
    return found.select(ROW_NUMBER, BY_ROW)


def _patterns(rows: pl.DataFrame, feed: Feed) -> Iterator[tuple[list[str], pl.DataFrame]]:
    """Rows by the columns that can be read of them; rows of which too few can be are left out."""
    uncertain = {item.name for item in feed.lake_fields if _type_of(feed, item) in _UNCERTAIN}
    columns = [name for name in rows.columns if name != ROW_NUMBER and name not in uncertain]
    readable = rows.with_columns(
        pl.concat_str(
            pl.when(pl.col(name).is_not_null()).then(pl.lit(f"{name} ")).otherwise(pl.lit("")) for name in columns
        ).alias("readable")
    )
    for (names,), part in readable.group_by("readable", maintain_order=True):
        named = str(names).split()
        if len(named) >= _MIN_COLUMNS:
            yield named, part


def _type_of(feed: Feed, field: LakeField) -> str:
    return feed.column(field.source).type


def cells_of_raw(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of one delivery (``row_number``, ``raw``) as columns of text, by header."""
    if rows.is_empty():
        return rows.select(ROW_NUMBER)
    labels = rows["raw"].head(1).str.json_decode(infer_schema_length=1).struct.fields
    schema = pl.Struct(dict.fromkeys(labels, pl.String))
    return rows.select(ROW_NUMBER, pl.col("raw").str.json_decode(schema).struct.unnest())


def _read_cells(cells: pl.DataFrame, feed: Feed, received_on: date) -> pl.DataFrame:
    labels = [name for name in cells.columns if name != ROW_NUMBER]
    header = header_of(labels, feed)
    columns = [cells[ROW_NUMBER]]
    for column in feed.columns:
        at = header.position(column.name)
        columns.append(_values(column, cells, None if at is None else labels[at], received_on))
    return pl.DataFrame(columns)


def _values(column: Column, cells: pl.DataFrame, label: str | None, received_on: date) -> pl.Series:
    if label is None:
        return pl.repeat(None, cells.height, dtype=value_dtype(column), eager=True).alias(column.name)
    parsed = parse_column(column, normalise_cells(cells[label].cast(pl.String)), ParseContext(received_on))
    return parsed.value.rename(column.name)


def _lake_part(feed: Feed) -> dict[str, pl.DataType]:
    schema = lake_schema(feed)
    return {name: dtype for name, dtype in schema.items() if name not in ("delivery_id", "period")}


def _facts_of(feed: Feed) -> list[str]:
    names = {column.name for column in feed.columns if column.is_direct_identifier}
    return [name for name in _FACTS if name in names]
