"""A text cut into pieces of whole lines, small enough to work on.

Belongs here: where a piece ends. Does not belong here: what stands in its lines.
"""

from __future__ import annotations

import numpy as np

from ingestion.limits import MAX_LINE_BYTES
from ingestion.reading.decode import Text
from ingestion.reason import UNSAFE, FileRejectedError

# A piece of very short lines would be few bytes and many rows.
MAX_LINES = 250_000


class Pieces:
    """Cuts a text at line ends, about ``length`` bytes and never more than ``max_lines`` lines at a time."""

    def __init__(self, text: Text, length: int, max_lines: int = MAX_LINES) -> None:
        self._spool = text.spool
        self._length = length
        self._max_lines = max_lines

    def at(self, offset: int) -> bytes:
        """The whole lines from there on that make a piece, each with its line end; a long line is one alone."""
        length = self._length
        block = self._spool.read(offset, length)
        while b"\n" not in block and len(block) <= MAX_LINE_BYTES and offset + len(block) < self._spool.size:
            length = min(4 * length, MAX_LINE_BYTES + 1)
            block = self._spool.read(offset, length)
        if b"\n" not in block and len(block) > MAX_LINE_BYTES:
            raise FileRejectedError(UNSAFE, f"a line over {MAX_LINE_BYTES} bytes")
        own = self._whole(block, offset)
        if own.count(b"\n") <= self._max_lines:
            return own
        ends = np.flatnonzero(np.frombuffer(own, dtype=np.uint8) == ord("\n"))
        return own[: int(ends[self._max_lines - 1]) + 1]

    def after(self, offset: int, length: int) -> bytes:
        """The whole lines within that many bytes, for what goes on beyond a piece."""
        return self._whole(self._spool.read(offset, length), offset)

    def _whole(self, block: bytes, offset: int) -> bytes:
        """Without what is left of a line at the end, unless it is the last of all."""
        if offset + len(block) < self._spool.size:
            return block[: block.rfind(b"\n") + 1]
        return block if not block or block.endswith(b"\n") else block + b"\n"
