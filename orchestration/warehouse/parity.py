"""One data home built on both engines, and every table compared row by row.

Belongs here: the two builds in a folder aside and the comparison of what they left. The models, and what differs
between the engines, belong to ``dbt_project``. What is told names tables, columns and counts, never a value.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import duckdb

from orchestration.home.settings import DataHome
from orchestration.warehouse.dbt import PROJECT, dbt_environment

Engine = Literal["duckdb", "spark"]
ENGINES: tuple[Engine, ...] = ("duckdb", "spark")
WAREHOUSE, SPARK_TABLES = "warehouse.duckdb", "spark"


class ParityError(RuntimeError):
    """One of the engines is not there, or did not build every model; carries names of models only."""


@dataclass(frozen=True)
class Difference:
    """A table in which the engines differ: rows that only one has, and by column how many rows of one key differ."""

    table: str
    rows_duckdb: int
    rows_spark: int
    only_duckdb: int
    only_spark: int
    columns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Parity:
    """What was compared, how long each engine built, and where they differ."""

    tables: int
    published: int
    rows: int
    seconds: Mapping[Engine, float]
    differences: Sequence[Difference]


def why_no_spark() -> str | None:
    """What is missing to run Spark here; ``None`` where all is there."""
    if find_spec("pyspark") is None or find_spec("dbt.adapters.spark") is None:
        return "the extra `spark` is not installed"
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        return "there is no Java"
    return None


def parity_of(home: DataHome, folder: Path, selection: Sequence[str] = ()) -> Parity:
    """Build the models of ``selection`` (none: all) with both engines into ``folder`` and compare their tables."""
    reason = why_no_spark()
    if reason:
        raise ParityError(reason)
    folder.mkdir(parents=True, exist_ok=True)
    seconds: dict[Engine, float] = {}
    for engine in ENGINES:
        started = time.monotonic()
        build(home, folder, engine, selection)
        seconds[engine] = round(time.monotonic() - started, 1)
    nodes = built_tables(folder / "target_duckdb")
    tables = {f"{node['schema']}.{node['name']}": grain for node, grain in nodes}
    with duckdb.connect(str(folder / WAREHOUSE), read_only=True) as connection:
        rows, differences = compared(connection, folder / SPARK_TABLES, tables)
    published = sum(node["access"] == "public" for node, _ in nodes)
    return Parity(len(tables), published, rows, seconds, differences)


def build(home: DataHome, folder: Path, engine: Engine, selection: Sequence[str]) -> None:
    """Run the models on one engine; the data home is only read."""
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "--no-use-colors", "run", "--full-refresh"]
    command += ["--target", engine, "--project-dir", str(PROJECT)]
    command += ["--select", *selection] if selection else []
    places = {
        "ZHAOREN_WAREHOUSE": str(folder / WAREHOUSE),
        "ZHAOREN_SPARK_WAREHOUSE": str(folder / SPARK_TABLES),
        "DBT_TARGET_PATH": str(folder / f"target_{engine}"),
        "DBT_LOG_PATH": str(folder / f"logs_{engine}"),
    }
    environment = {**os.environ, **dbt_environment(home), **places}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    failed = failed_models(folder / f"target_{engine}" / "run_results.json")
    if failed or done.returncode != 0:
        raise ParityError(f"{engine} did not build {', '.join(failed) or 'the models'} (see {folder}/logs_{engine})")


def failed_models(results: Path) -> list[str]:
    """Names of the models that failed; engines word an error with values in it, so no more is told."""
    if not results.is_file():
        return []
    told = json.loads(results.read_text(encoding="utf-8"))["results"]
    return [item["unique_id"].split(".")[-1] for item in told if item["status"] == "error"]


def built_tables(target: Path) -> list[tuple[dict[str, Any], list[str]]]:
    """The tables that a run built, each with the columns of its grain; views are seen through what reads them."""
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    grains = {
        node["attached_node"]: list(node["test_metadata"]["kwargs"]["columns"])
        for node in nodes.values()
        if (node.get("test_metadata") or {}).get("name") == "unique_grain"
    }
    built = [nodes[item["unique_id"]] for item in results if item["unique_id"] in nodes]
    tables = [node for node in built if node["config"]["materialized"] in ("table", "incremental")]
    return [(node, grains.get(node["unique_id"], [])) for node in sorted(tables, key=lambda node: node["unique_id"])]


def compared(
    connection: duckdb.DuckDBPyConnection, spark_tables: Path, tables: Mapping[str, Sequence[str]]
) -> tuple[int, list[Difference]]:
    """Rows compared, and the tables that differ; ``tables`` are names as ``layer.table`` with their grains."""
    rows, differences = 0, []
    for table, grain in tables.items():
        _attach(connection, table, spark_tables)
        counts = _counts(connection)
        rows += counts[0]
        if counts[2] or counts[3]:
            differences.append(Difference(table, *counts, columns=_columns(connection, grain)))
    return rows, differences


def _attach(connection: duckdb.DuckDBPyConnection, table: str, spark_tables: Path) -> None:
    """Views ``one`` and ``other`` of the table, with the columns and types of DuckDB's."""
    schema, name = table.split(".")
    connection.execute(f'create or replace temp view one as select * from "{schema}"."{name}"')
    files = spark_tables / f"{schema}.db" / name
    pattern = str(files / "**" / "*.parquet").replace("'", "''")
    columns = connection.execute("select column_name, column_type from (describe one)").fetchall()
    cast = ", ".join(f'cast("{column}" as {type_}) as "{column}"' for column, type_ in columns)
    # A table of months without a month has no file.
    there = any(files.rglob("*.parquet"))
    source = f"read_parquet('{pattern}', hive_partitioning=true)" if there else "one where false"
    connection.execute(f"create or replace temp view other as select {cast} from {source}")


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int, int]:
    only = "(select count(*) from (select * from {} except all select * from {}))"
    query = "select (select count(*) from one), (select count(*) from other)"
    found = connection.execute(f"{query}, {only.format('one', 'other')}, {only.format('other', 'one')}").fetchone()
    assert found is not None
    return int(found[0]), int(found[1]), int(found[2]), int(found[3])


def _columns(connection: duckdb.DuckDBPyConnection, grain: Sequence[str]) -> dict[str, int]:
    """By column, in how many rows of one key the engines differ; empty where the table states no grain."""
    names = [row[0] for row in connection.execute("select column_name from (describe one)").fetchall()]
    values = [name for name in names if name not in grain]
    if not grain or not values:
        return {}
    same = " and ".join(f'one."{name}" is not distinct from other."{name}"' for name in grain)
    differ = ", ".join(f'count(*) filter (where one."{name}" is distinct from other."{name}")' for name in values)
    found = connection.execute(f"select {differ} from one inner join other on {same}").fetchone()
    assert found is not None
    return {name: count for name, count in zip(values, found, strict=True) if count}
