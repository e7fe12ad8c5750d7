"""Physical lines of a delimited text: how many fields each has, and which need repair before a fast reader.

Belongs here: counting delimiters and quotes over bytes with NumPy, joining quoted cells that span lines. Does
not belong here: headers and framing (``delimited``).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

_BLOCK = 16 << 20
_QUOTE = ord('"')
_LINE_END = 10
# A quoted cell may span lines; one that does not close within so many is an unclosed quote.
_MAX_LINES_A_CELL = 200

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Repaired:
    """The lines from the first data line on, fit for a fast reader: one record a line, odd lines blanked."""

    text: bytes
    odd: list[tuple[int, str]]
    """Line number (1-based) and text of the lines whose width is another than the header's."""
    has_quotes: bool


@dataclass(frozen=True)
class LineScan:
    """Where lines end, and how many fields and quotes each has."""

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

    def lines_longer_than(self, limit: int) -> list[int]:
        return [int(index) for index in np.flatnonzero(self.ends - self.starts > limit)]

    def repaired(self, first: int, width: int, names: bytes) -> Repaired:
        """A line of names and the lines from ``first`` on; rows of another width are taken out, cells over
        several lines joined.
        """
        if first >= self.line_count:
            return Repaired(names + b"\n", [], False)
        suspects = self.fields[first:] != width
        if self.quotes is not None:
            suspects |= self.quotes[first:] % 2 == 1
        odd, patches = self._examine([int(index) for index in np.flatnonzero(suspects) + first], width)
        return Repaired(self._patched(first, patches, names), odd, self.quotes is not None)

    def _examine(self, suspects: list[int], width: int) -> tuple[list[tuple[int, str]], dict[int, bytes]]:
        """Odd lines, and what to put in the place of lines (nothing for odd ones)."""
        odd: list[tuple[int, str]] = []
        patches: dict[int, bytes] = {}
        done = -1
        for index in suspects:
            if index <= done:
                continue
            text = self.line(index)
            if not text.strip():
                patches[index] = b""
                continue
            record, last = self._record(index, width)
            if record is None:
                odd.append((index + 1, text))
                patches[index] = b""
                continue
            patches[index] = _written(record, self.delimiter.decode())
            patches.update(dict.fromkeys(range(index + 1, last + 1), b""))
            done = last
        return odd, patches

    def _record(self, index: int, width: int) -> tuple[list[str] | None, int]:
        """The record that begins at that line, and its last line; None where none of the width does."""
        cells = _split([self.line(index)], self.delimiter.decode())
        if cells is not None:
            return (cells if len(cells) == width else None), index
        for last in range(index + 1, min(index + _MAX_LINES_A_CELL, self.line_count)):
            if self.quotes is None or self.quotes[last] == 0:
                continue
            lines = [self.line(at) for at in range(index, last + 1)]
            cells = _split(lines, self.delimiter.decode())
            if cells is not None:
                return (cells if len(cells) == width else None), last
            if self.quotes[last] % 2 == 1:
                break
        return None, index

    def _patched(self, first: int, patches: dict[int, bytes], names: bytes) -> bytes:
        view = memoryview(self.text)
        pieces: list[bytes | memoryview] = [names, b"\n"]
        at = int(self.starts[first])
        for index in sorted(patches):
            pieces += [view[at : int(self.starts[index])], patches[index]]
            at = int(self.ends[index])
        return b"".join([*pieces, view[at:]])


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


def _split(lines: list[str], delimiter: str) -> list[str] | None:
    """The cells of one record, or None where a quote is left open or stands where none may."""
    try:
        records = list(csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    if len(records) != 1:
        return None
    return [cell.rstrip("\n") if at == len(records[0]) - 1 else cell for at, cell in enumerate(records[0])]


def _written(record: list[str], delimiter: str) -> bytes:
    cells = (cell.replace("\n", " ").replace('"', '""') for cell in record)
    return delimiter.join(f'"{cell}"' for cell in cells).encode()
