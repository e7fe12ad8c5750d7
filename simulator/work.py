"""Work and what follows from it: employers, jobs, wages, job loss, unemployment registration, pensions, housing fund.

Belongs here: earning. Does not belong here: what income means for need (``need``).
The wage levels are assumptions of the simulation in yuan a month, no policy.
"""

from __future__ import annotations

import numpy as np

from simulator import identifiers, names
from simulator.city import FARM, FORMAL, INFORMAL, NO_JOB, RETIRED, SELF, STUDENT, UNABLE, UNEMPLOYED, City
from simulator.months import NEVER, days_in_month
from simulator.randomness import Bools, Floats, Ints, happens

WORKING = (FORMAL, INFORMAL, FARM, SELF)
# Log wage at the middle of the city, what education and skill add.
_LEVEL = {FORMAL: (8.5, 0.13, 0.24), INFORMAL: (8.26, 0.05, 0.28), FARM: (7.85, 0.03, 0.3), SELF: (8.45, 0.06, 0.4)}
_STUDENT_UNTIL = np.array([0, 0, 0, 15, 18, 18, 21, 22])
UNEMPLOYMENT_BENEFIT = 1638.0


def settle(city: City, households: int) -> None:
    """Employers, first jobs, pensions and housing fund accounts."""
    rng = city.rng("work")
    count = max(12, households // 18)
    county = rng.choice([420702, 420703, 420704], count, p=[0.2, 0.2, 0.6])
    city.employers.append(
        count,
        county=county,
        weight=rng.lognormal(0, 1.1, count),
        uscc=identifiers.credit_codes(rng, county, "91"),
        name=names.firms(rng, count),
    )
    people = city.persons
    adult = (city.age >= 16) & ~is_student(city)
    people.job[is_student(city)] = STUDENT
    enter_work(city, rng, np.flatnonzero(adult))
    _grant_pensions(city, rng, np.flatnonzero(city.age >= 60))
    working = people.job == FORMAL
    months = np.clip((city.age - 22) * 12, 1, 180)
    people.fund_balance[:] = people.has_fund * working * people.wage * 0.16 * months * rng.beta(1.2, 3.0, len(people))


def is_student(city: City) -> Bools:
    age = city.age
    in_school = (age >= 6) & (age < _STUDENT_UNTIL[city.persons.schooling] + 1)
    return np.asarray(in_school & (city.persons.left_school == NEVER))


def enter_work(city: City, rng: np.random.Generator, who: Ints) -> None:
    """Give people a place in working life that fits age, sex, area, education and health."""
    people, age = city.persons, city.age[who]
    urban = city.places.urban[city.households.village[people.household[who]]]
    education = people.education[who]
    formal = np.clip(0.06 + 0.11 * education + 0.14 * urban - 0.08 * (people.sex[who] == 2), 0.02, 0.75)
    # Who has nobody to live on works.
    idle = (0.03 + 0.12 * (people.sex[who] == 2)) * np.where(people.spouse[who] >= 0, 1.0, 0.12)
    draw = rng.random(len(who))
    job = np.where(rng.random(len(who)) < 0.3, FARM, INFORMAL)
    job = np.where(urban & (job == FARM), INFORMAL, job)
    job = np.where(rng.random(len(who)) < 0.08, SELF, job)
    job = np.where(draw < formal, FORMAL, np.where(draw > 1 - idle, NO_JOB, job))
    retired = (age >= 60) | ((people.sex[who] == 2) & (age >= 55) & (job == FORMAL))
    elder_job = np.where(~urban & (age < 74) & (rng.random(len(who)) < 0.5), FARM, RETIRED)
    job = np.where(retired, elder_job, job)
    severe = (people.grade[who] >= 1) & (people.grade[who] <= 2)
    job = np.where(severe & (rng.random(len(who)) < 0.85), UNABLE, job)
    people.job[who] = job
    set_wage(city, rng, who)


def set_wage(city: City, rng: np.random.Generator, who: Ints) -> None:
    """Wage, employer and housing fund of people whose job has just changed."""
    people = city.persons
    people.wage[who] = 0
    for job, (base, for_education, for_skill) in _LEVEL.items():
        chosen = who[people.job[who] == job]
        log_wage = base + for_education * (people.education[chosen] - 2) + for_skill * people.skill[chosen]
        people.wage[chosen] = np.exp(log_wage + rng.normal(0, 0.12, len(chosen))).round(2)
    elder = who[(people.job[who] == FARM) & (city.age[who] >= 60)]
    people.wage[elder] *= 0.55
    formal = who[people.job[who] == FORMAL]
    weight = city.employers.weight * ~city.employers.closed
    people.employer[who] = -1
    people.employer[formal] = rng.choice(len(weight), len(formal), p=weight / weight.sum())
    people.has_fund[formal] = rng.random(len(formal)) < 0.55


def _grant_pensions(city: City, rng: np.random.Generator, who: Ints) -> None:
    """Pension type and amount at retirement; former employees have several times what residents have."""
    people = city.persons
    urban = city.places.urban[city.households.village[people.household[who]]]
    share = np.clip(0.08 + 0.09 * people.education[who] + 0.36 * urban, 0, 0.9)
    employed = (rng.random(len(who)) < share) | (people.job[who] == FORMAL)
    kind = np.where(employed, np.where(rng.random(len(who)) < 0.15, 2, 1), 3)
    amount = np.where(
        kind == 3,
        rng.normal(205, 35, len(who)),
        np.exp(7.72 + 0.1 * people.education[who] + rng.normal(0, 0.25, len(who))),
    )
    people.pension_type[who] = np.where(rng.random(len(who)) < 0.97, kind, 0)
    people.pension[who] = np.where(
        people.pension_type[who] > 0, np.clip(amount * (1 + 0.5 * (kind == 2)), 115, 9000), 0
    ).round(2)


def advance(city: City) -> None:
    """One month of working life."""
    rng, people = city.rng("work"), city.persons
    present = city.alive & (people.moved_out == NEVER)
    _grow_up(city, rng, present)
    _lose_jobs(city, rng, present)
    _find_jobs(city, rng, present)
    retiring = present & (city.age >= 60) & (people.pension_type == 0) & (city.age < 60.2)
    _grant_pensions(city, rng, np.flatnonzero(retiring))
    stopping = present & (city.age >= 60) & np.isin(people.job, (FORMAL, NO_JOB, UNEMPLOYED))
    people.job[stopping] = RETIRED
    set_wage(city, rng, np.flatnonzero(stopping))
    saving = present & people.has_fund & (people.job == FORMAL)
    people.fund_balance[saving] += people.wage[saving] * 0.16
    if city.month % 12 == 0:
        people.wage[:] *= 1.03
        people.pension[:] *= 1.03


def _grow_up(city: City, rng: np.random.Generator, present: Bools) -> None:
    people, student = city.persons, is_student(city)
    people.job[present & student & (people.job == NO_JOB)] = STUDENT
    leaving = np.flatnonzero(present & (people.job == STUDENT) & ~student & (city.age >= 16))
    enter_work(city, rng, leaving)


def _lose_jobs(city: City, rng: np.random.Generator, present: Bools) -> None:
    people = city.persons
    closed = np.zeros(len(people), dtype=bool)
    if city.month == city.first_month + 12:
        closed = _close_factory(city, rng)
    hazard = 0.004 * (people.job == FORMAL) * np.exp(-0.35 * people.skill) + 0.012 * (people.job == INFORMAL)
    lost = present & (happens(rng, hazard, len(people)) | closed) & (city.age < 60)
    who = np.flatnonzero(lost)
    people.jobless_cause[who] = np.where(closed[who], 3, rng.choice([1, 2, 4, 9], len(who), p=[0.35, 0.3, 0.25, 0.1]))
    insured = people.job[who] == FORMAL
    people.job[who] = UNEMPLOYED
    people.lost_job[who] = city.start
    set_wage(city, rng, who)
    registers = who[rng.random(len(who)) < np.where(insured, 0.55, 0.2)]
    people.registered_jobless[registers] = days_in_month(rng, city.month, len(registers))
    people.jobless_ended[registers] = NEVER
    people.jobless_benefit[registers] = (people.jobless_cause[registers] != 4) & (rng.random(len(registers)) < 0.7)


def _close_factory(city: City, rng: np.random.Generator) -> Bools:
    """A planned shift: in the thirteenth month the largest of the smaller employers closes."""
    weight = city.employers.weight * ~city.employers.closed
    chosen = int(np.argsort(weight)[-max(2, len(weight) // 20)])
    city.employers.closed[chosen] = True
    return np.asarray((city.persons.employer == chosen) & (rng.random(len(city.persons)) < 0.9))


def _find_jobs(city: City, rng: np.random.Generator, present: Bools) -> None:
    people = city.persons
    hazard = 0.17 * (city.age < 45) + 0.1 * (city.age >= 45)
    seeking = present & (people.job == UNEMPLOYED) & (people.lost_job < city.start) & (people.ill_until < city.month)
    found = np.flatnonzero(seeking & happens(rng, hazard, len(people)))
    formal = rng.random(len(found)) < 0.35 + 0.08 * people.education[found]
    people.job[found] = np.where(formal & (people.education[found] > 0), FORMAL, INFORMAL)
    set_wage(city, rng, found)
    registered = found[people.registered_jobless[found] != NEVER]
    people.jobless_ended[registered] = city.month


def earnings(city: City, rng: np.random.Generator) -> Floats:
    """What each person earned this month; unsteady outside of formal jobs. Benefits of unemployment included."""
    people = city.persons
    formal = people.job == FORMAL
    fortune = np.where(formal, 0.0, city.households.fortune[people.household])
    earned = people.wage * np.exp(rng.normal(0, 1, len(people)) * np.where(formal, 0.04, 0.18) + fortune)
    benefit = (people.job == UNEMPLOYED) & people.jobless_benefit & (people.lost_job > city.start - 365)
    return np.asarray(earned + benefit * UNEMPLOYMENT_BENEFIT)
