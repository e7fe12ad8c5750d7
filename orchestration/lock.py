"""One run at a time on a data home."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from orchestration.settings import DataHome


class BusyError(RuntimeError):
    """Another run is at work on the same data home."""


@contextlib.contextmanager
def locked(home: DataHome) -> Iterator[None]:
    """Hold the data home for one run; ``BusyError`` where another process holds it."""
    with (home.root / "run.lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"another run is at work on {home.root}; wait for it to end and run again") from error
        yield
