"""Harmless writing variants of a cell: full-width characters, blanks, zero-width characters, apostrophes.

Belongs here: what is the same for every type of column. Does not belong here: the parsers of the types.
"""

from __future__ import annotations

import re

import polars as pl

# Noncharacters of Unicode: no text can hold them. A spreadsheet's error cell or formula without a value is the
# first alone; a long number out of a numeric cell, whose last digits are lost, carries the second before it.
ERROR_CELL = "\ufdd0"
NUMERIC_CELL = "\ufdd1"

# Besides the marks without width those that turn the direction of writing: copied texts begin with them.
_ZERO_WIDTH = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u00ad\x00"
)
_FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\u3000": " ", "\u00a0": " "}
_TABLE = str.maketrans({**_FULL_WIDTH, **dict.fromkeys(_ZERO_WIDTH)})
# A leading apostrophe is how spreadsheets mark a number as text.
_NEEDS_WORK = rf"^[\s'‘’\x1c-\x1f]|[\s\x1c-\x1f]$|[\x00{_ZERO_WIDTH[:-1]}\u3000\u00a0\uff01-\uff5e]|^$"
# Byte sequences of which one must occur for any cell of a UTF-8 text to need work, by their first byte, which is
# never a later byte of a character: where that is absent the search for one byte settles it.
_MARKS = {
    b"\xef": (b"\xef\xbc", b"\xef\xbd", b"\xef\xbb\xbf"),
    b"\xe3": (b"\xe3\x80\x80",),
    b"\xe2": (b"\xe2\x80", b"\xe2\x81"),
    b"\xe1": (b"\xe1\x9a\x80",),
    b"\xc2": (b"\xc2\xa0", b"\xc2\xad", b"\xc2\x85"),
}
_BLANKS = tuple(bytes([code]) for code in b" \t'\x00\x0b\x0c\x1c\x1d\x1e\x1f")


def may_need_normalising(text: bytes, separator: bytes = b"") -> bool:
    """Whether any cell of that UTF-8 text can hold a variant; a quick search for bytes, never a false no."""
    if any(blank in text for blank in _BLANKS if blank != separator):
        return True
    return any(lead in text and any(mark in text for mark in marks) for lead, marks in _MARKS.items())


def normalise_text(value: str) -> str:
    """One cell's text without variants; empty where nothing is left."""
    text = value.translate(_TABLE).strip()
    return re.sub(r"^['‘’]+", "", text).strip()


def normalise_cells(cells: pl.Series) -> pl.Series:
    """A column of texts without variants; blank becomes null. Works on the distinct values that need it."""
    needs = cells.str.contains(_NEEDS_WORK).fill_null(False)
    if not needs.any():
        return cells
    before = cells.filter(needs).unique()
    after = pl.Series(cells.name, [normalise_text(value) or None for value in before], dtype=pl.String)
    frame = pl.DataFrame({"cell": cells, "needs": needs})
    frame = frame.join(pl.DataFrame({"cell": before, "after": after}), on="cell", how="left", maintain_order="left")
    return frame.select(pl.when("needs").then("after").otherwise("cell").alias(cells.name)).to_series()
