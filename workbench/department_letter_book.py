"""The letter to a department as a workbook: its facts on the first sheet, each section on one of its own.

Belongs here: sheets, widths, formats. Does not belong here: what is said (``department_letter``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workbench.pdf import Report, Section

if TYPE_CHECKING:
    from workbench.department_letter import Letter

# Characters of width for a column of share 1.
WIDTH = 15
SHEET_NAME_LENGTH = 31


def write_letter_book(path: Path, report: Report, letter: Letter) -> None:
    """Write the report's facts and sections; the same letter gives the same file."""
    aside = path.with_name(f".{path.name}.part")
    with xlsxwriter.Workbook(str(aside), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        made = datetime(letter.made_on.year, letter.made_on.month, letter.made_on.day)  # noqa: DTZ001 (no zone there)
        book.set_properties({"title": f"{report.title} {report.subtitle}", "created": made})
        formats = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "name": book.add_format({"bg_color": "#F1F4F7", "border": 1, "border_color": "#B8C1CC"}),
            "value": book.add_format({"border": 1, "border_color": "#B8C1CC", "text_wrap": True, "valign": "top"}),
            "right": book.add_format(
                {"border": 1, "border_color": "#B8C1CC", "align": "right", "text_wrap": True, "valign": "top"}
            ),
            "head": book.add_format({"bold": True, "bg_color": "#E8EDF3", "border": 1, "text_wrap": True}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        _cover(book.add_worksheet(_sheet_name(report.title)), report, formats)
        for section in report.sections:
            _table(book.add_worksheet(_sheet_name(section.title)), section, formats)
    aside.replace(path)


def _sheet_name(title: str) -> str:
    return "".join(character for character in title if character not in "[]:*?/\\")[:SHEET_NAME_LENGTH]


def _page(sheet: Worksheet) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)


def _cover(sheet: Worksheet, report: Report, formats: dict[str, Format]) -> None:
    _page(sheet)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 70)
    sheet.write_string(0, 0, report.title, formats["title"])
    sheet.write_string(1, 0, report.subtitle)
    line = 3
    for name, value in [*report.facts, *report.findings]:
        sheet.write_string(line, 0, name, formats["name"])
        sheet.write_string(line, 1, value, formats["value"])
        line += 1
    for text in [report.verdict, *report.closing]:
        line += 1
        sheet.merge_range(line, 0, line, 1, text, formats["wrap"])
        sheet.set_row(line, 34)


def _table(sheet: Worksheet, section: Section, formats: dict[str, Format]) -> None:
    _page(sheet)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    for at, column in enumerate(section.columns):
        sheet.set_column(at, at, max(9, column.share * WIDTH))
        sheet.write_string(0, at, column.title, formats["head"])
    for line, row in enumerate(section.rows, start=1):
        for at, value in enumerate(row):
            _cell(sheet, line, at, value, formats["right" if section.columns[at].align == "right" else "value"])
    end = max(len(section.rows), 1)
    if section.rows:
        sheet.autofilter(0, 0, end, len(section.columns) - 1)
    else:
        sheet.write_string(1, 0, section.empty)
    _notes(sheet, end + 2, section.notes, len(section.columns), formats)


def _cell(sheet: Worksheet, line: int, at: int, value: str, style: Format) -> None:
    """Counts and scores as numbers, so that they can be sorted and added up; everything else as it is said."""
    plain = value.replace(",", "")
    try:
        number = float(plain)
    except ValueError:
        sheet.write_string(line, at, value, style)
    else:
        sheet.write_number(line, at, number, style)


def _notes(sheet: Worksheet, line: int, notes: Sequence[str], width: int, formats: dict[str, Format]) -> None:
    for at, note in enumerate(notes):
        sheet.merge_range(line + at, 0, line + at, max(width - 1, 1), note, formats["wrap"])
        sheet.set_row(line + at, 30)
