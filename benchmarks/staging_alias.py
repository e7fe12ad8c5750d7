"""What it costs that staging resolves merged persons: the same tables with and without, in one process.

Belongs here: three staging models over a lake made for it, compiled by dbt, against the same SQL that reads the lake
as it is. Run: ``.venv/bin/python -m benchmarks.staging_alias [--rows N]``.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from ingestion.lake import lake_schema
from models.contract import load_feeds

PROJECT = Path(__file__).parent.parent / "dbt_project"
FEEDS = {
    "medical_settlement": "stg_medical_insurance__medical_settlement",
    "population_register": "stg_public_security__population_register",
    "assistance_register": "stg_civil_affairs__assistance_register",
}
REPEATS = 5


def write_lake(folder: Path, rows: int, merged: int) -> None:
    """Deliveries of six months with random persons of a million, and as many merged persons as asked for."""
    rng = np.random.default_rng(11)
    people = pl.Series([f"p{number}" for number in range(1_000_000)])
    moment = {"decided_at": pl.Datetime("us")}
    reference = folder / "reference"
    reference.mkdir()
    validity = []
    for feed in FEEDS:
        schema = lake_schema(load_feeds()[feed])
        for month in range(1, 7):
            period = f"2023-{month:02d}"
            delivery_id = f"{feed}.{period}.a"
            size = rows // 6
            keys = {name: people[rng.integers(0, len(people), size)] for name in schema if name.endswith("_key")}
            frame = pl.DataFrame({"row_number": np.arange(size), **keys}).with_columns(
                pl.lit(delivery_id).alias("delivery_id"), pl.lit(period).alias("period")
            )
            missing = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in frame.columns]
            path = folder / "lake" / feed / f"period={period}" / f"{delivery_id}.parquet"
            path.parent.mkdir(parents=True)
            frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in schema.items()).write_parquet(
                path
            )
            validity.append((delivery_id, feed, None, None, None, date(2023, month, 1), date(2023, month, 28)))
    names = ("delivery_id", "feed", "division", "area", "excepted", "valid_from", "valid_to")
    kinds = {**dict.fromkeys(names[:5], pl.String), "valid_from": pl.Date, "valid_to": pl.Date}
    pl.DataFrame(validity, schema=kinds, orient="row").write_parquet(reference / "delivery_validity.parquet")
    told = [(people[at], people[at + 500_000], datetime(2023, 1, 1)) for at in range(merged)]  # noqa: DTZ001
    alias = {"person_key": pl.String, "resolved_key": pl.String, **moment}
    pl.DataFrame(told, schema=alias, orient="row").write_parquet(reference / "person_alias.parquet")
    rows_alias = {"delivery_id": pl.String, "row_number": pl.Int64, "column_name": pl.String, "resolved_key": pl.String}
    pl.DataFrame([], schema={**rows_alias, **moment}).write_parquet(reference / "person_row_alias.parquet")


def compiled(folder: Path) -> dict[str, str]:
    """SQL of the models as dbt sends it."""
    environment = os.environ | {
        "ZHAOREN_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "ZHAOREN_LAKE": str(folder / "lake"),
        "ZHAOREN_REFERENCE": str(folder / "reference"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command = [str(Path(sys.executable).parent / "dbt"), "compile", "--select", *FEEDS.values()]
    command += ["--profiles-dir", str(PROJECT), "--project-dir", str(PROJECT)]
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=PROJECT)
    folder_of = folder / "target" / "compiled" / "zhaoren" / "models" / "staging"
    return {feed: (folder_of / f"{name}.sql").read_text(encoding="utf-8") for feed, name in FEEDS.items()}


def plain(sql: str) -> str:
    """The same model reading the lake as it is."""
    source = re.search(r"from (read_parquet\([^\n]*?\)) as delivered_row", sql)
    assert source is not None
    return re.sub(r"delivered as \(.*?\n\),\n\nvalidity", f"delivered as (select * from {source[1]}),\n\nvalidity", sql,
                  count=1, flags=re.DOTALL)  # fmt: skip


def seconds(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    start = time.process_time()
    connection.execute(f"create or replace temp table made as {sql}")
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6_000_000)
    arguments = parser.parse_args()
    for merged in (0, 1000):
        with tempfile.TemporaryDirectory() as name, duckdb.connect() as connection:
            write_lake(Path(name), arguments.rows, merged)
            connection.execute("set threads = 2; set preserve_insertion_order = false")
            for feed, sql in compiled(Path(name)).items():
                # In turn, so that a busy moment of the machine meets both.
                pairs = [(seconds(connection, sql), seconds(connection, plain(sql))) for _ in range(REPEATS)]
                ours, bare = (sorted(times)[REPEATS // 2] for times in zip(*pairs, strict=True))
                print(f"{merged:5} merged  {feed:22} {ours:6.2f} CPU s, plain {bare:6.2f}, ratio {ours / bare:.2f}")


if __name__ == "__main__":
    main()
