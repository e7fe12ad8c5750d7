"""Bytes of a delivery to UTF-8 text, strictly: which format, which encoding.

Belongs here: encodings and the first look that tells formats apart. Does not belong here: delimiters, headers.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from typing import Literal

from ingestion.reason import UNREADABLE, FileRejectedError

Format = Literal["delimited", "xlsx", "jsonl"]

_CHUNK = 8 << 20
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
# A text of which more than this share is NUL is no text; fewer are removed.
_MAX_NUL_SHARE = 0.02
_EXTENSIONS: dict[Format, tuple[str, ...]] = {
    "delimited": (".csv", ".txt", ".tsv", ".psv", ""),
    "xlsx": (".xlsx", ""),
    "jsonl": (".jsonl", ".ndjson", ""),
}


class Payload:
    """The bytes of a file, handed on once: whoever takes them may let go of them, so that a large file is not
    kept twice.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def peek(self, count: int = 8) -> bytes:
        """The first bytes."""
        return self._data[:count]

    def is_blank(self) -> bool:
        """Whether there is nothing but blanks (a long file is never taken for blank)."""
        return not self._data[:_CHUNK].strip()

    def sha256(self) -> str:
        return hashlib.sha256(self._data).hexdigest()

    def take(self) -> bytes:
        data, self._data = self._data, b""
        return data


def extension_agrees(kind: Format, extension: str) -> bool:
    """Whether a file's extension speaks of the format that its content has."""
    return extension.lower() in _EXTENSIONS[kind]


def is_workbook(payload: Payload) -> bool:
    """Whether the bytes are a ZIP archive; raises where they are of a kind that is never read."""
    head = payload.peek()
    if head.startswith(_ZIP):
        return True
    if head.startswith(_FOREIGN):
        raise FileRejectedError(UNREADABLE, "neither text nor an XLSX workbook")
    return False


def to_utf8(payload: Payload) -> tuple[Payload, str]:
    """Text as UTF-8 with ``\\n`` line ends and without NUL and BOM, and the encoding it came in.

    Raises ``FileRejectedError`` where no encoding fits strictly or control characters show that it is no text.
    """
    text, encoding = _transcode(payload.take())
    if b"\x00" in text:
        text = _without_nul(text)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head = text[:4096]
    controls = sum(head.count(bytes([code])) for code in range(32) if code not in (9, 10, 11, 12, 26))
    if controls > 0.02 * len(head) + 2:
        raise FileRejectedError(UNREADABLE, "control characters throughout")
    if head.lstrip()[:1] == b"<":
        raise FileRejectedError(UNREADABLE, "markup, not a table")
    return Payload(text), encoding


def _without_nul(data: bytes) -> bytes:
    nul = data.count(b"\x00")
    if nul > max(8, _MAX_NUL_SHARE * len(data)) or nul * 2 > len(data):
        raise FileRejectedError(UNREADABLE, "NUL bytes throughout")
    return data.replace(b"\x00", b"")


def _transcode(data: bytes) -> tuple[bytes, str]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(data, "utf-16")
    # A stray NUL may stand inside a character of several bytes.
    if b"\x00" in data:
        data = _without_nul(data)
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
        _check_utf8(data)
        return data, "utf-8-sig"
    try:
        _check_utf8(data)
    except FileRejectedError:
        return _decoded(data, "gb18030")
    return data, "utf-8"


def _check_utf8(data: bytes) -> None:
    for _ in _chunks(data, "utf-8"):
        pass


def _decoded(data: bytes, encoding: str) -> tuple[bytes, str]:
    return b"".join(chunk.encode("utf-8") for chunk in _chunks(data, encoding)).removeprefix(codecs.BOM_UTF8), encoding


def _chunks(data: bytes, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    view = memoryview(data)
    try:
        for start in range(0, len(data), _CHUNK):
            yield decoder.decode(view[start : start + _CHUNK])
        yield decoder.decode(b"", final=True)
    except UnicodeError:
        # The message of the codec would quote the bytes around the fault.
        raise FileRejectedError(UNREADABLE, f"not valid {encoding} text") from None
