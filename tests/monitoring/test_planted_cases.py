"""The cases known to lie in the sample city are found; the lists stay as short as people can work through.

Belongs here: what the rules find in a whole city. The single rule with its near misses is a unit test of dbt.
Failures name a case by its place in the list and what it is, never a person.
"""

import json
from collections import defaultdict
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from models.calendar import next_month
from models.policy import load_indicators
from orchestration.home.settings import DataHome
from orchestration.questions.exports import export_alerts, export_indicators

pytestmark = pytest.mark.slow

HOUSEHOLDS = 1_500
# Found in a month of the sample city, at most; a rule that suddenly finds much more has gone wrong.
LISTED_SHARE = 0.12


@pytest.fixture(scope="module")
def planted(sample_city: Path) -> list[dict]:
    lines = (sample_city / "planted_expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def hits(sample_home: DataHome) -> pl.DataFrame:
    return export_indicators(sample_home, None, identified=True)


@pytest.fixture(scope="module")
def alerts(sample_home: DataHome) -> pl.DataFrame:
    return export_alerts(sample_home, None, identified=True)


def months_allowed(case: dict) -> set[str]:
    first = date(int(case["detectable_month"][:4]), int(case["detectable_month"][4:]), 1)
    return {f"{first:%Y-%m}", f"{next_month(first):%Y-%m}"}


def test_every_planted_case_is_found_for_its_person(planted: list[dict], hits: pl.DataFrame) -> None:
    found = defaultdict(set)
    for indicator, person, month in hits.select("indicator", "id_number", "month").iter_rows():
        found[indicator, person].add(month)
    missed = [
        f"case {number}: {case['what']} ({'/'.join(case['indicator'])}, {case['detectable_month']})"
        for number, case in enumerate(planted, start=1)
        if not any(found[indicator, case["id_number"]] & months_allowed(case) for indicator in case["indicator"])
    ]
    assert missed == []


def test_every_planted_case_reaches_a_list(planted: list[dict], alerts: pl.DataFrame) -> None:
    listed = defaultdict(set)
    for month, reasons, members in alerts.select("month", "reasons", "member_id_numbers").iter_rows():
        for member in members or []:
            listed[member, month].update(reasons)
    missed = [
        f"case {number}: {case['what']}"
        for number, case in enumerate(planted, start=1)
        if not any(listed[case["id_number"], month] & set(case["indicator"]) for month in months_allowed(case))
    ]
    assert missed == []


def test_exit_rules_of_single_facts_find_the_planted_and_little_else(hits: pl.DataFrame, planted: list[dict]) -> None:
    for indicator in ("X01", "X02", "X03", "X08", "N19", "N22"):
        persons = set(hits.filter(pl.col("indicator") == indicator)["id_number"].drop_nulls())
        known = {case["id_number"] for case in planted if indicator in case["indicator"]}
        assert known <= persons, indicator
        assert len(persons) <= 2 * len(known), indicator


def test_lists_stay_short_enough_to_be_answered(alerts: pl.DataFrame) -> None:
    per_month = alerts.group_by("month").len()
    assert per_month["len"].max() <= HOUSEHOLDS * LISTED_SHARE


def test_one_alert_per_household_and_side_and_month(alerts: pl.DataFrame) -> None:
    keys = ["month", "household_id", "side"]
    assert alerts.select(keys).is_duplicated().sum() == 0


def test_every_hit_but_the_models_leads_to_source_rows(hits: pl.DataFrame) -> None:
    bare = hits.filter((pl.col("evidence").list.len() == 0) & (pl.col("indicator") != "N30"))
    assert bare.height == 0


def test_number_of_an_alert_has_no_digit_and_lasts(alerts: pl.DataFrame) -> None:
    assert alerts["alert_id"].str.contains(r"^[NX]-[a-p]{12}$").all()
    sides = alerts.group_by("alert_id").agg(pl.struct("household_id", "side").n_unique().alias("owners"))
    assert sides["owners"].max() == 1


def test_only_catalogued_indicators_are_found(hits: pl.DataFrame) -> None:
    catalogue = load_indicators()
    assert set(hits["indicator"]) <= {name for name, item in catalogue.items() if item.implemented}
