"""Month after month, with corrections, late files, merges and holds: the same tables as built from nothing.

Every state builds upon the one before, from the month on that the run plan names. Later states touch later months only,
so that what one of them leaves wrong is not mended by the next; the last is compared with a build of all months.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from orchestration.warehouse.run_plan import read_plan
from tests.dbt_project.months.city import STRAY, STRAY_FROM, City

pytestmark = pytest.mark.slow
BUILD = Path(__file__).parent / "build.py"
FEBRUARY, APRIL, MAY = (date(2023, month, 1) for month in (2, 4, 5))
Step = Callable[[City], None]


def planned(city: City) -> list[Step]:
    """First a late part of a district, corrections, persons merged and a model newly adopted; then the persons apart
    again, a delivery held and one more month."""
    late = last_of(city, "population_register.2023-02")
    city.hold(late)

    def corrected(city: City) -> None:
        city.release(late)
        for feed in ("medical_settlement", "death_record", "marriage_register", "social_insurance", "visit_outcome"):
            city.deliver(feed, FEBRUARY)
        city.aliases = {STRAY: city.people[4]}
        city.model = 2

    def gone_on(city: City) -> None:
        city.aliases = {}
        city.hold(last_of(city, "assistance_register.2023-04"))
        city.month(MAY)

    return [corrected, gone_on]


def drawn(city: City) -> list[Step]:
    """Steps at random, of months that do not go back."""

    def step(city: City, month: date) -> None:
        for _ in range(3):
            feed = city.chance.choice(sorted({item.feed for item in city.deliveries.values()}))
            of_month = [name for name in city.in_force() if name.startswith(f"{feed}.{month:%Y-%m}.")]
            if of_month and city.chance.random() < 0.3:
                city.hold(city.chance.choice(of_month))
            else:
                city.deliver(feed, month)
        if month >= STRAY_FROM:
            city.aliases = {STRAY: city.chance.choice(city.people)} if city.chance.random() < 0.5 else {}

    def one_more(city: City) -> None:
        city.month(MAY)
        step(city, MAY)

    return [lambda city, month=month: step(city, month) for month in (FEBRUARY, APRIL)] + [one_more]


def last_of(city: City, beginning: str) -> str:
    return [name for name in city.deliveries if name.startswith(beginning)][-1]


def states(folder: Path, seed: int, steps: Callable[[City], list[Step]]) -> list[date]:
    """Write every state of a city; returns the month from which each is built."""
    city = City(folder / "lake", random.Random(seed), calm=steps is planned)
    if steps is drawn:
        # What no model after identity makes of a city in which events are told again and again is told by that.
        (folder / "identity_only").touch()
    for month in range(1, 5):
        city.month(date(2023, month, 1))
    todo, before, since = steps(city), None, []
    for number in range(len(todo) + 1):
        if number:
            todo[number - 1](city)
        rebuild = city.publish(folder / "states" / f"{number:02d}", before)
        before = city.basis()
        since.append(rebuild.since)
    return since


CITIES = ((1, planned), (2, drawn))


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, list[date]]]:
    """Both cities with the months from which each state is built, and their tables."""
    found = []
    for seed, steps in CITIES:
        folder = tmp_path_factory.mktemp(steps.__name__)
        found.append((folder, states(folder, seed, steps)))
    told = subprocess.run(
        [sys.executable, str(BUILD), *(str(folder) for folder, _ in found)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-5000:]
    return found


@pytest.mark.parametrize("number", range(len(CITIES)))
def test_built_month_after_month_or_from_nothing_the_tables_are_the_same(
    cities: list[tuple[Path, list[date]]], number: int
) -> None:
    folder, since = cities[number]
    assert since == sorted(since), "a later state would mend what an earlier one left"
    assert since[-1] > since[0]
    last = f"{len(since) - 1:02d}"
    assert differences(folder / "whole" / last, folder / "months" / last) == {}


def test_what_follows_from_identity_went_back_no_further_than_the_deliveries(
    cities: list[tuple[Path, list[date]]],
) -> None:
    """Else the comparison would be one of two full builds."""
    folder, since = cities[0]
    for number in range(1, len(since)):
        plan = read_plan(folder / "states" / f"{number:02d}" / "run.parquet")
        reach = pl.read_parquet(folder / "months" / f"{number:02d}" / "identity.event_reach.parquet")
        reached = reach.filter(pl.col("month") >= since[number])["reaches_to"].min()
        assert (plan.rebuild_from, plan.facts_from, reached) == (since[number],) * 3
    assert plan.scores_from == MAY, "the last state adopts no other model"


def differences(whole: Path, months: Path) -> dict[str, tuple[int, int]]:
    """By table, how many rows only one of two builds has."""
    found = {}
    for file in sorted(whole.glob("*.parquet")):
        expected, got = pl.read_parquet(file), pl.read_parquet(months / file.name)
        if not expected.equals(got):
            missing = expected.join(got, on=expected.columns, how="anti", nulls_equal=True).height
            surplus = got.join(expected, on=expected.columns, how="anti", nulls_equal=True).height
            found[file.stem] = (missing, surplus)
    return found


def test_the_city_is_worth_comparing(tmp_path: Path) -> None:
    city = City(tmp_path / "lake", random.Random(1))
    city.month(date(2023, 1, 1))
    files = (tmp_path / "lake").glob("*/period=2023-01/*.parquet")
    assert sum(pl.read_parquet(file, columns=["period"]).height for file in files) > 300
