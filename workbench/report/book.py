"""A report as a workbook: every table a sheet, the main points and the definitions too.

Belongs here: sheets, widths, formats of a document's tables. Does not belong here: what stands in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.report.document import Document, Fold, Pair, Table, Terms
from workbench.report.figure import Figure
from workbench.sheets import Book, row_height

STYLE_OF_UNIT = {"ratio": "rate", "yuan": "yuan"}
# Excel allows 31 characters and none of these.
FORBIDDEN, NAME_LENGTH = "[]:*?/\\", 31
# A sheet holds about a million rows; nobody reads so far.
MAX_ROWS = 50_000
NARROW = 8.0


def write_book(path: Path, document: Document) -> None:
    """Write the workbook; the same document gives the same bytes."""
    with Book(path, document.title, document.made_on) as book:
        names: set[str] = set()
        _write_points(book, document, _name(document.words["sentence"], names))
        for table in document.tables():
            _write_table(book, document, table, _name(table.title, names))
        terms = [item for part in document.parts for block in part.blocks for item in _terms(block)]
        if terms:
            _write_terms(book, document, terms, _name(document.words["sheet_notes"], names))


def _name(title: str, taken: set[str]) -> str:
    """A name that Excel takes and that no other sheet has."""
    clean = "".join(character for character in title if character not in FORBIDDEN).replace("  ", " ")
    name, number = clean[:NAME_LENGTH], 2
    while name.lower() in taken:
        name = f"{clean[: NAME_LENGTH - 3]} {number}"
        number += 1
    taken.add(name.lower())
    return name


def _write_points(book: Book, document: Document, name: str) -> None:
    sheet = book.sheet(name)
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, document.title, book.style("title"))
    sheet.write_string(1, 0, document.subtitle, book.style("line"))
    for line, sentence in enumerate(document.sentences(), start=2):
        sheet.write_string(line, 0, sentence.text, book.style("text"))
        sheet.set_row(line, row_height([(sentence.text, 110)], 20))
    _on_paper(sheet)


def _write_table(book: Book, document: Document, table: Table, name: str) -> None:
    sheet = book.sheet(name)
    widths = [max(column.width, NARROW) for column in table.columns]
    last = max(len(widths) - 1, 1)
    sheet.merge_range(0, 0, 0, last, f"{document.title} · {table.title}", book.style("title"))
    sheet.merge_range(1, 0, 1, last, table.note or document.subtitle, book.style("line"))
    sheet.set_row(0, 28)
    sheet.set_row(1, row_height([(table.note or document.subtitle, sum(widths))], 20))
    for at, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
        sheet.set_column(at, at, width)
        sheet.write_string(2, at, column.title, book.style("header"))
    sheet.set_row(
        2, row_height([(column.title, width) for column, width in zip(table.columns, widths, strict=True)], 32)
    )
    for line, row in enumerate(table.rows[:MAX_ROWS], start=3):
        for at, cell in enumerate(row.cells):
            _write_cell(book, sheet, line, at, cell, row.rank == "total", document.lang)
        texts = [(cell, widths[at]) for at, cell in enumerate(row.cells) if isinstance(cell, str)]
        sheet.set_row(line, row_height(texts, 20))
    if not table.rows:
        sheet.write_string(3, 0, table.empty or document.words["nothing"], book.style("line"))
    sheet.freeze_panes(3, 1)
    sheet.repeat_rows(0, 2)
    if table.rows:
        sheet.autofilter(2, 0, 2 + min(len(table.rows), MAX_ROWS), len(widths) - 1)
    _on_paper(sheet)


def _write_cell(book: Book, sheet: Any, line: int, at: int, cell: str | Figure, total: bool, lang: str) -> None:
    if isinstance(cell, str):
        sheet.write_string(line, at, cell, book.style("total" if total else "text"))
        return
    kind = STYLE_OF_UNIT.get(cell.unit)
    style = book.style((f"total_{kind}" if kind else "total") if total else (kind or "count"))
    if cell.is_known and cell.value is not None and cell.unit != "points":
        sheet.write_number(line, at, float(cell.value), style)
    else:
        sheet.write_string(line, at, cell.shown(lang), style)


def _write_terms(book: Book, document: Document, terms: list[tuple[str, str]], name: str) -> None:
    sheet = book.sheet(name)
    for at, (title, width) in enumerate(((document.words["term"], 34), (document.words["meaning"], 90))):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, title, book.style("header"))
    for line, item in enumerate(terms, start=1):
        sheet.set_row(line, row_height([(item[0], 34), (item[1], 90)], 20))
        for at, text in enumerate(item):
            sheet.write_string(line, at, text, book.style("text"))
    sheet.freeze_panes(1, 1)
    _on_paper(sheet)


def _terms(block: object) -> list[tuple[str, str]]:
    if isinstance(block, Terms):
        return list(block.items)
    if isinstance(block, Fold | Pair):
        return [item for inner in block.blocks for item in _terms(inner)]
    return []


def _on_paper(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
