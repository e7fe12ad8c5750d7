"""One at a time at work on a data home, in whatever process it runs.

Belongs here: the lock, who holds it, and the mark that a holder leaves behind when it dies. Does not belong
here: what is mended after that (``recovery``).
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ingestion.database import address_of, advisory_lock
from ingestion.store import Store

LOCK_FILE = "ingestion.lock"
PATIENCE_SECONDS = 600.0
_LOOK_AGAIN_SECONDS = 0.1
_LOG = logging.getLogger(__name__)

Teller = Callable[[str], None]


class BusyError(RuntimeError):
    """Another process is at work on the same data home and did not end in time; ``pid`` and ``since`` of it."""

    def __init__(self, path: Path, pid: int | None, since: str | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        at = f" since {since}" if since else ""
        super().__init__(f"{holder} has been at work on {path.parent}{at} ({path.stem})")
        self.pid = pid
        self.since = since


@dataclass
class Hold:
    """The lock as its holder has it; ``unclean_since`` is set where an earlier holder died at work."""

    unclean_since: datetime | None = None

    def is_mended(self) -> None:
        """Forget the one that died: what it left behind is in order."""
        self.unclean_since = None


_IN_PROCESS: dict[Path, threading.RLock] = {}
_HELD: dict[Path, Hold] = {}
_GUARD = threading.Lock()


def exclusive(
    store: Store, patience: float = PATIENCE_SECONDS, tell: Teller | None = None
) -> AbstractContextManager[Hold]:
    """Be the only one that takes deliveries into that home or decides about them; see ``alone``."""
    return alone(store.home / LOCK_FILE, patience, tell)


@contextmanager
def alone(path: Path, patience: float, tell: Teller | None = None) -> Iterator[Hold]:
    """Hold the lock of that file, waiting up to ``patience`` seconds for it; ``BusyError`` after that.

    ``tell`` hears once that it waits, and for whom (default: the log). Within one thread it may be taken again.
    The lock is the kernel's: it ends with its process, however that ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    key = path.resolve()
    with _GUARD:
        thread_lock = _IN_PROCESS.setdefault(key, threading.RLock())
    if not thread_lock.acquire(timeout=patience):
        raise BusyError(key, os.getpid(), None)
    try:
        if key in _HELD:
            yield _HELD[key]
        else:
            with _held(key, patience, tell or _LOG.warning) as hold:
                yield hold
    finally:
        thread_lock.release()


@contextmanager
def _held(path: Path, patience: float, tell: Teller) -> Iterator[Hold]:
    with path.open("a+", encoding="utf-8") as stream, ExitStack() as also:
        deadline = time.monotonic() + patience
        _wait_for(stream, path, patience, tell)
        _hold_in_database(also, path, deadline, tell)
        hold = Hold(_left_behind(stream))
        started = datetime.now(UTC)
        _write(stream, {"pid": os.getpid(), "since": _stamp(started), "unclean_since": _stamp(hold.unclean_since)})
        _HELD[path] = hold
        try:
            yield hold
        finally:
            del _HELD[path]
            _write(stream, {"unclean_since": _stamp(hold.unclean_since)} if hold.unclean_since else None)


def _wait_for(stream: TextIO, path: Path, patience: float, tell: Teller) -> None:
    deadline = time.monotonic() + patience
    told = False
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            busy = BusyError(path, *_holder(stream))
        if time.monotonic() >= deadline:
            raise busy
        if not told:
            tell(f"waiting up to {patience:.0f} s: {busy}")
            told = True
        time.sleep(_LOOK_AGAIN_SECONDS)


def _hold_in_database(also: ExitStack, path: Path, deadline: float, tell: Teller) -> None:
    """Where the records lie in a database, machines share them: the lock is held there as well.

    The lock of a file alone holds between machines only where their common disk passes it on.
    """
    address = address_of(path.parent)
    if address is None:
        return
    told = False
    for is_held in also.enter_context(advisory_lock(address, path.name)):
        if is_held:
            return
        busy = BusyError(path, None, None)
        if time.monotonic() >= deadline:
            raise busy
        if not told:
            tell(f"waiting up to {deadline - time.monotonic():.0f} s: {busy}")
            told = True
        time.sleep(_LOOK_AGAIN_SECONDS)


def _read(stream: TextIO) -> dict[str, object]:
    stream.seek(0)
    try:
        found = json.loads(stream.read() or "{}")
    except ValueError:  # read while it is being written
        return {}
    return found if isinstance(found, dict) else {}


def _holder(stream: TextIO) -> tuple[int | None, str | None]:
    found = _read(stream)
    pid, since = found.get("pid"), found.get("since")
    return (pid if isinstance(pid, int) else None), (str(since) if since else None)


def _left_behind(stream: TextIO) -> datetime | None:
    """Since when something may be unfinished: a holder that ended well leaves an empty file."""
    found = _read(stream)
    stamps = [datetime.fromisoformat(str(found[name])) for name in ("unclean_since", "since") if found.get(name)]
    return min(stamps, default=None)


def _write(stream: TextIO, content: dict[str, object] | None) -> None:
    stream.seek(0)
    stream.truncate()
    if content is not None:
        stream.write(json.dumps(content))
    stream.flush()
    os.fsync(stream.fileno())


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
