"""Bytes of a delivery to UTF-8 text, strictly: which format, which encoding.

Belongs here: encodings, line ends and the first look that tells formats apart. Does not belong here: delimiters,
headers.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingestion.reading.spool import Spool
from ingestion.reason import UNREADABLE, FileRejectedError

Format = Literal["delimited", "xlsx", "jsonl"]

_ZIP = b"PK\x03\x04"
_FOREIGN = (
    b"\xd0\xcf\x11\xe0",
    b"%PDF",
    b"\x1f\x8b",
    b"{\\rtf",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"Rar!",
    b"7z\xbc\xaf",
    b"PK",
)
_HEAD_BYTES = 4096
# A text of which more than this share is NUL is no text; fewer are removed.
_MAX_NUL_SHARE = 0.02
_EXTENSIONS: dict[Format, tuple[str, ...]] = {
    "delimited": (".csv", ".txt", ".tsv", ".psv", ""),
    "xlsx": (".xlsx", ""),
    "jsonl": (".jsonl", ".ndjson", ""),
}


@dataclass(frozen=True)
class Text:
    """A delivery's text in UTF-8, with ``\\n`` line ends and without NUL and BOM."""

    spool: Spool
    encoding: str
    """What it came in."""
    line_ends: int
    is_blank: bool

    @property
    def size(self) -> int:
        return self.spool.size


def extension_agrees(kind: Format, extension: str) -> bool:
    """Whether a file's extension speaks of the format that its content has."""
    return extension.lower() in _EXTENSIONS[kind]


def is_blank(raw: Spool) -> bool:
    """Whether there is nothing but blanks and a byte order mark (a long file is never taken for blank)."""
    head = raw.read(0, 8 << 20)
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if head.startswith(mark):
            return not head.removeprefix(mark).replace(b"\x00", b"").strip()
    return not head.removeprefix(codecs.BOM_UTF8).strip()


def is_workbook(raw: Spool) -> bool:
    """Whether the bytes are a ZIP archive; raises where they are of a kind that is never read."""
    head = raw.read(0, 8)
    if head.startswith(_ZIP):
        return True
    if head.startswith(_FOREIGN):
        raise FileRejectedError(UNREADABLE, "neither text nor an XLSX workbook")
    return False


def to_text(raw: Spool, folder: Path) -> Text:
    """The text of those bytes; a new spool in ``folder`` unless they are such a text as they stand.

    Raises ``FileRejectedError`` where no encoding fits strictly or control characters show that it is no text.
    """
    text = _transcoded(raw, folder)
    head = text.spool.read(0, _HEAD_BYTES)
    controls = sum(head.count(bytes([code])) for code in range(32) if code not in (9, 10, 11, 12, 26))
    if controls > 0.02 * len(head) + 2:
        raise FileRejectedError(UNREADABLE, "control characters throughout")
    if head.lstrip()[:1] == b"<":
        raise FileRejectedError(UNREADABLE, "markup, not a table")
    return text


def _transcoded(raw: Spool, folder: Path) -> Text:
    if raw.read(0, 2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _written(_decoded(raw.blocks(), "utf-16"), "utf-16", folder)
    survey = _Survey.of(raw)
    if survey.encoding == "gb18030":
        return _written(_decoded(_without_nul(raw.blocks()), "gb18030"), "gb18030", folder)
    if survey.is_plain:
        return Text(raw, survey.encoding, survey.line_ends, survey.is_blank)
    return _written(_without_bom(_without_nul(raw.blocks())), survey.encoding, folder)


@dataclass
class _Survey:
    """What one look at all bytes says of them: a first pass, so that nothing is written in vain."""

    encoding: str = "utf-8"
    nul: int = 0
    line_ends: int = 0
    is_blank: bool = True
    is_plain: bool = True

    @staticmethod
    def of(raw: Spool) -> _Survey:
        survey = _Survey()
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        for block in raw.blocks():
            survey._look_at(block, decoder)
        if survey.encoding == "utf-8" and not _ends_well(decoder):
            survey.encoding = "gb18030"
        _check_nul(survey.nul, raw.size)
        if raw.read(0, _HEAD_BYTES).replace(b"\x00", b"").startswith(codecs.BOM_UTF8):
            if survey.encoding != "utf-8":
                raise FileRejectedError(UNREADABLE, "not valid utf-8 text")
            survey.encoding, survey.is_plain = "utf-8-sig", False
        return survey

    def _look_at(self, block: bytes, decoder: codecs.IncrementalDecoder) -> None:
        nul = block.count(b"\x00")
        self.nul += nul
        self.line_ends += block.count(b"\n")
        self.is_blank = self.is_blank and not block.strip()
        self.is_plain = self.is_plain and not nul and b"\r" not in block
        if self.encoding == "utf-8":
            try:
                # A stray NUL may stand inside a character of several bytes.
                decoder.decode(block.replace(b"\x00", b"") if nul else block)
            except UnicodeError:
                self.encoding = "gb18030"


def _ends_well(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _check_nul(nul: int, size: int) -> None:
    if nul > max(8, _MAX_NUL_SHARE * size) or nul * 2 > size:
        raise FileRejectedError(UNREADABLE, "NUL bytes throughout")


def _without_nul(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield block.replace(b"\x00", b"")


def _without_bom(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """What is left of a mark at the beginning where NUL bytes stood in it goes too."""
    first = True
    for block in blocks:
        yield block.removeprefix(codecs.BOM_UTF8) if first else block
        first = first and not block


def _decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        yield from _without_bom(decoder.decode(block).encode("utf-8") for block in blocks)
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeError:
        # The message of the codec would quote the bytes around the fault.
        raise FileRejectedError(UNREADABLE, f"not valid {encoding} text") from None


def _written(blocks: Iterable[bytes], encoding: str, folder: Path) -> Text:
    """UTF-8 blocks in a spool of their own, line ends made one kind, NUL dropped."""
    spool = Spool(folder)
    nul, size, line_ends, blank = 0, 0, 0, True
    try:
        for block in _with_one_line_end(blocks):
            nul += block.count(b"\x00")
            size += len(block)
            text = block.replace(b"\x00", b"") if nul else block
            line_ends += text.count(b"\n")
            blank = blank and not text.strip()
            spool.write(text)
        _check_nul(nul, size)
    except BaseException:
        spool.close()
        raise
    return Text(spool, encoding, line_ends, blank)


def _with_one_line_end(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """``\\r\\n`` and a lone ``\\r`` are line ends, also where they stand at the border of two blocks."""
    held = b""
    for block in blocks:
        text = held + block
        held = b"\r" if text.endswith(b"\r") else b""
        if b"\r" in text:
            text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield text
    yield held.replace(b"\r", b"\n")
