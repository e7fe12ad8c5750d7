"""Who is truly in need: income, spending, property and members of every household against the rules.

Belongs here: the latent state that the warehouse shall find. Does not belong here: who is helped (``assistance``).
Nothing in here is delivered; the feeds show only what a department would see of it.
"""

from __future__ import annotations

import numpy as np

from simulator import holdings, work
from simulator.city import DESTITUTE, DIBAO, MARGINAL, NEED_NONE, RIGID, UNABLE, City
from simulator.months import NEVER
from simulator.people import kin_households, kin_share
from simulator.randomness import Bools, Floats, Ints


def settle(city: City) -> None:
    """What relatives give, and twelve months of income as the past."""
    rng = city.rng("need")
    size = len(city.households)
    city.income, city.spending = np.zeros((size, 12), np.float32), np.zeros((size, 12), np.float32)
    for past in range(12):
        _turn_fortune(city, rng)
        city.income[:, (city.month + past) % 12] = _income(city, rng)
    judge(city)


def advance(city: City) -> None:
    """Income and spending of the month, then the layer that each household belongs to."""
    rng = city.rng("need")
    _turn_fortune(city, rng)
    city.income[:, city.month % 12] = _income(city, rng)
    judge(city)


def _turn_fortune(city: City, rng: np.random.Generator) -> None:
    """Unsteady income drifts over months: harvests, orders, hours of casual work."""
    fortune = city.households.fortune
    fortune[:] = 0.93 * fortune + rng.normal(0, 0.12, len(fortune))


def _income(city: City, rng: np.random.Generator) -> Floats:
    """Income that counts, by household: earnings less work costs, pensions, what relatives give and send."""
    people, present = city.persons, city.at_home
    earned = work.earnings(city, rng) * (1 - city.standards.work_cost_ratio)
    own = city.total(present, earned + people.pension)
    sent_home = city.total(people.away & city.alive, np.exp(6.9 + 0.3 * people.skill))
    return np.asarray(own + sent_home + _old_age_means(city, rng) + _family_support(city, rng))


def _old_age_means(city: City, rng: np.random.Generator) -> Floats:
    """Old people live on savings, rent of land and a garden as well, some on much, some on nothing."""
    old = city.at_home & (city.age >= city.standards.old_age) & (city.persons.job != UNABLE)
    each = np.clip(780 + 330 * city.households.thrift, 0, 2_000)
    return np.asarray(city.count(old) * each * np.exp(rng.normal(0, 0.1, len(each))))


def _family_support(city: City, rng: np.random.Generator) -> Floats:
    """Old people get something from grown children who earn enough themselves."""
    households = city.households
    child, parent = kin_households(city)
    size = np.maximum(city.count(city.at_home), 1)
    rich = city.income.mean(axis=1) / size > 1_800 if len(city.income) else np.ones(len(size), dtype=bool)
    gives = rich[child]
    share = np.bincount(parent[gives], minlength=len(size))
    generous = np.clip(650 + 250 * households.thrift, 0, 1600)
    return np.asarray(np.minimum(share, 3) * generous * np.exp(rng.normal(0, 0.15, len(size))))


def property_over_limit(city: City) -> Bools:
    """Any car, a second home or a business above the limit."""
    people, size = city.persons, len(city.households)
    over = np.zeros(size, dtype=bool)
    cars = (city.vehicles.kind == holdings.CAR) & (city.vehicles.status == 1)
    over[people.household[city.vehicles.owner[cars]]] = True
    homes = city.homes.status == 1
    over |= np.bincount(people.household[city.homes.owner[homes]], minlength=size) >= 2
    firms = (city.businesses.status == 1) & (city.businesses.capital > city.standards.capital_limit)
    over[people.household[city.businesses.owner[firms]]] = True
    deposits = city.total(city.at_home, people.fund_balance)
    limit = city.standards.deposit_months * city.standards.dibao[area(city)]
    return np.asarray(over | (deposits > limit * np.maximum(city.count(city.at_home), 1)))


def area(city: City) -> Ints:
    """0 for villages, 1 for town, by household."""
    return city.places.urban[city.households.village].astype(np.int64)


def judge(city: City) -> None:
    """Set ``need`` and ``need_since`` by the rules of the month."""
    households, rules = city.households, city.standards
    size = city.count(city.at_home)
    recent = city.income[:, [(city.month - back) % 12 for back in range(3)]].mean(axis=1)
    income_pc = recent / np.maximum(size, 1)
    where = area(city)
    within = ~property_over_limit(city)
    layer = np.full(len(households), NEED_NONE)
    layer[_rigid(city, income_pc) & within] = RIGID
    layer[(income_pc < rules.marginal[where]) & within] = MARGINAL
    layer[(income_pc < rules.dibao[where]) & within] = DIBAO
    layer[(income_pc < rules.dibao[where]) & within & _without_support(city)] = DESTITUTE
    layer[size == 0] = NEED_NONE
    begins = (layer > 0) & (households.need == 0)
    households.need_since[begins] = city.month
    households.need_since[layer == 0] = NEVER
    households.need[:] = layer
    households.income_pc[:] = income_pc


def poor_in_income(city: City) -> Bools:
    """Households in need for lack of income, whatever they spend; no office has a part in that."""
    return np.asarray((city.households.need > NEED_NONE) & (city.households.need < RIGID))


def _rigid(city: City, income_pc: Floats) -> Bools:
    rules = city.standards
    poor = income_pc * 12 < rules.disposable_year[area(city)]
    spending = city.spending.sum(axis=1) + city.households.loss
    heavy = spending >= rules.rigid_share * np.maximum(city.income.sum(axis=1), 1)
    return np.asarray(poor & heavy)


def severely_disabled(city: City) -> Bools:
    people = city.persons
    return np.asarray((people.grade > 0) & (people.grade <= city.standards.severe_grade[people.disability]))


def _without_support(city: City) -> Bools:
    """Nobody able to work in the household, and no earning child elsewhere."""
    people, present, age = city.persons, city.at_home, city.age
    helpless = (age >= city.standards.old_age) | (age < 16) | severely_disabled(city) | (people.job == UNABLE)
    able = city.count(present & ~helpless)
    has_kin = kin_share(city, city.count(present) > 0) > 0
    return np.asarray((able == 0) & ~has_kin)
