"""JSON Lines to raw cells, chunk by chunk: one object a line, its keys the column headers.

Belongs here: lines, keys, numbers as text. Does not belong here: the meaning of cells.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from ingestion.header import Header, find_header, no_header
from ingestion.limits import MAX_COLUMNS, check_cells
from ingestion.reading.decode import Format, Text
from ingestion.reading.pieces import MAX_LINES, Pieces
from ingestion.reason import UNREADABLE, UNSAFE, FileRejectedError
from ingestion.table import ROW_NUMBER, Framing, RawTable, cell_name, without_blank_rows
from models.contract import Feed

# An object without nesting is a regular language (RFC 8259), so that one search tells it from a broken line.
_HEX = "[0-9a-fA-F]"
_ESCAPE = (
    rf'\\(?:["\\/bfnrt]|u(?:[0-9a-cA-CefEF]{_HEX}{{3}}|[dD][0-7]{_HEX}{{2}}'
    rf"|[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}))"
)
_STRING = rf'"(?:[^"\\\x00-\x1f]|{_ESCAPE})*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_SPACE = r"[ \t]*"
# Keys without any of those marks can be told from everything else in a line by a search.
_KEY = r'"[^"\\:{},\x00-\x1f]+"'
_PAIR = rf"{_KEY}{_SPACE}:{_SPACE}(?:{_STRING}|{_NUMBER}|true|false|null){_SPACE}"
_FLAT = rf"^{_SPACE}\{{{_SPACE}(?:{_PAIR}(?:,{_SPACE}{_PAIR})*)?\}}{_SPACE}$"
_BARE_VALUE = rf"({_KEY}{_SPACE}:{_SPACE})(-?[0-9][0-9.eE+-]*|true|false)({_SPACE}[,}}])"
_KEY_OF_PAIR = rf"{_KEY}{_SPACE}:"
_MAX_CELLS_A_CHUNK = 20_000_000
_HEAD_BYTES, _LINES_LOOKED_AT = 1 << 16, 20


def looks_like_json_lines(text: Text) -> bool:
    """Whether the text begins with an object, or with a broken line and objects below it."""
    head = text.spool.read(0, _HEAD_BYTES)
    if head.lstrip()[:1] == b"{":
        return True
    lines = [line.strip() for line in head.split(b"\n")[:_LINES_LOOKED_AT]]
    return any(
        line.startswith(b"{") and line.endswith(b"}") and _says(line.decode("utf-8", "replace")) for line in lines
    )


class JsonLinesSource:
    """A JSON Lines text; its header is the union of all keys, in order of appearance."""

    format: Format = "jsonl"
    warnings: tuple[str, ...] = ()
    above: tuple[Framing, ...] = ()

    def __init__(self, text: Text, feed: Feed, chunk_bytes: int) -> None:
        self._text = text
        keys, objects, broken = self._survey(Pieces(text, chunk_bytes))
        if not objects:
            raise FileRejectedError(UNREADABLE, "no line is a JSON object")
        header = find_header([keys], feed)
        if header is None:
            raise no_header(feed, objects + broken)
        self.header = Header(0, 0, header.labels, header.columns, header.units)
        self._pieces = Pieces(text, chunk_bytes, max(1, min(MAX_LINES, _MAX_CELLS_A_CHUNK // len(keys))))
        self._places = [(0, 1)]

    def chunks(self) -> Iterator[RawTable]:
        """All rows; where the chunks begin is noted for ``again``."""
        del self._places[1:]
        while self._places[-1][0] < self._text.size:
            offset, number = self._places[-1]
            piece = self._pieces.at(offset)
            self._places.append((offset + len(piece), number + piece.count(b"\n")))
            yield self._table(piece, number)

    def again(self, number: int) -> RawTable:
        """The chunk of that number once more."""
        offset, first = self._places[number]
        return self._table(self._pieces.at(offset), first)

    def _survey(self, pieces: Pieces) -> tuple[list[str], int, int]:
        """All keys in order of appearance, how many lines are objects and how many are broken."""
        keys: dict[str, None] = {}
        offset = objects = broken = 0
        while offset < self._text.size:
            piece = pieces.at(offset)
            offset += len(piece)
            lines = _Lines(piece, 1)
            keys.update(dict.fromkeys(lines.keys()))
            if len(keys) > MAX_COLUMNS:
                raise FileRejectedError(UNSAFE, f"more than {MAX_COLUMNS} columns")
            objects += lines.flat.height + lines.nested.height
            broken += lines.broken.height
        return list(keys), objects, broken

    def _table(self, piece: bytes, first_number: int) -> RawTable:
        lines = _Lines(piece, first_number)
        labels = list(self.header.labels)
        cells = pl.concat([_cells_of(lines.flat, labels), _cells_of(lines.nested, labels)])
        check_cells(cells)
        cells = cells.rename({label: cell_name(at) for at, label in enumerate(labels)}).sort(ROW_NUMBER)
        return RawTable(
            header=self.header,
            cells=without_blank_rows(cells),
            malformed=lines.broken.rename({"line": "raw"}),
        )


class _Lines:
    """The lines of a piece that are not blank, by what they are: row number and text."""

    def __init__(self, piece: bytes, first_number: int) -> None:
        text = pl.Series("line", piece.decode("utf-8").split("\n")[:-1], dtype=pl.String)
        numbers = pl.Series(ROW_NUMBER, np.arange(first_number, first_number + len(text)))
        frame = pl.DataFrame([numbers, text]).filter(text.str.contains(r"\S"))
        frame, contradictory = _without_contradictions(frame)
        is_flat = frame["line"].str.contains(_FLAT)
        rest = frame.filter(~is_flat)
        # What else is JSON tells the slower reader; an object of objects is one, a list is not.
        is_object = rest["line"].str.contains(r"^\s*\{") & rest["line"].str.json_path_match("$").is_not_null()
        self.flat = _with_texts_for_values(frame.filter(is_flat))
        self.nested = rest.filter(is_object)
        self.broken = pl.concat([rest.filter(~is_object), contradictory]).sort(ROW_NUMBER)

    def keys(self) -> list[str]:
        """The keys in order of appearance, those of nested objects after the others."""
        named = self.flat["line"].str.extract_all(_KEY_OF_PAIR).explode(empty_as_null=True).drop_nulls()
        flat = named.unique(maintain_order=True).str.extract(rf"^({_KEY})").str.strip_prefix('"').str.strip_suffix('"')
        return [*flat, *(_parsed(self.nested, None).columns if self.nested.height else [])]


def _without_contradictions(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines, and apart from them those that say two things under one key: which of them is true, nobody knows."""
    keys = lines["line"].str.extract_all(_KEY_OF_PAIR)
    suspects = lines.filter(keys.list.len() != keys.list.n_unique())
    found = [number for number, line in suspects.iter_rows() if not _says(line)]
    is_found = pl.col(ROW_NUMBER).is_in(found)
    return lines.filter(~is_found), lines.filter(is_found)


def _says(line: str) -> bool:
    """Whether a line is an object that says one thing under each key, at every depth."""
    try:
        return isinstance(json.loads(line, object_pairs_hook=said_once), dict)
    except (ValueError, RecursionError):
        return False


def said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its pairs; ``ValueError`` where it says two things under one key."""
    document = dict(pairs)
    if any(document[key] != value for key, value in pairs):
        raise ValueError("two values under one key")
    return document


def _with_texts_for_values(flat: pl.DataFrame) -> pl.DataFrame:
    """Numbers and truth values between quotes, so that they are read as they are written."""
    return flat.with_columns(pl.col("line").str.replace_all(_BARE_VALUE, '${1}"${2}"${3}'))


def _cells_of(lines: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    schema: dict[str, pl.DataType] = dict.fromkeys(labels, pl.String())
    cells = _parsed(lines, schema) if lines.height else pl.DataFrame(schema=schema)
    return pl.DataFrame([lines[ROW_NUMBER].cast(pl.Int64), *(cells[label] for label in labels)])


def _parsed(lines: pl.DataFrame, schema: dict[str, pl.DataType] | None) -> pl.DataFrame:
    text = io.BytesIO(lines["line"].str.join("\n").item().encode())
    parsed = pl.read_ndjson(text, schema=schema, infer_schema_length=None)
    if parsed.height != lines.height:
        raise FileRejectedError(UNREADABLE, "lines and objects do not agree")
    return parsed
