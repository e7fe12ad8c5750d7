"""How large a delivery may be before it is unsafe to read.

Belongs here: the limits of feeds.md section 2 and their checks. Does not belong here: paths and links
(``arrival``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestion.reason import UNSAFE, FileRejectedError

if TYPE_CHECKING:
    from ingestion.reading.lines import LineScan

MAX_BYTES = 2 << 30
MAX_EXPANSION = 200
MAX_ROWS = 10_000_000
MAX_CELL_BYTES = 1 << 20


def check_row_count(count: int) -> None:
    """Raise ``FileRejectedError`` (unsafe) where a file has more rows than any feed can have."""
    if count > MAX_ROWS:
        raise FileRejectedError(UNSAFE, f"more than {MAX_ROWS} rows")


def check_line_lengths(scan: LineScan) -> None:
    """Raise ``FileRejectedError`` (unsafe) where a cell is over the limit; only long lines are looked into."""
    for index in scan.lines_longer_than(MAX_CELL_BYTES):
        if max(map(len, scan.line_bytes(index).split(scan.delimiter))) > MAX_CELL_BYTES:
            raise FileRejectedError(UNSAFE, f"a cell over {MAX_CELL_BYTES} bytes")
