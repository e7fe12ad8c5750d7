"""Cases of the exit side: those who are paid though they should not be, and those to be checked again.

Belongs here: X indicators. Does not belong here: N indicators (``need_side``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator import holdings
from simulator.benefits import certified
from simulator.city import FORMAL, City
from simulator.delivery.schedule import slots_of
from simulator.months import NEVER, first_day
from simulator.need import area
from simulator.planted.memory import Found, Memory, longer, longer_flags
from simulator.randomness import Bools, Ints


def cases(city: City, memory: Memory) -> Iterator[Found]:
    """All new cases and near misses of the month."""
    yield from _left(city)
    yield from _assets(city)
    yield from _papers(city, memory)
    yield _reviews(city, memory)
    yield _reviews_due(city)
    yield from _income(city, memory)


def paid(city: City) -> Bools:
    """People on a certificate for which money is paid."""
    people, households = city.persons, city.households
    money = (households.programme > 0) & (households.amount > 0)
    return np.asarray((people.certificate >= 0) & money[people.certificate])


def _left(city: City) -> Iterator[Found]:
    """Dead, held or gone since last month, and still on a paid certificate."""
    people, last = city.persons, first_day(city.month - 1)
    listed = paid(city)
    before = city.month - 1
    died = (people.died >= last) & (people.died < city.start) & (people.death_known != NEVER)
    yield Found(
        ["X01"], "deceased_still_receiving", np.flatnonzero(died & listed), before, city.month,
        ["death_record", "assistance_register"],
    )  # fmt: skip
    # Death stopped everything in time: on no certificate, with no allowance left.
    allowances = people.living_allowance | people.care_allowance | people.age_allowance
    stopped = died & (people.certificate < 0) & ~allowances
    feeds = ["death_record", "assistance_register"]
    yield Found(["X01"], "deceased_no_longer_paid", np.flatnonzero(stopped), before, city.month, feeds, True)
    held = (people.custody_from >= last) & (people.custody_from < city.start) & (people.custody < 3)
    yield Found(
        ["X02"], "custody_still_receiving", np.flatnonzero(held & listed), before, city.month,
        ["custody_record", "assistance_register"],
    )  # fmt: skip
    if "population_register" in {slot.feed for slot in slots_of(city.month, city.first_month)}:
        gone = (people.moved_out >= first_day(city.month - 3)) & (people.moved_out < city.start) & listed
        left = (people.moved_out >= first_day(city.month - 3)) & (people.moved_out < city.start)
        left &= (people.certificate < 0) & ~allowances
        yield Found(["X03"], "moved_out_not_paid", np.flatnonzero(left), before, city.month, feeds, True)
        yield Found(
            ["X03"], "moved_out_still_receiving", np.flatnonzero(gone), before, city.month,
            ["population_register", "assistance_register"],
        )  # fmt: skip


def _assets(city: City) -> Iterator[Found]:
    """Dear cars and businesses of listed people that the registers of this quarter show for the first time."""
    if city.month % 3 != 2:
        return
    listed, since = paid(city), first_day(city.month - 2)
    cars = city.vehicles
    new = (cars.registered >= since) & (cars.status == 1) & listed[cars.owner]
    dear = np.unique(cars.owner[new & (cars.kind == holdings.CAR) & (cars.price > city.standards.car_price)])
    yield Found(
        ["X04"], "vehicle_over_limit", dear, city.month, city.month, ["vehicle_register", "assistance_register"]
    )
    bikes = np.unique(cars.owner[listed[cars.owner] & (cars.kind == holdings.MOTORCYCLE) & (cars.status == 1)])
    bikes = bikes[~_owns_more(city, bikes)]
    yield Found(["X04"], "motorcycle_only", bikes, city.month, city.month, ["vehicle_register"], True)
    firms = city.businesses
    fresh = (firms.founded >= since) & (firms.status == 1) & (firms.capital > city.standards.capital_limit)
    owners = np.unique(firms.owner[fresh & listed[firms.owner]])
    feeds = ["business_register", "assistance_register"]
    yield Found(["X04"], "business_undeclared", owners, city.month, city.month, feeds)


def _owns_more(city: City, persons: Ints) -> Bools:
    """Whether anybody of the household owns a car, a business or two homes, or has a fund account."""
    people = city.persons
    size = len(city.households)
    more = np.zeros(size, dtype=bool)
    more[people.household[city.vehicles.owner[city.vehicles.kind != holdings.MOTORCYCLE]]] = True
    more[people.household[city.businesses.owner]] = True
    more[people.household[people.fund_balance > 0]] = True
    more |= np.bincount(people.household[city.homes.owner], minlength=size) >= 2
    return np.asarray(more[people.household[persons]])


def _papers(city: City, memory: Memory) -> Iterator[Found]:
    people, month = city.persons, city.month
    doubled = (people.second_certificate >= 0) & (people.certificate >= 0) & city.alive
    doubled &= people.second_certificate != people.certificate
    new = doubled & ~longer_flags(memory.doubled, len(people))
    yield Found(["X06"], "duplicate_assistance", np.flatnonzero(new), month, month, ["assistance_register"])
    both = people.living_allowance & people.care_allowance & city.alive & (people.certificate >= 0)
    both &= (people.second_certificate < 0) & (people.issued >= first_day(month - 3))
    feeds = ["assistance_payment"]
    yield Found(["X06"], "both_disability_allowances", np.flatnonzero(both), month, month, feeds, True)
    unpaid = (people.certificate >= 0) & (city.households.amount[people.certificate] <= 0) & city.alive
    unpaid &= city.households.approved[people.certificate] >= first_day(month - 3)
    unpaid &= city.households.applicant[people.certificate] == np.arange(len(people))
    feeds = ["assistance_register", "assistance_payment"]
    yield Found(["X10"], "listed_without_amount", np.flatnonzero(unpaid), month, month, feeds, True)
    expired = (people.valid_until < city.start) & (people.valid_until >= first_day(month - 1)) & city.alive
    still = expired & ~certified(city) & (people.living_allowance | people.care_allowance)
    feeds = ["disability_register", "assistance_payment"]
    yield Found(["X07"], "certificate_expired_still_paid", np.flatnonzero(still), month - 1, month, feeds)


def _income(city: City, memory: Memory) -> Iterator[Found]:
    """Wages and pensions that tax, contribution and pension files show of listed families."""
    people, households, month = city.persons, city.households, city.month
    feeds = ["income_tax", "social_insurance", "pension_payment", "assistance_register"]
    size = len(households)
    listed = (people.certificate >= 0) & city.at_home
    working = listed & (people.job == FORMAL)
    visible = np.where(working, people.wage * (1 - city.standards.work_cost_ratio), 0) + people.pension
    total = np.bincount(people.certificate[listed], weights=visible[listed], minlength=size)
    members = np.maximum(np.bincount(people.certificate[listed], minlength=size), 1)
    undeclared = total > 1.4 * households.declared_pc * members + 200
    paying = households.amount > 0
    first = np.flatnonzero(working & (longer(memory.employed, len(people)) == 0))
    first = first[(undeclared & paying)[people.certificate[first]]]
    # A wage of one month may be gone, or told, the next: it is a case once it has come twice.
    again = memory.first_wages[working[memory.first_wages]]
    again = again[(undeclared & paying)[people.certificate[again]]]
    memory.first_wages = first
    retired = np.flatnonzero(listed & (people.pension_type > 0) & ~longer_flags(memory.pensioned, len(people)))
    retired = retired[(undeclared & paying)[people.certificate[retired]]]
    if memory.months:
        yield Found(["X09"], "pension_undeclared", retired, month, month, feeds)
    if memory.months > 1:
        yield Found(["X09"], "income_undeclared", again, month - 1, month, feeds)
    above = (households.programme > 0) & (households.amount > 0)
    above &= total / members > 1.05 * city.standards.dibao[area(city)]
    memory.above_line = np.where(above, longer(memory.above_line, size) + 1, 0)
    third = np.flatnonzero(memory.above_line == 3)
    yield Found(
        ["X05", "X09"], "income_over_line", households.applicant[third].astype(np.int64), month - 2, month, feeds
    )


def _reviews(city: City, memory: Memory) -> Found:
    """Households that nobody has reviewed for two months more than their class allows."""
    households = city.households
    months = city.standards.review_months[households.review_class]
    late = (households.programme > 0) & (city.today - households.reviewed > (months + 2) * 31)
    new = late & ~longer_flags(memory.overdue, len(households))
    memory.overdue = late
    who = households.applicant[np.flatnonzero(new)].astype(np.int64)
    alive = city.alive[who]
    return Found(["X08"], "review_overdue", who[alive], city.month - 2, city.month, ["assistance_register"])


def _reviews_due(city: City) -> Found:
    """Households whose review is due within this very month and not yet overdue."""
    households = city.households
    last = np.maximum(households.reviewed, households.approved)
    months = city.standards.review_months[households.review_class]
    number = last.astype("datetime64[D]").astype("datetime64[M]").astype(int) + 1970 * 12
    due = (households.programme > 0) & (city.month - number == months) & (last > 0)
    who = households.applicant[np.flatnonzero(due)].astype(np.int64)
    who = who[(who >= 0) & city.alive[who]]
    return Found(["X08"], "review_due_this_month", who, city.month, city.month, ["assistance_register"], True)
