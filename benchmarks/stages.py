"""The product run as a person would run it, measured by stage: wall and CPU seconds, peak memory of all its processes.

Belongs here: starting ``zhaoren run`` in a process of its own, reading its stages off the lines that it prints, and
asking the kernel what it used. Does not belong here: which cities are run (``whole_way``, ``sizing``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

KIB_PER_GIB = 1024 * 1024
SAMPLE_SECONDS = 0.5
TICKS = os.sysconf("SC_CLK_TCK")
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


@dataclass
class Stage:
    wall: float = 0.0  # seconds
    processor: float = 0.0  # CPU seconds of all processes
    peak: float = 0.0  # GiB resident, all processes together


@dataclass
class Measured:
    """One run: ``exit_code`` as of the command, stages in the order of their first line."""

    exit_code: int = 0
    wall: float = 0.0
    processor: float = 0.0
    peak: float = 0.0
    home_gb: float = 0.0
    stages: dict[str, Stage] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def run_city(home: Path, inbox: Path) -> Measured:
    """``zhaoren --home HOME run --inbox INBOX``; what it says beside its stages goes to standard output."""
    binary = str(Path(sys.executable).parent / "zhaoren")
    process = subprocess.Popen(
        [binary, "--home", str(home), "run", "--inbox", str(inbox)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
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
    measured = watcher.stop()
    measured.exit_code = process.wait()
    measured.home_gb = size_gb(home)
    return measured


def size_gb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e9


class _Watcher(threading.Thread):
    """Samples a process and all below it; what was used since the last line belongs to the stage of that line."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._stage = pid, "start"
        self._since = self._started = time.perf_counter()
        self._used = self._at_line = 0.0
        self._stages: dict[str, Stage] = {"start": Stage()}
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._sample()

    def enter(self, stage: str) -> None:
        self._sample()
        self._close()
        self._stage = stage
        self._stages.setdefault(stage, Stage())

    def stop(self) -> Measured:
        self._close()
        self._ended.set()
        peak = max(stage.peak for stage in self._stages.values())
        return Measured(0, time.perf_counter() - self._started, self._used, peak, 0.0, self._stages)

    def _sample(self) -> None:
        memory, processor = _used_by(self._pid)
        here = self._stages[self._stage]
        here.peak = max(here.peak, memory / KIB_PER_GIB)
        # A process that has ended and is not yet waited for shows less than before.
        self._used = max(self._used, processor)

    def _close(self) -> None:
        now, here = time.perf_counter(), self._stages[self._stage]
        here.wall += now - self._since
        here.processor += self._used - self._at_line
        self._since, self._at_line = now, self._used


def _used_by(pid: int) -> tuple[int, float]:
    """Resident KiB and CPU seconds of a process and everything below it, ended children included, from /proc."""
    memory, processor, open_pids = 0, 0.0, [pid]
    while open_pids:
        here = Path("/proc") / str(open_pids.pop())
        try:
            status = (here / "status").read_text(encoding="ascii", errors="ignore")
            # After the command's closing bracket: user, system, and both of children that were waited for.
            times = (here / "stat").read_text(encoding="utf-8", errors="ignore").rpartition(")")[2].split()[11:15]
            children = [
                child for task in (here / "task").iterdir() for child in (task / "children").read_text().split()
            ]
        except OSError:
            continue
        memory += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        processor += sum(int(ticks) for ticks in times) / TICKS
        open_pids += [int(child) for child in children]
    return memory, processor
