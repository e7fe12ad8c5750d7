"""What a city costs by its size: the whole way of 24 months, then of one more month, stage by stage.

Belongs here: cities of several sizes, one more month, cost per person, the record of it. Does not belong here: how a
run is measured (``stages``). The last month's files are those received after it ended; they are held back, the run is
measured, they are put in, and the next run is measured as 'one more month'.

Run: ``.venv/bin/python -m benchmarks.sizing [--persons 10000 100000] [--months 24] [--record FILE] [--keep DIR]``.
Each size appends one line of JSON to the record; the page docs/sizing.md is written by hand from it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from calendar import monthrange
from datetime import date, datetime
from pathlib import Path
from typing import Any

from benchmarks.stages import Measured, run_city, size_gb
from benchmarks.whole_way import simulated, tell, work_folder
from models.calendar import BUREAU_ZONE

PERSONS_PER_HOUSEHOLD = 2.7  # of simulated cities; the number that counts is what the simulation says
FIRST_MONTH = date(2023, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--months", type=int, default=24, help="months before the one more")
    parser.add_argument("--record", type=Path, default=Path("sizing.jsonl"))
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it; default: a temporary one")
    arguments = parser.parse_args()
    for persons in arguments.persons:
        with work_folder(arguments.keep and arguments.keep / str(persons)) as folder:
            line = measure(folder, persons, arguments.months)
        with arguments.record.open("a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")


def measure(folder: Path, persons: int, months: int) -> dict[str, Any]:
    """A city of about so many persons over ``months`` + 1; two runs."""
    city = folder / "city"
    counted = simulated(city, round(persons / PERSONS_PER_HOUSEHOLD), months + 1)
    held = hold_back(city, folder / "held", received_since(months))
    whole = _run(folder, f"{counted} persons, {months} months")
    for path in held:
        (folder / "held" / path).rename(city / path)
    more = _run(folder, "one more month")
    return {
        "persons": counted,
        "months": months,
        "inbox_gb": size_gb(city / "inbox"),
        "whole": whole.as_dict(),
        "one_more": more.as_dict(),
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()},
    }


def received_since(months: int) -> datetime:
    """The end of the month that comes after ``months``: what is received later tells of it or corrects."""
    number = FIRST_MONTH.year * 12 + FIRST_MONTH.month - 1 + months
    year, month = divmod(number, 12)
    return datetime(year, month + 1, monthrange(year, month + 1)[1], tzinfo=BUREAU_ZONE)


def hold_back(city: Path, held: Path, since: datetime) -> list[Path]:
    """Move the files received from then on out of the inbox, each with its manifest; their paths below the city."""
    moved = []
    for line in (city / "truth" / "deliveries_expected.jsonl").read_text(encoding="utf-8").splitlines():
        expected = json.loads(line)
        if datetime.fromisoformat(expected["received_at"]) <= since:
            continue
        name = Path(expected["file"])
        for path in (city / name.parent).glob(f"{_literal(name.name)}*"):
            relative = path.relative_to(city)
            (held / relative).parent.mkdir(parents=True, exist_ok=True)
            path.rename(held / relative)
            moved.append(relative)
    return moved


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "[]*?" else letter for letter in name)


def _run(folder: Path, title: str) -> Measured:
    print(f"== {title}", flush=True)
    measured = run_city(folder / "home", folder / "city" / "inbox")
    tell(measured)
    return measured


if __name__ == "__main__":
    main()
