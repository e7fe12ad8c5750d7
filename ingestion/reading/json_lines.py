"""JSON Lines to raw cells: one object a line, its keys the column headers.

Belongs here: lines, keys, numbers as text. Does not belong here: the meaning of cells.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from ingestion.header import Header, find_header
from ingestion.limits import MAX_CELL_BYTES, check_row_count
from ingestion.reason import COLUMN_MISSING, UNREADABLE, UNSAFE, FileRejectedError
from ingestion.table import ROW_NUMBER, RawTable, cell_name, malformed_frame
from models.contract import Feed

# A name that no key is likely to have.
_NUMBER = "\0row number"
# Whole numbers up to this are exact in a float.
_EXACT = 1e15
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def looks_like_json_lines(text: bytes) -> bool:
    return text.lstrip()[:1] == b"{"


def read_json_lines(text: bytes, feed: Feed) -> RawTable:
    """Raw cells of a JSON Lines text; the header is the union of all keys, in order of appearance."""
    check_row_count(text.count(b"\n"))
    lines = _whole_lines(text)
    if lines is None:
        lines = _lines_one_by_one(text)
    labels = lines.cells.columns[1:]
    header = find_header([labels], feed)
    if header is None:
        missing = ", ".join(column.name for column in feed.columns if column.required)
        raise FileRejectedError(COLUMN_MISSING, missing, rows_data=lines.cells.height + len(lines.malformed))
    return RawTable(
        format="jsonl",
        header=Header(0, 0, header.labels, header.columns, header.units),
        cells=lines.cells.rename({_NUMBER: ROW_NUMBER, **{label: cell_name(at) for at, label in enumerate(labels)}}),
        malformed=malformed_frame(lines.malformed),
        header_rows=0,
    )


@dataclass(frozen=True)
class _Lines:
    """Row number and one text column for each key; lines that are no JSON object."""

    cells: pl.DataFrame
    malformed: list[tuple[int, str]]


def _whole_lines(text: bytes) -> _Lines | None:
    """All lines at once; None where any of them is not a plain object, for then each is looked at by itself."""
    try:
        cells = pl.read_ndjson(io.BytesIO(text), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    numbers = [at for at, line in enumerate(text.split(b"\n"), start=1) if line.strip()]
    if cells.height != len(numbers) or not all(map(_is_plain, cells)):
        return None
    if any((cells[name].str.len_bytes() > MAX_CELL_BYTES).any() for name in cells.select(pl.col(pl.String)).columns):
        raise FileRejectedError(UNSAFE, f"a cell over {MAX_CELL_BYTES} bytes")
    row_numbers = pl.Series(_NUMBER, numbers, dtype=pl.Int64)
    return _Lines(pl.DataFrame([row_numbers, *cells.cast(pl.String)]), [])


def _is_plain(cells: pl.Series) -> bool:
    """Whether a column's texts are those that were written: no lists, no numbers that a float cannot hold."""
    if cells.dtype == pl.Float64:
        return not bool((cells.abs() >= _EXACT).any())
    return cells.dtype in (pl.String, pl.Int64, pl.Boolean, pl.Null)


def _lines_one_by_one(text: bytes) -> _Lines:
    keys: dict[str, list[str | None]] = {}
    numbers: list[int] = []
    malformed: list[tuple[int, str]] = []
    for number, line in enumerate(text.decode("utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        record = _record(line)
        if record is None:
            malformed.append((number, line))
            continue
        for key, value in record.items():
            column = keys.setdefault(key, [])
            column.extend([None] * (len(numbers) - len(column)))
            column.append(_text(value))
        numbers.append(number)
    if not numbers:
        raise FileRejectedError(UNREADABLE, "no line is a JSON object")
    filled = {key: [*cells, *[None] * (len(numbers) - len(cells))] for key, cells in keys.items()}
    columns = [pl.Series(key, cells, dtype=pl.String) for key, cells in filled.items()]
    return _Lines(pl.DataFrame([pl.Series(_NUMBER, numbers, dtype=pl.Int64), *columns]), malformed)


def _record(line: str) -> dict[str, Any] | None:
    try:
        value = _DECODER.decode(line.strip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        if len(value) > MAX_CELL_BYTES // 4 and len(value.encode("utf-8", "surrogatepass")) > MAX_CELL_BYTES:
            raise FileRejectedError(UNSAFE, f"a cell over {MAX_CELL_BYTES} bytes")
        return value.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(value, ensure_ascii=False)
