"""The file of a case in each form in which a department may send it.

Belongs here: rows to bytes (CSV in every encoding and delimiter, XLSX, JSON Lines). Does not belong here: files
that no ordinary program writes (``broken``), what is expected of them (``cases``).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import xlsxwriter

from models.contract import Feed
from tests.ingestion.conftest import good_row
from tests.ingestion.defects.catalogue import Case

Cells = list[Any]
# Form -> encoding, delimiter, extension.
TEXT_FORMS = {
    "csv": ("utf-8", ",", ".csv"),
    "utf-8-sig": ("utf-8-sig", ",", ".csv"),
    "utf-16": ("utf-16", ",", ".csv"),
    "gb18030": ("gb18030", ",", ".csv"),
    "gbk": ("gbk", ",", ".csv"),
    "tab": ("utf-8", "\t", ".tsv"),
    "semicolon": ("utf-8", ";", ".csv"),
    "bar": ("utf-8", "|", ".txt"),
}
EXTENSIONS = {**{form: spec[2] for form, spec in TEXT_FORMS.items()}, "xlsx": ".xlsx", "jsonl": ".jsonl"}


def file_of(case: Case, feed: Feed, form: str) -> bytes:
    """The bytes of the case's file."""
    table = table_of(case, feed)
    if form == "xlsx":
        return as_workbook(table)
    if form == "jsonl":
        return as_json_lines(table)
    encoding, delimiter, _ = TEXT_FORMS[form]
    return as_text(table, delimiter).encode(encoding)


def table_of(case: Case, feed: Feed) -> list[Cells]:
    """Rows of cells as they stand in the file, header and framing included."""
    rows = good_rows(case, feed)
    header = [case.headers.get(name, name) for name in rows[0]]
    lines = [list(row.values()) for row in rows]
    if not case.layout:
        return [header, *lines]
    at = 0
    table: list[Cells] = []
    for item in case.layout:
        if item == "header":
            table.append(list(header))
        elif isinstance(item, list):
            table.append(item)
        else:
            for number, changed in _picked(item, at):
                table.append(_changed(lines[number], changed, feed, rows[0]))
                at = max(at, number + 1)
    return table


def table_with_cause(case: Case, feed: Feed, cause: str) -> list[Cells]:
    """The same with that text as the cause of hardship in the second row of data."""
    table = table_of(case, feed)
    table[2][table[0].index("困难原因")] = cause
    return table


def good_rows(case: Case, feed: Feed) -> list[dict[str, str]]:
    """The rows of the case by header of the contract: good but for what the case changes."""
    rows = [good_row(feed, at) for at in range(case.rows)]
    for name, text in case.cell.items():
        _put(rows[1], feed, name, text)
    for at, text in enumerate(case.values, start=1):
        _put(rows[at], feed, case.column, str(text))
    dropped = {feed.column(name).header for name in case.without}
    return [{name: cell for name, cell in {**row, **case.extra}.items() if name not in dropped} for row in rows]


def _put(row: dict[str, str], feed: Feed, name: str, text: str) -> None:
    header = feed.column(name).header
    row[header] = text.replace("{good}", row[header])


def _picked(item: Any, at: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Numbers of the good rows that an item of a layout stands for, and cells changed in them: ``row`` the next,
    ``rows 5`` the next five, ``{row: 3, amount: "7"}`` the fourth with another amount.
    """
    if isinstance(item, dict):
        yield int(item.get("row", at)), {name: text for name, text in item.items() if name != "row"}
    else:
        count = int(item.split()[1]) if " " in item else 1
        yield from ((number, {}) for number in range(at, at + count))


def _changed(line: Cells, changed: dict[str, str], feed: Feed, row: dict[str, str]) -> Cells:
    headers = list(row)
    line = list(line)
    for name, text in changed.items():
        if name == "more":
            line.extend(text)
        elif name == "cut":
            line = line[: -int(text)]
        else:
            line[headers.index(feed.column(name).header)] = text
    return line


def as_text(table: Sequence[Cells], delimiter: str = ",") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(table)
    return stream.getvalue()


def as_workbook(table: Sequence[Cells]) -> bytes:
    """One sheet whose texts are text cells and whose numbers are numbers."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, line in enumerate(table):
        for column, cell in enumerate(line):
            if isinstance(cell, int | float):
                sheet.write_number(at, column, cell)
            elif cell not in ("", None):
                sheet.write_string(at, column, str(cell))
    book.close()
    return stream.getvalue()


def as_json_lines(table: Sequence[Cells]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in as_records(table)).encode()


def as_records(table: Sequence[Cells]) -> list[dict[str, Any]]:
    header, *lines = table
    return [dict(zip(header, line, strict=True)) for line in lines]
