"""Sums over the columns of a file, and whether the file's own total rows agree with them.

Belongs here: control totals and total rows. Does not belong here: what a sidecar states (``statement``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import polars as pl

from ingestion.framing import SUBTOTAL, TOTAL, unit_of
from ingestion.normalise import normalise_text
from ingestion.parse import parse_column
from ingestion.parsed import ParseContext, Parsed
from ingestion.table import ROW_NUMBER, Framing, RawTable
from models.contract import Column, Feed

TOLERANCE = Decimal("0.01")
_SUMMED = ("money", "wan", "int", "decimal")
_NEVER = date.max


def column_totals(parsed: dict[str, Parsed], feed: Feed) -> dict[str, Decimal]:
    """The sum of each number column over all rows whose cell can be read, before quarantine; yuan for money."""
    return {column.name: _sum(_readable(parsed[column.name])) for column in feed.columns if column.type in _SUMMED}


def totals_agree(table: RawTable, parsed: dict[str, Parsed]) -> bool:
    """Whether every total row agrees with its column, every subtotal with the rows since the last one."""
    rows = [row for row in table.framing if row.kind in (TOTAL, SUBTOTAL)]
    since = 0
    for row in rows:
        start, end = (since, row.row_number) if row.kind == SUBTOTAL else (0, row.row_number)
        if not _row_agrees(row, table, parsed, start, end):
            return False
        since = row.row_number
    return True


def _row_agrees(row: Framing, table: RawTable, parsed: dict[str, Parsed], start: int, end: int) -> bool:
    numbers = table.cells[ROW_NUMBER]
    inside = (numbers > start) & (numbers < end)
    for position, column in table.header.columns.items():
        text = normalise_text(row.cells[position]) if position < len(row.cells) else ""
        if column.type not in _SUMMED or not text:
            continue
        stated = _stated(text, column, table, position)
        if stated is None:
            continue
        if abs(stated - _sum(_readable(parsed[column.name]).filter(inside))) > TOLERANCE:
            return False
    return True


def _stated(text: str, column: Column, table: RawTable, position: int) -> Decimal | None:
    unit = unit_of([row.cells for row in table.framing])
    # Limits are for single rows; a total may be above them.
    free = replace(column, minimum=None, maximum=None, exclusive_minimum=None)
    context = ParseContext(_NEVER, unit, table.header.units.get(position))
    value = parse_column(free, pl.Series([text]), context).value[0]
    return None if value is None else Decimal(str(value))


def _readable(parsed: Parsed) -> pl.Series:
    return parsed.value if parsed.readable is None else parsed.readable


def _sum(values: pl.Series) -> Decimal:
    if isinstance(values.dtype, pl.Decimal):
        values = values.cast(pl.Decimal(38, 2))
    total = values.sum()
    return Decimal(str(total if total is not None else 0))
