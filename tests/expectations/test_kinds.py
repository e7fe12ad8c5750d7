"""From the lake to the result: kinds whose numbers are counted there, and what holds a delivery.

Every check has its own defect and near miss in ``test_every_check`` and ``test_every_number``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations import deliveries_to_hold, validate_deliveries
from tests.expectations.city import AS_OF, FEEDS, City, clean_city, clean_rows, month_start, months, person

PERIOD = months(1)[0]
Change = Callable[[City], None]


@dataclass(frozen=True)
class Case:
    """``breaks`` makes exactly ``fires`` fail; ``near`` makes nothing fail."""

    name: str
    feeds: tuple[str, ...]
    fires: str
    breaks: Change
    near: Change
    month_count: int = 1


def set_cells(feed: str, count: int, **cells: Any) -> Change:
    """Give the first ``count`` rows of the last delivery these cells."""

    def change(city: City) -> None:
        rows = city.rows(feed)
        city.rewrite(feed, [{**row, **cells} if number < count else row for number, row in enumerate(rows)])

    return change


def set_ledger(feed: str, **values: Any) -> Change:
    return lambda city: city.last(feed).update(values)


def quarantine(feed: str, **reasons: int) -> Change:
    return lambda city: city.quarantine(city.last(feed)["delivery_id"], reasons)


def quarantined_under_another_reason(city: City) -> None:
    city.quarantine(city.last("pension_payment")["delivery_id"], {"id_invalid": 1})
    city.last("pension_payment")["quarantined_by_reason"] = '{"code_unknown": 1}'


def second_district(person_number: int) -> Change:
    """The register comes in two parts; one person of the second part is given."""

    def change(city: City) -> None:
        city.last("assistance_register")["division"] = "420702"
        city.validity[-1]["area"] = "420702"
        row = clean_rows("assistance_register", PERIOD, 60)[person_number]
        other = {**row, "certificate_no": "another", "division": "420703001001"}
        city.deliver("assistance_register", PERIOD, [other], division="420703")

    return change


def few_of_one_person(city: City) -> None:
    rows = clean_rows("medical_settlement", PERIOD, 19)
    city.rewrite("medical_settlement", [{**row, "person_key": person(0)} for row in rows])


def nothing(city: City) -> None:
    """The near miss is the clean city."""


START = month_start(PERIOD)
# The first moment after the tenth of the following month.
AFTER_DUE = datetime.combine(month_start("2024-05") + timedelta(days=10), datetime.min.time())
POPULATION = ("population_register",)
PENSION = ("pension_payment",)

CASES = [
    Case(
        "not_constant",
        ("medical_settlement",),
        "medical_settlement.not_constant.person_key",
        set_cells("medical_settlement", 21, person_key=person(0)),
        set_cells("medical_settlement", 20, person_key=person(0)),
    ),
    Case(
        "in_period",
        ("medical_settlement",),
        "medical_settlement.events_in_month",
        set_cells("medical_settlement", 21, settled_on=START - timedelta(days=32)),
        set_cells("medical_settlement", 40, settled_on=START - timedelta(days=31)),
    ),
    Case(
        "no_match between districts",
        ("assistance_register",),
        "assistance_register.listed_by_one_district",
        second_district(3),
        second_district(50),
    ),
    Case(
        "lake_equals_ledger",
        PENSION,
        "pension_payment.lake_equals_ledger",
        set_ledger("pension_payment", rows_accepted=41, rows_data=41),
        nothing,
    ),
    Case(
        "quarantine_equals_ledger",
        PENSION,
        "pension_payment.quarantine_equals_ledger",
        quarantined_under_another_reason,
        quarantine("pension_payment", id_invalid=1, code_unknown=1),
    ),
    Case(
        "total_steady",
        PENSION,
        "pension_payment.total_steady.amount",
        set_cells("pension_payment", 40, amount=301.0),
        set_cells("pension_payment", 40, amount=300.0),
        month_count=7,
    ),
    Case(
        "filled_share_steady",
        ("social_insurance",),
        "social_insurance.filled_share_steady.employer_name",
        set_cells("social_insurance", 7, employer_name=None),
        set_cells("social_insurance", 6, employer_name=None),
        month_count=7,
    ),
    Case(
        "code_mix_steady",
        PENSION,
        "pension_payment.code_mix_steady.pension_type",
        set_cells("pension_payment", 14, pension_type="2"),
        set_cells("pension_payment", 12, pension_type="2"),
        month_count=7,
    ),
]


def failures(city: City, feeds: tuple[str, ...]) -> pl.DataFrame:
    """Failed results of a city that has these feeds (and the deaths, where delivered)."""
    ledger = city.write()
    known = {name: FEEDS[name] for name in {*feeds, *ledger["feed"]}}
    results = validate_deliveries(city.lake, ledger, known, city.reference, city.home / "results", AS_OF)
    return results.filter(pl.col("state") == "failed")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_this_check_fires(case: Case, tmp_path: Path) -> None:
    city = clean_city(tmp_path, case.feeds, case.month_count)
    case.breaks(city)
    assert set(failures(city, case.feeds)["check_id"]) == {case.fires}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_near_miss_fires_nothing(case: Case, tmp_path: Path) -> None:
    city = clean_city(tmp_path, case.feeds, case.month_count)
    case.near(city)
    assert failures(city, case.feeds)["check_id"].to_list() == []


MEDICAL = "medical_settlement"
GRAVE = {
    "one person everywhere": (MEDICAL, set_cells(MEDICAL, 40, person_key=person(0)), 1),
    "another year's events": (MEDICAL, set_cells(MEDICAL, 40, settled_on=date(2022, 1, 5)), 1),
    "amounts in cents": ("pension_payment", set_cells("pension_payment", 40, amount=20000.0), 7),
    "amounts in ten thousands": ("pension_payment", set_cells("pension_payment", 40, amount=0.02), 7),
}
NOT_GRAVE = {
    "nearly one person everywhere": (MEDICAL, set_cells(MEDICAL, 39, person_key=person(0)), 1),
    "some events of the year": (MEDICAL, set_cells(MEDICAL, 39, settled_on=date(2022, 1, 5)), 1),
    "much more money": ("pension_payment", set_cells("pension_payment", 40, amount=19999.0), 7),
    "few rows of one person": (MEDICAL, few_of_one_person, 1),
}


@pytest.mark.parametrize("name", GRAVE)
def test_a_grave_defect_holds_the_delivery(name: str, tmp_path: Path) -> None:
    feed, change, month_count = GRAVE[name]
    city = clean_city(tmp_path, (feed,), month_count)
    change(city)
    failed = failures(city, (feed,))
    held = city.last(feed)["delivery_id"]
    assert deliveries_to_hold(failed)["delivery_id"].to_list() == [held]
    assert deliveries_to_hold(failed, released=[held]).is_empty()


@pytest.mark.parametrize("name", NOT_GRAVE)
def test_less_than_grave_does_not_hold(name: str, tmp_path: Path) -> None:
    feed, change, month_count = NOT_GRAVE[name]
    city = clean_city(tmp_path, (feed,), month_count)
    change(city)
    assert deliveries_to_hold(failures(city, (feed,))).is_empty()


def test_strangers_alone_are_another_citys_file(tmp_path: Path) -> None:
    city = clean_city(tmp_path, ("population_register", "pension_payment"))
    strangers = [
        {**row, "person_key": "stranger" + row["person_key"]} for row in clean_rows("pension_payment", PERIOD, 60)
    ]
    city.rewrite("pension_payment", strangers)
    failed = failures(city, ("population_register", "pension_payment"))
    assert deliveries_to_hold(failed)["check_ids"].to_list() == [["pension_payment.person_known"]]
