"""The register of assistance: who applies and when, who is let in, reviewed, and let out, late and imperfectly.

Belongs here: the bureau's side of need. Does not belong here: need itself (``need``), money (``benefits``).
Programme codes in state: 11, 12 dibao, 21 destitute, 31 marginal, 41 rigid spending; 0 none.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator import identifiers
from simulator.city import DESTITUTE, DIBAO, MARGINAL, NEED_NONE, RIGID, City
from simulator.months import NEVER, days_in_month, period_text
from simulator.need import area
from simulator.people import kin_share
from simulator.randomness import Bools, Floats, Ints, happens, sigmoid

DIBAO_CODES = (11, 12)
# How often households near need apply, and how often the office lets in who is in need and who is not.
ASKS_WITHOUT_NEED = 0.004
GRANTED_IN_NEED, GRANTED_WITHOUT_NEED = 0.9, 0.04
_PURPOSE = {DESTITUTE: 2, DIBAO: 1, MARGINAL: 3, RIGID: 4, NEED_NONE: 1}


def settle(city: City) -> None:
    """The register as it has grown over the years before."""
    rng, households = city.rng("assistance"), city.households
    households.is_silent[:] = _silent(city)
    needy = (households.need > 0) & ~households.is_silent & (rng.random(len(households)) < 0.72)
    who = np.flatnonzero(needy)
    enter(city, rng, who, programme_of(city)[who], city.today - rng.integers(40, 2400, len(who)))
    months = city.standards.review_months[households.review_class[who]]
    since = (rng.random(len(who)) * months * 30).astype(np.int64)
    households.reviewed[who] = np.maximum(households.approved[who], city.today - since)


def _silent(city: City) -> Bools:
    """Households that would never ask: far away, little schooling, nobody they know on assistance."""
    households = city.households
    remote = city.places.remoteness[households.village]
    kin = kin_share(city, households.programme > 0) > 0
    score = -2.3 + 1.9 * remote + 0.5 * (_education(city) < 1) + 0.4 * (_oldest(city) > 70) - 0.9 * kin
    return np.asarray(households.silence < sigmoid(score))


def _education(city: City) -> Floats:
    best = np.zeros(len(city.households))
    present = city.at_home
    np.maximum.at(best, city.persons.household[present], city.persons.education[present])
    return best


def _oldest(city: City) -> Floats:
    oldest = np.zeros(len(city.households))
    present = city.at_home
    np.maximum.at(oldest, city.persons.household[present], city.age[present])
    return oldest


def programme_of(city: City) -> Ints:
    """The programme that fits the latent need, by household."""
    dibao = np.where(area(city) == 1, 11, 12)
    return np.choose(city.households.need, [np.zeros_like(dibao), np.full_like(dibao, 21), dibao, 31, 41])


def advance(city: City) -> None:
    """One month of the office: removals, reviews, decisions, new applications."""
    rng = city.rng("assistance")
    _remove_members(city, rng)
    _review(city, rng)
    _decide(city, rng)
    _apply(city, rng)


def _apply(city: City, rng: np.random.Generator) -> None:
    """Needy households apply sooner or later, some that are not needy try as well; a few never do."""
    households = city.households
    households.is_silent[:] = _silent(city)
    chance = chance_of_asking(city)
    waited = households.need_since < city.month
    may = (households.programme == 0) & (households.pending < city.month) & (households.left_register < city.month - 3)
    needy = may & (households.need > 0) & waited & ~households.is_silent
    hardly = may & hardly_in_need(city)
    size = len(households)
    applies = (needy & happens(rng, chance, size)) | (hardly & happens(rng, ASKS_WITHOUT_NEED, size))
    who = np.flatnonzero(applies)
    households.applied[who] = city.month
    households.pending[who] = city.month + rng.integers(1, 3, len(who))
    request(city, rng, who, np.array([_PURPOSE[int(need)] for need in range(5)])[households.need[who]])


def chance_of_asking(city: City) -> Floats:
    """How likely each household, were it in need and not silent, applies in a month."""
    remote = city.places.remoteness[city.households.village]
    kin = kin_share(city, city.households.programme > 0) > 0
    score = -1.55 - 1.1 * remote + 0.22 * _education(city) + 0.5 * kin - 0.012 * np.maximum(_oldest(city) - 60, 0)
    return sigmoid(score)


def hardly_in_need(city: City) -> Bools:
    """Households that are not in need by the rules, but near enough to try."""
    households = city.households
    modest = households.income_pc < 2.4 * city.standards.dibao[area(city)]
    return np.asarray((households.need == 0) & modest & (city.count(city.at_home) > 0))


def request(city: City, rng: np.random.Generator, households: Ints, purpose: Ints) -> None:
    """Ask the means-check office about households; one row a member, authorised by the applicant."""
    people = city.persons
    reference = city.reference_person(city.at_home)
    known = reference[households] >= 0
    households, purpose = households[known], purpose[known]
    position = np.full(len(city.households), -1, dtype=np.int64)
    position[households] = np.arange(len(households))
    members = np.flatnonzero(city.at_home & (position[people.household] >= 0))
    place = position[people.household[members]]
    stamp = period_text(city.month)
    number = "HD" + stamp + identifiers.running_numbers(rng, len(households), 6)
    authority = "SQ" + stamp + identifiers.running_numbers(rng, len(households), 6)
    day = days_in_month(rng, city.month, len(households))
    city.report(
        "check_request",
        request_no=number.gather(place),
        authorisation_no=authority.gather(place),
        authorised_until=day[place] + 180,
        purpose=purpose[place],
        requested_on=day[place],
        household=households[place],
        applicant=reference[households][place],
        person=members,
    )


def _decide(city: City, rng: np.random.Generator) -> None:
    """Decisions on applications that are due; the office errs in both directions."""
    households = city.households
    due = np.flatnonzero((households.pending == city.month) & (households.programme == 0))
    fits = households.need[due] > 0
    granted = rng.random(len(due)) < np.where(fits, GRANTED_IN_NEED, GRANTED_WITHOUT_NEED)
    accepted = due[granted]
    code = programme_of(city)[accepted]
    code = np.where(code == 0, 31, code)
    enter(city, rng, accepted, code, days_in_month(rng, city.month, len(accepted)))
    households.refused[due[~granted]] = city.month


def enter(city: City, rng: np.random.Generator, who: Ints, programme: Ints, day: Ints) -> None:
    """Put households on the register with their members, an amount and a class of review."""
    households, people = city.households, city.persons
    reference = city.reference_person(city.at_home)
    who_known = reference[who] >= 0
    who, programme, day = who[who_known], programme[who_known], day[who_known]
    households.programme[who] = programme
    households.approved[who] = households.reviewed[who] = day
    households.applicant[who] = reference[who]
    households.care_mode[who] = np.where(programme == 21, np.where(rng.random(len(who)) < 0.15, 1, 2), 0)
    working = city.count(city.at_home & (city.age >= 18) & (city.age < 60))[who]
    households.review_class[who] = np.where(working == 0, 1, np.where(rng.random(len(who)) < 0.7, 2, 3))
    number = pl.Series(city.places.county[households.village[who]]).cast(pl.String)
    number = number + pl.Series(programme).cast(pl.String) + identifiers.running_numbers(rng, len(who), 8)
    households.certificate_no = households.certificate_no.scatter(who, number)
    entering = np.zeros(len(households), dtype=bool)
    entering[who] = True
    joins = city.at_home & entering[people.household] & (people.certificate < 0)
    people.certificate[joins] = people.household[joins]
    doubled = city.at_home & entering[people.household] & ~joins & (people.certificate != people.household)
    people.second_certificate[doubled & happens(rng, 0.5, len(people))] = -1
    _double(city, rng, joins)
    assess(city, rng, who)


def _double(city: City, rng: np.random.Generator, joined: Bools) -> None:
    """Now and then an elder stands on a grown child's certificate as well as on the own one."""
    people = city.persons
    for parent in (people.father, people.mother):
        child = np.flatnonzero(joined & (parent >= 0))
        elder = parent[child]
        both = (people.certificate[elder] >= 0) & (people.certificate[elder] != people.certificate[child])
        both &= (people.died[elder] == NEVER) & (rng.random(len(child)) < 0.25)
        people.second_certificate[elder[both]] = people.certificate[child[both]]


def assess(city: City, rng: np.random.Generator, who: Ints) -> None:
    """Declared income and the amount that follows from it by the rule of the programme."""
    households, people, rules = city.households, city.persons, city.standards
    listed = people.certificate[people.certificate >= 0]
    size = np.bincount(listed, minlength=len(households))[who]
    where = area(city)[who]
    line = np.where(np.isin(households.programme[who], (21, *DIBAO_CODES)), rules.dibao[where], rules.marginal[where])
    # What is declared is what the office could see: the truth, somewhat less, and never above the line.
    declared = households.income_pc[who] * rng.uniform(0.8, 1.02, len(who))
    rigid = households.programme[who] == 41
    declared = np.where(rigid, declared, np.minimum(declared, line * rng.uniform(0.86, 0.99, len(who)))).round(2)
    households.declared_pc[who] = declared
    dibao = np.ceil(np.round((rules.dibao[where] - declared) * size, 2))
    amount = np.select(
        [np.isin(households.programme[who], DIBAO_CODES), households.programme[who] == 21],
        [np.maximum(dibao, 0), rules.destitute[where] * size],
        0.0,
    )
    households.amount[who] = amount


def _remove_members(city: City, rng: np.random.Generator) -> None:
    """The office learns of deaths, custody and departures, mostly soon, sometimes late."""
    people = city.persons
    listed = people.certificate >= 0
    dead = listed & (people.died != NEVER) & (people.died < city.start)
    held = listed & (people.custody_until >= city.today) & (people.custody < 3) & (people.custody_from < city.start)
    gone = listed & (people.moved_out != NEVER) & (people.moved_out < city.start)
    moved = listed & (people.certificate != people.household)
    size = len(people)
    out = (
        (dead & happens(rng, 0.45, size))
        | (held & happens(rng, 0.3, size))
        | (gone & happens(rng, 0.4, size))
        | (moved & happens(rng, 0.3, size))
    )
    affected = np.unique(people.certificate[out])
    people.certificate[out] = -1
    people.second_certificate[out] = -1
    _admit_new_members(city, rng)
    _replace_applicants(city, rng, affected)


def _admit_new_members(city: City, rng: np.random.Generator) -> None:
    people = city.persons
    unlisted = city.at_home & (people.certificate < 0) & (city.households.programme[people.household] > 0)
    joins = unlisted & happens(rng, 0.25, len(people))
    people.certificate[joins] = people.household[joins]


def _replace_applicants(city: City, rng: np.random.Generator, affected: Ints) -> None:
    """A household whose applicant was removed gets another; one without members leaves the register."""
    people, households = city.persons, city.households
    remaining = np.bincount(people.certificate[people.certificate >= 0], minlength=len(households))
    leave(city, affected[remaining[affected] == 0])
    stays = affected[remaining[affected] > 0]
    reference = _reference_on_certificate(city)
    orphaned = stays[people.certificate[households.applicant[stays]] != stays]
    households.applicant[orphaned] = reference[orphaned]
    assess(city, rng, stays)


def _reference_on_certificate(city: City) -> Ints:
    people = city.persons
    listed = np.flatnonzero(people.certificate >= 0)
    order = np.lexsort((people.born[listed], people.role[listed]))[::-1]
    result = np.full(len(city.households), -1, dtype=np.int64)
    result[people.certificate[listed[order]]] = listed[order]
    return result


def leave(city: City, who: Ints) -> None:
    """Take households off the register."""
    people, households = city.persons, city.households
    leaving = np.zeros(len(households), dtype=bool)
    leaving[who] = True
    people.certificate[(people.certificate >= 0) & leaving[people.certificate]] = -1
    people.second_certificate[(people.second_certificate >= 0) & leaving[people.second_certificate]] = -1
    households.programme[who] = 0
    households.amount[who] = 0
    households.left_register[who] = city.month


def _review(city: City, rng: np.random.Generator) -> None:
    """Reviews come by class, nine in ten on time; a few households are forgotten for good."""
    households = city.households
    months = city.standards.review_months[households.review_class]
    due = (households.programme > 0) & (city.today - households.reviewed >= months * 30 - 12)
    happens_now = happens(rng, np.where(households.neglect < 0.02, 0.0, 0.9), len(households))
    who = np.flatnonzero(due & happens_now)
    households.reviewed[who] = days_in_month(rng, city.month, len(who))
    checked = who[rng.random(len(who)) < 0.3]
    request(city, rng, checked, np.full(len(checked), 6))
    fits = programme_of(city)[who]
    ends = (fits == 0) & (rng.random(len(who)) < 0.75)
    changes = (fits > 0) & (fits != households.programme[who]) & (rng.random(len(who)) < 0.7)
    households.programme[who[changes]] = fits[changes]
    households.care_mode[who[changes & (fits == 21)]] = 2
    households.care_mode[who[changes & (fits != 21)]] = 0
    assess(city, rng, who[~ends])
    report_review(city, rng, who, ends)
    leave(city, who[ends])


def report_review(city: City, rng: np.random.Generator, who: Ints, ended: Bools) -> None:
    """A share of the reviews comes back as a visit: leaves, or stays on the register."""
    told = rng.random(len(who)) < 0.35
    chosen = who[told]
    city.report(
        "visit_outcome",
        household=chosen,
        outcome=np.where(ended[told], 9, 10),
        programme=np.zeros(len(chosen), dtype=np.int64),
        visited_on=city.households.reviewed[chosen],
        person=city.households.applicant[chosen],
    )
