"""Sums over the columns of a file, and whether the file's own total rows agree with them.

Belongs here: control totals and total rows. Does not belong here: what a sidecar states (``statement``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl

from ingestion.framing import SUBTOTAL, TOTAL
from ingestion.header import Header
from ingestion.normalise import normalise_text
from ingestion.parse import parse_column, value_dtype
from ingestion.parsed import ParseContext, Parsed
from ingestion.table import Framing
from models.contract import Column, Feed

TOLERANCE = Decimal("0.01")
_SUMMED = ("money", "wan", "int", "decimal")
_NEVER = date.max
_MANTISSA_BITS = 53
_HALF_BITS = 26


class RunningTotals:
    """Sums of the number columns over all rows whose cell can be read, before quarantine; yuan for money.

    Chunk by chunk, and the same however the file is cut: sums of fractions are exact until they are asked for.
    """

    def __init__(self, feed: Feed, header: Header, unit_row: int | None) -> None:
        self._header = header
        self._unit_row = unit_row
        self._columns = [column for column in feed.columns if column.type in _SUMMED]
        self._all = {column.name: _Sum(column) for column in self._columns}
        self._since_last = {column.name: _Sum(column) for column in self._columns}
        self.agree = True
        """Whether every total row agrees with its column, every subtotal with the rows since the last one."""

    @property
    def control_totals(self) -> dict[str, Decimal]:
        return {name: total.value for name, total in self._all.items()}

    def add(self, numbers: pl.Series, parsed: dict[str, Parsed], framing: Sequence[Framing]) -> None:
        """The next chunk: row numbers, parsed columns and framing rows, all in order."""
        totals = [row for row in framing if row.kind in (TOTAL, SUBTOTAL)]
        ends = [int(numbers.search_sorted(row.row_number)) for row in totals]
        readable = {column.name: _readable(parsed[column.name]) for column in self._columns}
        start = 0
        for row, end in zip(totals, ends, strict=True):
            self._add(readable, start, end)
            self.agree = self.agree and self._row_agrees(row)
            self._since_last = {column.name: _Sum(column) for column in self._columns}
            start = end
        self._add(readable, start, len(numbers))

    def _add(self, readable: dict[str, pl.Series], start: int, end: int) -> None:
        for name, values in readable.items():
            part = _Sum.of(values[start:end])
            self._all[name].add(part)
            self._since_last[name].add(part)

    def _row_agrees(self, row: Framing) -> bool:
        sums = self._since_last if row.kind == SUBTOTAL else self._all
        for position, column in self._header.columns.items():
            text = normalise_text(row.cells[position]) if position < len(row.cells) else ""
            if column.type not in _SUMMED or not text:
                continue
            stated = self._stated(text, column, position)
            if stated is not None and abs(stated - sums[column.name].value) > TOLERANCE:
                return False
        return True

    def _stated(self, text: str, column: Column, position: int) -> Decimal | None:
        # Limits are for single rows; a total may be above them.
        free = replace(column, minimum=None, maximum=None, exclusive_minimum=None)
        context = ParseContext(_NEVER, self._unit_row, self._header.units.get(position))
        value = parse_column(free, pl.Series([text]), context).value[0]
        return None if value is None else Decimal(str(value))


class _Sum:
    """A sum that is the same whatever the order and the grouping of what is added."""

    def __init__(self, column: Column | None = None) -> None:
        dtype = None if column is None else value_dtype(column)
        self._exact = Decimal("0.00") if isinstance(dtype, pl.Decimal) else Decimal(0)
        # Of floats, whole mantissas by exponent.
        self._mantissas: Counter[int] | None = Counter() if dtype == pl.Float64 else None

    @staticmethod
    def of(values: pl.Series) -> _Sum:
        found = _Sum()
        if values.dtype == pl.Float64:
            found._mantissas = _mantissas(values)
        elif len(values):
            wide = values.cast(pl.Decimal(38, 2)) if isinstance(values.dtype, pl.Decimal) else values.cast(pl.Int128)
            found._exact = Decimal(str(wide.sum() or 0))
        return found

    @property
    def value(self) -> Decimal:
        if self._mantissas is None:
            return self._exact
        total = sum((Fraction(whole) * Fraction(2) ** power for power, whole in self._mantissas.items()), Fraction(0))
        return Decimal(str(float(total)))

    def add(self, other: _Sum) -> None:
        self._exact += other._exact
        if self._mantissas is not None and other._mantissas is not None:
            self._mantissas.update(other._mantissas)


def _mantissas(values: pl.Series) -> Counter[int]:
    """The sum of each float's mantissa as a whole number, by its exponent."""
    mantissa, exponent = np.frexp(values.drop_nulls().to_numpy())
    whole = (mantissa * 2.0**_MANTISSA_BITS).astype(np.int64)
    sums: Counter[int] = Counter()
    for power in np.unique(exponent):
        same = whole[exponent == power]
        # In two halves, so that ten million of them do not overflow.
        high, low = same >> _HALF_BITS, same & ((1 << _HALF_BITS) - 1)
        sums[int(power) - _MANTISSA_BITS] = (int(high.sum()) << _HALF_BITS) + int(low.sum())
    return sums


def _readable(parsed: Parsed) -> pl.Series:
    return parsed.value if parsed.readable is None else parsed.readable
