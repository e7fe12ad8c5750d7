"""What a data home remembers of its last generation, through publication, a kill, and a correction withdrawn again."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from ingestion.in_force import VALIDITY_SCHEMA
from orchestration.assets.deliveries import planned_rebuild
from orchestration.home.generation import mark_unfinished, unfinished_since
from orchestration.home.published import publish
from orchestration.home.settings import DataHome
from orchestration.warehouse.run_plan import RunPlan

JANUARY, MARCH, APRIL, MAY, JUNE = (date(2024, month, 1) for month in (1, 3, 4, 5, 6))
PLAN = RunPlan(JANUARY, MAY, (MAY,), datetime(2024, 6, 12, tzinfo=UTC), JANUARY)
RIGHT, WRONG = ("right", "income_tax", MARCH, APRIL), ("wrong", "income_tax", MARCH, APRIL)


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    """A data home whose only table is published, of one delivery of March."""
    home = DataHome(tmp_path / "home").create()
    with duckdb.connect(str(home.warehouse)) as warehouse:
        warehouse.execute("create schema identity; create table identity.person as select 'a' as person_key")
    in_force(home, RIGHT)
    planned(home)
    publish(home, {"person": "identity"})
    return home


def in_force(home: DataHome, *rows: tuple[str, str, date, date]) -> None:
    names = ("delivery_id", "feed", "valid_from", "valid_to")
    filled = [dict(zip(names, row, strict=True)) for row in rows]
    pl.DataFrame(filled, schema=VALIDITY_SCHEMA).write_parquet(home.reference / "delivery_validity.parquet")


def planned(home: DataHome, plan: RunPlan = PLAN, *, full: bool = False) -> date:
    """Plan a run as its first step does; returns the month from which it builds."""
    since = planned_rebuild(home, plan, full=full).since
    mark_unfinished(home.root, since)
    return since


def test_the_first_run_builds_all_and_the_next_one_only_the_newest_month(home: DataHome) -> None:
    assert unfinished_since(home.root) is None
    assert planned(home) == MAY


def test_a_run_that_does_not_publish_is_built_over_though_its_correction_is_withdrawn(home: DataHome) -> None:
    in_force(home, WRONG)
    assert planned(home) == MARCH
    in_force(home, RIGHT)
    assert planned(home) == MARCH
    publish(home, {"person": "identity"})
    assert planned(home) == MAY


def test_what_was_published_is_what_was_planned_not_what_came_meanwhile(home: DataHome) -> None:
    assert planned(home, replace(PLAN, last_month=JUNE)) == JUNE
    in_force(home, WRONG)
    publish(home, {"person": "identity"})
    assert planned(home, replace(PLAN, last_month=JUNE)) == MARCH


def test_without_its_warehouse_file_or_asked_for_it_all_is_built(home: DataHome) -> None:
    assert planned(home, full=True) == JANUARY
    publish(home, {"person": "identity"})
    home.warehouse.unlink()
    assert planned(home) == JANUARY
