"""One file's bytes to raw cells, whatever its format: content decides, not the extension.

Belongs here: the choice between the readers, and what they have in common. Does not belong here: the readers
themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ingestion.header import Header, check_header
from ingestion.reading.decode import Format, extension_agrees, is_workbook, to_text
from ingestion.reading.delimited import DelimitedSource
from ingestion.reading.json_lines import JsonLinesSource, looks_like_json_lines
from ingestion.reading.spool import Spool
from ingestion.reading.workbook import WorkbookSource
from ingestion.reason import EMPTY, TYPE_MISMATCH, FileRejectedError
from ingestion.table import Framing, RawTable
from models.contract import Feed

# About so much text is worked on at a time: enough that work outweighs overhead, little enough for memory.
CHUNK_BYTES = 32 << 20


class Source(Protocol):
    """One table whose header is known, to be read as often as needed."""

    format: Format
    header: Header
    above: tuple[Framing, ...]
    """Framing rows above the header."""
    warnings: tuple[str, ...]

    def chunks(self) -> Iterator[RawTable]:
        """All rows below the header, in order."""
        ...

    def again(self, number: int) -> RawTable:
        """The chunk of that number once more."""
        ...


def open_source(raw: Spool, folder: Path, feed: Feed, chunk_bytes: int | None = None) -> Source:
    """The table in those bytes; raises ``FileRejectedError`` where the file as a whole cannot be taken.

    ``folder`` is where temporary files without names are made.
    """
    if not raw.size:
        raise FileRejectedError(EMPTY, "nothing in the file")
    size = chunk_bytes or CHUNK_BYTES
    if is_workbook(raw):
        return WorkbookSource(raw, feed, size)
    text = to_text(raw, folder)
    if looks_like_json_lines(text):
        return JsonLinesSource(text, feed, size)
    return DelimitedSource(text, feed, size)


def check_columns(source: Source, feed: Feed) -> None:
    """Raise ``FileRejectedError`` where columns are missing or ambiguous; it states the rows that are there."""
    try:
        check_header(source.header, feed)
    except FileRejectedError as error:
        rows, framing = 0, len(source.above)
        for table in source.chunks():
            rows += table.rows_data
            framing += len(table.framing)
        raise FileRejectedError(error.reason, error.detail, rows_data=rows, rows_framing=framing) from None


def warnings_of(source: Source, extension: str) -> tuple[str, ...]:
    """The source's warnings, and one where the extension speaks of another format."""
    return source.warnings if extension_agrees(source.format, extension) else (*source.warnings, TYPE_MISMATCH)
