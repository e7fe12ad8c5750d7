"""Cases of the need side: spending, income, members, events, entitlements not paid.

Belongs here: N indicators. Does not belong here: X indicators (``exit_side``).
Only what department files show is used, and only members of spared households are named (``witness`` sees to it).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator import benefits, outreach
from simulator.benefits import certified
from simulator.city import CHILD, FORMAL, HEAD, INFORMAL, SELF, SPOUSE, UNEMPLOYED, City
from simulator.feeds.frame import events
from simulator.months import NEVER, first_day
from simulator.need import severely_disabled
from simulator.planted.memory import Found, Memory, longer, longer_flags
from simulator.randomness import Ints


def cases(city: City, memory: Memory) -> Iterator[Found]:
    """All new cases and near misses of the month."""
    yield from _members(city, memory)
    yield from _jobs(city, memory)
    yield _medical(city, memory)
    yield from _entitlements(city, memory)
    yield from _happenings(city)
    yield from _reports(city, memory)


def _visible_income(city: City) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    people = city.persons
    return np.asarray(np.where(people.job == FORMAL, people.wage, 0) + people.pension, dtype=np.float64)


def _members(city: City, memory: Memory) -> Iterator[Found]:
    people, month = city.persons, city.month
    if memory.months < 4:
        return
    steady = longer(memory.employed, len(people)) >= 4
    reported = events(city, "death_record")
    rows = reported.get("person", np.empty(0, dtype=np.int64))
    others = city.total(city.at_home, _visible_income(city))[people.household[rows]]
    earned = (
        steady[rows] & (people.wage[rows] > others * 1.1 + 1) & (city.count(city.at_home)[people.household[rows]] > 0)
    )
    yield Found(["N10"], "breadwinner_death", rows[earned], month, month, ["death_record", "income_tax"])
    lesser = (people.wage[rows] <= 0) & (city.total(city.at_home, people.wage)[people.household[rows]] > 2_000)
    yield Found(["N10"], "death_of_one_without_wage", rows[lesser], month, month, ["death_record"], True)
    held = (people.custody_from >= city.start) & (people.custody < 3) & steady
    who = np.flatnonzero(held)
    others = city.total(city.at_home, _visible_income(city))[people.household[who]]
    who = who[(people.wage[who] > others * 1.1 + 1) & (city.count(city.at_home)[people.household[who]] > 0)]
    yield Found(["N13"], "breadwinner_custody", who, month, month, ["custody_record", "income_tax"])
    severe = severely_disabled(city) & (people.issued >= city.start) & (people.reissue == 0) & city.at_home
    yield Found(["N11"], "new_severe_disability", np.flatnonzero(severe), month, month, ["disability_register"])
    mild = (people.grade == 4) & (people.issued >= city.start) & (people.reissue == 0) & city.at_home
    yield Found(["N11"], "new_mild_disability", np.flatnonzero(mild), month, month, ["disability_register"], True)
    yield from _children(city, memory)


def _children(city: City, memory: Memory) -> Iterator[Found]:
    """Children whose parents stand with them in one hukou, so that the files show whose children they are."""
    people, month = city.persons, city.month
    orphan, unattended = outreach.parent_states(city)
    both = (people.father >= 0) & (people.mother >= 0)
    shown = both & (people.hukou_role == CHILD)
    for parent in (people.father, people.mother):
        shown &= (people.hukou[parent] == people.hukou) & np.isin(people.hukou_role[parent], (HEAD, SPOUSE))
    new = (orphan | unattended) & ~longer_flags(memory.unattended, len(people)) & shown & city.at_home
    never_known = (people.child_known == NEVER) & (people.overlooked >= outreach.CHILDREN_OVERLOOKED)
    feeds = ["death_record", "population_register", "child_register", "custody_record", "disability_register"]
    yield Found(["N12"], "orphan_unregistered", np.flatnonzero(new & orphan & never_known), month, month + 1, feeds)
    lasting = np.flatnonzero(new & unattended & never_known)
    yield Found(["N12"], "defacto_unsupported_child", lasting, month, month + 6, feeds)
    rows = events(city, "death_record").get("person", np.empty(0, dtype=np.int64))
    one = np.isin(people.father, rows) != np.isin(people.mother, rows)
    other = np.where(np.isin(people.father, rows), people.mother, people.father)
    cared = one & both & city.at_home[other] & ~severely_disabled(city)[other] & (city.age < 17)
    yield Found(["N12"], "one_parent_left", np.flatnonzero(cared & city.at_home), month, month, feeds, True)


def _jobs(city: City, memory: Memory) -> Iterator[Found]:
    """The only visible earner of a household lost the job and has no benefit; a month later still nothing."""
    people = city.persons
    feeds = ["social_insurance", "income_tax", "unemployment_register"]
    still = memory.lost_last_month[people.job[memory.lost_last_month] == UNEMPLOYED]
    # Fees of casual workers and profits of traders show in the tax files now and then: with one of them at home
    # nobody is the sole earner.
    earning = _visible_income(city) + np.isin(people.job, (INFORMAL, SELF))
    rest = city.total(city.at_home, earning)
    still = still[(rest[people.household[still]] <= 0) & city.at_home[still]]
    yield Found(["N07", "N08"], "job_loss_sole_earner", still, city.month - 1, city.month, feeds)
    lost = (people.lost_job == city.start) & (longer(memory.employed, len(people)) >= 7) & ~people.jobless_benefit
    lost &= city.at_home & (city.count(city.at_home)[people.household] > 1)
    who = np.flatnonzero(lost)
    memory.lost_last_month = who[rest[people.household[who]] <= 0]


def _medical(city: City, memory: Memory) -> Found:
    """Households outside of every list whose bills of twelve months pass the line, with a margin."""
    households = city.households
    spent = city.total(city.at_home, memory.spend(city))
    outside = (households.programme == 0) & (households.rural_category == 0)
    over = outside & (spent > 1.05 * city.standards.medical_line["none"])
    new = over & ~longer_flags(memory.over_line, len(households))
    memory.over_line = over | longer_flags(memory.over_line, len(households))
    reference = city.reference_person(city.at_home)[np.flatnonzero(new)]
    return Found(
        ["N01"], "catastrophic_medical_spending", reference[reference >= 0], city.month, city.month,
        ["medical_settlement"],
    )  # fmt: skip


_ALLOWANCES = (
    ("N19", "disability_living_subsidy_missed", 0.0, ["disability_register", "assistance_register"]),
    ("N19", "disability_care_subsidy_missed", 0.3, ["disability_register"]),
    ("N20", "old_age_allowance_missed", 0.6, ["population_register"]),
)


def _entitlements(city: City, memory: Memory) -> Iterator[Found]:
    """Allowances that became due a month ago and are forgotten."""
    people, size = city.persons, len(city.persons)
    now = benefits.entitled(city)
    states = (people.living_allowance, people.care_allowance, people.age_allowance)
    waiting: list[Ints] = []
    for place, (indicator, what, offset, feeds) in enumerate(_ALLOWANCES):
        if memory.due_last_month:
            before = memory.due_last_month[place]
            missed = before[now[place][before] & ~states[place][before] & city.at_home[before]]
            yield Found([indicator], what, missed, city.month - 1, city.month, [*feeds, "assistance_payment"])
        forgotten = (people.overlooked >= offset) & (people.overlooked < offset + benefits.FORGOTTEN)
        known = longer_flags(memory.due[place], size) if memory.due else np.ones(size, dtype=bool)
        waiting.append(np.flatnonzero(now[place] & ~known & forgotten & ~states[place]))
    memory.due_last_month = waiting
    yield from _not_due(city)


def _not_due(city: City) -> Iterator[Found]:
    """People just short of an allowance, each named once: grade 3 of body or senses, and 79 years of age."""
    people, month = city.persons, city.month
    once = people.overlooked * 12 % 1 * 12 // 1 == month % 12
    third = (people.grade == 3) & (people.disability < 5) & certified(city) & city.at_home & (people.certificate < 0)
    third &= ~people.care_allowance & once
    feeds = ["disability_register", "assistance_payment"]
    yield Found(["N19"], "grade_three_without_care", np.flatnonzero(third), month, month, feeds, True)
    old = (city.age >= 79) & (city.age < 79.8) & city.at_home & ~people.age_allowance & once
    feeds = ["population_register", "assistance_payment"]
    yield Found(["N20"], "not_yet_of_age", np.flatnonzero(old), month, month, feeds, True)


def _happenings(city: City) -> Iterator[Found]:
    households, month = city.households, city.month
    rows = events(city, "disaster_event")
    if rows:
        grave = rows["house_damage"] >= 2
        small = (rows["house_damage"] <= 1) & (rows["loss"] < 8_000) & (rows["casualties"] == 0)
        yield Found(["N15"], "disaster_loss", rows["person"][grave], month, month, ["disaster_event"])
        yield Found(["N15"], "small_disaster", rows["person"][small], month, month, ["disaster_event"], True)
    reference = city.reference_person(city.at_home)
    new = (households.rural_since >= city.start) & (households.programme == 0) & (reference >= 0)
    feeds = ["rural_monitoring", "assistance_register"]
    yield Found(["N17"], "rural_monitored_not_assisted", reference[np.flatnonzero(new)], month, month, feeds)
    helped = (households.rural_since >= city.start) & (households.programme > 0) & (reference >= 0)
    yield Found(["N17"], "rural_monitored_on_register", reference[np.flatnonzero(helped)], month, month, feeds, True)
    yield from _single_persons(city)
    yield from _newborns(city)
    yield from _meters(city, reference)
    yield from _schools(city)


def _meters(city: City, reference: Ints) -> Iterator[Found]:
    households = city.households
    silent = (households.silent_meter >= city.month) & (city.count(city.at_home) == 1) & (households.order < 0.92)
    who = reference[np.flatnonzero(silent & (reference >= 0))]
    who = who[city.age[who] >= 66]
    yield Found(["N21"], "lone_elder_zero_electricity", who, city.month, city.month, ["utility_usage"])
    travels = (households.vacant_until == city.month) & (city.count(city.at_home) > 1) & (households.order < 0.92)
    away = reference[np.flatnonzero(travels & (reference >= 0))]
    away = away[city.age[away] >= 62]
    yield Found(["N21"], "elders_not_alone_away", away, city.month, city.month, ["utility_usage"], True)


def _single_persons(city: City) -> Iterator[Found]:
    """Disabled people of marginal families newly on the register; of light grades nobody has dibao alone."""
    people, households = city.persons, city.households
    home = people.certificate
    new = (home >= 0) & (households.programme[home] == 31) & (households.approved[home] >= city.start - 31)
    new &= (households.approved[home] < city.start) & (people.second_certificate < 0) & certified(city) & city.at_home
    grave = severely_disabled(city)
    feeds = ["disability_register", "assistance_register"]
    for what, who, near_miss in (("edge_household_severe", new & grave, False), ("edge_mild", new & ~grave, True)):
        spent = city.spending[people.household].sum(axis=1) > 7_000
        who = who & ~spent if near_miss else who
        yield Found(["N23"], what, np.flatnonzero(who), city.month, city.month, feeds, near_miss)


def _newborns(city: City) -> Iterator[Found]:
    """Children of the quarter whom the population register now tells of, in families on the register."""
    people, households = city.persons, city.households
    if city.month % 3 != 0 or city.month - city.first_month < 3:
        return
    born = (people.born >= first_day(city.month - 2)) & (people.born < city.start + 31) & city.at_home
    listed = city.count((people.certificate >= 0) & city.at_home) > 0
    listed &= households.programme > 0
    inside = listed[people.household]
    feeds = ["population_register", "assistance_register"]
    yield Found(["N14"], "newborn_on_register", np.flatnonzero(born & inside), city.month, city.month, feeds)
    outside = born & ~inside
    yield Found(["N14"], "newborn_outside_register", np.flatnonzero(outside), city.month, city.month, feeds, True)


def _schools(city: City) -> Iterator[Found]:
    """Pupils who left school in the quarter that the school register now shows."""
    if city.month % 3 != 2:
        return
    people = city.persons
    first, last = city.standards.compulsory_age
    of_age = (city.age >= first) & (city.age < last) & city.at_home
    quarter = people.left_school >= city.start - 62
    left = np.flatnonzero(of_age & quarter & (people.left_school != NEVER))
    yield Found(["N22"], "dropout_child", left, city.month, city.month, ["student_register"])
    rests = np.flatnonzero(of_age & (people.suspended >= city.start - 62) & (people.left_school == NEVER))
    yield Found(["N22"], "child_suspended_for_illness", rests, city.month, city.month, ["student_register"], True)


def _reports(city: City, memory: Memory) -> Iterator[Found]:
    """Reports to which nothing happened until the end of the following month."""
    people = city.persons
    touched = [people.household[np.asarray(rows["person"])] for rows in _answers(city)]
    memory.touched = [*memory.touched[-1:], np.concatenate([*touched, np.empty(0, dtype=np.int64)])]
    quiet = np.ones(len(city.households), dtype=bool)
    for households in memory.touched:
        quiet[households] = False
    for month, reported in memory.reports:
        seen = reported[np.isin(people.household[reported], memory.touched[-1]) & city.at_home[reported]]
        yield Found(
            ["N16"], "community_report_answered", seen, month, month + 1, ["community_report", "visit_outcome"], True
        )
        still = reported[
            quiet[people.household[reported]] & (city.households.programme[people.household[reported]] == 0)
        ]
        still = still[city.at_home[still]]
        yield Found(
            ["N16"], "community_report_unanswered", still, month, month + 1, ["community_report", "visit_outcome"]
        )
    rows = events(city, "community_report")
    who = rows["person"][rows["identified"]] if rows else np.empty(0, dtype=np.int64)
    memory.reports = [(city.month, who)]


def _answers(city: City) -> Iterator[dict[str, Ints]]:
    for feed in ("visit_outcome", "temporary_assistance"):
        rows = events(city, feed)
        if rows:
            yield rows
