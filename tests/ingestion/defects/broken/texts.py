"""Delimited text with odd bytes, line ends and quotes, and other bytes that are no table at all.

Belongs here: everything that is neither an archive nor JSON. Does not belong here: ordinary encodings and delimiters
(``files``).
"""

from __future__ import annotations

import gzip

from models.contract import Feed
from tests.ingestion.defects.catalogue import Case
from tests.ingestion.defects.files import as_text, table_of, table_with_cause


def _text(case: Case, feed: Feed) -> str:
    return as_text(table_of(case, feed))


def utf16_without_bom(case: Case, feed: Feed) -> bytes:
    return _text(case, feed).encode("utf-16-le")


def utf16_big_endian(case: Case, feed: Feed) -> bytes:
    return b"\xfe\xff" + _text(case, feed).encode("utf-16-be")


def utf16_cut_in_a_character(case: Case, feed: Feed) -> bytes:
    return _text(case, feed).encode("utf-16")[:-1]


def bad_byte(case: Case, feed: Feed) -> bytes:
    """UTF-8 with one byte that belongs to no character."""
    data = _text(case, feed).encode()
    at = data.index("赵".encode())
    return data[:at] + b"\xff" + data[at:]


def gb18030_cut_in_a_character(case: Case, feed: Feed) -> bytes:
    data = _text(case, feed).encode("gb18030")
    at = data.index("赵".encode("gb18030"))
    return data[: at + 1] + b"\xff" + data[at + 1 :]


def line_ends_windows(case: Case, feed: Feed) -> bytes:
    return _text(case, feed).replace("\n", "\r\n").encode("gb18030")


def line_ends_old_mac(case: Case, feed: Feed) -> bytes:
    return _text(case, feed).replace("\n", "\r").encode()


def line_ends_mixed(case: Case, feed: Feed) -> bytes:
    lines = _text(case, feed).splitlines()
    return "".join(line + ("\n", "\r\n", "\r")[at % 3] for at, line in enumerate(lines)).encode()


def no_last_line_end(case: Case, feed: Feed) -> bytes:
    return _text(case, feed).rstrip("\n").encode()


def unicode_line_separators(case: Case, feed: Feed) -> bytes:
    """Line separators of Unicode inside a name are no line ends."""
    return _text(case, feed).replace("赵文文", "赵\u2028文\x85文").encode()


def single_nul(case: Case, feed: Feed) -> bytes:
    data = _text(case, feed).encode()
    at = data.index("赵".encode()) + 1
    return data[:at] + b"\x00" + data[at:]


def nul_throughout(case: Case, feed: Feed) -> bytes:
    return b"\x00".join(bytes([byte]) for byte in _text(case, feed).encode())


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
    return gzip.compress(_text(case, feed).encode())


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
    lines = _text(case, feed).splitlines()
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
    lines = _text(case, feed).splitlines()
    lines[4] = lines[4].replace(",T3,", ',"T3,', 1)
    return "\n".join(lines).encode()


def unclosed_quote_in_the_last_line(case: Case, feed: Feed) -> bytes:
    lines = _text(case, feed).splitlines()
    lines[-1] = lines[-1].replace(",T11,", ',"T11,', 1)
    return "\n".join(lines).encode()


def two_unclosed_quotes(case: Case, feed: Feed) -> bytes:
    """Two lines with an open quote each: together they look like one cell over many lines."""
    lines = _text(case, feed).splitlines()
    lines[4] = lines[4].replace(",T3,", ',"T3,', 1)
    lines[7] = lines[7].replace(",T6,", ',"T6,', 1)
    return "\n".join(lines).encode()


def quote_inside_a_cell(case: Case, feed: Feed) -> bytes:
    lines = _text(case, feed).splitlines()
    lines[4] = lines[4].replace(",T3,", ',5" 管,', 1)
    return "\n".join(lines).encode()


def giant_cell(case: Case, feed: Feed) -> bytes:
    return as_text(table_with_cause(case, feed, "x" * ((1 << 20) + 1))).encode()


def large_cell(case: Case, feed: Feed) -> bytes:
    return as_text(table_with_cause(case, feed, "x" * (1 << 20))).encode()
