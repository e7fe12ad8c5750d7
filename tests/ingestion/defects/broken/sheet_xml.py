"""Workbooks whose XML is changed: as other programs write it, or broken.

Belongs here: what no library that is at hand writes. Does not belong here: the archive around the XML (``archives``).
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from models.contract import Feed
from tests.ingestion.defects.catalogue import Case
from tests.ingestion.defects.files import as_workbook, table_of, table_with_cause


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


def workbook_without_sheet(case: Case, feed: Feed) -> bytes:
    return _edited(as_workbook(table_of(case, feed)), "xl/worksheets/sheet1.xml", lambda _: b"")


def sheet_cut_short(case: Case, feed: Feed) -> bytes:
    return _edited(as_workbook(table_of(case, feed)), "xl/worksheets/sheet1.xml", lambda xml: xml[: len(xml) // 2])


def giant_sheet_cell(case: Case, feed: Feed) -> bytes:
    """A text longer than any spreadsheet program allows, in random letters so that it does not pack well."""
    letters = "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyz", k=(1 << 20) + 1))
    data = as_workbook(table_with_cause(case, feed, "CAUSE"))
    return _edited(data, "xl/sharedStrings.xml", lambda xml: xml.replace(b"CAUSE", letters.encode()))


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
