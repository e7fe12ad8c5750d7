"""All checks of all feeds of a city of a million people in one month: time and memory.

Run with ``.venv/bin/python -m benchmarks.check_million [--people 1000000]``. The lake is written directly, one delivery
a feed, with about as many rows as such a city sends (``ROWS_PER_PERSON``); cells are drawn by chance, so many fail.
The validation runs in a process of its own, so that its peak is its own.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from models.codes import load_code_tables
from models.contract import Feed, LakeField, load_feeds

PERIOD, START = "2024-04", date(2024, 4, 1)
# What the sample city sends in a month, for each person: registers of all quarters come in this month.
ROWS_PER_PERSON = {
    "population_register": 1.0, "social_insurance": 0.9, "medical_settlement": 0.35, "property_register": 0.7,
    "utility_usage": 0.38, "income_tax": 0.3, "pension_payment": 0.22, "vehicle_register": 0.25,
    "student_register": 0.16, "housing_fund": 0.15, "assistance_payment": 0.08, "assistance_register": 0.06,
    "business_register": 0.06, "elder_register": 0.1, "disability_register": 0.04, "unemployment_register": 0.02,
    "rural_monitoring": 0.015, "custody_record": 0.003, "child_register": 0.005, "death_record": 0.0006,
}  # fmt: skip
FEWEST = 500


def main() -> None:
    """Write such a month, validate it in a process of its own, print CPU seconds and peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--validate", type=Path, help="(for the process of its own)")
    given = parser.parse_args()
    if given.validate:
        validate(given.validate)
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = write_month(Path(folder), given.people)
        print(f"{given.people} people, {rows} rows of {len(load_feeds())} feeds", flush=True)
        command = [sys.executable, "-m", "benchmarks.check_million", "--validate", folder]
        subprocess.run(command, check=True)


def validate(home: Path) -> None:
    """All checks of all deliveries; what it costs."""
    from expectations import validate_deliveries

    ledger = pl.read_parquet(home / "ledger.parquet")
    wall, cpu = time.perf_counter(), time.process_time()
    now = datetime(2024, 6, 1, tzinfo=UTC)
    results = validate_deliveries(home / "lake", ledger, load_feeds(), home / "reference", home / "results", now)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    states = dict(results["state"].value_counts().iter_rows())
    print(
        f"{time.perf_counter() - wall:.1f} s wall, {time.process_time() - cpu:.1f} CPU s, peak {peak:.2f} GiB; {states}"
    )


def write_month(home: Path, people: int) -> int:
    """One delivery of every feed; returns the number of rows."""
    random = np.random.default_rng(4)
    reference = home / "reference"
    reference.mkdir(parents=True)
    keys = pl.Series("person_key", [f"p{number:09d}".translate(LETTERS) for number in range(people)])
    born = pl.Series("born_on", random.integers(-14000, 18000, people).astype("int32")).cast(pl.Date)
    sex = pl.Series("sex", random.integers(1, 3, people)).cast(pl.String)
    pl.DataFrame([keys, born, sex]).write_parquet(reference / "person_key.parquet")
    ledger = [write_feed(home / "lake", feed, keys, random, people) for feed in load_feeds().values()]
    deliveries = pl.DataFrame(ledger)
    deliveries.write_parquet(home / "ledger.parquet")
    validity(deliveries).write_parquet(reference / "delivery_validity.parquet")
    kept = {"feed": pl.String, "delivery_id": pl.String, "row_number": pl.Int64, "reason": pl.String}
    pl.DataFrame(schema=kept).write_parquet(reference / "quarantine_row.parquet")
    return int(deliveries["rows_data"].sum())


LETTERS = str.maketrans("0123456789", "abcdefghij")


def write_feed(lake: Path, feed: Feed, keys: pl.Series, random: np.random.Generator, people: int) -> dict[str, object]:
    """A delivery of the feed; its entry of the ledger."""
    count = max(int(ROWS_PER_PERSON.get(feed.name, 0) * people), FEWEST)
    delivery_id = f"{feed.name}.{PERIOD}.benchmark"
    columns = {item.name: cells(feed, item, keys, count, random) for item in feed.lake_fields}
    rows = pl.DataFrame(columns).with_columns(
        delivery_id=pl.lit(delivery_id), row_number=pl.int_range(2, count + 2), period=pl.lit(PERIOD)
    )
    path = lake / feed.name / f"period={PERIOD}" / f"{delivery_id}.parquet"
    path.parent.mkdir(parents=True)
    rows.write_parquet(path)
    received = datetime(2024, 5, 6)  # noqa: DTZ001 (times of the city)
    return {
        "delivery_id": delivery_id, "feed": feed.name, "mode": feed.mode, "period": PERIOD, "division": None,
        "status": "accepted", "received_at": received, "rows_data": count, "rows_accepted": count,
        "rows_quarantined": 0, "quarantined_by_reason": "{}", "cell_defects_by_reason": "{}", "supplements": None,
    }  # fmt: skip


def cells(feed: Feed, item: LakeField, keys: pl.Series, count: int, random: np.random.Generator) -> pl.Series:
    """Plausible cells of one column."""
    column = feed.column(item.source)
    if column.type == "id":
        return keys.sample(count, with_replacement=count > keys.len(), seed=7)
    if column.type == "code":
        codes = pl.Series(list(load_code_tables()[str(column.code_table)].labels))
        return codes.gather(pl.Series(random.integers(0, codes.len(), count)))
    if column.type == "month":
        return pl.Series([START]).extend_constant(START, count - 1)
    if item.type == "date":
        return pl.Series(random.integers(15000, 19700, count).astype("int32")).cast(pl.Date)
    if item.type in ("decimal", "float"):
        return pl.Series(random.random(count) * 90 + 1)
    if item.type == "int":
        return pl.Series(random.integers(1, 6, count))
    if column.type == "division":
        villages = pl.Series([f"4207021{town:02d}{village:03d}" for town in range(28) for village in range(1, 20)])
        return villages.gather(pl.Series(random.integers(0, villages.len(), count)))
    if column.type == "uscc":
        return pl.select(pl.lit("A") + pl.int_range(count).cast(pl.String).str.zfill(17)).to_series()
    return pl.select(pl.lit("n") + pl.int_range(count).cast(pl.String)).to_series()


def validity(deliveries: pl.DataFrame) -> pl.DataFrame:
    """All of them in force from the month on."""
    nothing = pl.lit(None, pl.String)
    ends = pl.when(pl.col("mode") == "snapshot").then(date(9999, 12, 31)).otherwise(date(2024, 5, 1))
    return deliveries.select(
        "delivery_id", "feed", area=nothing, excepted=nothing, valid_from=pl.lit(START), valid_to=ends
    )


if __name__ == "__main__":
    main()
