"""Blows that come from outside: custody, disasters, children leaving school, silent electricity meters, prices.

Belongs here: hazards. Does not belong here: illness (``health``), job loss (``work``) and what follows (``need``).
"""

from __future__ import annotations

import numpy as np

from simulator import identifiers
from simulator.city import STUDENT, City
from simulator.months import NEVER, days_in_month, period_text
from simulator.need import poor_in_income
from simulator.randomness import Ints, happens
from simulator.work import is_student

FLOOD_MONTH_OF_YEAR = 6


def settle(city: City) -> None:
    """Those who are in custody at the start."""
    rng, people = city.rng("shocks"), city.persons
    may = city.at_home & (city.age >= 19) & (city.age < 60)
    who = np.flatnonzero(may & happens(rng, 0.005 * (people.sex == 1) + 0.0006, len(people)))
    _detain(city, rng, who, city.today - rng.integers(30, 900, len(who)))


def _detain(city: City, rng: np.random.Generator, who: Ints, since: Ints) -> None:
    people = city.persons
    people.custody[who] = rng.choice([1, 2, 3], len(who), p=[0.55, 0.25, 0.2])
    people.custody_from[who] = since
    length = np.where(people.custody[who] == 2, 730, rng.integers(200, 2200, len(who)))
    people.custody_until[who] = np.maximum(since + length, city.today + 20)


def advance(city: City) -> None:
    """One month of blows."""
    rng, people = city.rng("shocks"), city.persons
    may = city.at_home & (city.age >= 19) & (city.age < 60) & (people.custody_until < city.start)
    who = np.flatnonzero(may & happens(rng, 0.0002 * (people.sex == 1) + 0.00002, len(people)))
    _detain(city, rng, who, days_in_month(rng, city.month, len(who)))
    _disasters(city, rng)
    _leave_school(city, rng)
    _silence_meters(city, rng)


def _disasters(city: City, rng: np.random.Generator) -> None:
    households = city.households
    households.loss[:] = 0
    hazard = np.full(len(households), 0.00025)
    if city.month % 12 == FLOOD_MONTH_OF_YEAR:
        flooded = rng.integers(0, int(city.places.township.max()) + 1, 2)
        hazard += 0.02 * np.isin(city.places.township[households.village], flooded)
    reference = city.reference_person(city.at_home)
    struck = np.flatnonzero(happens(rng, hazard, len(households)) & (reference >= 0))
    count = len(struck)
    damage = rng.choice([0, 1, 2, 3], count, p=[0.25, 0.45, 0.2, 0.1])
    loss = (rng.lognormal(8.4, 0.7, count) * (1 + damage)).round(2)
    households.loss[struck] = loss
    flood = city.month % 12 == FLOOD_MONTH_OF_YEAR
    kind = np.where(flood & (rng.random(count) < 0.9), 1, rng.choice([2, 3, 5, 6, 9], count))
    city.report(
        "disaster_event",
        report_no=("ZB" + period_text(city.month) + identifiers.running_numbers(rng, count, 6)),
        person=reference[struck],
        disaster_type=kind,
        occurred_on=days_in_month(rng, city.month, count),
        village=households.village[struck],
        house_damage=damage,
        loss=loss,
        casualties=(rng.random(count) < 0.03).astype(np.int64),
    )


def _leave_school(city: City, rng: np.random.Generator) -> None:
    """A few pupils drop out, more where the household is poor; a few are suspended for illness."""
    people = city.persons
    pupil = is_student(city) & city.at_home & (people.job <= STUDENT) & (city.age >= 11) & (city.age < 18)
    poor = poor_in_income(city)[people.household]
    drops = pupil & happens(rng, 0.00015 + 0.0006 * poor, len(people))
    people.left_school[drops] = city.start
    rests = pupil & (people.suspended == NEVER) & happens(rng, 0.0001, len(people))
    people.suspended[rests] = city.start


def _silence_meters(city: City, rng: np.random.Generator) -> None:
    """Lone elders whose electricity stops for a month or two: fallen, in hospital, or forgotten; others travel."""
    households, people = city.households, city.persons
    present = city.at_home
    size = city.count(present)
    oldest = np.zeros(len(households))
    np.maximum.at(oldest, people.household[present], city.age[present])
    alone = (size == 1) & (oldest >= 65)
    fallen = alone & happens(rng, 0.0012, len(households))
    households.silent_meter[fallen] = city.month + rng.integers(0, 2, int(fallen.sum()))
    travels = (size > 0) & ~alone & happens(rng, 0.003, len(households))
    households.vacant_until[travels] = city.month
