"""The whole way of a synthetic city, from files to lists, by stage: wall seconds, CPU seconds, peak memory, disk.

Belongs here: running the product as a person would (`zhaoren run` in a process of its own) and reading its stages
off the lines it prints. Run: ``.venv/bin/python -m benchmarks.whole_way [--households N] [--months M] [--keep DIR]``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

KIB_PER_GIB = 1024 * 1024
SAMPLE_SECONDS = 0.5
STAGES = {
    "ingest_": "ingestion",
    "checks__delivery_check": "delivery checks",
    "reference__": "reference tables",
    "known_facts": "dbt: staging, identity, indicators",
    "model__": "model: train and score",
    "derived_facts": "dbt: monitoring to quality",
    "published__": "publication",
    "checks__table_check": "table checks",
    "outputs__": "lists and reports",
}


def main() -> None:
    arguments = _arguments()
    with _folder(arguments.keep) as folder:
        seconds = _timed(lambda: _simulate(folder / "city", arguments.households, arguments.months))
        print(f"simulation: {seconds:.0f} s", flush=True)
        _run(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it; default: a temporary one")
    return parser.parse_args()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _simulate(out: Path, households: int, months: int) -> None:
    from simulator import simulate

    if not out.exists():
        summary = simulate(out, households, months, seed=1, first_month=date(2023, 1, 1))
        print(f"{summary.persons} persons, {summary.files} files, {summary.rows} rows", flush=True)


def _timed(work: object) -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def _run(folder: Path) -> None:
    binary = str(Path(sys.executable).parent / "zhaoren")
    command = [binary, "--home", str(folder / "home"), "run", "--inbox", str(folder / "city" / "inbox")]
    started = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watcher = _Watcher(process.pid)
    watcher.start()
    assert process.stderr is not None
    for line in process.stderr:
        name = line.strip().split(" ")[-1]
        stage = next((title for prefix, title in STAGES.items() if name.startswith(prefix)), None)
        if stage:
            watcher.enter(stage)
        elif line.strip():
            print(line.rstrip(), flush=True)
    code = process.wait()
    watcher.stop()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    watcher.report()
    total, processor = time.perf_counter() - started, used.ru_utime + used.ru_stime
    print(f"whole run: {total:.0f} s wall, {processor:.0f} CPU s, exit code {code}")
    print(f"data home: {_size(folder / 'home') / 1e9:.2f} GB, inbox: {_size(folder / 'city' / 'inbox') / 1e9:.2f} GB")


class _Watcher(threading.Thread):
    """Samples the memory of a process and its children, and keeps wall time and peak of each stage."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._stage = "start"
        self._since = time.perf_counter()
        self._walls: dict[str, float] = {}
        self._peaks: dict[str, float] = {}
        self._ended = threading.Event()

    def enter(self, stage: str) -> None:
        self._close()
        self._stage = stage

    def stop(self) -> None:
        self._close()
        self._ended.set()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            used = _resident_kib(self._pid) / KIB_PER_GIB
            self._peaks[self._stage] = max(self._peaks.get(self._stage, 0.0), used)

    def report(self) -> None:
        for stage, seconds in self._walls.items():
            print(f"{stage:40s} {seconds:8.1f} s   peak {self._peaks.get(stage, 0.0):5.2f} GiB")

    def _close(self) -> None:
        now = time.perf_counter()
        self._walls[self._stage] = self._walls.get(self._stage, 0.0) + now - self._since
        self._since = now


def _resident_kib(pid: int) -> int:
    """Resident memory of a process and everything below it, from /proc."""
    total = 0
    open_pids = [pid]
    while open_pids:
        here = open_pids.pop()
        try:
            status = Path(f"/proc/{here}/status").read_text(encoding="ascii", errors="ignore")
            children = Path(f"/proc/{here}/task/{here}/children").read_text(encoding="ascii").split()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        open_pids += [int(child) for child in children]
    return total


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    main()
