"""Archives: those that are no workbook, and workbooks in an archive that is damaged, locked or means harm.

Belongs here: members of the archive as a whole. Does not belong here: what is in a sheet (``sheet_xml``).
"""

from __future__ import annotations

import io
import zipfile

from models.contract import Feed
from tests.ingestion.defects.catalogue import Case
from tests.ingestion.defects.files import as_text, as_workbook, table_of


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
