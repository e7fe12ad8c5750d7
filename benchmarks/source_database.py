"""Fetching a table of a million rows from PostgreSQL: our way whole, and three drivers reading the same text.

Belongs here: the server (that of the tests, on loopback), the table, each way in a process of its own. Run:
``python -m benchmarks.source_database [--rows N]``. Drivers that are not installed are named and left out
(``pip install connectorx 'psycopg[binary]'``; the project itself needs neither).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

MONTH = datetime(2023, 4, 5, tzinfo=UTC)
COLUMNS = [
    *("settlement_no", "id_number", "name", "settled_on", "care_type", "icd10"),
    *("total_cost", "basic_paid", "catastrophic_paid", "medical_aid_paid", "out_of_pocket"),
]
TABLE = """
    CREATE TABLE settlement AS SELECT 'S' || i AS settlement_no, (420702198001010000 + i % 9000)::text AS id_number,
        '王' || chr(19968 + i % 5000) AS name, date '2023-03-01' + i % 30 AS settled_on, (1 + i % 3)::text AS care_type,
        'A0' || i % 9 AS icd10, (i % 100000 / 7.0)::numeric(14, 2) AS total_cost,
        (i % 100000 / 9.0)::numeric(14, 2) AS basic_paid, (i % 1000 / 9.0)::numeric(14, 2) AS catastrophic_paid,
        NULL::numeric(14, 2) AS medical_aid_paid, (i % 1000 / 3.0)::numeric(14, 2) AS out_of_pocket,
        timestamp '2023-03-01' + i * interval '1 second' AS changed_at
    FROM generate_series(1, {rows}) i
"""
STATEMENT = f"SELECT {', '.join(f'CAST({name} AS text) AS {name}' for name in COLUMNS)} FROM settlement"
BATCH_ROWS = 50_000


def address(port: int) -> str:
    return f"postgresql://owner@127.0.0.1:{port}/postgres"


def by_zhaoren(port: int) -> int:
    """The whole fetching: extents, rows in order, JSON Lines, digest, landing, record."""
    from pydantic import TypeAdapter

    from ingestion.source import Sources, fetch

    table = {"feed": "medical_settlement", "table": "settlement", "watermark": "changed_at", "month": "settled_on"}
    described = {"name": "insurance", "kind": "database", "url": address(port), "table": [table]}
    (source,) = TypeAdapter(Sources).validate_python([described])
    with tempfile.TemporaryDirectory() as home:
        report = fetch(source, Path(home), MONTH)
        assert (report.fetched, report.problem) == (1, None), report
        (landed,) = Path(home).glob("landing/*/*/*.jsonl")
        with landed.open("rb") as stream:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))


def by_adbc(port: int) -> Iterator[pl.DataFrame]:
    import adbc_driver_postgresql.dbapi as driver

    with driver.connect(address(port)) as connection, connection.cursor() as cursor:
        cursor.execute(STATEMENT)
        for batch in cursor.fetch_record_batch():
            yield pl.DataFrame(batch)


def by_sqlalchemy(port: int) -> Iterator[pl.DataFrame]:
    import sqlalchemy as sa

    engine = sa.create_engine(address(port).replace("postgresql", "postgresql+psycopg"))
    options = {"stream_results": True, "max_row_buffer": BATCH_ROWS}
    with engine.connect() as connection:
        result = connection.execution_options(**options).execute(sa.text(STATEMENT))
        for rows in result.partitions(BATCH_ROWS):
            yield pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def by_connectorx(port: int) -> Iterator[pl.DataFrame]:
    import connectorx

    for batch in connectorx.read_sql(address(port), STATEMENT, return_type="arrow_stream", batch_size=BATCH_ROWS):
        yield pl.DataFrame(batch)


def written(batches: Iterator[pl.DataFrame]) -> int:
    """The rows as JSON Lines with their digest into a file: what any driver would have to be followed by."""
    rows, digest = 0, hashlib.sha256()
    with tempfile.TemporaryFile() as stream:
        for batch in batches:
            lines = io.BytesIO()
            batch.write_ndjson(lines)
            stream.write(lines.getvalue())
            digest.update(lines.getvalue())
            rows += batch.height
    return rows


READERS: dict[str, tuple[str, Callable[[int], Iterator[pl.DataFrame]]]] = {
    "ADBC": ("adbc_driver_postgresql", by_adbc),
    "ConnectorX": ("connectorx", by_connectorx),
    "SQLAlchemy with psycopg": ("psycopg", by_sqlalchemy),
}


def one_way(way: str, port: int) -> None:
    """Run in its own process: prints rows, seconds without the start, and memory, as JSON."""
    modules = (
        ("ingestion.source", "adbc_driver_postgresql.dbapi", "pydantic") if way == "zhaoren" else (READERS[way][0],)
    )
    for module in modules:
        importlib.import_module(module)
    started, spent = time.perf_counter(), time.process_time()
    rows = by_zhaoren(port) if way == "zhaoren" else written(READERS[way][1](port))
    seconds = {"wall": time.perf_counter() - started, "cpu": time.process_time() - spent}
    print(json.dumps({"rows": rows, **seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def best(way: str, port: int, runs: int) -> str:
    """The best of some runs, each in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.source_database", "--way", way, "--port", str(port)]
    found = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(runs)
    ]
    rows, wall, cpu = found[0]["rows"], min(run["wall"] for run in found), min(run["cpu"] for run in found)
    peak = max(run["peak_mb"] for run in found)
    return f"{rows} rows, {wall:.1f} s wall ({rows / wall:,.0f} rows/s), {cpu:.1f} CPU s, peak {peak:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--way")
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    if given.way:
        one_way(given.way, given.port)
        return
    import adbc_driver_postgresql.dbapi as driver

    from tests.ingestion.source.servers import postgres

    with postgres() as port:
        with driver.connect(address(port), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(TABLE.format(rows=given.rows))
            cursor.execute("ANALYZE settlement")
        for way in ("zhaoren", *READERS):
            missing = way in READERS and importlib.util.find_spec(READERS[way][0]) is None
            print(f"{way}: {'not installed' if missing else best(way, port, given.runs)}", flush=True)


if __name__ == "__main__":
    main()
