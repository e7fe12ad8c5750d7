"""JSON Lines to raw cells: one object a line, its keys the column headers.

Belongs here: lines, keys, numbers as text. Does not belong here: the meaning of cells.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from ingestion.header import Header, find_header
from ingestion.limits import MAX_CELL_BYTES, check_row_count
from ingestion.reason import COLUMN_MISSING, UNREADABLE, UNSAFE, FileRejectedError
from ingestion.table import ROW_NUMBER, RawTable, cell_name, malformed_frame
from models.contract import Feed

_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


def looks_like_json_lines(text: bytes) -> bool:
    return text.lstrip()[:1] == b"{"


def read_json_lines(text: bytes, feed: Feed) -> RawTable:
    """Raw cells of a JSON Lines text; the header is the union of all keys, in order of appearance."""
    check_row_count(text.count(b"\n"))
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
    return _table(keys, numbers, malformed, feed)


def _table(
    keys: dict[str, list[str | None]], numbers: list[int], malformed: list[tuple[int, str]], feed: Feed
) -> RawTable:
    labels = list(keys)
    header = find_header([labels], feed)
    if header is None:
        missing = ", ".join(column.name for column in feed.columns if column.required)
        raise FileRejectedError(COLUMN_MISSING, missing, rows_data=len(numbers) + len(malformed))
    columns: dict[str, Any] = {ROW_NUMBER: pl.Series(numbers, dtype=pl.Int64)}
    for at, label in enumerate(labels):
        cells = keys[label] + [None] * (len(numbers) - len(keys[label]))
        columns[cell_name(at)] = pl.Series(cells, dtype=pl.String)
    return RawTable(
        format="jsonl",
        header=Header(0, 0, header.labels, header.columns, header.units),
        cells=pl.DataFrame(columns),
        malformed=malformed_frame(malformed),
        header_rows=0,
    )


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
