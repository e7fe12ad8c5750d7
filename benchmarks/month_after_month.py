"""One more month of a large city through all layers: what it costs with few and with many months before it.

Belongs here: dbt's build of all layers with its data tests, measured as a process, and the same statements run straight
in DuckDB (``--raw``), which tells what dbt itself costs and what each table does. Does not belong here: the city
(``identity_city``), ingestion and lists (``whole_way``).

Run: ``.venv/bin/python -m benchmarks.month_after_month [--persons N] [--months 6 24] [--raw] [--keep DIR]``.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from benchmarks.identity_million import Run
from expectations import ensure_tables
from ingestion.quarantine import FAULT_COLUMNS
from ml import write_scores
from ml.scorer import SCORE_SCHEMA
from orchestration.warehouse.run_plan import read_plan, write_plan

LAYERS = ("staging", "identity", "indicators", "monitoring", "alerts", "statistics", "quality")
_TEMPORARY = re.compile(r'from "(\w+__dbt_tmp\w*)"\s*$')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, nargs="+", default=[6, 24], help="months before the one more")
    parser.add_argument("--memory", default="4GB", help="DuckDB's limit, as limits.memory_limit sets it")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it; default: a temporary one")
    parser.add_argument("--raw", action="store_true", help="run each month's statements straight in DuckDB too")
    parser.add_argument("--whole", action="store_true", help="build all months anew at the end")
    arguments = parser.parse_args()
    with nullcontext(arguments.keep) if arguments.keep else tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        run = AllLayers(folder, arguments.persons, arguments.memory, raw=arguments.raw)
        run.all(sorted(arguments.months), whole=arguments.whole)


class AllLayers(Run):
    """Everything that a run builds in the warehouse; nobody is scored."""

    layers = LAYERS

    def __init__(self, folder: Path, persons: int, memory: str, *, raw: bool) -> None:
        super().__init__(folder, persons, memory)
        self.raw = raw

    def build(self, what: str, since: date, *, full: bool = False) -> None:
        before, compared = self.folder / "before.duckdb", self.raw and not full
        if compared:
            shutil.copyfile(self.folder / "warehouse.duckdb", before)
        super().build(what, since, full=full)
        if compared:
            self.straight(before, since)

    def straight(self, warehouse: Path, since: date) -> None:
        """The same models and tests, in the order in which dbt ran them, upon the same tables."""
        seconds: dict[str, float] = {}
        started = time.process_time()
        with duckdb.connect() as connection:
            # Under the name by which dbt's statements call it.
            connection.execute(f"attach '{warehouse}' as warehouse; use warehouse")
            connection.execute(f"set memory_limit = '{self.memory}'; set threads = 2")
            connection.execute("set preserve_insertion_order = false")
            for node in executed(self.folder / "target"):
                begun = time.process_time()
                for statement in statements(node, self.folder / "target", since):
                    connection.execute(statement)
                seconds[node["name"]] = time.process_time() - begun
        total, models = time.process_time() - started, sum(seconds[name] for name in seconds if "." not in name)
        print(f"    straight in DuckDB: {total:.0f} CPU s, models {models:.0f}")
        slowest = sorted(seconds.items(), key=lambda item: -item[1])[:25]
        print(f"    {', '.join(f'{name} {cost:.1f}' for name, cost in slowest)}", flush=True)
        kept = self.folder / f"straight_{self.last:%Y-%m}.json"
        kept.write_text(json.dumps(seconds, indent=1), encoding="utf-8")

    def publish(self, since: date) -> None:
        super().publish(since)
        # No event speaks of an earlier month, as the published table of how far they reach would say.
        plan = replace(read_plan(self.reference / "run.parquet"), facts_from=since)
        write_plan(plan, "policy", "code", self.reference / "run.parquet")
        ensure_tables(self.reference)
        for faults in ("quarantine_row", "cell_defect"):
            self._table(faults, pl.DataFrame(schema=FAULT_COLUMNS))
        write_scores(pl.DataFrame(schema=SCORE_SCHEMA), self.reference / "household_score.parquet")


def executed(target: Path) -> list[dict[str, Any]]:
    """The nodes of the last build in their order, with what the manifest says of them."""
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    return [
        nodes[item["unique_id"]] | {"compiled_code": item["compiled_code"]}
        for item in results
        if item["compiled_code"] and item["status"] in ("success", "pass", "warn", "fail")
    ]


def statements(node: dict[str, Any], target: Path, since: date) -> list[str]:
    """What dbt made of a node, as statements: the table aside, the swap or the months put in."""
    code, name = str(node["compiled_code"]), str(node["relation_name"])
    if node["resource_type"] == "test":
        return [f"select count(*) from ({code}\n)"]
    if node["config"]["materialized"] == "view":
        return [f"create or replace view {name} as ({code}\n)"]
    if node["config"]["materialized"] == "table":
        return [f"create or replace table {name} as ({code}\n)"]
    run = (target / "run" / "zhaoren" / node["original_file_path"]).read_text(encoding="utf-8").strip()
    temporary = _TEMPORARY.search(run)
    if not temporary:
        return [f"create or replace table {name} as ({code}\n)"]
    by_month = "month >= date" in run and node["schema"] != "identity"
    kept = f"select * from ({code}\n) as built where month >= date '{since}'" if by_month else code
    aside = f'"{temporary[1]}"'
    parts = [part for part in run.split(";") if part.strip()]
    return [f"create temporary table {aside} as ({kept}\n)", *parts, f"drop table {aside}"]


if __name__ == "__main__":
    main()
