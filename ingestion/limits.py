"""How large a delivery may be before it is unsafe to read.

Belongs here: the limits of feeds.md section 2, those that follow from them, and their checks. Does not belong
here: paths and links (``arrival``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ingestion.reason import UNSAFE, FileRejectedError

if TYPE_CHECKING:
    from ingestion.reading.lines import LineScan

MAX_BYTES = 2 << 30
MAX_EXPANSION = 200
MAX_ROWS = 10_000_000
MAX_CELL_BYTES = 1 << 20
MAX_SIDECAR_BYTES = 1 << 20
# What follows from these for the memory that reading takes (docs/decisions/0011).
MAX_LINE_BYTES = 64 << 20
MAX_COLUMNS = 1_000
MAX_WORKBOOK_BYTES = 512 << 20
MAX_SHEET_CELLS = 30_000_000


def check_row_count(count: int) -> None:
    """Raise ``FileRejectedError`` (unsafe) where a file has more rows than any feed can have."""
    if count > MAX_ROWS:
        raise FileRejectedError(UNSAFE, f"more than {MAX_ROWS} rows")


def check_line_lengths(scan: LineScan, count: int) -> None:
    """Raise ``FileRejectedError`` (unsafe) where a cell of the first lines is over the limit; only long lines are
    looked into.
    """
    for index in scan.lines_longer_than(MAX_CELL_BYTES, count):
        if max(map(len, scan.line_bytes(index).split(scan.delimiter))) > MAX_CELL_BYTES:
            raise FileRejectedError(UNSAFE, f"a cell over {MAX_CELL_BYTES} bytes")


def check_cells(cells: pl.DataFrame) -> None:
    """Raise ``FileRejectedError`` (unsafe) where a cell is over the limit."""
    texts = (cells[name] for name, dtype in cells.schema.items() if dtype == pl.String)
    if any((text.str.len_bytes() > MAX_CELL_BYTES).any() for text in texts):
        raise FileRejectedError(UNSAFE, f"a cell over {MAX_CELL_BYTES} bytes")
