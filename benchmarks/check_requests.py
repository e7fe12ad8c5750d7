"""Means checks of many requests: 10,000 without paper in under two minutes, 100 reports on paper in under one.

    python -m benchmarks.check_requests HOME REQUESTS.csv --month 2024-06 [--requests 10000] [--pdf 100]

``HOME`` is a finished data home, ``REQUESTS.csv`` a file of the feed check_request (UTF-8 or GB18030). Its requests are
asked again and again under new numbers until there are enough; a copy of a request costs what another one would.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path


def many_requests(source: Path, target: Path, wanted: int) -> list[str]:
    """Write ``wanted`` requests made of those in ``source``; returns their numbers."""
    raw = source.read_bytes()
    text = raw.decode("utf-8-sig") if _is_utf8(raw) else raw.decode("gb18030")
    header, *rows = list(csv.reader(text.splitlines()))
    groups: dict[str, list[list[str]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    numbers = [f"BENCH{number:06d}" for number in range(wanted)]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for number, group in zip(numbers, cycle(groups.values()), strict=False):
            writer.writerows([number, *row[1:]] for row in group)
    return numbers


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def checked(home: Path, requests: Path, month: str, out: Path, *options: str) -> float:
    """Seconds that the command took."""
    command = [str(Path(sys.executable).parent / "zhaoren"), "--home", str(home), "check", str(requests)]
    began = time.perf_counter()
    subprocess.run([*command, "--month", month, "--out", str(out), "--json", *options], stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--month", required=True)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--pdf", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many_requests(asked.source, folder / "many.csv", asked.requests)
        seconds = checked(asked.home, folder / "many.csv", asked.month, folder / "many")
        print(f"{asked.requests} requests without paper: {seconds:.1f} s")
        many_requests(asked.source, folder / "few.csv", asked.pdf)
        seconds = checked(asked.home, folder / "few.csv", asked.month, folder / "few", "--pdf")
        print(f"{asked.pdf} requests with a report on paper each: {seconds:.1f} s")


if __name__ == "__main__":
    main()
