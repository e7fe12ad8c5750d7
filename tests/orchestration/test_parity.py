"""What the comparison of both engines' tables tells: which table, which column, how many rows, and no value.

Belongs here: the comparison over written tables. The two builds themselves are a job of their own (``.ci/parity``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import duckdb
import pytest

from orchestration.warehouse.parity import Difference, compared

ROWS = [("a", "2024-01-01", "1.50", "[{'n': 1}]"), ("b", "2024-01-01", None, "[]"), ("b", "2024-02-01", "2.00", "[]")]
GRAIN = {"identity.income": ["person_key", "month"]}
COLUMNS = "person_key varchar, month date, income_yuan decimal(14, 2), evidence struct(n integer)[]"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"create schema identity; create table identity.income ({COLUMNS})")
        connection.executemany("insert into identity.income values (?, ?, ?, ?)", ROWS)
        yield connection


def as_spark_left_it(connection: duckdb.DuckDBPyConnection, folder: Path, query: str) -> Path:
    """The tables of Spark's warehouse: a folder a month, one file each, the month only in the folder's name."""
    (folder / "identity.db").mkdir()
    target = folder / "identity.db" / "income"
    connection.execute(f"copy ({query}) to '{target}' (format parquet, partition_by (month))")
    return folder


def test_equal_tables_do_not_differ(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # Another order, and another whole number for the same one, are no difference.
    query = "select * replace (cast(income_yuan as decimal(20, 4)) as income_yuan) from identity.income order by 1 desc"
    assert compared(warehouse, as_spark_left_it(warehouse, tmp_path, query), GRAIN) == (3, [])


def test_a_cent_is_told_with_its_column(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    other = "case when person_key = 'a' then 1.51 else income_yuan end"
    query = f"select * replace ({other} as income_yuan) from identity.income"
    told = compared(warehouse, as_spark_left_it(warehouse, tmp_path, query), GRAIN)
    assert told == (3, [Difference("identity.income", 3, 3, 1, 1, {"income_yuan": 1})])
    assert "1.5" not in str(asdict(told[1][0]))


def test_a_row_twice_and_a_row_missing_are_told(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    twice = "select * from identity.income where person_key = 'a'"
    query = f"{twice} union all {twice} union all select * from identity.income where month = '2024-02-01'"
    told = compared(warehouse, as_spark_left_it(warehouse, tmp_path, query), GRAIN)
    assert told == (3, [Difference("identity.income", 3, 3, 1, 1, {})])


def test_a_table_without_files_has_no_rows(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert compared(warehouse, tmp_path, GRAIN) == (3, [Difference("identity.income", 3, 0, 3, 0, {})])
    warehouse.execute("delete from identity.income")
    assert compared(warehouse, tmp_path, GRAIN) == (0, [])
