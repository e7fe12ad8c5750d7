"""Cases of the need side: spending, income, members, events, entitlements not paid.

Belongs here: N indicators. Does not belong here: X indicators (``exit_side``).
Only what department files show is used, and only members of spared households are named (``witness`` sees to it).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator import benefits, outreach
from simulator.city import CHILD, FORMAL, HEAD, INFORMAL, SELF, SPOUSE, UNEMPLOYED, City
from simulator.feeds.frame import events
from simulator.months import NEVER
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
    yield from _meters(city, reference)
    yield from _schools(city)


def _meters(city: City, reference: Ints) -> Iterator[Found]:
    households = city.households
    silent = (households.silent_meter >= city.month) & (city.count(city.at_home) == 1) & (households.order < 0.92)
    who = reference[np.flatnonzero(silent & (reference >= 0))]
    who = who[city.age[who] >= 66]
    yield Found(["N21"], "lone_elder_zero_electricity", who, city.month, city.month, ["utility_usage"])


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
