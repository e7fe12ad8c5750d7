"""A sheet of persons: title, how many, what to heed, one row each, with cells to fill in.

Belongs here: how such a sheet looks. Does not belong here: whom it lists (``elder_visits``, ``child_visits``,
``price_subsidy``) and the list of alerts, which comes back (``lists``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from models.labels import label
from workbench.sheets import Book, row_height

TITLE_ROW, COUNT_ROW, NOTE_ROW, HEADER_ROW = range(4)
FIRST_ROW = HEADER_ROW + 1
LEAST_HEIGHT = 30
A4 = 9


@dataclass(frozen=True)
class PersonColumn:
    """One column: the key of its cell in a row and of its heading, its width in characters, how its cells look.

    ``style`` is one of ``sheets.STYLES``; ``level`` takes the colour of the row's ``level_key``.
    """

    key: str
    width: float
    style: str = "text"

    def header(self, lang: str) -> str:
        return label(f"people_column.{self.key}", lang)


def write_person_sheet(
    book: Book,
    name: str,
    title: str,
    count: str,
    columns: tuple[PersonColumn, ...],
    rows: list[dict[str, Any]],
    lang: str,
) -> None:
    """Add one sheet; ``rows`` are in order and have a cell for each column that is not to be filled in."""
    sheet = book.sheet(name)
    last = len(columns) - 1
    note = label("people_list.private", lang)
    if any(column.style.startswith("fill") for column in columns):
        note = label("people_list.fill", lang) + note
    for line, (text, style, height) in enumerate(((title, "title", 28), (count, "line", 20), (note, "line", 20))):
        sheet.merge_range(line, 0, line, last, text, book.style(style))
        sheet.set_row(line, height)
    sheet.set_row(HEADER_ROW, 34)
    for position, column in enumerate(columns):
        sheet.write_string(HEADER_ROW, position, column.header(lang), book.style("header"))
        sheet.set_column(position, position, column.width)
    if not rows:
        sheet.merge_range(FIRST_ROW, 0, FIRST_ROW, last, label("people_list.empty", lang), book.style("empty"))
    for offset, row in enumerate(rows):
        _write_row(book, sheet, FIRST_ROW + offset, columns, {"number": offset + 1, **row})
    sheet.freeze_panes(FIRST_ROW, 0)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)
    sheet.set_footer(f"&C{label('list.page', lang)}")


def _write_row(book: Book, sheet: Any, line: int, columns: tuple[PersonColumn, ...], row: dict[str, Any]) -> None:
    texts = [(str(row.get(column.key) or ""), column.width) for column in columns]
    sheet.set_row(line, row_height(texts, LEAST_HEIGHT))
    for position, column in enumerate(columns):
        cell = row.get(column.key)
        style = book.style(f"level_{row['level_key']}" if column.style == "level" else column.style)
        if cell is None or cell == "":
            sheet.write_blank(line, position, None, style)
        elif isinstance(cell, date):
            sheet.write_datetime(line, position, cell, style)
        elif column.style in ("number", "count"):
            sheet.write_number(line, position, cell, style)
        else:
            # A text cell: no spreadsheet shall read an ID number as a number.
            sheet.write_string(line, position, str(cell), style)
