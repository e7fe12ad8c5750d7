"""What the warehouse says of a tiny city in which every answer is known."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.slow
Connection = duckdb.DuckDBPyConnection
JANUARY, FEBRUARY, MARCH = (date(2023, month, 1) for month in (1, 2, 3))


def rows(warehouse: Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return warehouse.execute(query, list(values)).fetchall()


def household_of(warehouse: Connection, person: str, month: date) -> str:
    query = "select household_id from identity.household_member_month where person_key = ? and month = ?"
    ((household,),) = rows(warehouse, query, person, month)
    return str(household)


def members(warehouse: Connection, person: str, month: date, counted: bool = True) -> set[str]:
    household = household_of(warehouse, person, month)
    query = """
        select person_key from identity.household_member_month
        where household_id = ? and month = ? and is_counted = ?
    """
    return {key for (key,) in rows(warehouse, query, household, month, counted)}


def test_the_build_and_all_its_tests_pass(built: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    assert built[1].returncode == 0, built[1].stdout[-3000:]


def test_those_who_live_together_are_one_household(warehouse: Connection) -> None:
    assert members(warehouse, "father", JANUARY) == {"father", "mother", "child"}
    assert members(warehouse, "grandma", JANUARY) == {"grandma"}


def test_the_dead_stay_known_and_do_not_count(warehouse: Connection) -> None:
    assert members(warehouse, "mother", FEBRUARY) == {"mother", "child"}
    assert members(warehouse, "mother", FEBRUARY, counted=False) == {"father"}


def test_a_household_keeps_its_identity(warehouse: Connection) -> None:
    assert household_of(warehouse, "child", JANUARY) == household_of(warehouse, "child", MARCH)


def test_whom_only_the_assistance_register_knows_has_a_household(warehouse: Connection) -> None:
    assert members(warehouse, "newcomer", MARCH) == {"newcomer"}


def test_the_layer_follows_the_certificate(warehouse: Connection) -> None:
    query = "select register_layer, area_type from identity.household_month where household_id = ? and month = ?"
    assert rows(warehouse, query, household_of(warehouse, "grandma", MARCH), MARCH) == [("dibao", "rural")]
    assert rows(warehouse, query, household_of(warehouse, "child", MARCH), MARCH) == [("none", "urban")]


def test_a_district_part_supersedes_its_rows_of_the_whole_city_file(warehouse: Connection) -> None:
    query = "select status, delivery_id from identity.hukou_household_member where person_key = ? and valid_from = ?"
    assert rows(warehouse, query, "neighbour", MARCH) == [("1", "population_register.2023-03.c")]
    assert rows(warehouse, query, "grandma", MARCH) == [("1", "population_register.2023-03.b")]


def test_income_counts_without_the_dead_and_knows_a_missing_month(warehouse: Connection) -> None:
    query = """
        select month, income_yuan, is_complete, main_earner_key, observed_12m_count
        from indicators.household_month_income where household_id = ? order by month
    """
    assert rows(warehouse, query, household_of(warehouse, "child", JANUARY)) == [
        (JANUARY, Decimal(5400), True, "father", 1),
        (FEBRUARY, Decimal(0), False, "father", 1),
        (MARCH, Decimal(900), True, "father", 2),
    ]


def test_a_settlement_sent_again_is_spent_once(warehouse: Connection) -> None:
    query = """
        select month, out_of_pocket_yuan, out_of_pocket_12m_yuan, observed_12m_count
        from indicators.household_month_spending where household_id = ? order by month
    """
    assert rows(warehouse, query, household_of(warehouse, "child", JANUARY)) == [
        (JANUARY, Decimal(300), Decimal(300), 1),
        (FEBRUARY, Decimal(0), Decimal(300), 2),
        (MARCH, Decimal(0), Decimal(300), 2),
    ]


def test_the_state_of_a_parent_is_told_with_its_evidence(warehouse: Connection) -> None:
    query = """
        select parent_key, state, state_since, delivery_id, row_number, known_parent_count
        from identity.child_parent_month where child_key = 'child' and month = ? order by parent_key
    """
    assert rows(warehouse, query, JANUARY) == []
    assert rows(warehouse, query, FEBRUARY) == [
        ("father", "dead", date(2023, 2, 7), "death_record.2023-02.b", 2, 2),
        ("mother", None, None, None, None, 2),
    ]


def test_months_of_membership_are_one_row_as_long_as_nothing_changes(warehouse: Connection) -> None:
    query = "select valid_from, valid_to, is_counted from identity.household_member where person_key = ? order by 1"
    assert rows(warehouse, query, "mother") == [(JANUARY, date(9999, 12, 31), True)]
    death = date(2023, 2, 7)
    assert rows(warehouse, query, "father") == [(JANUARY, death, True), (death, date(9999, 12, 31), False)]


def test_household_ids_are_letters_only(warehouse: Connection) -> None:
    ids = rows(warehouse, "select distinct household_id from identity.household_member_month")
    assert ids
    assert all(re.fullmatch("[a-p]{32}", household) for (household,) in ids)
