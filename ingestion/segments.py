"""Frames of many chunks, kept for a second look at them: in memory while they are few, else in a file without a
name, which nobody else can open.

Belongs here: keeping and giving back. Does not belong here: what is in them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from ingestion.reading.spool import Spool

_MEMORY_BYTES = 64 << 20

Segment = Mapping[str, pl.DataFrame]


class Segments:
    """Numbered sets of named frames."""

    def __init__(self, folder: Path, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._folder = folder
        self._free = memory_bytes
        self._spool: Spool | None = None
        self._kept: list[dict[str, pl.DataFrame | tuple[int, int]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._spool is not None:
            self._spool.close()

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, segment: Segment) -> None:
        """Keep one more set."""
        self._kept.append({name: self._placed(frame) for name, frame in segment.items()})

    def clear(self) -> None:
        """Forget everything; what has been written meanwhile stays until the end."""
        self._kept.clear()

    def frame(self, number: int, name: str) -> pl.DataFrame:
        """One frame of the set of that number."""
        kept = self._kept[number][name]
        if isinstance(kept, pl.DataFrame):
            return kept
        if self._spool is None:
            raise RuntimeError("no segments have been written")
        return pl.read_ipc(io.BytesIO(self._spool.read(*kept)))

    def _placed(self, frame: pl.DataFrame) -> pl.DataFrame | tuple[int, int]:
        size = int(frame.estimated_size())
        if size <= self._free:
            self._free -= size
            return frame
        if self._spool is None:
            self._spool = Spool(self._folder)
        start = self._spool.size
        buffer = io.BytesIO()
        frame.write_ipc(buffer, compression="lz4")
        return start, self._spool.write(buffer.getbuffer())
