"""Files that are there wholly or not at all: written aside, synced, renamed.

Belongs here: the one way in which ingestion puts a file into place. Does not belong here: what is in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

ASIDE = ".aside"


def write_for_owner(data: bytes, target: Path) -> None:
    """A file for one reader: closed to others from the first byte on, also where it was open to them before."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, 0o600)
        stream.write(data)


class Pending:
    """A file beside its place, not there yet."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self._target = target

    def put_in_place(self) -> None:
        """Sync and rename: from here on the file is there."""
        sync(self.path)
        self.path.replace(self._target)
        sync(self._target.parent)


@contextmanager
def aside(path: Path) -> Iterator[Pending]:
    """A place beside ``path`` to write to; what was not put in place by then is gone at the end.

    A kill leaves what was there before and at most a file ending in ``.aside``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pending = Pending(path.with_name(f".{path.name}.{os.getpid()}{ASIDE}"), path)
    try:
        yield pending
    finally:
        pending.path.unlink(missing_ok=True)


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make the file beside its place, then put it there in one step."""
    with aside(path) as pending:
        write(pending.path)
        pending.put_in_place()


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """One Parquet file, atomically."""
    replace_file(path, lambda temporary: frame.write_parquet(temporary, compression="zstd"))


_ROWS_A_GROUP = 131_072


class ParquetChunks:
    """One Parquet file whose rows come in chunks; its row groups are the same however the chunks are cut."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pl.DataFrame] = []
        self._rows_waiting = 0
        self.rows = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows; all chunks have the columns of the first, which may have no rows."""
        self._waiting.append(frame)
        self._rows_waiting += frame.height
        self.rows += frame.height
        if self._rows_waiting >= _ROWS_A_GROUP:
            self._write_groups(_ROWS_A_GROUP)

    def close(self) -> None:
        """Write what is left."""
        if self._waiting:
            self._write_groups(1)
        if self._writer is not None:
            self._writer.close()

    def _write_groups(self, least: int) -> None:
        """Write whole row groups; what would be a group of fewer than ``least`` rows waits."""
        rows = pl.concat(self._waiting)
        at = 0
        while rows.height - at >= least or self._writer is None:
            self._write_group(rows[at : at + _ROWS_A_GROUP])
            at += _ROWS_A_GROUP
        self._waiting, self._rows_waiting = [rows[at:]], max(0, rows.height - at)

    def _write_group(self, rows: pl.DataFrame) -> None:
        table = rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=_ROWS_A_GROUP)


@contextmanager
def parquet_writer(path: Path, *, even_empty: bool = False) -> Iterator[ParquetChunks]:
    """A Parquet file written chunk by chunk: there wholly when the block ends well, else not at all.

    Without any row there is a file only if ``even_empty``.
    """
    with aside(path) as pending:
        chunks = ParquetChunks(pending.path)
        yield chunks
        chunks.close()
        if chunks.rows or even_empty:
            pending.put_in_place()


def move_file(source: Path, target: Path) -> None:
    """Move within the data home; a source that is gone because an earlier move was cut short is no fault."""
    if not source.exists() and target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """What was written to a file, or which entries a folder has, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
