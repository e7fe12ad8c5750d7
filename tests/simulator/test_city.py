"""The people of the city: valid identifiers, plausible households and need, cases that are really there."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from stdnum.cn import ric, uscc

from models.policy import parameter_value
from simulator import simulate
from simulator.city import FORMAL, INFORMAL, SELF, City
from simulator.course import months_of
from simulator.feeds.registry import frame_of
from simulator.planted import exit_side, need_side
from simulator.planted.memory import Memory
from simulator.policy import standards_on

FIRST = date(2023, 1, 1)


@pytest.fixture(scope="module")
def city() -> City:
    """A city of 6,000 households after its eighth delivered month."""
    *_, last = months_of(4, 6_000, 8, FIRST)
    return last


def test_identifiers_are_valid(city: City) -> None:
    numbers = city.persons.id_number
    assert numbers.n_unique() == len(numbers)
    assert all(_has_check(number) for number in numbers.sample(2_000, seed=1))
    assert all(uscc.is_valid(code) for code in city.employers.uscc)
    sex = numbers.str.slice(16, 1).cast(pl.Int8).to_numpy() % 2
    assert (sex == (city.persons.sex == 1)).all()
    born = pl.Series(city.persons.born).cast(pl.Date).dt.strftime("%Y%m%d")
    assert (numbers.str.slice(6, 8) == born).all()


def _has_check(number: str) -> bool:
    return str(ric.calc_check_digit(number)) == number[-1]


def test_households_are_plausible(city: City) -> None:
    size = city.count(city.at_home)
    lived = size > 0
    age = city.age[city.at_home]
    assert 2.3 < size[lived].mean() < 3.0
    assert size.max() <= 10
    assert 0.14 < (age >= 60).mean() < 0.27
    assert 0.12 < (age < 15).mean() < 0.24
    assert age.max() < 112
    assert 0.08 < (size[lived] == 1).mean() < 0.35


def test_need_is_plausible_and_only_partly_served(city: City) -> None:
    lived = city.count(city.at_home) > 0
    need = (city.households.need > 0) & lived
    served = need & (city.households.programme > 0)
    assert 0.05 < need.sum() / lived.sum() < 0.08
    assert 0.6 < served.sum() / need.sum() < 0.92
    silent = need & city.households.is_silent & ~served
    assert silent.sum() > 0.05 * need.sum()


def test_help_comes_late(city: City) -> None:
    """Nobody enters the register in the month in which need began."""
    households = city.households
    entered = (households.approved >= city.start) & (households.need > 0)
    assert (households.need_since[entered] < city.month).all()


def test_lines_are_the_policy_parameters() -> None:
    rules = standards_on(FIRST)
    assert rules.dibao[1] == float(parameter_value("dibao_standard", "420700", FIRST, "urban"))
    assert rules.marginal[0] == float(parameter_value("marginal_line", "420700", FIRST, "rural"))
    assert rules.destitute[1] == float(parameter_value("destitute_standard", "420700", FIRST, "urban"))


def test_every_hukou_has_one_head(city: City) -> None:
    register = frame_of("population_register", city).filter(pl.col("status") == "1")
    heads = register.group_by("hukou_no").agg((pl.col("relation_to_head") == "02").sum().alias("heads"))
    assert (heads["heads"] == 1).mean() > 0.995


def test_members_of_the_register_are_named_once_a_certificate(city: City) -> None:
    register = frame_of("assistance_register", city)
    assert not register.select("certificate_no", "id_number").is_duplicated().any()
    applicants = register.filter(pl.col("relation") == "01")
    assert applicants["certificate_no"].n_unique() == applicants.height


def test_amounts_follow_the_rule(city: City) -> None:
    """Standard times persons less declared income, rounded up to the yuan."""
    register = frame_of("assistance_register", city).filter(
        pl.col("programme").is_in(["11", "12"]) & pl.col("monthly_amount").is_not_null()
    )
    standard = np.where(register["programme"] == "11", *standards_on(FIRST).dibao[::-1])
    short = (standard - register["declared_income_pc"].to_numpy()) * register["household_size"].to_numpy()
    matches = register["monthly_amount"].to_numpy() == np.ceil(np.round(short, 2))
    assert matches.mean() > 0.9  # members who came or went since the last assessment make the rest


def test_planted_cases_name_people_of_the_city(tmp_path: Path) -> None:
    clean_city = simulate(tmp_path, 2_500, 6, seed=2, defects=0, formats="csv")
    members = pl.read_parquet(clean_city.truth / "members.parquet")
    cases = pl.read_ndjson(clean_city.truth / "planted.jsonl")
    living = set(members["id_number"])
    assert cases.height > 0
    assert all(set(ids[1:]) <= living for ids in cases["member_id_numbers"])
    assert (cases["event_month"] <= cases["detectable_month"]).all()


def test_wage_is_undeclared_only_once_it_has_come_twice_to_a_family_still_paid() -> None:
    memory, before = Memory(), np.zeros(0, dtype=bool)
    seen = 0
    for city in months_of(4, 5_000, 6, FIRST):
        earning = exit_side.paid(city) & city.at_home & (city.persons.job == FORMAL)
        for found in exit_side.cases(city, memory):
            if found.what == "income_undeclared":
                assert found.event_month == city.month - 1
                assert earning[found.persons].all()
                assert before[found.persons].all()
                seen += len(found.persons)
        memory.update(city)
        before = earning
    assert seen > 0


def test_sole_earner_has_nobody_at_home_who_earns_now_and_then() -> None:
    memory, seen = Memory(), 0
    for city in months_of(4, 6_000, 10, FIRST):
        people = city.persons
        earning = city.count(city.at_home & np.isin(people.job, (FORMAL, INFORMAL, SELF)))
        for found in need_side.cases(city, memory):
            if found.what == "job_loss_sole_earner":
                assert (earning[people.household[found.persons]] == 0).all()
                seen += len(found.persons)
        memory.update(city)
    assert seen > 0
