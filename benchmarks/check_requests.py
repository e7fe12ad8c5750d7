"""Means checks of many requests: 10,000 without paper in under two minutes, 100 reports on paper in under one.

    python -m benchmarks.check_requests HOME --month 2024-06 [--requests 10000] [--pdf 100]

``HOME`` is a finished data home (a copy: the checks are logged there). The requests are made of its own households, one
a household with all members under their true numbers, each again under new request numbers until there are enough.
Belongs here: the file and the time that the command takes. Numbers and names are in the temporary folder alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import polars as pl

from models.contract import load_feeds
from orchestration.home.published import read_published
from orchestration.home.settings import DataHome
from orchestration.home.stores import vault_of

HEADERS = {column.name: column.header for column in load_feeds()["check_request"].columns}
APPLICANT, OTHER, PURPOSE = "01", "80", "1"


def households(home: DataHome, month: date) -> pl.DataFrame:
    """One row per member that counts in that month, with number and name, the applicant first."""
    members = read_published(home, "household_member_month").filter(pl.col("month") == month, pl.col("is_counted"))
    known = vault_of(home).identities(members["person_key"].to_list()).select("person_key", "id_number", "name")
    named = members.join(known, on="person_key").drop_nulls(["id_number", "name"])
    return named.sort("household_id", -pl.col("age_years").fill_null(0), "person_key")


def many_requests(members: pl.DataFrame, month: date, wanted: int, target: Path) -> None:
    """Write ``wanted`` requests of those households, over and over, as a file of the feed."""
    families = members.select("household_id").unique(maintain_order=True)
    rounds = pl.DataFrame({"number": range(wanted)})
    asked = rounds.with_columns(
        household_id=families["household_id"].gather(rounds["number"] % families.height),
        request_no=pl.format("BENCH{}", pl.col("number").cast(pl.String).str.zfill(6)),
    )
    rows = asked.join(members, on="household_id", maintain_order="left_right")
    first = pl.int_range(pl.len()).over("request_no") == 0
    told = rows.with_columns(
        applicant_id=pl.col("id_number").first().over("request_no"),
        relation=pl.when(first).then(pl.lit(APPLICANT)).otherwise(pl.lit(OTHER)),
        authorisation_no=pl.format("A{}", "request_no"),
        authorised_until=pl.lit(f"{month.year + 1}-12-31"),
        purpose=pl.lit(PURPOSE),
        requested_on=pl.lit(f"{month:%Y-%m}-15"),
        requested_by=pl.lit("民政局"),
    )
    told.select(pl.col(name).alias(header) for name, header in HEADERS.items()).write_csv(target)


def checked(home: Path, requests: Path, month: date, out: Path, *options: str) -> tuple[float, float]:
    """Wall and CPU seconds that the command took; it ends badly where anybody was refused."""
    command = [str(Path(sys.executable).parent / "zhaoren"), "check", str(requests), "--month", f"{month:%Y-%m}"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--out", str(out), "--json", *options],
        env={**os.environ, "ZHAOREN_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"zhaoren check ended with {process.returncode}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--month", required=True, help="YYYY-MM, a month of that home")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--pdf", type=int, default=100)
    asked = parser.parse_args()
    month = date.fromisoformat(f"{asked.month}-01")
    members = households(DataHome(asked.home), month)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count, told, options in ((asked.requests, "without paper", ()), (asked.pdf, "on paper", ("--pdf",))):
            if not count:
                continue
            many_requests(members, month, count, folder / f"{count}.csv")
            wall, cpu = checked(asked.home, folder / f"{count}.csv", month, folder / str(count), *options)
            print(f"{count} requests {told}: {wall:.1f} s wall, {cpu:.1f} CPU s", flush=True)


if __name__ == "__main__":
    main()
