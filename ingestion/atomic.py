"""Files that are there wholly or not at all: written aside, synced, renamed.

Belongs here: the one way in which ingestion puts a file into place. Does not belong here: what is in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

_ASIDE = ".aside"


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` make the file beside its place, then put it there in one step.

    A kill before the last step leaves what was there before and at most a file ending in ``.aside``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_ASIDE}")
    try:
        write(temporary)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


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
