"""The whole way of a synthetic city, from files to lists, by stage: wall seconds, CPU seconds, peak memory, disk.

Belongs here: one city in one run. Does not belong here: how a run is measured (``stages``), several sizes and one more
month (``sizing``). Run: ``.venv/bin/python -m benchmarks.whole_way [--households N] [--months M] [--keep DIR]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from benchmarks.stages import Measured, run_city, size_gb


def main() -> None:
    arguments = _arguments()
    with work_folder(arguments.keep) as folder:
        started = time.perf_counter()
        simulated(folder / "city", arguments.households, arguments.months)
        print(f"simulation: {time.perf_counter() - started:.0f} s", flush=True)
        measured = run_city(folder / "home", folder / "city" / "inbox")
        tell(measured)
        print(f"data home: {measured.home_gb:.2f} GB, inbox: {size_gb(folder / 'city' / 'inbox'):.2f} GB")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it; default: a temporary one")
    return parser.parse_args()


@contextmanager
def work_folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def simulated(out: Path, households: int, months: int) -> int | None:
    """The number of persons of the new city; none where the folder holds one already."""
    from simulator import simulate

    if out.exists():
        return None
    summary = simulate(out, households, months, seed=1, first_month=date(2023, 1, 1))
    print(f"{summary.persons} persons, {summary.files} files, {summary.rows} rows", flush=True)
    return summary.persons


def tell(measured: Measured) -> None:
    for name, stage in measured.stages.items():
        print(f"{name:40s} {stage.wall:8.1f} s {stage.processor:8.1f} CPU s   peak {stage.peak:5.2f} GiB")
    print(f"whole run: {measured.wall:.0f} s wall, {measured.processor:.0f} CPU s, exit code {measured.exit_code}")


if __name__ == "__main__":
    main()
