"""What a reader of any format hands on: raw cells below a header, rows that do not fit it, framing rows.

Belongs here: the common shape of CSV, XLSX and JSON Lines once read. Does not belong here: how they are read,
what the cells mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from ingestion.header import Header

ROW_NUMBER = "row_number"
MALFORMED_SCHEMA = {ROW_NUMBER: pl.Int64(), "raw": pl.String()}


@dataclass(frozen=True)
class Framing:
    """One row that is neither header nor data: title, unit, total, subtotal or signature."""

    row_number: int
    kind: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class RawTable:
    """Consecutive rows of one table as read, all of them or a chunk: ``cells`` has ``row_number`` (as a person
    sees it in the file, ascending) and one text column for each header position, named by that position; null
    where the cell is empty.
    """

    header: Header
    cells: pl.DataFrame
    malformed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MALFORMED_SCHEMA))
    """Rows of another width than the header: row number and raw text."""
    framing: tuple[Framing, ...] = ()
    """Framing rows among them, in order."""
    is_clean: bool = False
    """True where a search of the whole text has shown that no cell needs normalising."""

    @property
    def rows_data(self) -> int:
        return self.cells.height + self.malformed.height


BLANKS = " \t\r\x0b\x0c'\u3000\u00a0\u200b\ufeff"


def without_blank_rows(cells: pl.DataFrame) -> pl.DataFrame:
    """Rows of which any cell is filled; the rest are neither framing nor data."""
    names = [name for name in cells.columns if name != ROW_NUMBER]
    likely = cells.filter(is_blank_cell(names[0])) if names else cells
    blank = likely.filter(pl.all_horizontal(is_blank_cell(name) for name in names))[ROW_NUMBER]
    return cells.filter(~pl.col(ROW_NUMBER).is_in(blank.implode())) if len(blank) else cells


def is_blank_cell(name: str) -> pl.Expr:
    """Whether there is nothing in a cell of that column but what nobody sees."""
    return pl.col(name).is_null() | (pl.col(name).str.strip_chars(BLANKS) == "")


def cell_name(position: int) -> str:
    return str(position)
