"""How need becomes known without an application: reports, visits, emergency aid, lists of children and elders.

Belongs here: the outward work of the office. Does not belong here: the register itself (``assistance``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from simulator import identifiers
from simulator.assistance import programme_of, request
from simulator.city import City
from simulator.months import NEVER, days_in_month, period_text
from simulator.need import area, severely_disabled
from simulator.randomness import Bools, Floats, Ints, happens

# Children above this quantile of attention are never found by the office itself.
CHILDREN_OVERLOOKED = 0.8
# How many reports are answered by a visit within the month, and how often a visit takes in who is in need.
REPORTS_ANSWERED, TAKEN_IN = 0.75, 0.66
SUMMARIES = (
    "独居老人生活困难",
    "家中有人患病医疗费用高",
    "房屋漏雨请求帮助",
    "失业后生活困难",
    "孩子上学费用困难",
    "咨询救助政策",
)


def settle(city: City) -> None:
    """Children and elders already known at the start."""
    _recognise_children(city, city.rng("children"), 0.85)
    _list_elders(city, city.rng("elders"), 0.8)
    _monitor_villages(city, city.rng("villages"), 0.3)


def advance(city: City) -> None:
    """One month of reports, visits, emergency aid and lists."""
    rng = city.rng("outreach")
    _take_reports(city, rng)
    _sweep(city, rng)
    _give_emergency_aid(city, rng)
    _other_checks(city, rng)
    # Streams of their own: what other offices find must not depend on how many people come to this one.
    _recognise_children(city, city.rng("children"), 0.3)
    _list_elders(city, city.rng("elders"), 0.1)
    _monitor_villages(city, city.rng("villages"), 0.12)


def _take_reports(city: City, rng: np.random.Generator) -> None:
    """Reports about households, mostly needy ones; three in four are answered by a visit within the month."""
    households = city.households
    reference = city.reference_person(city.at_home)
    who = np.flatnonzero(happens(rng, chance_of_report(city), len(households)) & (reference >= 0))
    count = len(who)
    number = period_text(city.month) + identifiers.running_numbers(rng, count, 6)
    day = days_in_month(rng, city.month, count)
    city.report(
        "community_report",
        report_no=number,
        channel=rng.choice([1, 2, 3, 4, 5], count, p=[0.25, 0.35, 0.2, 0.12, 0.08]),
        reported_on=day,
        person=reference[who],
        identified=rng.random(count) < 0.8,
        village=households.village[who],
        need=rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9], count),
        summary=pl.Series(np.array(SUMMARIES)[rng.integers(0, len(SUMMARIES), count)]),
    )
    answered = rng.random(count) < REPORTS_ANSWERED
    visited = np.minimum(day[answered] + rng.integers(0, 8, int(answered.sum())), city.today)
    _visit(city, rng, who[answered], reference[who[answered]], visited, number.filter(pl.Series(answered)))


def chance_of_report(city: City) -> Floats:
    """How likely somebody speaks of each household in a month."""
    households = city.households
    remote = city.places.remoteness[households.village]
    needy = (households.need > 0) & (households.programme == 0)
    return np.asarray(0.0012 + 0.05 * needy * (1 - 0.6 * remote))


def chance_of_round(city: City) -> Floats:
    """How likely a village worker comes by each household in a month."""
    poor = city.households.income_pc < 1.6 * city.standards.dibao[area(city)]
    return np.asarray(0.0015 + 0.015 * poor)


def _visit(
    city: City, rng: np.random.Generator, who: Ints, person: Ints, day: Ints, report_no: pl.Series | None = None
) -> None:
    """What a visit finds is the truth, seen through an imperfect eye."""
    households = city.households
    needy = households.need[who] > 0
    inside = households.programme[who] > 0
    draw = rng.random(len(who))
    outcome = np.select(
        [needy & ~inside & (draw < TAKEN_IN), needy & ~inside & (draw < 0.8), needy & ~inside & (draw < 0.92)],
        [1, 2, 4],
        np.where(inside, 10, np.where(draw < 0.06, 6, np.where(draw < 0.12, 2, np.where(draw < 0.5, 4, 5)))),
    )
    enrolled = who[outcome == 1]
    households.pending[enrolled] = city.month + rng.integers(1, 3, len(enrolled))
    columns: dict[str, Any] = {
        "household": who,
        "outcome": outcome,
        "programme": np.where(outcome == 1, programme_of(city)[who], 0),
        "visited_on": day,
        "person": person,
    }
    if report_no is not None:
        columns["report_no"] = report_no
    city.report("visit_outcome", **columns)


def _sweep(city: City, rng: np.random.Generator) -> None:
    """Rounds of the village workers: a few households each month, those who look poor somewhat more often."""
    households = city.households
    reference = city.reference_person(city.at_home)
    who = np.flatnonzero(happens(rng, chance_of_round(city), len(households)) & (reference >= 0))
    _visit(city, rng, who, reference[who], days_in_month(rng, city.month, len(who)))


def _give_emergency_aid(city: City, rng: np.random.Generator) -> None:
    """One-off aid after heavy bills or a disaster, for those who ask."""
    households = city.households
    reference = city.reference_person(city.at_home)
    month = city.month % 12
    hit = (city.spending[:, month] > 3_000) | (households.loss > 8_000)
    chance = hit * (0.16 + 0.15 * (households.programme > 0)) * ~households.is_silent
    who = np.flatnonzero(happens(rng, chance, len(households)) & (reference >= 0))
    count = len(who)
    medical = city.spending[who, month] > households.loss[who]
    city.report(
        "temporary_assistance",
        application_no=("LS" + period_text(city.month) + identifiers.running_numbers(rng, count, 6)),
        person=reference[who],
        hardship_type=np.where(medical, 2, 1),
        cause=pl.Series(np.where(medical, "医疗费用支出过大", "意外事故").astype("U16")),
        amount=rng.integers(800, 6000, count).astype(np.float64),
        approved_on=days_in_month(rng, city.month, count),
    )


def parent_states(city: City) -> tuple[Bools, Bools]:
    """Children without living parents, and those whose parents are dead or unable (de facto unattended)."""
    people = city.persons
    dead, unable = [], []
    severe = severely_disabled(city)
    for parent in (people.father, people.mother):
        known = parent >= 0
        is_dead = known & (people.died[parent] != NEVER)
        held = (people.custody_until[parent] >= city.today) & (people.custody[parent] < 3)
        cannot = known & ~is_dead & (severe[parent] | held)
        dead.append(is_dead)
        unable.append(cannot)
    minor = (city.age < 18) & city.alive
    orphan = minor & dead[0] & dead[1]
    unattended = minor & ~orphan & (dead[0] | unable[0]) & (dead[1] | unable[1])
    return orphan, unattended


def _recognise_children(city: City, rng: np.random.Generator, chance: float) -> None:
    people = city.persons
    orphan, unattended = parent_states(city)
    left_behind = city.at_home & (city.age < 16) & _parents_away(city)
    fits = np.select([orphan, unattended, left_behind], [1, 2, 3], 0)
    unknown = (people.child_known == NEVER) & (fits > 0)
    found = unknown & happens(rng, chance, len(people)) & (people.overlooked < CHILDREN_OVERLOOKED)
    people.child_category[found] = fits[found]
    people.child_known[found] = city.start + rng.integers(0, 27, int(found.sum()))
    ends = (people.child_known != NEVER) & ((city.age >= 18) | ~city.alive | (fits == 0))
    people.child_known[ends] = NEVER
    people.child_category[ends] = 0
    seen = (people.child_known != NEVER) & happens(rng, 0.6, len(people))
    people.visited[seen] = city.start + rng.integers(0, 27, int(seen.sum()))


def _parents_away(city: City) -> Bools:
    people = city.persons
    away = np.zeros(len(people), dtype=bool)
    for parent in (people.father, people.mother):
        away |= (parent >= 0) & people.away[parent] & (people.died[parent] == NEVER)
    return away


def _list_elders(city: City, rng: np.random.Generator, chance: float) -> None:
    """Elders with special needs: living alone, as an empty nest, unable to care for themselves."""
    people, present, age = city.persons, city.at_home, city.age
    size = city.count(present)[people.household]
    younger = city.count(present & (age < 60))[people.household]
    old = present & (age >= 65)
    ability = np.clip(np.floor((age - 72) / 9 + people.skill * -0.6 + 2 * severely_disabled(city)), 0, 4)
    category = np.select([old & (size == 1), old & (ability >= 3), old & (younger == 0) & (size == 2)], [1, 4, 2], 0)
    found = (people.elder_category == 0) & (category > 0) & happens(rng, chance, len(people))
    people.elder_category[found] = category[found]
    people.elder_category[~present | (category == 0)] = 0
    people.ability[:] = ability
    seen = (people.elder_category > 0) & happens(rng, 0.9, len(people))
    people.visited[seen] = city.start + rng.integers(0, 27, int(seen.sum()))


def _monitor_villages(city: City, rng: np.random.Generator, chance: float) -> None:
    """Rural households that may fall back into poverty, found by another office with its own eyes."""
    households = city.households
    weak = (area(city) == 0) & (households.income_pc < 1.9 * city.standards.dibao[0]) & (city.count(city.at_home) > 1)
    new = weak & (households.rural_category == 0) & happens(rng, chance * 0.12, len(households))
    who = np.flatnonzero(new)
    households.rural_category[who] = rng.integers(1, 4, len(who))
    households.rural_risk[who] = rng.choice([1, 2, 3, 4, 5, 6, 9], len(who))
    households.rural_since[who] = city.start + rng.integers(0, 27, len(who))
    households.rural_cleared[who] = NEVER
    households.rural_no = households.rural_no.scatter(who, "RM" + identifiers.running_numbers(rng, len(who), 9))
    open_case = (households.rural_category > 0) & (households.rural_cleared == NEVER)
    better = open_case & ~weak & happens(rng, 0.06, len(households))
    households.rural_cleared[better] = city.start + rng.integers(0, 27, int(better.sum()))


def _other_checks(city: City, rng: np.random.Generator) -> None:
    """Means checks for housing and for one-off aid, which lead to no register entry."""
    households = city.households
    reference = city.reference_person(city.at_home)
    modest = (households.income_pc < 4_000) & (reference >= 0) & (households.pending < city.month)
    who = np.flatnonzero(modest & happens(rng, 0.0022, len(households)))
    request(city, rng, who, np.where(rng.random(len(who)) < 0.7, 7, 5))
