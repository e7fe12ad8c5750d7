"""Delimited text (comma, tab, semicolon, bar) to raw cells, by physical line, chunk by chunk.

Belongs here: finding delimiter and header, quoting, rows of another width. Does not belong here: encodings
(``decode``), the meaning of cells.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from ingestion.framing import HEADER, framing_above, kind_below, likely_framing, split_framing
from ingestion.header import HEADER_SEARCH_ROWS, Header, find_header, no_header
from ingestion.limits import MAX_COLUMNS, check_line_lengths
from ingestion.normalise import may_need_normalising
from ingestion.reading.decode import Format, Text
from ingestion.reading.lines import MAX_RECORD_BYTES, Ints, LineScan, Records, scan_lines
from ingestion.reading.pieces import Pieces
from ingestion.reason import EMPTY, UNREADABLE, FileRejectedError
from ingestion.table import ROW_NUMBER, Framing, RawTable, cell_name, without_blank_rows
from models.contract import Feed

DELIMITERS = (",", "\t", ";", "|")
_HEAD_BYTES = 1 << 20
_MAX_HEADER_LINES = 4


class DelimitedSource:
    """A delimited text whose header is found; raises ``FileRejectedError`` where there is none."""

    format: Format = "delimited"
    warnings: tuple[str, ...] = ()

    def __init__(self, text: Text, feed: Feed, chunk_bytes: int) -> None:
        if text.is_blank:
            raise FileRejectedError(EMPTY, "nothing in the file")
        self._text = text
        self._pieces = Pieces(text, chunk_bytes)
        head = text.spool.read(0, _HEAD_BYTES)
        lines = head.decode("utf-8", "ignore").split("\n")[:HEADER_SEARCH_ROWS]
        self._delimiter, self.header = _find(lines, text, feed)
        above = _records(lines[: self.header.first_row], self._delimiter)
        self.above = tuple(framing_above([(first + 1, cells) for first, cells in above]))
        self._first_line = self.header.first_row + self.header.row_count
        self._places = [(_offset_of_line(head, self._first_line, text.size), self._first_line)]

    def chunks(self) -> Iterator[RawTable]:
        """All rows below the header; where the chunks begin is noted for ``again``."""
        del self._places[1:]
        while self._places[-1][0] < self._text.size:
            table, end = self._read(*self._places[-1])
            self._places.append(end)
            yield table

    def again(self, number: int) -> RawTable:
        """The chunk of that number once more."""
        return self._read(*self._places[number])[0]

    def _read(self, offset: int, line: int) -> tuple[RawTable, tuple[int, int]]:
        """The chunk that begins there, and where the next one does."""
        text, count = self._piece(offset)
        scan = scan_lines(text, self._delimiter)
        check_line_lengths(scan, count)
        records = scan.records(count, len(self.header.labels))
        end = offset + int(scan.ends[records.end - 1]) + 1, line + records.end
        return self._table(scan, records, line + 1), end

    def _piece(self, offset: int) -> tuple[bytes, int]:
        """Whole lines from there on, and how many of them are the chunk's own: what follows those is there for a
        quoted cell that goes on.
        """
        own = self._pieces.at(offset)
        count = own.count(b"\n")
        return (own + self._pieces.after(offset + len(own), MAX_RECORD_BYTES) if b'"' in own else own), count

    def _table(self, scan: LineScan, records: Records, first_number: int) -> RawTable:
        cells = self._cells(records, first_number)
        malformed, framing = self._odd_lines(scan.texts(records.odd), records.odd + first_number)
        cells, below = split_framing(without_blank_rows(cells), self.header)
        framing += below
        return RawTable(
            header=self.header,
            cells=cells,
            malformed=malformed,
            framing=tuple(sorted((row for row in framing if row.kind != HEADER), key=lambda row: row.row_number)),
            is_clean=not may_need_normalising(scan.text, self._delimiter.encode()),
        )

    def _cells(self, records: Records, first_number: int) -> pl.DataFrame:
        names = [cell_name(position) for position in range(len(self.header.labels))]
        numbers = pl.Series(ROW_NUMBER, records.lines + first_number, dtype=pl.Int64)
        if not len(numbers):
            return pl.DataFrame(schema={ROW_NUMBER: pl.Int64, **dict.fromkeys(names, pl.String)})
        cells = _parsed(records, names, self._delimiter)
        if cells.height != len(numbers):
            raise FileRejectedError(UNREADABLE, "lines and records do not agree")
        cells = cells.insert_column(0, numbers)
        return cells if numbers.is_sorted() else cells.sort(ROW_NUMBER)

    def _odd_lines(self, lines: pl.Series, numbers: Ints) -> tuple[pl.DataFrame, list[Framing]]:
        """Lines of another width: framing rows, and what is left, malformed."""
        frame = pl.DataFrame({ROW_NUMBER: pl.Series(numbers, dtype=pl.Int64), "raw": lines.cast(pl.String)})
        frame = frame.filter(frame["raw"].str.contains(rf"[^\s{self._delimiter}\"]"))
        framing = []
        for number, line in frame.filter(likely_framing(frame["raw"], self.header)).iter_rows():
            cells = split_line(line, self._delimiter)
            kind = kind_below(cells, self.header)
            if kind is not None:
                framing.append(Framing(number, kind, tuple(cells)))
        found = [row.row_number for row in framing]
        return frame.filter(~pl.col(ROW_NUMBER).is_in(found)), framing


def _parsed(records: Records, names: Sequence[str], delimiter: str) -> pl.DataFrame:
    try:
        cells = pl.read_csv(
            bytes(records.text),
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=delimiter,
            quote_char='"' if records.has_quotes else None,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError as error:
        # Its message would quote the cells around the fault.
        raise FileRejectedError(UNREADABLE, f"no table ({type(error).__name__})") from None
    if not records.has_quotes:
        return cells
    # An empty text between quotes is an empty cell like any other.
    quoted = [name for name in cells.columns if cells[name].str.len_bytes().min() == 0]
    return cells.with_columns(pl.when(pl.col(name) != "").then(name) for name in quoted)


def _offset_of_line(head: bytes, line: int, size: int) -> int:
    """Where the line of that index begins; the end of the text where there is none."""
    at = 0
    for _ in range(line):
        at = head.find(b"\n", at) + 1
        if at == 0:
            return size
    return at


def _find(head: list[str], text: Text, feed: Feed) -> tuple[str, Header]:
    best: tuple[str, Header] | None = None
    for delimiter in DELIMITERS:
        if best is not None and not any(delimiter in line for line in head):
            continue
        records = _records(head, delimiter)
        found = find_header([row if len(row) <= MAX_COLUMNS else [] for _, row in records], feed)
        header = _in_lines(found, records, len(head))
        if header and (best is None or len(header.columns) > len(best[1].columns)):
            best = delimiter, header
    if best is not None:
        return best
    if not any(letter.isalnum() for line in head for letter in line) and text.size < _HEAD_BYTES:
        raise FileRejectedError(EMPTY, "nothing in the file")
    if next((line.strip()[:1] for line in head if line.strip()), "") in ("{", "["):
        raise FileRejectedError(UNREADABLE, "JSON, but not one object a line")
    foreign = text.encoding == "gb18030" and any(ord(letter) > 127 for letter in head[0])
    if foreign or not any(delimiter in line for line in head for delimiter in DELIMITERS):
        raise FileRejectedError(UNREADABLE, "no table with a known header")
    raise no_header(feed, max(0, text.line_ends - 1))


def _records(lines: list[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """The records of the first lines, each with the index of its first line: a quoted title or header may go over
    a few lines, as spreadsheets wrap them.
    """
    found, at = [], 0
    while at < len(lines):
        count = next(
            (count for count in range(1, _MAX_HEADER_LINES + 1) if "".join(lines[at : at + count]).count('"') % 2 == 0),
            1,
        )
        found.append((at, split_line("\n".join(lines[at : at + count]), delimiter)))
        at += count
    return found


def _in_lines(header: Header | None, records: list[tuple[int, list[str]]], line_count: int) -> Header | None:
    """The header with its place counted in lines instead of records."""
    if header is None:
        return None
    starts = [*(first for first, _ in records), line_count]
    first = starts[header.first_row]
    return replace(header, first_row=first, row_count=starts[header.first_row + header.row_count] - first)


def split_line(line: str, delimiter: str) -> list[str]:
    """The cells of one line (or of the few of one record); what cannot be split is one cell."""
    try:
        return next(csv.reader(_physical(line), delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _physical(record: str) -> list[str]:
    *lines, last = record.split("\n")
    return [*(f"{line}\n" for line in lines), last]
