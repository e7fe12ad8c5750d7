"""Files that are there wholly or not at all: written aside, synced, renamed.

Belongs here: the one way in which ingestion puts a file into place. Does not belong here: what is in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

ASIDE = ".aside"


class Pending:
    """A file beside its place, not there yet."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self._target = target

    def put_in_place(self) -> None:
        """Sync and rename: from here on the file is there."""
        _sync(self.path)
        self.path.replace(self._target)
        _sync(self._target.parent)


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


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` make the file beside its place, then put it there in one step."""
    with aside(path) as pending:
        write(pending.path)
        pending.put_in_place()


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """One Parquet file, atomically."""
    replace_file(path, lambda temporary: frame.write_parquet(temporary, compression="zstd"))


def move_file(source: Path, target: Path) -> None:
    """Move within the data home; a source that is gone because an earlier move was cut short is no fault."""
    if not source.exists() and target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
