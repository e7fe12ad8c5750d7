"""Files that no ordinary program writes, and the odd things that spreadsheet programs do write.

Belongs here: one function a file, named in the catalogue by ``build``. Does not belong here: ordinary files
(``files``), what is expected (``cases``).
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import openpyxl
import xlsxwriter

from models.contract import Feed
from tests.ingestion.defects.catalogue import Case
from tests.ingestion.defects.files import as_json_lines, as_text, as_workbook, table_of


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
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, **options})
    sheet = book.add_worksheet()
    for at, line in enumerate(table_of(case, feed)):
        sheet.write_row(at, 0, line)
    style = book.add_format({"num_format": "yyyy-mm-dd"})
    long = book.add_format({"num_format": "yyyy/m/d hh:mm"})
    chinese = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
    sheet.write_datetime(2, 2, datetime(2023, 3, 5), style)  # noqa: DTZ001
    sheet.write_datetime(3, 2, datetime(2023, 3, 5, 13, 30), long)  # noqa: DTZ001
    sheet.write_datetime(4, 2, datetime(2023, 3, 5), chinese)  # noqa: DTZ001
    book.close()
    return stream.getvalue()


def month_cells(case: Case, feed: Feed) -> bytes:
    """A month that the spreadsheet has made a date of, and one as a number."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, line in enumerate(table_of(case, feed)):
        sheet.write_row(at, 0, line)
    sheet.write_datetime(2, 3, datetime(2023, 3, 1), book.add_format({"num_format": "yyyy-mm"}))  # noqa: DTZ001
    sheet.write_number(3, 3, 202303)
    book.close()
    return stream.getvalue()


def formulas(case: Case, feed: Feed) -> bytes:
    """Formulas with their stored values: a text, a number, a date; accepted as those values."""
    table = table_of(case, feed)
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, line in enumerate(table):
        sheet.write_row(at, 0, line)
    sheet.write_formula(2, 1, '="王"&"小明"', None, "王小明")
    sheet.write_formula(3, 4, "=100+0.5", None, 100.5)
    book.close()
    return stream.getvalue()


def formulas_without_values(case: Case, feed: Feed) -> bytes:
    """Formulas whose values were never stored, in a name, an ID number, a month and an amount."""
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(table_of(case, feed))))
    sheet = book.active
    for cell in ("B3", "A4", "D5", "E6"):
        sheet[cell] = "=X1"
    return _saved(book)


def long_number_of_a_formula(case: Case, feed: Feed) -> bytes:
    """An ID number that a formula computed, right by chance; one that a formula wrote as text beside it."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, line in enumerate(table_of(case, feed)):
        sheet.write_row(at, 0, line)
    sheet.write_formula(2, 0, "=420703198001010000+0", None, 420703198001010000)
    sheet.write_formula(3, 0, '="420702198001010055"&""', None, "420702198001010055")
    book.close()
    return stream.getvalue()


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


def inline_strings(case: Case, feed: Feed) -> bytes:
    """Texts in the cells themselves and cells without addresses, as small writers make them."""
    return _plain_workbook(table_of(case, feed), lambda text: f'<c t="inlineStr"><is><t>{text}</t></is></c>')


def rich_text(case: Case, feed: Feed) -> bytes:
    """Texts in several runs of formatting."""

    def cell(text: str) -> str:
        return f'<c t="inlineStr"><is><r><t>{text[:1]}</t></r><r><rPr><b/></rPr><t>{text[1:]}</t></r></is></c>'

    return _plain_workbook(table_of(case, feed), cell)


def phonetic_runs(case: Case, feed: Feed) -> bytes:
    """Shared strings with the pronunciation beside the text, which is no part of it."""
    return _edited(
        as_workbook(table_of(case, feed)),
        "xl/sharedStrings.xml",
        lambda xml: re.sub(rb"</t></si>", rb'</t><rPh sb="0" eb="1"><t>PINYIN</t></rPh></si>', xml),
    )


def strict_names(case: Case, feed: Feed) -> bytes:
    """The names of the strict form of the standard (ISO 29500 strict)."""
    transitional = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    data = as_workbook(table_of(case, feed))
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"):
        data = _edited(
            data, part, lambda xml: xml.replace(transitional, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
        )
    return data


def prefixed_names(case: Case, feed: Feed) -> bytes:
    """Every element of the sheet under a prefix, as .NET programs write it."""

    def prefixed(xml: bytes) -> bytes:
        xml = re.sub(rb"<(/?)([a-zA-Z]+)", rb"<\1x:\2", xml)
        return xml.replace(b"xmlns=", b"xmlns:x=")

    table = table_of(case, feed)
    table[2][0] = 420702198001010012
    return _edited(as_workbook(table), "xl/worksheets/sheet1.xml", prefixed)


def attributes_in_another_order(case: Case, feed: Feed) -> bytes:
    """A numeric ID number and an error in cells that name their style before their address."""
    table = table_of(case, feed)
    table[2][0] = 420702198001010012
    return _edited(
        as_workbook(table), "xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<c r="(\w+)"', rb'<c s="0" r="\1"', xml)
    )


def _plain_workbook(table: Sequence[Sequence[Any]], cell: Callable[[str], str]) -> bytes:
    rows = "".join(
        "<row>" + "".join(cell(str(text)) if text != "" else "<c/>" for text in line) + "</row>" for line in table
    )
    sheet = (
        '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/'
        f'2006/main"><sheetData>{rows}</sheetData></worksheet>'
    )
    return _edited(as_workbook(table), "xl/worksheets/sheet1.xml", lambda _: sheet.encode())


def _edited(data: bytes, part: str, edit: Callable[[bytes], bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, edit(body) if name == part else body)
    return stream.getvalue()


def _saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# Archives that are no workbook.


def binary_workbook(case: Case, feed: Feed) -> bytes:
    """An .xlsb: an archive whose parts are binary."""
    return _archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\x83\x01\x00"})


def open_document(case: Case, feed: Feed) -> bytes:
    return _archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<office/>"})


def word_document(case: Case, feed: Feed) -> bytes:
    return _archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})


def archive_with_a_table(case: Case, feed: Feed) -> bytes:
    return _archive({"a.csv": as_text(table_of(case, feed)).encode()})


def _archive(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return stream.getvalue()


def encrypted_workbook(case: Case, feed: Feed) -> bytes:
    """The head of a compound file, which is what an encrypted workbook is."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500 + "EncryptedPackage".encode("utf-16-le")


def archive_with_a_password(case: Case, feed: Feed) -> bytes:
    """A workbook whose members say that they are encrypted."""
    data = bytearray(as_workbook(table_of(case, feed)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def cut_workbook(case: Case, feed: Feed) -> bytes:
    return as_workbook(table_of(case, feed))[:-200]


def workbook_without_sheet(case: Case, feed: Feed) -> bytes:
    return _edited(as_workbook(table_of(case, feed)), "xl/worksheets/sheet1.xml", lambda _: b"")


def sheet_cut_short(case: Case, feed: Feed) -> bytes:
    return _edited(as_workbook(table_of(case, feed)), "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2])


def escaping_member(case: Case, feed: Feed) -> bytes:
    stream = io.BytesIO(as_workbook(table_of(case, feed)))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("../../evil.xml", "x")
    return stream.getvalue()


def member_with_dots(case: Case, feed: Feed) -> bytes:
    """A name with two dots in it that leaves nothing."""
    stream = io.BytesIO(as_workbook(table_of(case, feed)))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("xl/media/a..b.png", "x")
    return stream.getvalue()


def bomb(case: Case, feed: Feed) -> bytes:
    """A member that unpacks to over 200 times the file."""
    return _with_member(case, feed, 16 << 20)


def well_packed(case: Case, feed: Feed) -> bytes:
    """A member that is packed well, but not so well."""
    return _with_member(case, feed, 1 << 20)


def _with_member(case: Case, feed: Feed, size: int) -> bytes:
    stream = io.BytesIO(as_workbook(table_of(case, feed)))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/blob.bin", b"\x00" * size)
    return stream.getvalue()


def empty_workbook(case: Case, feed: Feed) -> bytes:
    return as_workbook([])


def header_only_workbook(case: Case, feed: Feed) -> bytes:
    return as_workbook([["死亡信息表"], table_of(case, feed)[0], ["填表人:某某"]])


# Texts.


def text(case: Case, feed: Feed) -> str:
    return as_text(table_of(case, feed))


def utf16_without_bom(case: Case, feed: Feed) -> bytes:
    return text(case, feed).encode("utf-16-le")


def utf16_big_endian(case: Case, feed: Feed) -> bytes:
    return b"\xfe\xff" + text(case, feed).encode("utf-16-be")


def utf16_cut_in_a_character(case: Case, feed: Feed) -> bytes:
    return text(case, feed).encode("utf-16")[:-1]


def bad_byte(case: Case, feed: Feed) -> bytes:
    """UTF-8 with one byte that belongs to no character."""
    data = text(case, feed).encode()
    at = data.index("赵".encode())
    return data[:at] + b"\xff" + data[at:]


def gb18030_cut_in_a_character(case: Case, feed: Feed) -> bytes:
    data = text(case, feed).encode("gb18030")
    at = data.index("赵".encode("gb18030"))
    return data[: at + 1] + b"\xff" + data[at + 1 :]


def line_ends_windows(case: Case, feed: Feed) -> bytes:
    return text(case, feed).replace("\n", "\r\n").encode("gb18030")


def line_ends_old_mac(case: Case, feed: Feed) -> bytes:
    return text(case, feed).replace("\n", "\r").encode()


def line_ends_mixed(case: Case, feed: Feed) -> bytes:
    lines = text(case, feed).splitlines()
    return "".join(line + ("\n", "\r\n", "\r")[at % 3] for at, line in enumerate(lines)).encode()


def no_last_line_end(case: Case, feed: Feed) -> bytes:
    return text(case, feed).rstrip("\n").encode()


def unicode_line_separators(case: Case, feed: Feed) -> bytes:
    """Line separators of Unicode inside a name are no line ends."""
    return text(case, feed).replace("赵文文", "赵\u2028文\x85文").encode()


def single_nul(case: Case, feed: Feed) -> bytes:
    data = text(case, feed).encode()
    at = data.index("赵".encode()) + 1
    return data[:at] + b"\x00" + data[at:]


def nul_throughout(case: Case, feed: Feed) -> bytes:
    return b"\x00".join(bytes([byte]) for byte in text(case, feed).encode())


def only_nul(case: Case, feed: Feed) -> bytes:
    return b"\x00" * 4096


def html(case: Case, feed: Feed) -> bytes:
    lines = table_of(case, feed)
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return f"\n<html><meta charset=utf-8><table>{rows}</table></html>".encode()


def xml_spreadsheet(case: Case, feed: Feed) -> bytes:
    return b'\xef\xbb\xbf<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'


def old_excel(case: Case, feed: Feed) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 4000


def very_old_excel(case: Case, feed: Feed) -> bytes:
    """BIFF without a compound file, as the first spreadsheets wrote it."""
    return b"\x09\x08\x10\x00\x00\x06\x05\x00" + b"\x00\x01\x02" * 200


def pdf(case: Case, feed: Feed) -> bytes:
    return b"%PDF-1.7\n" + b"1 0 obj" * 50


def gzipped(case: Case, feed: Feed) -> bytes:
    return gzip.compress(text(case, feed).encode())


def prose(case: Case, feed: Feed) -> bytes:
    return "尊敬的领导:\n本月无变动。\n此致".encode()


def nothing(case: Case, feed: Feed) -> bytes:
    return b""


def only_a_bom(case: Case, feed: Feed) -> bytes:
    return b"\xef\xbb\xbf"


def only_a_bom_of_utf16(case: Case, feed: Feed) -> bytes:
    return b"\xff\xfe"


def only_blank_lines(case: Case, feed: Feed) -> bytes:
    return "\n \r\n\t\n\u3000\n,,,,\n".encode()


def quoted_cells(case: Case, feed: Feed) -> bytes:
    """Delimiters, quotes and line ends inside quoted cells, blanks before a quote."""
    lines = text(case, feed).splitlines()
    lines[2] = lines[2].replace(",T1,", ',"因病,""重病""\n住院",', 1)
    lines[3] = ",".join(f'"{cell}"' for cell in lines[3].split(","))
    return "\n".join(lines).encode()


def bar_in_a_quoted_text(case: Case, feed: Feed) -> bytes:
    """A table divided by bars with commas in its texts, and a bar in a quoted one."""
    table = table_of(case, feed)
    at = table[0].index("困难原因")
    for line in table[1:]:
        line[at] = "病,残,学"
    table[3][at] = "病|残"
    return as_text(table, "|").encode()


def unclosed_quote(case: Case, feed: Feed) -> bytes:
    lines = text(case, feed).splitlines()
    lines[4] = lines[4].replace(",T3,", ',"T3,', 1)
    return "\n".join(lines).encode()


def unclosed_quote_in_the_last_line(case: Case, feed: Feed) -> bytes:
    lines = text(case, feed).splitlines()
    lines[-1] = lines[-1].replace(",T11,", ',"T11,', 1)
    return "\n".join(lines).encode()


def two_unclosed_quotes(case: Case, feed: Feed) -> bytes:
    """Two lines with an open quote each: together they look like one cell over many lines."""
    lines = text(case, feed).splitlines()
    lines[4] = lines[4].replace(",T3,", ',"T3,', 1)
    lines[7] = lines[7].replace(",T6,", ',"T6,', 1)
    return "\n".join(lines).encode()


def quote_inside_a_cell(case: Case, feed: Feed) -> bytes:
    lines = text(case, feed).splitlines()
    lines[4] = lines[4].replace(",T3,", ',5" 管,', 1)
    return "\n".join(lines).encode()


def giant_cell(case: Case, feed: Feed) -> bytes:
    return _with_cause(case, feed, (1 << 20) + 1)


def large_cell(case: Case, feed: Feed) -> bytes:
    return _with_cause(case, feed, 1 << 20)


def giant_json_cell(case: Case, feed: Feed) -> bytes:
    return as_json_lines(_causes(case, feed, (1 << 20) + 1))


def giant_sheet_cell(case: Case, feed: Feed) -> bytes:
    """A text longer than any spreadsheet program allows, in random letters so that it does not pack well."""
    letters = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz", k=(1 << 20) + 1))
    table = table_of(case, feed)
    table[2][table[0].index("困难原因")] = "CAUSE"
    data = as_workbook(table)
    return _edited(data, "xl/sharedStrings.xml", lambda xml: xml.replace(b"CAUSE", letters.encode()))


def _with_cause(case: Case, feed: Feed, size: int) -> bytes:
    return as_text(_causes(case, feed, size)).encode()


def _causes(case: Case, feed: Feed, size: int) -> list[list[Any]]:
    table = table_of(case, feed)
    table[2][table[0].index("困难原因")] = "x" * size
    return table


# JSON Lines.


def json_numbers(case: Case, feed: Feed) -> bytes:
    """Numbers instead of texts, keys missing or null, in another order."""
    records = _records(case, feed)
    for record in records:
        record["金额"] = 100.5
        record["发放月份"] = 202303
        record["身份证号"] = (
            int(record["身份证号"]) if not str(record["身份证号"]).endswith("X") else record["身份证号"]
        )
    records[4] = dict(reversed(records[4].items()))
    return _json_lines(records)


def json_missing_key(case: Case, feed: Feed) -> bytes:
    records = _records(case, feed)
    del records[3]["金额"]
    records[4]["金额"] = None
    return _json_lines(records)


def json_exponent(case: Case, feed: Feed) -> bytes:
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[1] = lines[1].replace('"420702198001010039"', "4.2070219800101E+17")
    return "\n".join(lines).encode()


def json_broken_line(case: Case, feed: Feed) -> bytes:
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[4] = lines[4][:-6]
    return "\n".join(lines).encode()


def json_broken_first_line(case: Case, feed: Feed) -> bytes:
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[0] = lines[0][5:]
    return "\n".join(lines).encode()


def json_other_values(case: Case, feed: Feed) -> bytes:
    """Lines that are JSON but no objects."""
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    return "\n".join([*lines, "[1, 2]", '"text"', "null"]).encode()


def json_empty_objects(case: Case, feed: Feed) -> bytes:
    """Objects without a value are blank rows."""
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    return "\n".join([*lines, "{}", '{"姓名": "", "身份证号": null}', ""]).encode()


def json_two_keys_for_one_field(case: Case, feed: Feed) -> bytes:
    records = _records(case, feed)
    records[5]["name"] = records[5].pop("姓名")
    return _json_lines(records)


def json_same_key_twice(case: Case, feed: Feed) -> bytes:
    """A line that says two different things under one key."""
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[2] = lines[2].replace("{", '{"姓名": "别人", ', 1)
    return "\n".join(lines).encode()


def json_nested(case: Case, feed: Feed) -> bytes:
    records = _records(case, feed)
    records[1]["姓名"] = {"姓": "王", "名": "明"}
    records[2]["死亡日期"] = ["2023-03-05"]
    return _json_lines(records)


def json_pretty(case: Case, feed: Feed) -> bytes:
    return json.dumps(_records(case, feed), ensure_ascii=False, indent=1).encode()


def json_bom_and_windows(case: Case, feed: Feed) -> bytes:
    return b"\xef\xbb\xbf" + _json_lines(_records(case, feed)).replace(b"\n", b"\r\n")


def json_gb18030(case: Case, feed: Feed) -> bytes:
    return _json_lines(_records(case, feed)).decode().encode("gb18030")


def _records(case: Case, feed: Feed) -> list[dict[str, Any]]:
    header, *lines = table_of(case, feed)
    return [dict(zip(header, line, strict=True)) for line in lines]


def _json_lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def json_no_object(case: Case, feed: Feed) -> bytes:
    return b"{broken json\n{still broken\n"
