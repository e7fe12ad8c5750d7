"""The course of the city: how it begins, and in which order a month changes it.

Belongs here: the order of things. Does not belong here: the things, and files.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from simulator import assistance, benefits, family, health, holdings, need, outreach, people, places, shocks, work
from simulator.city import City
from simulator.months import first_date, month_number
from simulator.policy import standards_on

# Months lived before the first delivery, so that need, register and delays have found their balance.
WARM_UP = 9


def months_of(seed: int, households: int, months: int, first_month: date) -> Iterator[City]:
    """Yield the same city once a month, after the month's changes; its state must be read before the next step."""
    first = month_number(first_month)
    city = City(
        seed=seed,
        month=first - WARM_UP - 1,
        first_month=first,
        last_month=first + months - 1,
        places=places.lay_out(seed),
        standards=standards_on(first_month),
    )
    people.settle(city, households)
    health.settle(city)
    work.settle(city, households)
    holdings.settle(city)
    shocks.settle(city)
    need.settle(city)
    assistance.settle(city)
    benefits.advance(city, first=True)
    outreach.settle(city)
    for month in range(first - WARM_UP, first + months):
        city.month = month
        city.standards = standards_on(first_date(max(month, first)))
        city.events = {}
        _live(city)
        if month >= first:
            yield city


def _live(city: City) -> None:
    """One month: what happens to people, what it means for them, what the office does about it."""
    work.advance(city)
    holdings.advance(city)
    family.advance(city)
    health.advance(city)
    shocks.advance(city)
    need.advance(city)
    assistance.advance(city)
    outreach.advance(city)
    benefits.advance(city)
