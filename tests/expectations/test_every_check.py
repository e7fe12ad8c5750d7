"""Every check of the catalogue: one planted defect that it alone finds, one near miss that nothing finds.

So each check that is switched off makes exactly its own case fail (``test_a_check_switched_off…`` does switch off).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.expectations import planted as rows

Found = dict[str, set[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[rows.Planted, Path]:
    planted, lake = rows.planted(), tmp_path_factory.mktemp("lake")
    rows.write_lake(planted, lake)
    return planted, lake


@pytest.fixture(scope="module")
def found(made: tuple[rows.Planted, Path]) -> Found:
    """Failed checks by delivery, of all feeds."""
    planted, lake = made
    return {key: value for feed in rows.FEEDS for key, value in rows.failing_by_case(planted, lake, feed).items()}


def red(planted: rows.Planted, found: Found) -> set[str]:
    """Checks whose defect or near miss is not answered as it should be."""
    return {
        case.about
        for case in planted.cases
        if case.delivery_id in found and found[case.delivery_id] != ({case.fires} if case.fires else set())
    }


def test_each_defect_is_found_by_its_check_alone(made: tuple[rows.Planted, Path], found: Found) -> None:
    planted, _ = made
    wrong = {
        (case.about, case.fires is not None): sorted(found[case.delivery_id])
        for case in planted.cases
        if found[case.delivery_id] != ({case.fires} if case.fires else set())
    }
    assert wrong == {}
    assert {case.fires for case in planted.cases} - {None} == set(rows.row_checks())


def test_each_check_switched_off_turns_its_own_case_red(made: tuple[rows.Planted, Path], found: Found) -> None:
    planted, _ = made
    for check_id in rows.row_checks():
        without = {key: value - {check_id} for key, value in found.items()}
        assert red(planted, without) == {check_id}


@pytest.mark.parametrize(("feed", "check_id"), [("death_record", "death_record.cremated_after_death")])
def test_a_check_switched_off_in_the_catalogue(made: tuple[rows.Planted, Path], feed: str, check_id: str) -> None:
    planted, lake = made
    assert red(planted, rows.failing_by_case(planted, lake, feed, without=check_id)) == {check_id}
