"""Builds the identity layer once for each state of deliveries and keeps its tables: ``python build.py FOLDER MODE``.

A process of its own, since dbt keeps its manifest between builds of one process. ``FOLDER`` has ``lake`` and
``states/<number>``; ``MODE`` is ``whole`` (the last state, from nothing) or ``months`` (each upon the one before). The
tables land in ``<FOLDER>/<MODE>/<number>/<table>.parquet``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).parents[3] / "dbt_project"


def main(folder: Path, mode: str) -> None:
    home = folder / mode
    home.mkdir()
    os.environ |= {
        "ZHAOREN_WAREHOUSE": str(home / "warehouse.duckdb"),
        "ZHAOREN_LAKE": str(folder / "lake"),
        "ZHAOREN_REFERENCE": str(home / "reference"),
        "ZHAOREN_THREADS": "1",
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    manifest = None
    states = sorted((folder / "states").iterdir())
    for state in states[-1:] if mode == "whole" else states:
        # One path for all states: it is written into the manifest.
        link = home / "reference"
        link.unlink(missing_ok=True)
        link.symlink_to(state)
        manifest = build(home, manifest, whole=mode == "whole" or state.name == "00")
        keep(home / "warehouse.duckdb", home / state.name)


def build(home: Path, manifest: object, *, whole: bool) -> object:
    command = ["run", "--select", "staging", "identity", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    runner = dbtRunner(manifest=manifest)  # type: ignore[arg-type]
    if manifest is None:
        parsed = runner.invoke(["parse", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)])
        manifest = parsed.result
        runner = dbtRunner(manifest=manifest)  # type: ignore[arg-type]
    outcome = runner.invoke([*command, *(["--full-refresh"] if whole else []), "--quiet"])
    if not outcome.success:
        failed = [item for item in getattr(outcome.result, "results", []) if str(item.status) == "error"]
        sys.exit("; ".join(f"{item.node.name}: {item.message}" for item in failed) or str(outcome.exception))
    return manifest


def keep(warehouse: Path, folder: Path) -> None:
    folder.mkdir()
    with duckdb.connect(str(warehouse)) as connection:
        found = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'identity'"
        ).fetchall()
        for (table,) in found:
            connection.execute(f"copy (from identity.\"{table}\" order by all) to '{folder / table}.parquet'")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
