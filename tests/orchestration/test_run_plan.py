"""Which months a run takes up."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from models.calendar import months_between
from orchestration.home.generation import Rebuild
from orchestration.home.operations import Operations
from orchestration.warehouse.run_plan import (
    NothingToRunError,
    parse_month,
    plan_run,
    read_plan,
    with_rebuild,
    write_plan,
)

NOW = datetime(2024, 7, 12, tzinfo=UTC)
EARLY, LATE = datetime(2024, 4, 9, tzinfo=UTC), datetime(2024, 7, 9, tzinfo=UTC)


def ledger(*rows: tuple[str, str, datetime]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["status", "period", "received_at"], orient="row")


DELIVERIES = ledger(("accepted", "2024-03", EARLY), ("rejected", "2024-01", EARLY), ("accepted", "2024-06", LATE))


def test_every_month_from_the_first_accepted_delivery_is_open() -> None:
    plan = plan_run(DELIVERIES, frozenset(), None, NOW)
    assert plan.months == tuple(months_between(date(2024, 3, 1), date(2024, 6, 1)))


def test_months_done_are_not_written_again() -> None:
    plan = plan_run(DELIVERIES, frozenset(months_between(date(2024, 3, 1), date(2024, 5, 1))), None, NOW)
    assert plan.months == (date(2024, 6, 1),)
    assert plan.first_month == date(2024, 3, 1)


def test_with_nothing_open_the_newest_month_is_done_again() -> None:
    plan = plan_run(DELIVERIES, frozenset(months_between(date(2024, 3, 1), date(2024, 6, 1))), None, NOW)
    assert plan.months == (date(2024, 6, 1),)


def test_deliveries_after_the_as_of_time_do_not_count() -> None:
    assert plan_run(DELIVERIES, frozenset(), None, EARLY).last_month == date(2024, 3, 1)


def test_a_month_asked_for_is_the_only_one() -> None:
    plan = plan_run(DELIVERIES, frozenset(), date(2024, 5, 1), NOW)
    assert (plan.months, plan.last_month) == ((date(2024, 5, 1),), date(2024, 5, 1))


def test_a_slip_in_a_file_name_does_not_stretch_the_run() -> None:
    slips = pl.concat([DELIVERIES, ledger(("accepted", "2099-01", LATE), ("accepted", "1990-01", LATE))])
    plan = plan_run(slips, frozenset(), None, NOW)
    assert (plan.first_month, plan.last_month) == (date(2024, 3, 1), date(2024, 6, 1))
    with pytest.raises(NothingToRunError):
        plan_run(ledger(("accepted", "2099-01", LATE)), frozenset(), None, NOW)


def test_going_back_to_a_month_keeps_the_later_ones_in_the_tables() -> None:
    plan = plan_run(DELIVERIES, frozenset(months_between(date(2024, 3, 1), date(2024, 6, 1))), date(2024, 4, 1), NOW)
    assert (plan.months, plan.last_month) == ((date(2024, 4, 1),), date(2024, 6, 1))


@pytest.mark.parametrize("month", [None, date(2024, 2, 1)])
def test_no_delivery_no_run(month: date | None) -> None:
    deliveries = DELIVERIES if month else ledger(("rejected", "2024-01", EARLY))
    with pytest.raises(NothingToRunError):
        plan_run(deliveries, frozenset(), month, NOW)


DONE = frozenset(months_between(date(2024, 3, 1), date(2024, 6, 1)))


def test_months_that_a_correction_touches_get_their_lists_again_and_only_those() -> None:
    rebuild = Rebuild(date(2024, 5, 1), ("correction of income_tax 2024-05",), date(2024, 5, 1))
    plan = with_rebuild(plan_run(DELIVERIES, DONE, None, NOW), rebuild, None)
    assert plan.months == (date(2024, 5, 1), date(2024, 6, 1))
    assert (plan.rebuild_from, plan.is_full) == (date(2024, 5, 1), False)


def test_tables_made_anew_by_other_code_leave_the_lists_of_months_done() -> None:
    plan = with_rebuild(plan_run(DELIVERIES, DONE, None, NOW), Rebuild(date(2024, 3, 1), ("another code",)), None)
    assert plan.months == (date(2024, 6, 1),)
    assert plan.is_full


def test_a_month_asked_for_is_the_only_one_though_more_are_touched() -> None:
    month = date(2024, 4, 1)
    rebuild = Rebuild(date(2024, 3, 1), ("correction of income_tax 2024-03",), date(2024, 3, 1))
    assert with_rebuild(plan_run(DELIVERIES, DONE, month, NOW), rebuild, month).months == (month,)


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    rebuild = Rebuild(date(2024, 5, 1), ("correction of income_tax 2024-05",), date(2024, 5, 1))
    plan = with_rebuild(plan_run(DELIVERIES, frozenset(), None, NOW), rebuild, None)
    write_plan(plan, "policy", "code", tmp_path / "run.parquet")
    assert read_plan(tmp_path / "run.parquet") == plan


@pytest.mark.usefixtures("both_places")
def test_only_a_run_that_ended_well_makes_its_months_done(tmp_path: Path) -> None:
    operations = Operations(tmp_path / "operations.db")
    months = (parse_month("2024-03"), parse_month("2024-04"))
    failed = operations.begin(months, NOW, "policy", "code")
    operations.finish(failed, failed_step="alerts")
    assert operations.months_done() == frozenset()
    operations.finish(operations.begin(months, NOW, "policy", "code"))
    assert operations.months_done() == frozenset(months)
    assert [run.status for run in operations.last_runs()] == ["done", "failed"]


@pytest.mark.usefixtures("both_places")
def test_a_run_is_done_with_the_months_that_it_wrote_and_touched_months_are_open_again(tmp_path: Path) -> None:
    operations = Operations(tmp_path / "operations.db")
    march, april, may = (date(2024, month, 1) for month in (3, 4, 5))
    operations.finish(operations.begin((march,), NOW, "policy", "code"), None, (march, april, may))
    assert operations.months_done() == {march, april, may}
    operations.reopen(april)
    assert operations.months_done() == {march}
