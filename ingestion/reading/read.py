"""One file's bytes to raw cells, whatever its format: content decides, not the extension.

Belongs here: the choice between the readers. Does not belong here: the readers themselves.
"""

from __future__ import annotations

from dataclasses import replace

from ingestion.header import check_header
from ingestion.reading.decode import Payload, extension_agrees, is_workbook, to_utf8
from ingestion.reading.delimited import read_delimited
from ingestion.reading.json_lines import looks_like_json_lines, read_json_lines
from ingestion.reading.workbook import read_workbook
from ingestion.reason import EMPTY, TYPE_MISMATCH, FileRejectedError
from ingestion.table import RawTable
from models.contract import Feed


def read_table(payload: Payload, extension: str, feed: Feed) -> RawTable:
    """Raw cells of a delivery; raises ``FileRejectedError`` where the file as a whole cannot be taken."""
    if not payload.peek():
        raise FileRejectedError(EMPTY, "nothing in the file")
    table = _read(payload, feed)
    try:
        check_header(table.header, feed)
    except FileRejectedError as error:
        raise FileRejectedError(
            error.reason, error.detail, rows_data=table.rows_data, rows_framing=len(table.framing)
        ) from None
    if not extension_agrees(table.format, extension):
        return replace(table, warnings=(*table.warnings, TYPE_MISMATCH))
    return table


def _read(payload: Payload, feed: Feed) -> RawTable:
    if is_workbook(payload):
        return read_workbook(payload.take(), feed)
    text, encoding = to_utf8(payload)
    if looks_like_json_lines(text.peek(4096)):
        return read_json_lines(text.take(), feed)
    return read_delimited(text, encoding, feed)
