"""The ZIP archive of a workbook, unpacked under limits: what it says of its own sizes is not believed.

Belongs here: bombs, paths, document types, boxes of cells that only look small. Does not belong here: sheets and
cells as such (``workbook``).
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from ingestion.limits import MAX_BYTES, MAX_CELL_BYTES, MAX_EXPANSION, MAX_SHEET_CELLS, MAX_WORKBOOK_BYTES
from ingestion.reading.spool import Spool
from ingestion.reason import UNREADABLE, UNSAFE, FileRejectedError

_BLOCK = 1 << 20
_MAX_MEMBERS = 10_000
# All texts of a sheet together: one shared text may stand in a million cells.
_MAX_TEXT_BYTES = 512 << 20
_CENTRAL_ENTRY = b"PK\x01\x02"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 0x1
_XML = (".xml", ".rels", ".vml")
_MAX_ROW_BYTES = 64 << 20
_CELL_STARTS = (b"<c ", b"<c>", b":c ", b":c>")
_ROW_START = re.compile(rb"<(?:\w+:)?row[\s>]")
_END_TAG = re.compile(rb"</(?:\w+:)?$")
_SHARED_INDEX = re.compile(rb'<(?:\w+:)?c\s[^>]*\bt="s"[^>]*>\s*<(?:\w+:)?v>(\d+)<')
_TEXT_END = re.compile(rb"</(?:\w+:)?si>")


Ints = npt.NDArray[np.int64]


class Archive:
    """The members of a workbook that has passed all limits."""

    def __init__(self, spool: Spool, members: dict[str, zipfile.ZipInfo]) -> None:
        self._spool = spool
        self._members = members
        self._first_columns: dict[str, int] = {}

    @staticmethod
    def open(spool: Spool) -> Archive:
        """Raise ``FileRejectedError`` where the archive is no workbook, is encrypted, or is unsafe to unpack."""
        if spool.size > MAX_WORKBOOK_BYTES:
            raise FileRejectedError(UNSAFE, "larger than any workbook may be")
        try:
            _check_member_count(spool)
            with zipfile.ZipFile(spool.stream()) as archive:
                members = archive.infolist()
            _check_paths(members)
            opened = Archive(spool, {member.filename: member for member in members})
            opened._check_sizes(members)
        except FileRejectedError:
            raise
        except Exception as error:
            raise FileRejectedError(UNREADABLE, f"broken workbook ({type(error).__name__})") from None
        if "xl/workbook.xml" not in opened._members:
            raise FileRejectedError(UNREADABLE, "an archive, but no XLSX workbook")
        return opened

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def first_column(self, name: str) -> int:
        """Index of the leftmost column in which the sheet of that name has a cell."""
        return self._first_columns[name]

    def read(self, name: str) -> bytes:
        """A whole member; raises ``KeyError`` where there is none."""
        return b"".join(self._inflated(self._members[name]))

    def rows(self, name: str) -> Iterator[bytes]:
        """The XML of a sheet in pieces of whole rows."""
        return self._pieces(name, b"row>")

    def _pieces(self, name: str, end: bytes) -> Iterator[bytes]:
        """A member in pieces, each up to an end tag of that name."""
        held = b""
        for block in self._inflated(self._members[name]):
            held += block
            at = held.rfind(end)
            if at > 0 and _END_TAG.search(held, max(0, at - 20), at):
                yield held[: at + len(end)]
                held = held[at + len(end) :]
            elif len(held) > _MAX_ROW_BYTES:
                raise FileRejectedError(UNSAFE, f"a row over {_MAX_ROW_BYTES} bytes")
        yield held

    def _inflated(self, member: zipfile.ZipInfo) -> Iterator[bytes]:
        """The true content of a member, however long; raises ``BadZipFile`` where it is not what it should be."""
        if member.flag_bits & _ENCRYPTED:
            raise FileRejectedError(UNREADABLE, "encrypted")
        mark, name_length, extra_length = _LOCAL_HEADER.unpack(self._spool.read(member.header_offset, 30))
        if mark != b"PK\x03\x04":
            raise zipfile.BadZipFile("no member where one should be")
        begin = member.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        raw = (
            self._spool.read(at, min(_BLOCK, begin + member.compress_size - at))
            for at in range(begin, begin + member.compress_size, _BLOCK)
        )
        if member.compress_type == zipfile.ZIP_STORED:
            yield from raw
        elif member.compress_type == zipfile.ZIP_DEFLATED:
            yield from _deflated(raw)
        else:
            raise zipfile.BadZipFile("a compression that workbooks do not have")

    def _check_sizes(self, members: list[zipfile.ZipInfo]) -> None:
        """Unpack everything, keep nothing: limits hold for what comes out, not for what was stated."""
        limit = min(MAX_BYTES, MAX_EXPANSION * self._spool.size)
        total, sheets, texts = 0, [], None
        for member in members:
            look = _Look()
            size = checksum = 0
            for block in self._inflated(member):
                size += len(block)
                checksum = zlib.crc32(block, checksum)
                if total + size > limit:
                    raise FileRejectedError(UNSAFE, "unpacks to too much")
                if member.filename.lower().endswith(_XML):
                    look.at(block)
            total += size
            if size != member.file_size or checksum != member.CRC:
                raise zipfile.BadZipFile("sizes or check sums do not agree")
            if look.is_sheet:
                sheets.append(member.filename)
            if look.has_shared_texts:
                texts = (member.filename, look.longest)
        for sheet in sheets:
            self._check_sheet(sheet, texts)

    def _check_sheet(self, name: str, texts: tuple[str, int] | None) -> None:
        """The box of a sheet's cells is made in full by its reader, and shared texts are written out."""
        box, shared = _Box(), 0
        for piece in self.rows(name):
            box.add(piece)
            shared += piece.count(b't="s"')
        self._first_columns[name] = box.first
        if box.cells > MAX_SHEET_CELLS:
            raise FileRejectedError(UNSAFE, f"a sheet of more than {MAX_SHEET_CELLS} cells")
        may_be_long = texts is not None and shared * texts[1] > _MAX_TEXT_BYTES
        if texts is not None and may_be_long and self._text_bytes(name, texts[0]) > _MAX_TEXT_BYTES:
            raise FileRejectedError(UNSAFE, "unpacks to too much")

    def _text_bytes(self, sheet: str, texts: str) -> int:
        """How long the shared texts of a sheet are together, each as often as it stands there."""
        lengths = np.fromiter(
            (len(text) for piece in self._pieces(texts, b"si>") for text in _TEXT_END.split(piece)[:-1]), dtype=np.int64
        )
        total = 0
        for piece in self.rows(sheet):
            indices = np.array([int(index[:9]) for index in _SHARED_INDEX.findall(piece)], dtype=np.int64)
            total += int(lengths[indices[indices < len(lengths)]].sum())
        return total


def _check_member_count(spool: Spool) -> None:
    """Before anything makes an object of each member."""
    count, tail = 0, b""
    for block in spool.blocks():
        count += (tail + block).count(_CENTRAL_ENTRY)
        tail = block[-len(_CENTRAL_ENTRY) + 1 :]
    if count > _MAX_MEMBERS:
        raise FileRejectedError(UNSAFE, f"an archive of more than {_MAX_MEMBERS} members")


def _check_paths(members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", member.filename):
            raise FileRejectedError(UNSAFE, "an archive member leaves its folder")


def _deflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for block in blocks:
        rest = block
        while rest and not inflate.eof:
            yield inflate.decompress(rest, _BLOCK)
            rest = inflate.unconsumed_tail
    while not inflate.eof:
        # What is still inside; nothing more comes in.
        more = inflate.decompress(inflate.unconsumed_tail, _BLOCK)
        if not more:
            raise zipfile.BadZipFile("cut off")
        yield more


@dataclass
class _Look:
    """What the XML of a member is, and the longest text between two of its tags."""

    is_sheet: bool = False
    has_shared_texts: bool = False
    longest: int = 0
    _open: int = 0
    _tail: bytes = b""

    def at(self, block: bytes) -> None:
        text = self._tail + block
        self._tail = block[-16:]
        # Documents of this kind have no types and no entities of their own; where one has, it is a trap.
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise FileRejectedError(UNSAFE, "a document type in a sheet")
        self.is_sheet = self.is_sheet or b"sheetData" in text
        self.has_shared_texts = self.has_shared_texts or b"<sst" in text or b":sst" in text
        tags = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == ord("<"))
        gaps = np.diff(tags, prepend=-self._open, append=len(block))
        self._open = int(gaps[-1])
        self.longest = max(self.longest, int(gaps.max()))
        if self.longest > MAX_CELL_BYTES:
            raise FileRejectedError(UNSAFE, f"a cell over {MAX_CELL_BYTES} bytes")


@dataclass
class _Box:
    """The smallest box around all cells of a sheet, those included that are formatted and empty."""

    rows: int = 0
    columns: int = 0
    first: int = 1 << 14
    """Index of the leftmost column."""

    @property
    def cells(self) -> int:
        return self.rows * self.columns

    def add(self, piece: bytes) -> None:
        """The next rows of the sheet's XML."""
        columns, rows = _references(piece)
        if len(columns):
            self.rows = max(self.rows, int(rows.max()))
            self.columns = max(self.columns, int(columns.max()) + 1)
            self.first = min(self.first, int(columns.min()))
        if len(columns) < sum(map(piece.count, _CELL_STARTS)):
            # Cells that do not say where they are stand one after the other.
            rows_of_cells = _ROW_START.split(piece)
            self.rows += len(rows_of_cells)
            self.columns = max([self.columns, *(sum(map(row.count, _CELL_STARTS)) for row in rows_of_cells)])
            self.first = 0


def _references(piece: bytes) -> tuple[Ints, Ints]:
    """Index of the column and number of the row of each cell that states them (``r="AB12"``)."""
    letters = np.frombuffer(piece + bytes(16), dtype=np.uint8)
    is_mark = letters[:-16] == ord(" ")
    for at, letter in enumerate(b'r="', start=1):
        is_mark &= letters[at : at - 16] == letter
    starts = np.flatnonzero(is_mark) + 4
    starts = starts[(letters[starts] >= ord("A")) & (letters[starts] <= ord("Z"))]
    column, row = np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.int64)
    in_letters, in_digits = np.ones(len(starts), dtype=np.bool_), np.ones(len(starts), dtype=np.bool_)
    for at in range(10):
        value = letters[starts + at].astype(np.int64)
        in_letters &= (value >= ord("A")) & (value <= ord("Z"))
        column = np.where(in_letters, column * 26 + value - 64, column)
        in_digits &= in_letters | ((value >= ord("0")) & (value <= ord("9")))
        row = np.where(in_digits & ~in_letters, row * 10 + value - 48, row)
    return column - 1, row


def column_index(letters: str | bytes) -> int:
    """The place of a column by its letters: A is 0."""
    index = 0
    for letter in letters.encode() if isinstance(letters, str) else letters:
        index = index * 26 + letter - 64
    return index - 1
