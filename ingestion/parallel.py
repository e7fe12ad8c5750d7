"""Feeds side by side, each folder in one of a few processes.

Belongs here: which folder goes to which process and when, what becomes of a process that dies. Does not belong
here: how a folder is taken in (``pipeline``).
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from ingestion.delivery import Delivery
from ingestion.store import Store
from models.contract import Feed
from models.masking import mask_text

# Below this a process of its own costs more than it brings: one takes about a second to start.
_WORTH_BYTES, _WORTH_FILES = 50_000_000, 100
# Memory that taking in a folder may need, by its largest file: measured (docs/measurements.md), rounded up.
_BASE_BYTES, _MOST_FOR_TEXT = 400_000_000, 800_000_000
_TEXT_FACTOR, _WORKBOOK_FACTOR = 4, 40
_PR_SET_PDEATHSIG = 1

Folder = Callable[[Path, Feed | None, Store, datetime, Callable[[Delivery], None]], None]


class FeedsLostError(RuntimeError):
    """Processes that took in these feeds died or failed; all other feeds are done. ``why`` by feed."""

    def __init__(self, why: Mapping[str, str]) -> None:
        told = "; ".join(f"{feed}: {reason}" for feed, reason in sorted(why.items()))
        super().__init__(f"not taken in to the end: {told}; what is complete counts, the rest follows at the next run")
        self.why = dict(why)


@dataclass(frozen=True)
class Task:
    """One feed's folder, and the memory that taking it in may need."""

    folder: Path
    feed: Feed | None
    memory: int


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    task: Task | None = None


def is_worth_it(folders: Sequence[Path]) -> bool:
    """Whether there is so much in those folders that processes of their own pay."""
    sizes = [size for folder in folders for size in _sizes(folder).values()]
    return len(folders) > 1 and (sum(sizes) > _WORTH_BYTES or len(sizes) > _WORTH_FILES)


def take_in_folders(
    folders: Mapping[Path, Feed | None],
    store: Store,
    now: datetime,
    take_in: Folder,
    workers: int,
    progress: Callable[[Delivery], None],
    memory_bytes: int | None = None,
) -> None:
    """Take in folders in up to ``workers`` processes, large ones first, within ``memory_bytes`` (default: half of the
    machine's). ``take_in`` must be a function of a module.

    Raises ``FeedsLostError`` at the end where a process died; that costs its own feed and no other.
    """
    tasks = sorted((Task(path, feed, _memory_of(path)) for path, feed in folders.items()), key=_largest_first)
    pool = _Pool(min(workers, len(tasks)), (replace(store), now, take_in), memory_bytes or _half_of_memory())
    with pool.running():
        pool.run(tasks, progress)
    if pool.lost:
        raise FeedsLostError(pool.lost)


def _largest_first(task: Task) -> tuple[int, str]:
    return -task.memory, task.folder.name


class _Pool:
    """A few processes that are given one folder after the other."""

    def __init__(self, size: int, context: tuple[Store, datetime, Folder], memory: int) -> None:
        self._size = size
        self._context = context
        self._memory = memory
        self._workers: list[_Worker] = []
        self.lost: dict[str, str] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Processes are made when there is work, and are gone at the end, however it ends."""
        try:
            yield
        finally:
            for worker in self._workers:
                worker.connection.close()
                if worker.task is not None:
                    worker.process.kill()
                worker.process.join()

    def run(self, tasks: Sequence[Task], progress: Callable[[Delivery], None]) -> None:
        waiting = list(tasks)
        while waiting or any(worker.task for worker in self._workers):
            while (task := self._next(waiting)) is not None:
                waiting.remove(task)
                self._give(task)
            for connection in wait([worker.connection for worker in self._workers if worker.task]):
                worker = next(worker for worker in self._workers if worker.connection is connection)
                self._hear(worker, progress)

    def _next(self, waiting: Sequence[Task]) -> Task | None:
        """The largest task for which there is a process and memory; a task too large for any memory runs alone."""
        busy = [worker.task.memory for worker in self._workers if worker.task]
        if len(busy) >= self._size:
            return None
        fitting = (task for task in waiting if not busy or sum(busy) + task.memory <= self._memory)
        return next(fitting, None)

    def _give(self, task: Task) -> None:
        worker = next((worker for worker in self._workers if worker.task is None), None) or self._started()
        worker.task = task
        try:
            worker.connection.send((task.folder, task.feed))
        except OSError:
            self._bury(worker)

    def _hear(self, worker: _Worker, progress: Callable[[Delivery], None]) -> None:
        try:
            said = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if isinstance(said, Delivery):
            progress(said)
            return
        if said is not None and worker.task is not None:
            self.lost[worker.task.folder.name] = str(said)
        worker.task = None

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()
        code = worker.process.exitcode or 0
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        if worker.task is not None:
            self.lost[worker.task.folder.name] = f"its process was {how}" if code < 0 else f"its process {how}"
        worker.connection.close()
        self._workers.remove(worker)

    def _started(self) -> _Worker:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_work, args=(theirs, os.getpid(), *self._context), daemon=True)
        with _threads_for(self._size):
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker


@contextmanager
def _threads_for(workers: int) -> Iterator[None]:
    """A process started meanwhile has its share of the cores for Polars, and never fewer than two threads."""
    name = "POLARS_MAX_THREADS"
    before = os.environ.get(name)
    os.environ[name] = before or str(max(2, (os.cpu_count() or 1) // workers))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def _work(connection: Connection, parent: int, store: Store, now: datetime, take_in: Folder) -> None:
    """What a process does: folders one after the other, telling of each delivery and how the folder ended."""
    _die_with(parent)
    with suppress(EOFError, BrokenPipeError):
        while True:
            folder, feed = connection.recv()
            failure = None
            try:
                take_in(folder, feed, store, now, connection.send)
            except Exception as error:  # a full disk, a share that is gone: the feed is lost, not the others
                failure = _told(error)
            connection.send(failure)


def _told(error: Exception) -> str:
    """What may be said of it: the message of a disk names a file, whose name may hold a number; of others nothing."""
    name = type(error).__name__
    return mask_text(f"{name}: {error}") if isinstance(error, OSError) else name


def _die_with(parent: int) -> None:
    """The lock of the data home is the parent's: nothing may be written without it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _memory_of(folder: Path) -> int:
    return _BASE_BYTES + max((_needed(path, size) for path, size in _sizes(folder).items()), default=0)


def _needed(path: Path, size: int) -> int:
    is_workbook = path.suffix.lower() in (".xlsx", ".xlsm")
    return _WORKBOOK_FACTOR * size if is_workbook else min(_TEXT_FACTOR * size, _MOST_FOR_TEXT)


def _sizes(folder: Path) -> dict[Path, int]:
    sizes = {}
    for path in folder.iterdir():
        with suppress(OSError):
            sizes[path] = path.lstat().st_size
    return sizes


def _half_of_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
