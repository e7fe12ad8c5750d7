"""Persons and households of a large city: all months at once, and one more month with few or many months before it.

Belongs here: dbt's build of staging and identity with its tests, measured as a process: wall and CPU seconds, peak
resident memory. Run: ``.venv/bin/python -m benchmarks.identity_million [--persons N] [--months 6 12 24] [--keep DIR]``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from benchmarks.identity_city import Lake
from ingestion.delivery import delivery_frame
from ingestion.in_force import delivery_validity
from ingestion.linkage.evidence import publish_links
from ingestion.name_conflict import SCHEMA as NAME_CONFLICT
from models.calendar import months_between, next_month
from models.publish import publish_reference
from orchestration.decisions.alerts import ensure_alert_life
from orchestration.home.given import ensure_given
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of
from orchestration.warehouse.run_plan import RunPlan, write_plan

PROJECT = Path(__file__).parent.parent / "dbt_project"
FIRST = date(2023, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, nargs="+", default=[6, 12, 24], help="months before the one more")
    parser.add_argument("--memory", default="4GB", help="DuckDB's limit, as limits.memory_limit sets it")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it; default: a temporary one")
    parser.add_argument("--no-whole", action="store_true", help="leave out building all months anew at the end")
    arguments = parser.parse_args()
    with nullcontext(arguments.keep) if arguments.keep else tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        Run(folder, arguments.persons, arguments.memory).all(sorted(arguments.months), whole=not arguments.no_whole)


class Run:
    """One city, its warehouse, and the builds upon it."""

    layers: tuple[str, ...] = ("staging", "identity")

    def __init__(self, folder: Path, persons: int, memory: str) -> None:
        self.folder, self.memory = folder, memory
        self.lake = Lake(folder / "lake", persons)
        self.reference = folder / "reference"
        self.last: date | None = None
        print(f"{persons} persons", flush=True)

    def all(self, counts: list[int], *, whole: bool) -> None:
        for count in counts:
            full = self.last is None
            self.build(f"up to month {count}", self.write(count), full=full)
            self.build(f"month {count + 1}, with {count} before it", self.write(count + 1))
        if whole:
            self.build(f"all {counts[-1] + 1} months anew", FIRST, full=True)

    def write(self, count: int) -> date:
        """Write the lake up to that many months; returns the first new one."""
        started = time.perf_counter()
        since = next_month(self.last) if self.last else FIRST
        last = date(FIRST.year + (count - 1) // 12, (count - 1) % 12 + 1, 1)
        rows = sum(self.lake.month(month) for month in months_between(since, last))
        self.last = last
        print(f"{rows} rows written in {time.perf_counter() - started:.0f} s", flush=True)
        return since

    def build(self, what: str, since: date, *, full: bool = False) -> None:
        assert self.last is not None
        self.publish(since)
        environment = os.environ | {
            "ZHAOREN_WAREHOUSE": str(self.folder / "warehouse.duckdb"),
            "ZHAOREN_LAKE": str(self.folder / "lake"),
            "ZHAOREN_REFERENCE": str(self.reference),
            "ZHAOREN_MEMORY_LIMIT": self.memory,
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        command = [str(Path(sys.executable).parent / "dbt"), "build", "--quiet", "--select", *self.layers]
        command += ["--indirect-selection", "cautious", "--exclude-resource-type", "unit_test"]
        command += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        command += ["--full-refresh"] if full else []
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        size = (self.folder / "warehouse.duckdb").stat().st_size / 1e9
        print(
            f"{what}: {seconds:.0f} s wall, {used.ru_utime + used.ru_stime:.0f} CPU s, "
            f"peak {used.ru_maxrss / 1024 / 1024:.2f} GiB, warehouse {size:.2f} GB, exit code {process.returncode}",
            flush=True,
        )
        self.slowest()

    def slowest(self, count: int = 12) -> None:
        """The nodes that took longest, as dbt tells it."""
        results = json.loads((self.folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
        results.sort(key=lambda item: -item["execution_time"])
        models = sum(item["execution_time"] for item in results if item["unique_id"].startswith("model."))
        tests = sum(item["execution_time"] for item in results) - models
        print(f"    models {models:.0f} s, tests {tests:.0f} s in threads")
        named = (f"{item['unique_id'].split('.')[2]} {item['execution_time']:.1f}" for item in results[:count])
        print(f"    {', '.join(named)}", flush=True)

    def publish(self, since: date) -> None:
        """What orchestration writes before dbt runs."""
        assert self.last is not None
        publish_reference(self.reference, FIRST, self.last)
        plan = RunPlan(FIRST, self.last, (self.last,), datetime(2026, 1, 1, tzinfo=UTC), since)
        write_plan(plan, "policy", "code", self.reference / "run.parquet")
        self._table("delivery_validity", delivery_validity(self.lake.deliveries))
        self._table("delivery", delivery_frame(self.lake.deliveries, "mode", "sender", "supplements"))
        self._table("person_key", self.lake.person_keys())
        # Nobody was merged, no household was published before.
        publish_links(store_of(DataHome(self.folder / "home").create()), self.reference, [])
        ensure_given(self.reference)
        ensure_alert_life(self.reference)
        self._table("name_conflict", pl.DataFrame(schema=NAME_CONFLICT))

    def _table(self, name: str, frame: pl.DataFrame) -> None:
        frame.write_parquet(self.reference / f"{name}.parquet")


if __name__ == "__main__":
    main()
