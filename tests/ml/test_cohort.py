"""Labels by hand-made cases and near misses; embargo and reporting delay."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from ml.cohort import cohort, label, reporting_delay
from ml.experiment import Experiment

T = date(2023, 6, 1)
LATE = date(2024, 6, 1)
SCHEMA = {"household_id": pl.String, "event": pl.String, "event_month": pl.Date, "observed_month": pl.Date}


def events(*rows: tuple[str, str, date, date]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def outcome(experiment: Experiment, table: pl.DataFrame, as_of: date = LATE, month: date = T) -> str:
    rows = pl.DataFrame({"household_id": ["h"], "month": [month]})
    found: str = label(rows, table, experiment, as_of, 1)["outcome"][0]
    return found


def month(number: int) -> date:
    return date(2023, number, 1)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (events(("h", "register", month(7), month(7))), "entered"),
        (events(("h", "register", month(9), month(10))), "entered"),
        (events(("h", "payment", month(8), month(8))), "entered"),
        (events(("h", "visit", month(8), month(8))), "entered"),
        # near misses: a month too late, another household, temporary aid only, long ago
        (events(("h", "register", month(10), month(10))), "stayed"),
        (events(("k", "register", month(8), month(8))), "stayed"),
        (events(("h", "visit_temporary", month(8), month(8))), "stayed"),
        (events(("h", "register", month(2), month(3))), "stayed"),
        (events(), "stayed"),
        # gone without an entry is censored, not negative; an entry before leaving counts
        (events(("h", "departed", month(8), month(8))), "censored"),
        (events(("h", "departed", month(10), month(10))), "stayed"),
        (events(("h", "register", month(7), month(7)), ("h", "departed", month(8), month(8))), "entered"),
        # approved in the month itself, but not in the data yet: nothing can be learnt from this row
        (events(("h", "register", month(6), month(7))), "pending"),
        (events(("h", "register", month(5), month(6))), "stayed"),
    ],
)
def test_outcome_of_a_household_month(experiment: Experiment, table: pl.DataFrame, expected: str) -> None:
    assert outcome(experiment, table) == expected


def test_an_entry_observed_after_the_as_of_month_is_unknown(experiment: Experiment) -> None:
    table = events(("h", "register", month(9), date(2023, 12, 1)))
    assert outcome(experiment, table, as_of=date(2023, 11, 1)) == "stayed"
    assert outcome(experiment, table, as_of=date(2023, 12, 1)) == "entered"


def test_a_label_matures_after_horizon_and_embargo(experiment: Experiment) -> None:
    assert outcome(experiment, events(), as_of=month(9)) == "unmatured"
    assert outcome(experiment, events(), as_of=month(10)) == "stayed"


def test_delay_sets_the_embargo_within_its_bounds(experiment: Experiment) -> None:
    told = [("a", "register", month(n), month(n + 2)) for n in range(3, 8)]
    known = events(("z", "register", date(2019, 1, 1), month(3)), *told)
    assert reporting_delay(known, experiment).months == 2
    assert reporting_delay(known, experiment).entries == 5  # the old stock says nothing about delay
    slow = events(*[("a", "register", month(1), month(12)), ("b", "register", month(1), month(1))])
    assert reporting_delay(slow, experiment).months == experiment.embargo_longest_months
    assert reporting_delay(events(), experiment).months == experiment.embargo_months


def test_cohort_leaves_out_assisted_households_and_knows_capacity(experiment: Experiment) -> None:
    features = pl.DataFrame(
        {
            "household_id": [f"h{chr(97 + n)}" for n in range(26)],
            "month": [T] * 26,
            "township_code": ["a"] * 26,
            "is_on_assistance": [True] + [False] * 25,
            "visit_capacity_count": [1] * 26,
        }
    )
    rows = cohort(features, experiment)
    assert rows.height == 25
    assert rows["capacity"].unique().to_list() == [1]  # five per cent would be two, the workers can visit one
    assert cohort(features.drop("visit_capacity_count"), experiment)["capacity"].unique().to_list() == [2]


def test_only_declared_events_are_entries(experiment: Experiment) -> None:
    wider = replace(experiment, entry_events=("visit_temporary",))
    assert outcome(wider, events(("h", "visit_temporary", month(8), month(8)))) == "entered"
    assert outcome(wider, events(("h", "register", month(8), month(8)))) == "stayed"
