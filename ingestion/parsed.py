"""The result of parsing a column: values and faults, and how a parser works on distinct cells.

Belongs here: what all parsers share. Does not belong here: the parser of any one type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

from ingestion.normalise import ERROR_CELL, NUMERIC_CELL
from ingestion.reason import VALUE_INVALID

VALUE, FAULT, READABLE = "value", "fault", "readable"


@dataclass(frozen=True)
class ParseContext:
    """What the meaning of a cell depends on besides its column."""

    received_on: date
    unit_row: int | None = None
    """Yuan per unit by the file's unit row."""
    header_unit: int | None = None
    """Yuan per unit by the column's own header."""


@dataclass(frozen=True)
class Parsed:
    """Typed values, null where the cell is empty or at fault, and the reason of each fault (None: no fault)."""

    value: pl.Series
    fault: pl.Series | None = None
    readable: pl.Series | None = None
    """Values before limits where those took any away: what control totals are the sum of. Wider than ``value``."""

    @staticmethod
    def of(frame: pl.DataFrame) -> Parsed:
        """From a frame with ``value`` and ``fault``; a fault column without any fault is dropped.

        ``readable`` is kept where it holds more than the values do.
        """
        fault = frame[FAULT]
        if fault.null_count() == len(fault):
            return Parsed(frame[VALUE])
        readable = frame[READABLE] if READABLE in frame.columns else None
        if readable is not None and readable.null_count() == frame[VALUE].null_count():
            readable = None
        return Parsed(frame[VALUE], fault, readable)


FrameParser = Callable[[pl.DataFrame], pl.DataFrame]


def parse_distinct(cells: pl.Series, parse: FrameParser) -> Parsed:
    """Parse each distinct text once. ``parse`` takes a frame with ``cell`` (no nulls) and adds value and fault."""
    distinct = cells.unique().drop_nulls().rename("cell").to_frame()
    parsed = with_errors_marked(distinct, parse)
    frame = cells.rename("cell").to_frame().join(parsed, on="cell", how="left", maintain_order="left")
    return Parsed.of(frame)


def with_errors_marked(cells: pl.DataFrame, parse: FrameParser) -> pl.DataFrame:
    """Parse; error cells of a spreadsheet are faults whatever the type, marks of numeric cells are dropped."""
    bare = cells.with_columns(pl.col("cell").alias("raw"), pl.col("cell").str.strip_prefix(NUMERIC_CELL))
    parsed = parse(bare)
    kept = [name for name in (VALUE, FAULT, READABLE) if name in parsed.columns]
    parsed = parsed.select(pl.col("raw").alias("cell"), *kept)
    is_error = pl.col("cell").str.contains(ERROR_CELL, literal=True)
    return parsed.with_columns(
        pl.when(~is_error).then(VALUE), pl.when(is_error).then(pl.lit(VALUE_INVALID)).otherwise(FAULT).alias(FAULT)
    )
