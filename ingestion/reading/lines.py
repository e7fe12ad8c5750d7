"""Physical lines of a piece of delimited text: how many fields each has, and which are no record by themselves.

Belongs here: counting delimiters and quotes over bytes with NumPy, joining quoted cells that span lines. Does
not belong here: headers and framing (``delimited``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

_BLOCK = 16 << 20
_QUOTE = ord('"')
_LINE_END = 10
# A quoted cell may span lines; one that does not close within so many lines and bytes is an unclosed quote.
_MAX_LINES_A_CELL = 200
MAX_RECORD_BYTES = 2 << 20

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Records:
    """The lines of a text that are records of the width asked for, fit for a fast reader, one record a line."""

    text: bytes | memoryview
    lines: Ints
    """Index of the line that each record begins with; in order but for records of several lines, at the end."""
    odd: Ints
    """Index of each line that is part of no record and is not empty."""
    has_quotes: bool
    end: int
    """Index of the first line after the last record or odd line."""


@dataclass(frozen=True)
class LineScan:
    """Where the lines of a text end, and how many fields and quotes each has."""

    text: bytes
    delimiter: bytes
    ends: Ints
    fields: Ints
    quotes: Ints | None

    @property
    def line_count(self) -> int:
        return len(self.ends)

    @cached_property
    def starts(self) -> Ints:
        return np.concatenate(([0], self.ends[:-1] + 1)) if len(self.ends) else self.ends

    def line_bytes(self, index: int) -> bytes:
        return self.text[int(self.starts[index]) : int(self.ends[index])]

    def line(self, index: int) -> str:
        return self.line_bytes(index).decode("utf-8", "replace")

    def lines_longer_than(self, limit: int, count: int) -> list[int]:
        """Those of the first ``count`` lines."""
        return [int(index) for index in np.flatnonzero((self.ends - self.starts)[:count] > limit)]

    def texts(self, lines: Ints) -> pl.Series:
        """Those lines as a column of texts."""
        if not len(lines):
            return pl.Series(dtype=pl.String)
        offsets = pa.py_buffer(np.concatenate((self.starts, self.ends[-1:] + 1)))
        buffers = [None, offsets, pa.py_buffer(self.text)]
        every = pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.large_string(), self.line_count, buffers)))
        return every.gather(lines).str.strip_suffix("\n")

    def records(self, count: int, width: int) -> Records:
        """The records that begin in the first ``count`` lines; what follows is there for those that go on."""
        odd, empty = self.fields[:count] != width, self.ends[:count] == self.starts[:count]
        joined = _Joined()
        if self.quotes is not None:
            suspects = (odd | (self.quotes[:count] % 2 == 1)) & (self.quotes[:count] > 0)
            joined = self._join([int(index) for index in np.flatnonzero(suspects)], width)
            odd[joined.odd] = True
            odd[[at for at in joined.covered if at < count]] = False
        dropped = odd | empty
        dropped[[at for at in joined.covered if at < count]] = True
        kept = np.flatnonzero(~dropped)
        whole = memoryview(self.text)[: int(self.ends[count - 1]) + 1]
        text = self._without(dropped) if len(kept) < count else whole
        if joined.texts:
            text = b"".join([text, *joined.texts])
            kept = np.concatenate((kept, np.array(joined.firsts, dtype=np.int64)))
        odd_lines = np.flatnonzero(odd & ~empty)
        return Records(text, kept, odd_lines, self.quotes is not None, max([count, *(at + 1 for at in joined.covered)]))

    def _without(self, dropped: Bools) -> bytes:
        """The first lines without some of them."""
        count = len(dropped)
        letters = np.frombuffer(self.text, dtype=np.uint8, count=int(self.ends[count - 1]) + 1)
        return letters[np.repeat(~dropped, (self.ends - self.starts)[:count] + 1)].tobytes()

    def _join(self, suspects: list[int], width: int) -> _Joined:
        """Of lines with quotes that are no record by themselves: records that they begin, and odd ones."""
        joined = _Joined()
        done = -1
        for index in suspects:
            if index <= done:
                continue
            record, last = self._record(index)
            if record is None or len(record) != width:
                joined.odd.append(index)
                continue
            joined.firsts.append(index)
            joined.texts.append(_written(record, self.delimiter.decode()))
            joined.covered.update(range(index, last + 1))
            done = last
        return joined

    def _record(self, index: int) -> tuple[list[str] | None, int]:
        """The record that begins at that line, and its last line; None where a quote is left open or misplaced."""
        reader = csv.reader(self._lines_of_a_record(index), delimiter=self.delimiter.decode(), strict=True)
        try:
            record = next(reader, [])
        except csv.Error:
            return None, index
        if record:
            record[-1] = record[-1].rstrip("\n")
        return record, index + reader.line_num - 1

    def _lines_of_a_record(self, index: int) -> Iterator[str]:
        begin = int(self.starts[index])
        for at in range(index, min(index + _MAX_LINES_A_CELL, self.line_count)):
            if at > index and int(self.ends[at]) - begin > MAX_RECORD_BYTES:
                return
            yield f"{self.line(at)}\n"


@dataclass
class _Joined:
    """Records put together from lines with quotes, and the lines that they cover."""

    firsts: list[int] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)
    odd: list[int] = field(default_factory=list)


def scan_lines(text: bytes, delimiter: str) -> LineScan:
    """Count fields and quotes of each physical line of a text that ends with a line end."""
    has_quotes = b'"' in text
    ends, fields, quotes = [], [], []
    carry = _Carry()
    for start in range(0, len(text), _BLOCK):
        block = np.frombuffer(text, dtype=np.uint8, count=min(_BLOCK, len(text) - start), offset=start)
        newline = np.flatnonzero(block == _LINE_END)
        separators = np.flatnonzero(block == ord(delimiter))
        if has_quotes:
            marks = np.flatnonzero(block == _QUOTE)
            separators, carry.inside = _outside_quotes(block, newline, separators, marks, carry.inside)
            counts, carry.quotes = _counts(marks, newline, carry.quotes)
            quotes.append(counts)
        counts, carry.fields = _counts(separators, newline, carry.fields)
        ends.append(newline + start)
        fields.append(counts + 1)
    joined = np.concatenate(quotes) if quotes else None
    return LineScan(text, delimiter.encode(), np.concatenate(ends), np.concatenate(fields), joined)


@dataclass
class _Carry:
    """What is open at the end of a block of bytes."""

    inside: bool = False
    quotes: int = 0
    fields: int = 0


def _counts(positions: Ints, newline: Ints, carried: int) -> tuple[Ints, int]:
    """How many positions lie in each line that ends in this block, and how many after the last end."""
    below = np.searchsorted(positions, newline)
    counts = np.diff(below, prepend=0)
    if len(newline) == 0:
        return counts, carried + len(positions)
    counts[0] += carried
    return counts, len(positions) - int(below[-1])


def _outside_quotes(
    block: npt.NDArray[np.uint8], newline: Ints, separators: Ints, marks: Ints, inside: bool
) -> tuple[Ints, bool]:
    """Separators outside quotes, each line by itself (a line end closes a quote for this count)."""
    if not inside and len(marks) % 2 == 0:
        opening, closing = marks[0::2], marks[1::2]
        if bool((np.searchsorted(newline, opening) == np.searchsorted(newline, closing)).all()):
            return _between_pairs(separators, opening, closing), False
    state = np.zeros(len(block), dtype=np.uint8)
    state[marks] = 1
    if inside and len(block):
        state[0] ^= 1
    state = np.bitwise_xor.accumulate(state)
    # Undo what was open at each line's end, so that the next line starts outside.
    flips = np.flatnonzero(np.diff(state[newline], prepend=0))
    if len(flips):
        correction = np.zeros(len(block), dtype=np.uint8)
        correction[newline[flips]] = 1
        state ^= np.bitwise_xor.accumulate(correction)
    return separators[state[separators] == 0], bool(len(block) and state[-1])


def _between_pairs(separators: Ints, opening: Ints, closing: Ints) -> Ints:
    """Separators that lie in none of those pairs of quotes, none of which spans a line end."""
    wide = closing > opening + 1
    if not wide.any():
        return separators
    before, after = np.searchsorted(separators, opening[wide]), np.searchsorted(separators, closing[wide])
    enclosed = before < after
    if not enclosed.any():
        return separators
    steps = np.zeros(len(separators) + 1, dtype=np.int32)
    np.add.at(steps, before[enclosed], 1)
    np.add.at(steps, after[enclosed], -1)
    kept: Ints = separators[np.cumsum(steps[:-1]) == 0]
    return kept


def _written(record: list[str], delimiter: str) -> bytes:
    cells = (cell.replace("\n", " ").replace('"', '""') for cell in record)
    return (delimiter.join(f'"{cell}"' for cell in cells) + "\n").encode()
