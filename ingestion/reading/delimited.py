"""Delimited text (comma, tab, semicolon, bar) to raw cells, by physical line.

Belongs here: finding delimiter and header, quoting, rows of another width. Does not belong here: encodings
(``decode``), the meaning of cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ingestion.framing import HEADER, framing_above, kind_below, split_framing
from ingestion.header import HEADER_SEARCH_ROWS, Header, find_header
from ingestion.limits import check_line_lengths, check_row_count
from ingestion.normalise import may_need_normalising
from ingestion.reading.decode import Payload
from ingestion.reading.lines import Repaired, scan_lines
from ingestion.reason import COLUMN_MISSING, EMPTY, UNREADABLE, FileRejectedError
from ingestion.table import ROW_NUMBER, Framing, RawTable, cell_name, malformed_frame, without_blank_rows
from models.contract import Feed

DELIMITERS = (",", "\t", ";", "|")
_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class _Prepared:
    """What is left of a text once its lines are counted and its header is found."""

    body: Repaired
    above: list[tuple[int, list[str]]]
    is_clean: bool


def read_delimited(payload: Payload, encoding: str, feed: Feed) -> RawTable:
    """Raw cells of a delimited UTF-8 text; raises ``FileRejectedError`` where no header is found."""
    text = payload.take()
    if not text.strip():
        raise FileRejectedError(EMPTY, "nothing in the file")
    delimiter, header = _find(text, encoding, feed)
    prepared = _prepare(text, delimiter, header)
    del text
    return _table(prepared, delimiter, header)


def _prepare(text: bytes, delimiter: str, header: Header) -> _Prepared:
    if not text.endswith(b"\n"):
        text += b"\n"
    scan = scan_lines(text, delimiter)
    check_row_count(scan.line_count)
    check_line_lengths(scan)
    names = delimiter.join(cell_name(position) for position in range(len(header.labels)))
    return _Prepared(
        body=scan.repaired(header.first_row + header.row_count, len(header.labels), names.encode()),
        above=[(index + 1, split_line(scan.line(index), delimiter)) for index in range(header.first_row)],
        is_clean=not may_need_normalising(text, delimiter.encode()),
    )


def _find(text: bytes, encoding: str, feed: Feed) -> tuple[str, Header]:
    head = text[:_HEAD_BYTES].decode("utf-8", "ignore").split("\n")[:HEADER_SEARCH_ROWS]
    best: tuple[str, Header] | None = None
    for delimiter in DELIMITERS:
        if best is not None and not any(delimiter in line for line in head):
            continue
        header = find_header([split_line(line, delimiter) for line in head], feed)
        if header and (best is None or len(header.columns) > len(best[1].columns)):
            best = delimiter, header
    if best is not None:
        return best
    foreign = encoding == "gb18030" and any(ord(letter) > 127 for letter in head[0])
    if foreign or not any(delimiter in line for line in head for delimiter in DELIMITERS):
        raise FileRejectedError(UNREADABLE, "no table with a known header")
    missing = ", ".join(column.name for column in feed.columns if column.required)
    raise FileRejectedError(COLUMN_MISSING, missing, rows_data=max(0, text.count(b"\n") - 1))


def split_line(line: str, delimiter: str) -> list[str]:
    """The cells of one physical line; a line that cannot be split is one cell."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _table(prepared: _Prepared, delimiter: str, header: Header) -> RawTable:
    body = prepared.body
    first = header.first_row + header.row_count
    cells = _cells(body, delimiter)
    cells = cells.with_row_index(ROW_NUMBER, offset=first + 1).with_columns(pl.col(ROW_NUMBER).cast(pl.Int64))
    malformed, framing = _odd_lines(body.odd, delimiter, header)
    cells, below = split_framing(without_blank_rows(cells), header)
    framing = [*framing_above(prepared.above), *framing, *below]
    repeated = sum(row.kind == HEADER for row in framing)
    return RawTable(
        format="delimited",
        header=header,
        cells=cells,
        malformed=malformed_frame(malformed),
        framing=tuple(sorted((row for row in framing if row.kind != HEADER), key=lambda row: row.row_number)),
        header_rows=header.row_count + repeated,
        is_clean=prepared.is_clean,
    )


def _cells(body: Repaired, delimiter: str) -> pl.DataFrame:
    try:
        cells = pl.read_csv(
            io.BytesIO(body.text),
            separator=delimiter,
            quote_char='"' if body.has_quotes else None,
            infer_schema=False,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError as error:
        # Its message would quote the cells around the fault.
        raise FileRejectedError(UNREADABLE, f"no table ({type(error).__name__})") from None
    if not body.has_quotes:
        return cells
    # An empty text between quotes is an empty cell like any other.
    quoted = [name for name in cells.columns if cells[name].str.len_bytes().min() == 0]
    return cells.with_columns(pl.when(pl.col(name) != "").then(name) for name in quoted)


def _odd_lines(
    lines: Sequence[tuple[int, str]], delimiter: str, header: Header
) -> tuple[list[tuple[int, str]], list[Framing]]:
    """Lines of another width: framing rows, and what is left, malformed."""
    malformed, framing = [], []
    for number, line in lines:
        cells = split_line(line, delimiter)
        kind = kind_below(cells, header)
        if kind is not None:
            framing.append(Framing(number, kind, tuple(cells)))
        elif any(cell.strip() for cell in cells):
            malformed.append((number, line))
    return malformed, framing
