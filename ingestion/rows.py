"""Raw cells to valid rows, quarantined rows and cell defects, by the row rules of feeds.md section 2.

Belongs here: which fault quarantines a row and which only nulls a cell, counts by reason. Does not belong here:
parsing (``parse``), what only the whole file says (``checking``), pseudonyms, storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from ingestion.normalise import normalise_cells
from ingestion.parse import BIRTH_COLUMN, parse_column, value_dtype
from ingestion.parsed import ParseContext, Parsed
from ingestion.reason import REQUIRED_MISSING, ROW_MALFORMED
from ingestion.table import ROW_NUMBER, RawTable, cell_name
from models.contract import Column, Feed
from models.names import PRIVATE_USE

FAULT_SCHEMA: dict[str, pl.DataType] = {
    ROW_NUMBER: pl.Int64(),
    "order": pl.Int64(),
    "column": pl.String(),
    "reason": pl.String(),
}

COMPLETED_SCHEMA: dict[str, pl.DataType] = {ROW_NUMBER: pl.Int64(), "column": pl.String()}


@dataclass(frozen=True)
class CheckedRows:
    """What the rows of a table come to, each by itself.

    ``valid`` has ``row_number`` and every column of the contract, direct identifiers included; ``faults`` has one
    row a reason of a row at fault, by row and column order; ``defects`` one row a nulled cell of a valid row, with
    what stood there; ``parsed`` are all columns of all rows of the right width; ``completed`` has row number and
    column of every ID number that was written with 15 digits.
    """

    valid: pl.DataFrame
    faults: pl.DataFrame
    defects: pl.DataFrame
    parsed: dict[str, Parsed]
    completed: pl.DataFrame


def check_rows(table: RawTable, feed: Feed, received_on: date, unit_row: int | None = None) -> CheckedRows:
    """Parse and check all data rows of a table; ``unit_row`` is what the file's unit row states."""
    parsed = _parsed_columns(table, feed, received_on, unit_row)
    numbers = table.cells[ROW_NUMBER]
    faults = [_malformed(table)]
    for order, column in enumerate(feed.columns):
        if column.required or column.key:
            faults.append(_faults_of(parsed[column.name], numbers, order, column))
    row_faults = pl.concat(faults).sort(ROW_NUMBER, "order")
    valid = pl.DataFrame([numbers, *(parsed[column.name].value.rename(column.name) for column in feed.columns)])
    bad = row_faults[ROW_NUMBER].unique()
    valid = valid.filter(~pl.col(ROW_NUMBER).is_in(bad.implode())) if len(bad) else valid
    defects = _defects(parsed, feed, table, valid[ROW_NUMBER], len(numbers) == len(valid))
    return CheckedRows(valid, row_faults, defects, parsed, _completed(table, feed, parsed))


def _parsed_columns(table: RawTable, feed: Feed, received_on: date, unit_row: int | None) -> dict[str, Parsed]:
    parsed = {}
    for column in feed.columns:
        position = table.header.position(column.name)
        if position is None:
            parsed[column.name] = Parsed(pl.repeat(None, table.cells.height, dtype=value_dtype(column), eager=True))
            continue
        context = ParseContext(received_on, unit_row, table.header.units.get(position))
        parsed[column.name] = parse_column(column, cells_of(table, position), context)
    return parsed


def cells_of(table: RawTable, position: int) -> pl.Series:
    """The normalised texts of one column."""
    cells = table.cells[cell_name(position)]
    return cells if table.is_clean else normalise_cells(cells)


def _faults_of(parsed: Parsed, numbers: pl.Series, order: int, column: Column) -> pl.DataFrame:
    reason = parsed.fault
    if column.required and parsed.value.null_count() > 0:
        missing = pl.when(parsed.value.is_null()).then(pl.lit(REQUIRED_MISSING))
        frame = pl.DataFrame({"fault": reason}) if reason is not None else None
        reason = (
            pl.select(missing).to_series() if frame is None else frame.select(pl.coalesce("fault", missing)).to_series()
        )
    if reason is None:
        return pl.DataFrame(schema=FAULT_SCHEMA)
    return _rows(numbers, reason, order, column.name)


def _rows(numbers: pl.Series, reason: pl.Series, order: int, name: str) -> pl.DataFrame:
    frame = pl.DataFrame({ROW_NUMBER: numbers, "reason": reason}).filter(pl.col("reason").is_not_null())
    return frame.select(
        ROW_NUMBER,
        pl.lit(order, dtype=pl.Int64).alias("order"),
        pl.lit(name, dtype=pl.String).alias("column"),
        "reason",
    )


def faults_of_rows(rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Faults (``row_number``, ``reason``) that no column has, beside the others; they stand after those of columns."""
    return _rows(rows[ROW_NUMBER], rows["reason"], len(feed.columns), "")


def _completed(table: RawTable, feed: Feed, parsed: dict[str, Parsed]) -> pl.DataFrame:
    """ID numbers of 15 digits, which were made ones of 18: the evidence of that pass of linking."""
    found = [pl.DataFrame(schema=COMPLETED_SCHEMA)]
    for column in feed.columns:
        position = table.header.position(column.name)
        if column.type != "id" or position is None:
            continue
        cells = pl.DataFrame({ROW_NUMBER: table.cells[ROW_NUMBER], "raw": table.cells[cell_name(position)]})
        cells = cells.with_columns(parsed[column.name].value.alias("value"))
        # Few are not of 18 bytes, so only of these the digits are counted.
        odd = cells.filter(pl.col("value").is_not_null() & (pl.col("raw").str.len_bytes() != 18))
        old = odd.filter(pl.col("raw").str.replace_all(r"[^\d０-９]", "").str.len_chars() == 15)
        found.append(old.select(ROW_NUMBER, pl.lit(column.name).alias("column")))
    return pl.concat(found)


def _malformed(table: RawTable) -> pl.DataFrame:
    numbers = table.malformed[ROW_NUMBER]
    return _rows(numbers, pl.repeat(ROW_MALFORMED, len(numbers), dtype=pl.String, eager=True), -1, "")


def _defects(parsed: dict[str, Parsed], feed: Feed, table: RawTable, kept: pl.Series, all_kept: bool) -> pl.DataFrame:
    """Faults of columns that are neither required nor key, in rows that are accepted."""
    found = [pl.DataFrame(schema={**FAULT_SCHEMA, "raw": pl.String()})]
    for order, column in enumerate(feed.columns):
        fault = parsed[column.name].fault
        position = table.header.position(column.name)
        if fault is None or column.required or column.key or position is None:
            continue
        rows = _rows(table.cells[ROW_NUMBER], fault, order, column.name)
        raw = table.cells.select(ROW_NUMBER, pl.col(cell_name(position)).alias("raw"))
        found.append(rows.join(raw, on=ROW_NUMBER, how="left", maintain_order="left"))
    defects = pl.concat(found)
    return defects if all_kept else defects.filter(pl.col(ROW_NUMBER).is_in(kept.implode()))


def has_id_conflict(valid: pl.DataFrame) -> bool:
    """Whether a birth date or sex stands beside an ID number that says otherwise."""
    if "id_number" not in valid.columns:
        return False
    tests = []
    if BIRTH_COLUMN in valid.columns:
        tests.append(pl.col("id_number").str.slice(6, 8) != pl.col(BIRTH_COLUMN).dt.strftime("%Y%m%d"))
    if "sex" in valid.columns:
        odd = pl.col("id_number").str.slice(16, 1).cast(pl.Int8) % 2 == 1
        tests.append(odd != (pl.col("sex") == "1"))
    return bool(tests) and bool(valid.select(pl.any_horizontal(tests).any()).item())


def private_use_columns(parsed: dict[str, Parsed], feed: Feed) -> list[str]:
    """The columns of words in which private-use characters stand."""
    names = [column.name for column in feed.columns if column.type in ("name", "text", "address")]
    return [name for name in names if parsed[name].value.str.contains(PRIVATE_USE).any()]


def counts(frame: pl.DataFrame) -> dict[str, int]:
    """How many rows there are of each reason."""
    counted = frame.group_by("reason").len().sort("reason")
    return dict(zip(counted["reason"], counted["len"], strict=True))
