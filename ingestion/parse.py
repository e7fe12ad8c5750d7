"""A column of raw cells to typed values and faults, by its type in the contract.

Belongs here: the choice of parser, and the limits that the contract sets on values. Does not belong here: the
parsers (``parse_*``), what a fault does to its row (``rows``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import polars as pl

from ingestion.normalise import ERROR_CELL, NUMERIC_CELL
from ingestion.parse_code import parse_code, parse_division, parse_uscc
from ingestion.parse_date import parse_date, parse_month
from ingestion.parse_identity import parse_certificate, parse_id
from ingestion.parse_number import WAN, parse_decimal, parse_int, parse_money
from ingestion.parsed import FAULT, VALUE, ParseContext, Parsed
from ingestion.reason import DATE_INVALID, OUT_OF_RANGE, VALUE_INVALID
from models.contract import LAKE_TYPES, Column

BIRTH_COLUMN = "born_on"
MAX_AGE_YEARS = 120
_DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "date": pl.Date(),
    "decimal": pl.Decimal(14, 2),
    "float": pl.Float64(),
    "int": pl.Int64(),
}


def parse_column(column: Column, cells: pl.Series, context: ParseContext) -> Parsed:
    """Typed values of one column; ``cells`` are normalised texts, null where empty."""
    parsed = _by_type(column, cells, context)
    if column.type == "date":
        return _within_time(column, parsed, context.received_on)
    if column.type in ("money", "wan", "int", "decimal"):
        return _within_limits(column, parsed)
    return parsed


def value_dtype(column: Column) -> pl.DataType:
    """The type of a column's parsed values."""
    return _DTYPES[LAKE_TYPES.get(column.type, "string")]


def unit_of_column(column: Column, context: ParseContext) -> int:
    """Yuan per unit of a money column: its own header's, the unit row's, its type's, else yuan."""
    return context.header_unit or context.unit_row or (WAN if column.type == "wan" else 1)


def _by_type(column: Column, cells: pl.Series, context: ParseContext) -> Parsed:
    if column.carries_id_number:
        return parse_certificate(cells, context.received_on)
    parsers: dict[str, Callable[[], Parsed]] = {
        "id": lambda: parse_id(cells, context.received_on),
        "money": lambda: parse_money(cells, unit_of_column(column, context)),
        "wan": lambda: parse_money(cells, unit_of_column(column, context)),
        "date": lambda: parse_date(cells),
        "month": lambda: parse_month(cells),
        "int": lambda: parse_int(cells),
        "decimal": lambda: parse_decimal(cells),
        "code": lambda: parse_code(cells, str(column.code_table)),
        "division": lambda: parse_division(cells),
        "uscc": lambda: parse_uscc(cells),
    }
    return parsers.get(column.type, lambda: _text(cells))()


def _text(cells: pl.Series) -> Parsed:
    marked = cells.str.contains(f"[{ERROR_CELL}{NUMERIC_CELL}]").fill_null(False)
    if not marked.any():
        return Parsed(cells)
    frame = pl.DataFrame({"cell": cells})
    is_error = pl.col("cell").str.contains(ERROR_CELL, literal=True).fill_null(False)
    return Parsed.of(
        frame.with_columns(
            pl.when(~is_error).then(pl.col("cell").str.strip_prefix(NUMERIC_CELL)).alias(VALUE),
            pl.when(is_error).then(pl.lit(VALUE_INVALID)).alias(FAULT),
        )
    )


def _within_time(column: Column, parsed: Parsed, received_on: date) -> Parsed:
    late = pl.lit(False) if column.may_lie_in_future else pl.col(VALUE) > received_on
    old = pl.lit(False)
    if column.name == BIRTH_COLUMN:
        old = pl.col(VALUE).dt.offset_by(f"{MAX_AGE_YEARS}y") < received_on
    return _faulted(parsed, [(late, DATE_INVALID), (old, OUT_OF_RANGE)])


def _within_limits(column: Column, parsed: Parsed) -> Parsed:
    value = pl.col(VALUE)
    tests = []
    if column.minimum is not None:
        tests.append(value < column.minimum)
    if column.exclusive_minimum is not None:
        tests.append(value <= column.exclusive_minimum)
    if column.maximum is not None:
        tests.append(value > column.maximum)
    return _faulted(parsed, [(test, OUT_OF_RANGE) for test in tests]) if tests else parsed


def _faulted(parsed: Parsed, tests: list[tuple[pl.Expr, str]]) -> Parsed:
    """Values that fail a test become faults with that test's reason."""
    frame = parsed.value.rename(VALUE).to_frame()
    failed = frame.select(pl.any_horizontal(test.fill_null(False) for test, _ in tests).alias("failed"))["failed"]
    if not failed.any():
        return parsed
    fault = parsed.fault if parsed.fault is not None else pl.Series(FAULT, [None] * len(frame), dtype=pl.String)
    frame = frame.with_columns(fault.rename(FAULT))
    for test, reason in tests:
        frame = frame.with_columns(pl.when(test.fill_null(False)).then(pl.lit(reason)).otherwise(FAULT).alias(FAULT))
    checked = Parsed.of(frame.with_columns(pl.when(pl.col(FAULT).is_null()).then(VALUE)))
    return replace(checked, readable=parsed.value if parsed.readable is None else parsed.readable)
