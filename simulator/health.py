"""Illness and its bills, disability certificates, death.

Belongs here: bodies. Does not belong here: what a bill does to a household (``need``).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator import identifiers
from simulator.city import FARM, FORMAL, INFORMAL, SELF, UNABLE, City
from simulator.months import NEVER, days_in_month, period_text
from simulator.randomness import Bools, Floats, Ints, happens
from simulator.work import enter_work, set_wage

OUTPATIENT = np.array(["J06.9", "K29.5", "M54.5", "L30.9", "J20.9", "N39.0"])
LASTING = np.array(["I10", "E11.9", "J44.9", "I25.1"])
INPATIENT = np.array(["K80.2", "J18.9", "S72.0", "I63.9", "K35.8", "N20.0"])
GRAVE = np.array(["C50.9", "C34.9", "N18.5", "I21.9", "C22.0", "I61.9", "D61.9"])


def settle(city: City) -> None:
    """Chronic illness and the certificates that exist at the start."""
    rng, people = city.rng("health"), city.persons
    age = city.age
    people.chronic[:] = happens(rng, 0.02 + 0.006 * np.maximum(age - 35, 0), len(people))
    disabled = np.flatnonzero(happens(rng, 0.012 + 0.0009 * np.maximum(age - 40, 0), len(people)))
    certify(city, rng, disabled, city.today - rng.integers(60, 3900, len(disabled)))


def certify(city: City, rng: np.random.Generator, who: Ints, issued: Ints) -> None:
    """Issue disability certificates, valid for ten years."""
    people, count = city.persons, len(who)
    people.disability[who] = rng.choice(7, count, p=[0.13, 0.14, 0.03, 0.44, 0.09, 0.12, 0.05]) + 1
    people.grade[who] = rng.choice(4, count, p=[0.14, 0.24, 0.3, 0.32]) + 1
    people.issued[who] = issued
    people.valid_until[who] = issued + 3652
    people.reissue[who] = 0


def advance(city: City) -> None:
    """One month of illness, certificates and deaths."""
    rng = city.rng("health")
    present = city.alive & (city.persons.moved_out == NEVER)
    _fall_ill(city, rng, present)
    _certificates(city, rng, present)
    _settle_bills(city, rng, present)
    _die(city, rng, present)


def _fall_ill(city: City, rng: np.random.Generator, present: Bools) -> None:
    people, age = city.persons, city.age
    onset = happens(rng, 0.0003 + 0.00004 * np.maximum(age - 40, 0), len(people))
    who = np.flatnonzero(present & onset & (people.ill_until < city.month))
    people.ill_until[who] = city.month + rng.integers(4, 20, len(who))
    people.ill_kind[who] = rng.integers(0, len(GRAVE), len(who))
    people.chronic[who] = True
    stops = who[np.isin(people.job[who], (FORMAL, INFORMAL, FARM, SELF)) & (rng.random(len(who)) < 0.6)]
    people.job[stops] = UNABLE
    set_wage(city, rng, stops)
    recovered = present & (people.job == UNABLE) & (people.ill_until == city.month - 1) & (people.grade == 0)
    enter_work(city, rng, np.flatnonzero(recovered & (age < 60)))


def _certificates(city: City, rng: np.random.Generator, present: Bools) -> None:
    people = city.persons
    ill = people.ill_until >= city.month
    chance = 0.00006 + 0.000004 * np.maximum(city.age - 40, 0) + 0.012 * ill
    new = np.flatnonzero(present & (people.disability == 0) & happens(rng, chance, len(people)))
    certify(city, rng, new, days_in_month(rng, city.month, len(new)))
    severe = new[(people.grade[new] <= 2) & (city.age[new] < 60) & (city.age[new] >= 16)]
    people.job[severe] = UNABLE
    set_wage(city, rng, severe)
    expired = present & (people.disability > 0) & (people.valid_until < city.today)
    renewed = np.flatnonzero(expired & happens(rng, 0.3, len(people)))
    people.issued[renewed] = days_in_month(rng, city.month, len(renewed))
    people.valid_until[renewed] = people.issued[renewed] + 3652
    people.reissue[renewed] = np.minimum(people.reissue[renewed] + 1, 9)


def _settle_bills(city: City, rng: np.random.Generator, present: Bools) -> None:
    people = city.persons
    size = len(people)
    ill = people.ill_until >= city.month
    visits = present & happens(rng, 0.085 + 0.17 * people.chronic + 0.1 * ill, size)
    stays = present & happens(rng, 0.004 + 0.00022 * np.maximum(city.age - 30, 0) + 0.36 * ill, size)
    outpatient, inpatient = np.flatnonzero(visits), np.flatnonzero(stays)
    lasting = people.chronic[outpatient] & (rng.random(len(outpatient)) < 0.6)
    grave = ill[inpatient]
    cost = np.concatenate(
        [
            rng.lognormal(5.2, 0.6, len(outpatient)),
            rng.lognormal(np.where(grave, 9.6, 8.5), np.where(grave, 0.55, 0.6)),
        ]
    ).round(2)
    icd = np.concatenate(
        [
            np.where(lasting, rng.choice(LASTING, len(outpatient)), rng.choice(OUTPATIENT, len(outpatient))),
            np.where(grave, GRAVE[people.ill_kind[inpatient]], rng.choice(INPATIENT, len(inpatient))),
        ]
    )
    care = np.concatenate([np.where(lasting, 2, 1), np.full(len(inpatient), 3)])
    _bill(city, rng, np.concatenate([outpatient, inpatient]), cost, icd, care)


def _bill(
    city: City,
    rng: np.random.Generator,
    who: Ints,
    cost: Floats,
    icd: np.ndarray[tuple[int], np.dtype[np.str_]],
    care: Ints,
) -> None:
    people, households = city.persons, city.households
    # A planned shift: from the fourteenth month on less is reimbursed.
    cut = 0.06 if city.month >= city.first_month + 13 else 0.0
    basic = (cost * np.where(care == 3, 0.62 - cut, 0.42 - cut)).round(2)
    rest = cost - basic
    catastrophic = (np.maximum(rest - 9_000, 0) * 0.5).round(2)
    registered = households.programme[people.household[who]] > 0
    aid = ((rest - catastrophic) * np.where(registered & (care == 3), 0.55, 0.0)).round(2)
    own = (cost - basic - catastrophic - aid).round(2)
    order = rng.permutation(len(who))
    city.report(
        "medical_settlement",
        settlement_no=("JS" + period_text(city.month) + identifiers.running_numbers(rng, len(who), 8)),
        person=who[order],
        settled_on=days_in_month(rng, city.month, len(who)),
        care_type=care[order],
        icd10=pl.Series(icd[order]),
        total_cost=cost[order],
        basic_paid=basic[order],
        catastrophic_paid=catastrophic[order],
        medical_aid_paid=aid[order],
        out_of_pocket=own[order],
    )
    spent = np.bincount(people.household[who], weights=own, minlength=len(households))
    city.spending[:, city.month % 12] = spent


def _accidents(city: City, rng: np.random.Generator) -> Bools:
    """Accidents that kill both parents of a family at once; rare, and the reason why there are orphans."""
    people = city.persons
    husband = np.flatnonzero(city.at_home & (people.sex == 1) & (people.spouse >= 0) & (city.age < 50))
    struck = husband[rng.random(len(husband)) < 0.00004]
    both = np.zeros(len(people), dtype=bool)
    both[struck] = both[people.spouse[struck]] = True
    return both


def _die(city: City, rng: np.random.Generator, present: Bools) -> None:
    people, age = city.persons, city.age
    yearly = 0.0005 * np.exp(0.092 * np.maximum(age - 30, 0))
    ill = people.ill_until >= city.month
    natural = happens(rng, np.minimum(yearly / 12 * (1 + 5 * ill), 0.5), len(people))
    who = np.flatnonzero(present & (natural | _accidents(city, rng)))
    people.died[who] = days_in_month(rng, city.month, len(who))
    people.death_known[who] = city.month + rng.choice([0, 1, 2, 4], len(who), p=[0.6, 0.28, 0.08, 0.04])
    people.changed[who] = people.died[who]
    spouse = people.spouse[who]
    widowed = spouse[spouse >= 0]
    people.marital[widowed], people.spouse[widowed] = 30, -1
    cremated = np.minimum(people.died[who] + rng.integers(1, 5, len(who)), city.today)
    prompt = rng.random(len(who)) < 0.93
    city.report(
        "death_record",
        person=who[prompt],
        died_on=people.died[who][prompt],
        cremated_on=np.where(rng.random(len(who)) < 0.85, cremated, NEVER)[prompt],
        source=rng.choice([1, 2, 3], len(who), p=[0.35, 0.5, 0.15])[prompt],
    )
