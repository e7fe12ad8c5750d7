"""Merged persons and rows taken away: after staging every table knows the keys of today alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from ingestion.linkage.resolve import ALIAS_SCHEMA, ROW_ALIAS_SCHEMA
from tests.dbt_project.conftest import BORN, DELIVERIES, JANUARY, MARCH, dbt, published, write_lake, write_reference

AT = datetime(2023, 2, 1, tzinfo=UTC)
# Grandma is the newcomer, who has rows elsewhere; mother and father stand in one delivery; the first wage of
# January was somebody's without a number.
ALIAS = [("grandma", "newcomer", AT), ("mother", "father", AT)]
ROW_ALIAS = [("income_tax.2023-01.a", 2, "person_key", "unnumbered", AT)]


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("aliases")
    write_lake(folder / "lake", DELIVERIES)
    write_reference(folder / "reference", DELIVERIES, BORN, JANUARY, MARCH)
    write_aliases(folder / "reference")
    outcome = dbt(folder, "run", "--select", "staging", "+person", "person_alias")
    assert outcome.returncode == 0, outcome.stdout[-3000:]
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        yield connection


def write_aliases(reference: Path) -> None:
    tables = {"person_alias": (ALIAS, ALIAS_SCHEMA), "person_row_alias": (ROW_ALIAS, ROW_ALIAS_SCHEMA)}
    for name, (rows, schema) in tables.items():
        table = pl.DataFrame(rows, schema=schema, orient="row").with_columns(published("decided_at"))
        table.write_parquet(reference / f"{name}.parquet")


def told(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


def test_a_merged_key_is_seen_nowhere(resolved: duckdb.DuckDBPyConnection) -> None:
    views = told(resolved, """
        select table_name, column_name from information_schema.columns
        where table_schema = 'staging' and column_name like '%_key' and column_name <> 'certificate_key'
    """)  # fmt: skip
    assert len(views) > 26
    for view, column in views:
        gone = told(resolved, f"select count(*) from staging.{view} where {column} in ('grandma', 'mother')")
        assert gone == [(0,)], view


def test_every_column_of_a_row_is_resolved(resolved: duckdb.DuckDBPyConnection) -> None:
    register = told(resolved, """
        select distinct certificate_no, applicant_key, person_key
        from staging.stg_civil_affairs__assistance_register order by 1
    """)  # fmt: skip
    assert register == [("C1", "newcomer", "newcomer"), ("C2", "newcomer", "newcomer")]


def test_of_two_rows_of_a_register_that_of_the_surviving_key_counts(resolved: duckdb.DuckDBPyConnection) -> None:
    heads = told(resolved, """
        select delivery_id, relation_to_head, count(*) from staging.stg_public_security__population_register
        where person_key = 'father' group by all order by all
    """)  # fmt: skip
    assert {(relation, count) for _, relation, count in heads} == {("02", 1)}


def test_a_row_taken_away_is_about_another(resolved: duckdb.DuckDBPyConnection) -> None:
    wages = told(resolved, "select row_number, person_key from staging.stg_taxation__income_tax order by period, 1")
    assert wages == [(2, "unnumbered"), (3, "father"), (2, "father")]


def test_a_merged_person_has_birth_date_and_sex_of_the_surviving_number(resolved: duckdb.DuckDBPyConnection) -> None:
    persons = dict(told(resolved, "select person_key, born_on from identity.person"))
    assert persons["newcomer"] == BORN["newcomer"]
    assert persons["father"] == BORN["father"]
    assert "grandma" not in persons
    assert persons["unnumbered"] is None


def test_keys_given_out_earlier_resolve(resolved: duckdb.DuckDBPyConnection) -> None:
    aliases = told(resolved, "select person_key, resolved_key from identity.person_alias order by 1")
    assert aliases == [("grandma", "newcomer"), ("mother", "father")]
