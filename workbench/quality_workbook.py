"""The monthly data-quality report as a workbook: every table of the page a sheet, and those too long for it.

Belongs here: sheets, widths, formats, filters. Does not belong here: the figures (``quality_figures``).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workbench.quality_figures import QualityMonth
from workbench.quality_table import STATES, Table

# A sheet holds about a million rows; long lists are cut far below, since nobody reads on.
MAX_ROWS = 50_000
WIDTHS = {"text": 14, "number": 11, "share": 10, "state": 12}
WIDE_COLUMNS = {"file": 42, "check": 40, "why": 48, "action": 56, "check_id": 48, "reasons": 40, "delivery_id": 42}
MEDIUM_COLUMNS = {"feed": 22, "feed_or_table": 22, "department": 20, "reason": 26, "expected": 20, "result": 28}


def write_workbook(path: Path, month: QualityMonth, tables: list[Table]) -> None:
    """Write ``tables`` to ``path``; dates of creation are fixed, so that the same month gives the same file."""
    aside = path.with_name(f".{path.name}.part")
    book = xlsxwriter.Workbook(str(aside), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": f"{month.text('title')} {month.month}", "created": _created(month.month)})
    formats = {
        "head": book.add_format({"bold": True, "bg_color": "#E8EDF3", "bottom": 1, "text_wrap": True, "valign": "top"}),
        "text": book.add_format({"valign": "top", "text_wrap": True}),
        "number": book.add_format({"num_format": "#,##0", "valign": "top"}),
        "share": book.add_format({"num_format": "0.0%", "valign": "top"}),
    }
    for table in tables:
        _write_sheet(book.add_worksheet(_sheet_name(month, table)), month, table, formats)
    book.close()
    aside.replace(path)


def _created(month: str) -> datetime:
    return datetime(int(month[:4]), int(month[5:]), 1)  # noqa: DTZ001 (a workbook knows no time zone)


def _sheet_name(month: QualityMonth, table: Table) -> str:
    """Excel allows 31 characters and none of its special ones."""
    name = month.text(f"part.{table.key}")
    return "".join(character for character in name if character not in "[]:*?/\\")[:31]


def _write_sheet(sheet: Worksheet, month: QualityMonth, table: Table, formats: dict[str, Format]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for position, column in enumerate(table.columns):
        kind = table.kind(column)
        title = month.text(f"column.{column}") if column not in STATES else month.state(column)
        sheet.write_string(0, position, title, formats["head"])
        width = WIDE_COLUMNS.get(column) or MEDIUM_COLUMNS.get(column) or WIDTHS[kind]
        sheet.set_column(position, position, width, formats["text" if kind == "state" else kind])
    for line, row in enumerate(table.rows[:MAX_ROWS], start=1):
        for position, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            _write_cell(sheet, line, position, month.shown(column, value))
    sheet.autofilter(0, 0, max(1, min(len(table.rows), MAX_ROWS)), len(table.columns) - 1)


def _write_cell(sheet: Worksheet, line: int, position: int, value: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, int | float):
        sheet.write_number(line, position, value)
    else:
        sheet.write_string(line, position, str(value))
