"""Month after month, with corrections, late files, merges, holds, returns and decisions: the same tables as built from
nothing. Windows are shorter than the city has months (``city.LONGEST_MONTHS``), so that a look-back that a model forgot
or cut short is seen; a standard rises between two months.

Every state builds upon the one before, from the month on that the run plan names. Later states touch later months only,
so that what one of them leaves wrong is not mended by the next; the last is compared with a build of all months.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from orchestration.warehouse.run_plan import read_plan
from tests.dbt_project.months.city import STRAY, STRAY_FROM, City
from workbench.lists import Beside, write_township_lists

pytestmark = pytest.mark.slow
BUILD, ROOT = "tests.dbt_project.months.build", Path(__file__).parents[3]
FEBRUARY, APRIL, MAY = (date(2023, month, 1) for month in (2, 4, 5))
# Whose bill the late file tells of.
PATIENT = "person030"
Step = Callable[[City], None]


def planned(city: City) -> list[Step]:
    """First a late part of a district, corrections, persons merged and a model newly adopted; then the persons apart
    again, a delivery held and one more month; at last a file with one bill more than it had."""
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

    def one_bill_more(city: City) -> None:
        bill = {
            "settlement_no": "late", "person_key": PATIENT, "settled_on": date(2023, 5, 20), "care_type": "3",
            "total_cost": Decimal(90_000), "basic_paid": Decimal(0), "out_of_pocket": Decimal(90_000),
        }  # fmt: skip
        city.deliver_again(last_of(city, "medical_settlement.2023-05"), bill)

    return [corrected, gone_on, one_bill_more]


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
        [sys.executable, "-m", BUILD, *(str(folder) for folder, _ in found)], cwd=ROOT,
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
        if number == 2:
            assert plan.scores_from == MAY, "this state adopts no other model"
            assert plan.decisions_from == FEBRUARY, "alerts go back further, to what somebody decided"


def test_visits_came_back_under_numbers_of_lists_and_decisions_counted(cities: list[tuple[Path, list[date]]]) -> None:
    """Else the life of alerts would be compared of alerts that nobody answered."""
    tables = cities[0][0] / "months" / "03"
    visits = pl.read_parquet(tables / "monitoring.visit.parquet")
    assert visits.filter(pl.col("alert_id").is_not_null()).height > 5
    alerts = pl.read_parquet(tables / "alerts.alert.parquet")
    assert alerts["is_silenced"].any()
    told = pl.read_parquet(tables / "alerts.alert_transition.parquet")
    assert set(told.filter(pl.col("transition_id") > 0)["event"]) == {"close", "return", "assign"}
    assert {"handle", "close", "return"} <= set(alerts["last_event"])
    assert {"visit", "assign"} <= set(told["event"])
    assert pl.read_parquet(tables / "alerts.alert_end.parquet").height > 0


def test_a_late_file_changes_the_lists_of_those_whom_it_concerns_alone(
    cities: list[tuple[Path, list[date]]], tmp_path: Path
) -> None:
    """Byte for byte: the workbook of each other township and month; in its own each line of the others."""
    folder, since = cities[0]
    assert since[-1] == MAY
    before, after = (lists(folder / "months" / number, tmp_path / number) for number in ("02", "03"))
    again = lists(folder / "months" / "03", tmp_path / "again")
    assert again == after, "the same tables give the same bytes"
    member = pl.read_parquet(folder / "months" / "03" / "identity.household_member_month.parquet")
    household = member.filter(pl.col("person_key") == PATIENT, pl.col("month") == MAY)["household_id"].item()
    place = pl.read_parquet(folder / "months" / "03" / "identity.household_month.parquet").filter(
        pl.col("household_id") == household, pl.col("month") == MAY
    )["township_code"].item()  # fmt: skip
    assert before.keys() == after.keys()
    assert {name for name in after if after[name] != before[name]} == {f"{MAY:%Y-%m}/{place}"}
    own = pl.col("household_id") != household
    others = [
        pl.read_parquet(folder / "months" / number / "alerts.alert.parquet").filter(own) for number in ("02", "03")
    ]
    assert others[0].equals(others[1])


def lists(tables: Path, folder: Path) -> dict[str, bytes]:
    """The workbooks of April and May by month and township, as they would be sent, nobody named."""
    alerts, hits, *beside = (
        pl.read_parquet(tables / f"{name}.parquet")
        for name in (
            "alerts.alert_list", "monitoring.indicator_hit", "alerts.alert_entitlement", "alerts.alert_end",
            "alerts.village_load",
        )
    )  # fmt: skip
    people = pl.DataFrame(schema=dict.fromkeys(("person_key", "name", "id_number", "phone", "address"), pl.String))
    found = {}
    for month in (APRIL, MAY):
        written = write_township_lists(
            alerts, people, hits, month, folder / f"{month:%Y-%m}", beside=Beside(*beside),
            listed_on=date(2023, 6, 3), identified=False,
        )  # fmt: skip
        found |= {f"{month:%Y-%m}/{path.stem.split('_')[2]}": path.read_bytes() for path in written}
    return found


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
