"""Bytes of a file from text cells: CSV in any encoding, XLSX with framing rows, JSON Lines.

Belongs here: formats. Does not belong here: what is in the cells. The same cells always give the same bytes.
"""

from __future__ import annotations

import io
import re
from datetime import date, datetime

import polars as pl
import xlsxwriter

from models.contract import Feed
from simulator.delivery.rendering import NUMERIC, readable
from simulator.delivery.style import Style, summed

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - a spreadsheet's property has no time zone
GROUP = "人员信息"


def render(text: pl.DataFrame, feed: Feed, style: Style, title: str, broken: list[int]) -> bytes:
    """The bytes of a file; ``broken`` are positions of rows that must be malformed."""
    cells = _with_extra(text, style)
    if style.format == "xlsx":
        return _xlsx(cells, feed, style, title)
    if style.format == "jsonl":
        return _jsonl(cells, style, broken)
    return _csv(cells, style, title, broken)


def _with_extra(text: pl.DataFrame, style: Style) -> pl.DataFrame:
    if style.extra is None:
        return text
    if style.extra == "序号":
        number = pl.int_range(1, text.height + 1, eager=True).cast(pl.String)
        return text.with_columns(number.alias("_extra"))
    value = {"备注": "已核", "数据来源": "市大数据平台", "更新批次": "P1"}[style.extra]
    return text.with_columns(pl.lit(value, dtype=pl.String).alias("_extra"))


def _headers(cells: pl.DataFrame, style: Style) -> list[str]:
    return [style.headers.get(name, style.extra or "") for name in cells.columns]


def _csv(cells: pl.DataFrame, style: Style, title: str, broken: list[int]) -> bytes:
    buffer = io.BytesIO()
    cells.write_csv(
        buffer, separator=style.delimiter, include_header=False, line_terminator=style.line_end, quote_style="necessary"
    )
    body = _break_lines(buffer.getvalue(), style, broken)
    head = [style.delimiter.join(_headers(cells, style))]
    if style.unit:
        head.insert(0, "单位：元" + style.delimiter * (cells.width - 1))
    if style.title:
        head.insert(0, title + style.delimiter * (cells.width - 1))
    top = "".join(line + style.line_end for line in head)
    if style.encoding == "utf-8":
        return top.encode() + body
    return (top + body.decode()).encode(style.encoding)


def _break_lines(body: bytes, style: Style, broken: list[int]) -> bytes:
    """Lines with two cells too many or some too few."""
    if not broken:
        return body
    end, cut = style.line_end.encode(), style.delimiter.encode()
    lines = body.split(end)
    for turn, place in enumerate(broken):
        fields = lines[place].split(cut)
        lines[place] = cut.join(fields[:-2]) if turn % 2 and len(fields) > 3 else lines[place] + cut + b"x" + cut + b"y"
    return end.join(lines)


def _jsonl(cells: pl.DataFrame, style: Style, broken: list[int]) -> bytes:
    named = cells.rename(dict(zip(cells.columns, _headers(cells, style), strict=True)))
    lines = named.write_ndjson().split("\n")
    for place in broken:
        lines[place] = lines[place][: len(lines[place]) // 2]
    return "\n".join(lines).encode()


def _xlsx(cells: pl.DataFrame, feed: Feed, style: Style, title: str) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": _CREATED})
    sheet = book.add_worksheet("Sheet1")
    dates = book.add_format({"num_format": "yyyy-mm-dd"})
    row = _write_head(sheet, book, cells, style, title)
    kinds = {column.name: column.type for column in feed.columns}
    for place, name in enumerate(cells.columns):
        numeric = kinds.get(name) in NUMERIC
        dated = kinds.get(name) == "date" and style.date_style == "serial"
        for offset, value in enumerate(cells[name].to_list()):
            _write_cell(sheet, row + offset, place, value, numeric, dates if dated else None)
    _write_foot(sheet, row + cells.height, cells, feed, style)
    book.close()
    return buffer.getvalue()


def _write_head(
    sheet: xlsxwriter.worksheet.Worksheet, book: xlsxwriter.Workbook, cells: pl.DataFrame, style: Style, title: str
) -> int:
    """Title, unit and header rows; returns the first row of data."""
    row, last = 0, cells.width - 1
    middle = book.add_format({"align": "center"})
    if style.title:
        sheet.merge_range(row, 0, row, last, title, middle)
        row += 1
    if style.unit:
        sheet.write_string(row, 0, "填报单位：民政办")
        sheet.write_string(row, last, "单位：元")
        row += 1
    headers = _headers(cells, style)
    if not style.two_line_header:
        sheet.write_row(row, 0, headers)
        return row + 1
    grouped = sorted((cells.columns.index("name"), cells.columns.index("id_number")))
    sheet.merge_range(row, grouped[0], row, grouped[1], GROUP, middle)
    for place, header in enumerate(headers):
        if place in grouped:
            sheet.write_string(row + 1, place, header)
        else:
            sheet.merge_range(row, place, row + 1, place, header, middle)
    return row + 2


def _write_cell(
    sheet: xlsxwriter.worksheet.Worksheet, row: int, place: int, value: str | None, numeric: bool, dates: object
) -> None:
    if value is None or value == "":
        return
    if numeric and _NUMBER.fullmatch(value):
        sheet.write_number(row, place, float(value))
    elif dates is not None and _ISO.fullmatch(value) and _is_date(value):
        sheet.write_datetime(row, place, datetime.fromisoformat(value), dates)
    else:
        sheet.write_string(row, place, value)


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).year >= 1901
    except ValueError:
        return False


def _write_foot(sheet: xlsxwriter.worksheet.Worksheet, row: int, cells: pl.DataFrame, feed: Feed, style: Style) -> None:
    if style.total:
        sheet.write_string(row, 0, "合计")
        for name in summed(feed, style.order):
            sheet.write_number(row, cells.columns.index(name), round(float(readable(cells[name]).sum()), 2))
        row += 1
    if style.signature:
        sheet.write_string(row, 0, "填表人：演示员      审核人：演示员      单位（盖章）：")
