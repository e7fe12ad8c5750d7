"""The aid chain as a workbook: timeline, gaps and doubles, overpaid money, and every record with its source row.

Belongs here: sheets and widths. Does not belong here: the words (``chain``).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from workbench.chain import FINDING, LINE, MEMBER, OVERPAID, ROW, Chain
from workbench.sheets import Book

WIDTHS = {
    "what": 24,
    "detail": 26,
    "why": 24,
    "feed": 22,
    "delivery": 40,
    "department": 20,
    "id_number": 24,
    "mark": 14,
}
_DEFAULT_WIDTH = 14
_HEADER_ROW = 2


def write_chain_book(path: Path, chain: Chain) -> Path:
    """Write the workbook; the same chain gives the same bytes."""
    title = chain.text("title", subject=chain.subject)
    with Book(path, title, chain.month) as book:
        tables = (
            ("timeline", LINE, chain.lines),
            ("findings", FINDING, chain.findings),
            ("overpaid", OVERPAID, chain.overpaid),
            ("members", MEMBER, chain.members),
            ("rows", ROW, chain.rows),
        )
        for name, columns, table in tables:
            _write_sheet(book, chain, name, columns, table, title)
    return path


def _write_sheet(
    book: Book, chain: Chain, name: str, columns: tuple[str, ...], table: pl.DataFrame, title: str
) -> None:
    sheet = book.sheet(chain.text(name))
    last = len(columns) - 1
    sheet.merge_range(0, 0, 0, last, title, book.style("title"))
    note = "  ".join((chain.summary(), *chain.totals())) + ("\n" + chain.text("private") if chain.identified else "")
    sheet.merge_range(1, 0, 1, last, note, book.style("line"))
    sheet.set_row(0, 28)
    sheet.set_row(1, 40)
    for position, column in enumerate(columns):
        sheet.set_column(position, position, WIDTHS.get(column, _DEFAULT_WIDTH))
        sheet.write_string(_HEADER_ROW, position, chain.text(f"column.{column}"), book.style("header"))
    for line, row in enumerate(table.select(columns).iter_rows(), start=_HEADER_ROW + 1):
        for position, value in enumerate(row):
            _write_cell(book, sheet, line, position, value)
    sheet.freeze_panes(_HEADER_ROW + 1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, _HEADER_ROW)


def _write_cell(book: Book, sheet: Any, line: int, position: int, value: Any) -> None:
    if isinstance(value, date):
        sheet.write_datetime(line, position, value, book.style("day"))
    elif isinstance(value, Decimal):
        sheet.write_number(line, position, float(value), book.style("yuan"))
    elif isinstance(value, int):
        sheet.write_number(line, position, value, book.style("count"))
    else:
        sheet.write_string(line, position, value or "", book.style("text"))
