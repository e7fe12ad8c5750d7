"""Workbooks as spreadsheet programs write them, with the odd things that people make of them.

Belongs here: cells of every type, sheets, merged and hidden parts, by the libraries that write workbooks. Does not
belong here: what stands in the XML otherwise than these libraries write it (``sheet_xml``).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import openpyxl
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from models.contract import Feed
from tests.ingestion.defects.catalogue import Case
from tests.ingestion.defects.files import as_workbook, table_of


def numeric_id_cells(case: Case, feed: Feed) -> bytes:
    """ID numbers in numeric cells: rounded, one that is right by chance, in an exponent; and one of 15 digits."""
    table = table_of(case, feed)
    table[2][0] = 420702198001010012
    table[3][0] = 420703198001010000
    table[4][0] = 4.20702198001e17
    table[5][0] = 420702800101999
    return as_workbook(table)


def date_cells(case: Case, feed: Feed) -> bytes:
    """Dates as date cells: with and without time, as a bare serial number, as a month."""
    return _dates(case, feed, {})


def date_cells_of_1904(case: Case, feed: Feed) -> bytes:
    """The same in a workbook that counts days from 1904."""
    return _dates(case, feed, {"date_1904": True})


def _dates(case: Case, feed: Feed, options: dict[str, Any]) -> bytes:
    def put(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
        style = book.add_format({"num_format": "yyyy-mm-dd"})
        long = book.add_format({"num_format": "yyyy/m/d hh:mm"})
        chinese = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
        sheet.write_datetime(2, 2, datetime(2023, 3, 5), style)  # noqa: DTZ001
        sheet.write_datetime(3, 2, datetime(2023, 3, 5, 13, 30), long)  # noqa: DTZ001
        sheet.write_datetime(4, 2, datetime(2023, 3, 5), chinese)  # noqa: DTZ001

    return _written_over(case, feed, put, options)


def month_cells(case: Case, feed: Feed) -> bytes:
    """A month that the spreadsheet has made a date of, and one as a number."""

    def put(book: xlsxwriter.Workbook, sheet: Worksheet) -> None:
        sheet.write_datetime(2, 3, datetime(2023, 3, 1), book.add_format({"num_format": "yyyy-mm"}))  # noqa: DTZ001
        sheet.write_number(3, 3, 202303)

    return _written_over(case, feed, put)


def formulas(case: Case, feed: Feed) -> bytes:
    """Formulas with their stored values: a text and a number; accepted as those values."""

    def put(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
        sheet.write_formula(2, 1, '="王"&"小明"', None, "王小明")
        sheet.write_formula(3, 4, "=100+0.5", None, 100.5)

    return _written_over(case, feed, put)


def formulas_without_values(case: Case, feed: Feed) -> bytes:
    """Formulas whose values were never stored, in a name, an ID number, a month and an amount."""
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table_of(case, feed))))
    sheet = book.active
    for cell in ("B3", "A4", "D5", "E6"):
        sheet[cell] = "=X1"
    return _saved(book)


def long_number_of_a_formula(case: Case, feed: Feed) -> bytes:
    """An ID number that a formula computed, right by chance; one that a formula wrote as text beside it."""

    def put(_: xlsxwriter.Workbook, sheet: Worksheet) -> None:
        sheet.write_formula(2, 0, "=420703198001010000+0", None, 420703198001010000)
        sheet.write_formula(3, 0, '="420702198001010055"&""', None, "420702198001010055")

    return _written_over(case, feed, put)


def error_cells(case: Case, feed: Feed) -> bytes:
    """Error cells in a name, an ID number, a month and an amount."""
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table_of(case, feed))))
    sheet = book.active
    for cell, error in zip(("B3", "A4", "D5", "E6"), ("#N/A", "#REF!", "#VALUE!", "#DIV/0!"), strict=True):
        sheet[cell] = error
        sheet[cell].data_type = "e"
    return _saved(book)


def error_texts(case: Case, feed: Feed) -> bytes:
    """A name that is the text of an error, in a text cell."""
    table = table_of(case, feed)
    table[2][1] = "N/A"
    return as_workbook(table)


def hidden_rows_and_columns(case: Case, feed: Feed) -> bytes:
    """A filter hides rows and a column: they are data all the same."""
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table_of(case, feed))))
    sheet = book.active
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["B"].hidden = True
    return _saved(book)


def merged_data_cells(case: Case, feed: Feed) -> bytes:
    """Two rows share one merged cell of the school's name: only the first has it."""
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table_of(case, feed))))
    book.active.merge_cells("C3:C4")
    return _saved(book)


def merged_title(case: Case, feed: Feed) -> bytes:
    """Title, unit and date row, a header of two lines with merged cells, a total and signatures."""
    rows = table_of(case, feed)[1:]
    table = [
        ["鄂州市养老金发放明细表(2023年3月)"],
        ["填报单位:社保局", "", "", "填报日期:2023年4月2日", "单位:元"],
        ["人员信息", "", "待遇类型", "发放月份", "金额"],
        ["身份证号", "姓名"],
        *rows,
        ["合计", "", "", "", 1206.0],
        [],
        ["填表人:某某", "", "审核人:某某", "单位盖章:", "2023年4月2日"],
    ]
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table)))
    sheet = book.active
    for span in ("A1:E1", "A3:B3", "C3:C4", "D3:D4", "E3:E4"):
        sheet.merge_cells(span)
    return _saved(book)


def two_sheets(case: Case, feed: Feed) -> bytes:
    return _sheets(case, feed, "visible")


def hidden_sheet(case: Case, feed: Feed) -> bytes:
    return _sheets(case, feed, "hidden")


def very_hidden_sheet(case: Case, feed: Feed) -> bytes:
    return _sheets(case, feed, "veryHidden")


def _sheets(case: Case, feed: Feed, state: str) -> bytes:
    table = table_of(case, feed)
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table)))
    other = book.create_sheet("旧表")
    for line in table:
        other.append(line)
    other.sheet_state = state
    return _saved(book)


def other_sheets_without_the_header(case: Case, feed: Feed) -> bytes:
    """A cover and an empty sheet beside the data."""
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table_of(case, feed))))
    cover = book.create_sheet("说明", 0)
    cover.append(["本表由某局填报"])
    cover.append(["联系人", "某某"])
    book.create_sheet("Sheet3")
    return _saved(book)


def only_sheet_hidden(case: Case, feed: Feed) -> bytes:
    """The data in a hidden sheet, a cover that is visible."""
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table_of(case, feed))))
    book.active.sheet_state = "hidden"
    book.active.title = "数据"
    cover = book.create_sheet("封面")
    cover.append(["封面"])
    book.active = 1
    return _saved(book)


def data_away_from_the_corner(case: Case, feed: Feed) -> bytes:
    """The table begins in column C of row 3."""
    return as_workbook([[], [], *[["", "", *line] for line in table_of(case, feed)]])


def empty_workbook(case: Case, feed: Feed) -> bytes:
    return as_workbook([])


def header_only_workbook(case: Case, feed: Feed) -> bytes:
    return as_workbook([["死亡信息表"], table_of(case, feed)[0], ["填表人:某某"]])


def _written_over(
    case: Case,
    feed: Feed,
    put: Callable[[xlsxwriter.Workbook, Worksheet], None],
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """The table in a sheet, and then other cells in the place of some."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, **(options or {})})
    sheet = book.add_worksheet()
    for at, line in enumerate(table_of(case, feed)):
        sheet.write_row(at, 0, line)
    put(book, sheet)
    book.close()
    return stream.getvalue()


def _saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
