"""What a row costs in files of ten thousand to ten million rows, and what a workbook costs.

Belongs here: the files, CPU seconds, peak memory and the share of pseudonyms and vault, each file in a process of
its own. Run: ``python -m benchmarks.ingest_scaling [--rows N ...] [--folder DIR]``; DIR keeps the files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
WORKBOOK_ROWS = 200_000


def make(path: Path, rows: int) -> None:
    """A population register as CSV in GB18030, or as a workbook."""
    from benchmarks.ingest_gb18030 import make_file, register

    if path.suffix == ".csv":
        make_file(path, rows)
    else:
        register(rows, 0, 7).write_excel(path)


def ingest_once(path: Path) -> dict[str, float]:
    """CPU seconds of ingestion alone and with start-up, of pseudonyms and vault within it, and peak memory."""
    import ingestion.intake
    from benchmarks.ingest_gb18030 import peak_bytes
    from ingestion import Store, ingest
    from ingestion.pseudonym import identity_keys
    from ingestion.vault.rows import VaultWriter
    from models.contract import load_feeds

    spent = {"pseudonyms": 0.0, "vault": 0.0}

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            begin = time.process_time()
            try:
                return work(*arguments, **named)
            finally:
                spent[name] += time.process_time() - begin

        return run

    ingestion.intake.identity_keys = timed("pseudonyms", identity_keys)
    VaultWriter.add = timed("vault", VaultWriter.add)  # type: ignore[method-assign]
    feeds = load_feeds()
    with tempfile.TemporaryDirectory(dir=path.parent.parent.parent) as home:
        begin, wall = time.process_time(), time.perf_counter()
        (taken,) = ingest(path.parent.parent, Store.open(Path(home)), feeds, datetime(2030, 1, 1, tzinfo=UTC))
        cpu, took = time.process_time() - begin, time.perf_counter() - wall
    assert taken.status == "accepted", taken.reason
    peak = peak_bytes()
    return {"cpu_s": cpu, "wall_s": took, "peak_bytes": peak, "rows": taken.rows_data, **spent}


def measured(path: Path, rows: int) -> dict[str, float]:
    """Make the file where it is missing and take it in, each in a process of its own."""
    command = [sys.executable, __file__, "--file", str(path)]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([*command, "--make", str(rows)], check=True)
        os.utime(path, (1_893_400_000, 1_893_400_000))
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return found


def report(name: str, found: dict[str, float], begin: float) -> None:
    share = (found["pseudonyms"] + found["vault"]) / found["cpu_s"]
    million = found["rows"] / 1e6
    print(
        f"{name:22}{found['cpu_s']:8.2f} CPU s {found['wall_s']:8.2f} s"
        f" {(found['cpu_s'] - begin) / million:8.2f} CPU s a million"
        f" {found['peak_bytes'] / 1e9:6.2f} GB  pseudonyms and vault {share:.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--workbook", type=int, default=WORKBOOK_ROWS, help="rows of the workbook; 0 for none")
    parser.add_argument("--folder", type=Path, help="where the files are kept")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments.file, arguments.make)
    elif arguments.file:
        print(json.dumps(ingest_once(arguments.file)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(arguments.folder or Path(folder), arguments.rows, arguments.workbook)


def compare(folder: Path, sizes: list[int], workbook: int) -> None:
    """A line for each file. A file of ten rows shows what starting costs: ledger, empty tables, first use of
    libraries; the cost of a row is what comes on top.
    """
    begin = measured(folder / "csv10" / "inbox" / "population_register" / "户籍人口_203001.csv", 10)["cpu_s"]
    print(f"start {begin:.2f} CPU s, taken off below")
    for rows in sizes:
        found = measured(folder / f"csv{rows}" / "inbox" / "population_register" / "户籍人口_203001.csv", rows)
        report(f"CSV, {rows:,} rows", found, begin)
    if workbook:
        path = folder / f"xlsx{workbook}" / "inbox" / "population_register" / "户籍人口_203001.xlsx"
        report(f"XLSX, {workbook:,} rows", measured(path, workbook), begin)


if __name__ == "__main__":
    main()
