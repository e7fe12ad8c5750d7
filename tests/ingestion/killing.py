"""Runs pieces of ingestion in processes that are killed on the way: the other side of ``test_kill``.

Started as a process of its own, it imports and loads everything once and then forks a child for each line it reads:
``step home inbox kill_at seconds``. The child counts what it is about to do to the disk (each rename, each removal,
each commit of the ledger) and kills itself with SIGKILL right before the one of that number (0: never); or it is
killed from outside after so many seconds (0: not). The answer is one line: exit status and how many such points there
were.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy.ma  # noqa: F401
import pyarrow.compute  # noqa: F401
import sqlalchemy as sa
import sqlalchemy.dialects.sqlite

from ingestion import Ledger, Store, hold, ingest, reject, release
from ingestion.keys import Keys
from ingestion.mending import resubmit
from models.codes import load_code_tables, load_divisions
from models.contract import load_feeds

NOW = datetime(2023, 6, 1, 4, 0, tzinfo=UTC)
KEYS = Keys(b"p" * 32, b"v" * 32)
WATCHED = ("os.rename", "os.remove")


class Points:
    """Counts what is done to the disk below the home."""

    def __init__(self, home: Path, kill_at: int) -> None:
        self._home = str(home)
        self._kill_at = kill_at
        self.count = 0

    def watch(self) -> None:
        sys.addaudithook(self._hook)
        sa.event.listen(sa.Engine, "commit", lambda _: self._point())

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in WATCHED and str(arguments[0]).startswith(self._home):
            self._point()

    def _point(self) -> None:
        self.count += 1
        if self.count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def take_in(store: Store, inbox: Path) -> None:
    ingest(inbox, store, load_feeds(), NOW)


def _about_first(decide: Callable[..., object], status: str) -> Callable[[Store, Path], None]:
    def step(store: Store, inbox: Path) -> None:
        del inbox
        with Ledger(store.ledger_file) as ledger:
            item = next(item for item in ledger.deliveries() if item.status == status)
        decide(store, item.delivery_id, "because", "li", NOW)

    return step


def send_back(store: Store, inbox: Path) -> None:
    with Ledger(store.ledger_file) as ledger:
        item = next(item for item in ledger.deliveries() if item.rows_quarantined)
    resubmit(store, item.delivery_id, inbox.parent / "mended.csv", "mended", "li", load_feeds(), NOW)


STEPS: dict[str, Callable[[Store, Path], None]] = {
    "ingest": take_in,
    "release": _about_first(release, "held"),
    "reject": _about_first(reject, "held"),
    "hold": _about_first(hold, "accepted"),
    "resubmit": send_back,
}


def in_child(step: str, home: Path, inbox: Path, kill_at: int, answer: int) -> None:
    points = Points(home, kill_at)
    points.watch()
    STEPS[step](Store(home, KEYS), inbox)
    os.write(answer, f"{points.count}".encode())


def forked(step: str, home: Path, inbox: Path, kill_at: int, seconds: float) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            in_child(step, home, inbox, kill_at, writing)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    if seconds:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    count = os.read(reading, 100).decode() or "0"
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return f"{os.waitstatus_to_exitcode(status)} {count}"


def main() -> None:
    # What each child would load by itself. Nothing that starts threads, which a fork does not take along.
    load_feeds(), load_code_tables(), load_divisions()
    for line in sys.stdin:
        step, home, inbox, kill_at, seconds = line.rstrip("\n").split("\t")
        sys.stdout.write(forked(step, Path(home), Path(inbox), int(kill_at), float(seconds)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
