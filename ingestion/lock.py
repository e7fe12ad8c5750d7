"""One at a time at work on a data home, in whatever process it runs.

Belongs here: the lock, who holds it, and the mark that a holder leaves behind when it dies. Does not belong
here: what is mended after that (``recovery``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ingestion.database import address_of, advisory_lock
from ingestion.store import Store

LOCK_FILE = "ingestion.lock"
FEED_LOCKS = "ingestion."
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
    is_shared: bool = False
    thread: int = field(default_factory=threading.get_ident)

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
def only_one_of(
    store: Store, feed: str, patience: float = PATIENCE_SECONDS, tell: Teller | None = None
) -> Iterator[Hold]:
    """Be the only one that takes in deliveries of that feed: feeds do not depend on each other.

    Others may take in other feeds meanwhile; whoever must be the only one of all (``exclusive``) waits for them.
    """
    with (
        alone(store.home / LOCK_FILE, patience, tell, shared=True),
        alone(store.home / feed_lock(feed), patience, tell) as hold,
    ):
        yield hold


def feed_lock(feed: str) -> str:
    """The file of a feed's lock; a folder may be called anything, so it is named by a digest."""
    return f"{FEED_LOCKS}{hashlib.sha256(feed.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.lock"


def left_by_one_alone(store: Store) -> bool:
    """Whether somebody who was alone in the home is at work, or died: things of any feed may be unfinished then."""
    path = store.home / LOCK_FILE
    return path.exists() and path.stat().st_size > 0


@contextmanager
def with_marks_of_feeds(store: Store, hold: Hold) -> Iterator[None]:
    """Let the one that is alone know of those that died over a single feed; what it mends is mended for them."""
    with ExitStack() as also:
        marked = [path for path in sorted(store.home.glob(f"{FEED_LOCKS}*.lock")) if path.stat().st_size]
        held = [also.enter_context(alone(path, 0)) for path in marked if path.name != LOCK_FILE]
        since = [item.unclean_since for item in (hold, *held) if item.unclean_since is not None]
        hold.unclean_since = min(since, default=None)
        yield
        if hold.unclean_since is None:
            for item in held:
                item.is_mended()


def is_held_here(path: Path) -> bool:
    """Whether this thread holds the lock of that file."""
    hold = _HELD.get(path.resolve())
    return hold is not None and hold.thread == threading.get_ident()


@contextmanager
def alone(path: Path, patience: float, tell: Teller | None = None, *, shared: bool = False) -> Iterator[Hold]:
    """Hold the lock of that file, waiting up to ``patience`` seconds for it; ``BusyError`` after that.

    ``shared``: with others that share it, against those that do not. A mark is left only by who is alone.
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
            if _HELD[key].is_shared and not shared:
                raise RuntimeError(f"{path.name} is shared by this thread, which now wants it alone")
            yield _HELD[key]
        else:
            with _held(key, patience, tell or _LOG.warning, shared=shared) as hold:
                yield hold
    finally:
        thread_lock.release()


@contextmanager
def _held(path: Path, patience: float, tell: Teller, *, shared: bool) -> Iterator[Hold]:
    with path.open("a+", encoding="utf-8") as stream, ExitStack() as also:
        deadline = time.monotonic() + patience
        _wait_for(stream, path, patience, tell, shared=shared)
        _hold_in_database(also, path, deadline, tell, shared=shared)
        hold = Hold(None if shared else _left_behind(stream), shared)
        if not shared:
            started = datetime.now(UTC)
            _write(stream, {"pid": os.getpid(), "since": _stamp(started), "unclean_since": _stamp(hold.unclean_since)})
        _HELD[path] = hold
        try:
            yield hold
        finally:
            del _HELD[path]
            if not shared:
                _write(stream, {"unclean_since": _stamp(hold.unclean_since)} if hold.unclean_since else None)


def _wait_for(stream: TextIO, path: Path, patience: float, tell: Teller, *, shared: bool) -> None:
    deadline = time.monotonic() + patience
    told = False
    while True:
        try:
            fcntl.flock(stream, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            busy = BusyError(path, *_holder(stream))
        if time.monotonic() >= deadline:
            raise busy
        if not told:
            tell(f"waiting up to {patience:.0f} s: {busy}")
            told = True
        time.sleep(_LOOK_AGAIN_SECONDS)


def _hold_in_database(also: ExitStack, path: Path, deadline: float, tell: Teller, *, shared: bool) -> None:
    """Where the records lie in a database, machines share them: the lock is held there as well.

    The lock of a file alone holds between machines only where their common disk passes it on.
    """
    address = address_of(path.parent)
    if address is None:
        return
    told = False
    for is_held in also.enter_context(advisory_lock(address, path.name, shared=shared)):
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
