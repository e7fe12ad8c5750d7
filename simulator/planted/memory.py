"""What is remembered of past months to tell that something is new or has lasted.

Belongs here: yesterday's state. Does not belong here: what it means (``need_side``, ``exit_side``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator import benefits, outreach
from simulator.city import FORMAL, City
from simulator.feeds.frame import events
from simulator.randomness import Bools, Floats, Ints


@dataclass(frozen=True)
class Found:
    """Cases of one kind: the persons they are about, when it happened, from when the feeds suffice to see it."""

    indicator: Sequence[str]
    what: str
    persons: Ints
    event_month: int
    detectable_month: int
    evidence: Sequence[str]
    near_miss: bool = False


@dataclass
class Memory:
    """State at the end of the month before; arrays are as long as the city was then."""

    employed: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    spending: Floats = field(default_factory=lambda: np.zeros((0, 12)))
    over_line: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    due: tuple[Bools, ...] = ()
    lost_last_month: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    due_last_month: list[Ints] = field(default_factory=list)
    unattended: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    doubled: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    above_line: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    pensioned: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    first_wages: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    overdue: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    reports: list[tuple[int, Ints]] = field(default_factory=list)
    touched: list[Ints] = field(default_factory=list)
    months: int = 0

    def update(self, city: City) -> None:
        """Take over the month that has just been judged."""
        people = city.persons
        streak = longer(self.employed, len(people))
        working = city.at_home & (people.job == FORMAL)
        self.employed = np.where(working, streak + 1, 0)
        self.due = benefits.entitled(city)
        orphan, unattended = outreach.parent_states(city)
        self.unattended = orphan | unattended
        self.pensioned = people.pension_type > 0
        self.doubled = people.second_certificate >= 0
        self.months += 1

    def spend(self, city: City) -> Floats:
        """Add this month's bills; returns twelve months of spending out of pocket by person, since the first file."""
        rows = events(city, "medical_settlement")
        grown = np.zeros((len(city.persons), 12))
        grown[: len(self.spending)] = self.spending
        grown[:, city.month % 12] = np.bincount(
            rows["person"], weights=rows["out_of_pocket"], minlength=len(city.persons)
        )
        self.spending = grown
        return np.asarray(grown.sum(axis=1))


def longer(values: Ints, size: int) -> Ints:
    """The array with zeros for those who were not there yet."""
    result = np.zeros(size, dtype=values.dtype)
    result[: len(values)] = values
    return result


def longer_flags(values: Bools, size: int) -> Bools:
    result = np.zeros(size, dtype=bool)
    result[: len(values)] = values
    return result
