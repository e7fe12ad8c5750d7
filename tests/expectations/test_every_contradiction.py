"""Every contradiction between departments as a check: a share beyond what is allowed, and one just allowed. Each one
switched off in the catalogue leaves exactly its own case unanswered.

The statement is that of the warehouse (``quality.check_result``) over made-up tables. Who contradicts whom is found by
``identity.contradiction``, tested over the tiny city (``tests/dbt_project``).
"""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from models.quality import ContradictionCheck, load_contradiction_checks
from models.quality.tables import contradiction_check_table

MODEL = Path(__file__).parents[2] / "dbt_project" / "models" / "quality" / "check_result.sql"
MONTH, LATER = date(2024, 3, 1), date(9999, 12, 31)
COMPARED = 1000
CHECKS = load_contradiction_checks()
NAMED = re.compile(r"\{\{\s*(?:ref|source)\((?:'reference',\s*)?'(\w+)'\)\s*\}\}")
EMPTY = {
    "check_result": "check_id, feed_or_table, delivery_id, period, dimension, class, state",
    "check": "check_id, owner",
    "check_waiver": "waiver_id, check_id, division",
    "check_explanation": "explanation_id, check_id",
    "delivery": "delivery_id, division, status, supersedes",
}


def statement() -> str:
    """The model over tables of the same names; what is read of ingestion's results has a name of its own."""
    sql = NAMED.sub(lambda found: f'"{found.group(1)}"', MODEL.read_text(encoding="utf-8"))
    assert "{{" not in sql, "another macro: give it here what it stands for"
    return sql


def told(case: ContradictionCheck, *, beyond: bool) -> int:
    """How many of the thousand compared are contradicted."""
    return math.floor(round(case.threshold * COMPARED, 6)) + beyond


@pytest.fixture(scope="module")
def tables() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name, columns in EMPTY.items():
        typed = ", ".join(f"{column} varchar" for column in columns.split(", "))
        connection.execute(f'create table "{name}" ({typed})')
    connection.execute(
        "alter table check_waiver add column month_from date; alter table check_waiver add month_to date"
    )
    connection.execute("alter table check_explanation add column month date")
    for column in ("numerator bigint", "denominator bigint", "threshold double"):
        connection.execute(f"alter table check_result add column {column}")
    connection.register("run_month", pl.DataFrame({"month": [MONTH]}))
    feeds = sorted({case.feed for case in CHECKS})
    connection.register("feed", pl.DataFrame({"feed": feeds, "department": feeds}))
    pairs = {(case.compared, "any" if case.compared == "registered" else case.feed) for case in CHECKS}
    rows = [(compared, feed, MONTH, COMPARED) for compared, feed in sorted(pairs)]
    compared = pl.DataFrame(rows, schema=["compared", "feed", "month", "row_count"], orient="row")
    connection.register("compared_month", compared)
    return connection


def failed(tables: duckdb.DuckDBPyConnection, *, beyond: bool, without: str = "") -> set[str]:
    rows = [
        (case.contradiction, case.feed, f"p{number}", MONTH, LATER)
        for case in CHECKS
        for number in range(told(case, beyond=beyond))
    ]
    names = {"contradiction": pl.String, "source_b": pl.String, "person_key": pl.String}
    frame = pl.DataFrame(rows, schema={**names, "known_from": pl.Date, "known_to": pl.Date}, orient="row")
    checks = contradiction_check_table().filter(pl.col("check_id") != without)
    tables.register("contradiction", frame)
    tables.register("contradiction_check", checks)
    found = tables.execute(f"select check_id, state from ({statement()})").fetchall()
    assert {check_id for check_id, _ in found} == {case.check_id for case in CHECKS} - {without}
    return {check_id for check_id, state in found if state == "failed"}


def test_each_one_fails_beyond_what_is_allowed_and_passes_at_it(tables: duckdb.DuckDBPyConnection) -> None:
    assert failed(tables, beyond=True) == {case.check_id for case in CHECKS}
    assert failed(tables, beyond=False) == set()


@pytest.mark.parametrize("case", CHECKS, ids=lambda case: case.check_id)
def test_switched_off_exactly_its_own_case_goes_unanswered(
    tables: duckdb.DuckDBPyConnection, case: ContradictionCheck
) -> None:
    every = {one.check_id for one in CHECKS}
    assert every - failed(tables, beyond=True, without=case.check_id) == {case.check_id}
