"""Quarantined rows without a usable ID number as claims: what each row says of the person it is about.

Belongs here: from raw rows of the quarantine to typed claims, by the parsers of intake. Does not belong here: who
is meant (``match``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ingestion.delivery import Delivery
from ingestion.header import header_of
from ingestion.linkage.candidate import CLAIM, CLAIM_FACT
from ingestion.mending.comparison import cells_of_raw
from ingestion.normalise import NUMERIC_CELL, normalise_cells
from ingestion.parse import parse_column
from ingestion.parsed import ParseContext
from ingestion.pseudonym import pseudonyms
from ingestion.quarantine import faults_of
from ingestion.reason import ID_INVALID, ID_PRECISION_LOST, REQUIRED_MISSING
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from models.contract import Feed
from models.linkage import Linkage
from models.names import comparable_names

LINKABLE = (ID_INVALID, ID_PRECISION_LOST, REQUIRED_MISSING)
PLACE = {
    "feed": pl.String(),
    "delivery_id": pl.String(),
    ROW_NUMBER: pl.Int64(),
    "column": pl.String(),
    "is_alone": pl.Boolean(),
    "name_as_written": pl.String(),
}
_PLACES = {"claim": pl.UInt32(), **PLACE}
"""Where a claim stands; ``is_alone``: the row has no fault besides those that a number would mend."""


@dataclass(frozen=True)
class Claims:
    """Claims with their second facts and places, joined by ``claim``."""

    claims: pl.DataFrame
    facts: pl.DataFrame
    places: pl.DataFrame

    @staticmethod
    def concat(parts: Sequence[Claims]) -> Claims:
        """Claims of several deliveries together."""
        none = Claims(pl.DataFrame(schema=CLAIM), pl.DataFrame(schema=CLAIM_FACT), pl.DataFrame(schema=_PLACES))
        every = [none, *parts]
        return Claims(
            pl.concat(part.claims for part in every),
            pl.concat(part.facts for part in every),
            pl.concat(part.places.select(list(_PLACES)) for part in every),
        )


def claims_of(
    rows: pl.DataFrame, delivery: Delivery, feed: Feed, store: Store, linkage: Linkage, first: int = 0
) -> Claims:
    """Claims of one delivery's quarantined rows (``row_number``, ``reasons``, ``raw``), numbered from ``first``."""
    asked = _asked(rows, feed)
    told = _parsed(rows.join(asked, on=ROW_NUMBER, how="semi"), delivery, feed)
    if asked.is_empty() or told is None:
        return Claims.concat([])
    joined = (
        asked.join(told, on=ROW_NUMBER).with_row_index("claim", first).with_columns(pl.col("claim").cast(pl.UInt32))
    )
    parts = [_of_column(part, str(name), delivery, feed, linkage) for (name,), part in joined.group_by("column")]
    facts = [_facts_of(part, str(name), feed, store, linkage) for (name,), part in joined.group_by("column")]
    places = joined.select(
        "claim",
        pl.lit(feed.name).alias("feed"),
        pl.lit(delivery.delivery_id).alias("delivery_id"),
        ROW_NUMBER,
        "column",
        "is_alone",
    )
    names = pl.concat(part.select("claim", "name_as_written") for part in parts)
    claims = pl.concat(part.select(pl.col(name).cast(kind) for name, kind in CLAIM.items()) for part in parts)
    return Claims(claims, pl.concat(facts), places.join(names, on="claim"))


def _asked(rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """row_number, column, reason and is_alone of the ID columns that a number would mend."""
    columns = {column.name for column in feed.columns if column.type == "id"}
    carriers = {column.name for column in feed.columns if column.carries_id_number}
    faults = faults_of(rows)
    is_asked = pl.col("column").is_in(list(columns)) & pl.col("reason").is_in(LINKABLE)
    # A certificate number that is wrong because the ID number in it is wrong is mended along with it.
    mends_along = pl.col("column").is_in(list(carriers)) & pl.col("reason").is_in(LINKABLE)
    alone = faults.group_by(ROW_NUMBER).agg((is_asked | mends_along).all().alias("is_alone"))
    return faults.filter(is_asked).select(ROW_NUMBER, "column", "reason").join(alone, on=ROW_NUMBER)


def _parsed(rows: pl.DataFrame, delivery: Delivery, feed: Feed) -> pl.DataFrame | None:
    """Typed values of all columns (null where at fault), and texts of the ID columns as written (``raw_<column>``)."""
    cells = raw_cells(rows)
    if cells is None:
        return None
    header = header_of([name for name in cells.columns if name != ROW_NUMBER], feed)
    context = ParseContext(delivery.received_on)
    values = [cells[ROW_NUMBER]]
    for column in feed.columns:
        position = header.position(column.name)
        label = header.labels[position] if position is not None else None
        texts = normalise_cells(cells[label]) if label else pl.Series([None] * cells.height, dtype=pl.String)
        parsed = parse_column(column, texts, context)
        value = parsed.value
        if parsed.fault is not None:
            value = pl.select(pl.when(parsed.fault.is_null()).then(parsed.value)).to_series()
        values.append(value.rename(column.name))
        if column.type == "id" or column.carries_id_number:
            values.append(as_written(texts).rename(f"raw_{column.name}"))
    return pl.DataFrame(values)


def raw_cells(rows: pl.DataFrame) -> pl.DataFrame | None:
    """Raw rows as a frame of texts by header; None where none of them is a row of cells (malformed lines)."""
    tables = rows.filter(pl.col("raw").str.starts_with("{"))
    return None if tables.is_empty() else cells_of_raw(tables)


def as_written(texts: pl.Series) -> pl.Series:
    """Numbers as they were written, without what says nothing: blanks, the mark of numeric cells, case."""
    bare = texts.str.strip_prefix(NUMERIC_CELL).str.replace_all(r"[\s-]", "").str.to_uppercase()
    # What a numeric cell kept of 18 digits are the first 15, whatever it shows behind them.
    numeric = texts.str.starts_with(NUMERIC_CELL).fill_null(False) & bare.str.contains(r"^\d{18}$").fill_null(False)
    frame = pl.DataFrame({"bare": bare, "numeric": numeric})
    shown = pl.when("numeric").then(pl.col("bare").str.slice(0, 15) + "000").otherwise("bare")
    return frame.select(shown).to_series()


def _of_column(part: pl.DataFrame, column: str, delivery: Delivery, feed: Feed, linkage: Linkage) -> pl.DataFrame:
    """Claims about one ID column: its name column, and birth date and sex where the row is about that person."""
    is_main = column == "id_number"
    names = {item.name: item for item in feed.columns}
    name = "name" if is_main else column.removesuffix("_id") + "_name"
    empty = pl.lit(None, pl.String)
    carried = _carried(column, feed, linkage)
    keys = {item.name for item in feed.columns if item.key}
    return part.select(
        "claim",
        "reason",
        pl.col(f"raw_{column}").alias("text"),
        (pl.col(name) if name in names else empty).alias("name_as_written"),
        (comparable_names(pl.col(name)) if name in names else empty).alias("name"),
        (pl.col("born_on") if is_main and "born_on" in names else pl.lit(None, pl.Date)).alias("born_on"),
        (pl.col("sex") if is_main and "sex" in names else empty).alias("sex"),
        carried.alias("carried"),
        pl.lit(delivery.delivery_id if keys == {column} else None, pl.String).alias("group"),
    )


def _carried(column: str, feed: Feed, linkage: Linkage) -> pl.Expr:
    """The number that another column of the row carries, where it is that of the same person."""
    found = []
    for item in linkage.carried:
        if (item.feed, item.column) == (feed.name, column):
            number = pl.col(item.source).str.slice(0, 18)
            holds = pl.lit(True) if item.when is None else pl.col(item.when[0]) == item.when[1]
            found.append(pl.when(holds).then(number))
    return pl.coalesce(found) if found else pl.lit(None, pl.String)


def _facts_of(part: pl.DataFrame, column: str, feed: Feed, store: Store, linkage: Linkage) -> pl.DataFrame:
    """Second facts of claims about the person that the row is about, in the form in which the lake has them."""
    found = [pl.DataFrame(schema=CLAIM_FACT)]
    for fact in linkage.facts:
        for name in _columns_of(fact.columns, feed):
            if name == column:
                continue
            value = part[name]
            if feed.column(name).type == "id":
                value = pseudonyms(value, store.keys.pseudonym, store.algorithm)
            told = pl.DataFrame({"claim": part["claim"], "value": value.cast(pl.String)}).drop_nulls("value")
            if fact.length is not None:
                told = told.filter(pl.col("value").str.len_bytes() == fact.length)
            found.append(told.select("claim", pl.lit(fact.name).alias("kind"), "value"))
    return pl.concat(found)


def _columns_of(columns: tuple[tuple[str, str], ...], feed: Feed) -> Iterator[str]:
    return (name for known, name in columns if known == feed.name)


def feeds_with_numbers(feeds: Mapping[str, Feed]) -> dict[str, Feed]:
    """Feeds with a column of ID numbers that a row needs: only of these are rows set aside for a number."""
    return {
        name: feed
        for name, feed in feeds.items()
        if any(column.type == "id" and (column.required or column.key) for column in feed.columns)
    }
