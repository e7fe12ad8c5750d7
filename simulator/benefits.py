"""Money that belongs to a person or household: allowances granted, forgotten and paid too long; payment rows.

Belongs here: entitlement and payment. Does not belong here: the register (``assistance``), amounts (``policy``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.assistance import DIBAO_CODES
from simulator.city import City
from simulator.months import NEVER
from simulator.need import severely_disabled
from simulator.randomness import Bools, Floats, Ints, happens

FORGOTTEN = 0.05


@dataclass(frozen=True)
class Payment:
    """Payments of one benefit this month: who gets how much."""

    benefit: str
    person: Ints
    amount: Floats


def certified(city: City) -> Bools:
    """Holders of a disability certificate in force, by person."""
    people = city.persons
    return np.asarray((people.disability > 0) & (people.valid_until >= city.start))


def entitled(city: City) -> tuple[Bools, Bools, Bools]:
    """Who should get living allowance, care allowance and old-age allowance this month."""
    people = city.persons
    resident = city.alive & (people.moved_out == NEVER)
    programme = np.where(people.certificate >= 0, city.households.programme[people.certificate], 0)
    valid = certified(city) & resident
    living = valid & np.isin(programme, DIBAO_CODES)
    care = valid & severely_disabled(city) & (programme != 21)
    old = resident & (city.age >= city.standards.age_allowance[0][0])
    return living, care, old


def advance(city: City, first: bool = False) -> None:
    """Grant and stop allowances; those forgotten stay forgotten, stops come late."""
    rng, people = city.rng("benefits"), city.persons
    size = len(people)
    states = (people.living_allowance, people.care_allowance, people.age_allowance)
    for state, due, offset in zip(states, entitled(city), (0.0, 0.3, 0.6), strict=True):
        remembered = ~((people.overlooked >= offset) & (people.overlooked < offset + FORGOTTEN))
        starts = due & ~state & remembered & happens(rng, 1.0 if first else 0.6, size)
        stops = ~due & state & happens(rng, 0.6, size)
        state[starts] = True
        state[stops] = False


def payments(city: City, triggered: bool) -> list[Payment]:
    """All payments of the month by benefit; ``triggered`` adds the price subsidy."""
    people, households, rules = city.persons, city.households, city.standards
    on_register = np.flatnonzero((households.programme > 0) & (households.amount > 0))
    dibao = on_register[np.isin(households.programme[on_register], DIBAO_CODES)]
    destitute = on_register[households.programme[on_register] == 21]
    living, care = np.flatnonzero(people.living_allowance), np.flatnonzero(people.care_allowance)
    old = np.flatnonzero(people.age_allowance)
    bands = np.array([age for age, _ in rules.age_allowance])
    by_age = np.array([amount for _, amount in rules.age_allowance])
    band = np.clip(np.searchsorted(bands, city.age[old], side="right") - 1, 0, None)
    child = (people.child_known != NEVER) & (people.child_known < city.start) & city.alive & (city.age < 18)
    orphans = np.flatnonzero(child & (people.child_category == 1))
    unattended = np.flatnonzero(child & (people.child_category == 2))
    rows = [
        Payment("DB", households.applicant[dibao].astype(np.int64), households.amount[dibao]),
        Payment("TK", households.applicant[destitute].astype(np.int64), households.amount[destitute]),
        Payment("CS", living, np.full(len(living), rules.living_allowance)),
        Payment("CH", care, rules.care_allowance[np.minimum(people.grade[care], 4)]),
        Payment("GL", old, by_age[band]),
        Payment("GE", orphans, np.full(len(orphans), rules.orphan)),
        Payment("SS", unattended, np.full(len(unattended), rules.unattended)),
    ]
    if triggered:
        listed = np.flatnonzero((people.certificate >= 0) & city.alive)
        rows.append(Payment("WJ", listed, np.full(len(listed), rules.price_subsidy)))
    return [row for row in rows if len(row.person)]
