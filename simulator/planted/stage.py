"""Cases that a small city hardly ever has by itself: rows added, left out or altered for a few chosen people.

Belongs here: which rows of which feed and month are touched, and for whom. Does not belong here: which cases there are
(``scripts``). The city itself does not change: only what departments say of the chosen people does, so that nothing
drawn for anybody else moves. The chosen live in households whose rows are never faulty and all of whose members
are registered where they live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np
import polars as pl

from simulator.city import City
from simulator.months import first_date
from simulator.planted.memory import Found, Memory
from simulator.randomness import Bools, stream

Values = Mapping[str, Any]
# A script begins when wages and pensions of some months are known, and ends while its months can still be told.
FIRST_LEAD, LAST_LEAD = 6, 3
# So many households of the city for each case of a kind, so that small cities stay as they are.
HOUSEHOLDS_A_CASE = 1_200


@dataclass(frozen=True)
class Edit:
    """What one feed says differently of one ID number in the months ``first`` to ``last``.

    ``drop`` leaves its rows out (those that match ``where``), ``alter`` gives columns other values, or multiplies
    them where a value is a number factor (``times``), ``add`` puts a row in; a value may be a function
    of the month.
    """

    feed: str
    first: int
    last: int
    kind: Literal["drop", "alter", "times", "add"]
    id_number: str
    values: Values = field(default_factory=dict)
    where: Values = field(default_factory=dict)

    def holds(self, feed: str, month: int) -> bool:
        return self.feed == feed and self.first <= month <= self.last


# What is altered for a chosen person from the month of the city on.
Edits = Callable[[City, int], Sequence[Edit]]


@dataclass(frozen=True)
class Script:
    """One kind of case: whom it may be about in a month, what is altered, and what should be seen of it.

    ``months`` says in how many months after its own the case shows. ``quarter``: begins only
    in every third month, that in which a quarterly register is sent.
    """

    what: str
    indicator: str
    near_miss: bool
    whom: Callable[[View], Bools]
    edits: Edits
    months: int = 0
    evidence: tuple[str, ...] = ()
    quarter: int | None = None


@dataclass(frozen=True)
class View:
    """What a script may ask when it chooses: the city, its past, households that a visit found not entitled."""

    city: City
    memory: Memory
    refused: set[int]


@dataclass
class Stage:
    """Plays scripts month by month: choose, then alter frames, then tell the witness what was planted."""

    scripts: Sequence[Script]
    seed: int
    households: int
    first_month: int
    last_month: int
    edits: list[Edit] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    _begun: list[tuple[Script, int, int]] = field(default_factory=list)

    def begin(self, city: City, memory: Memory) -> None:
        """Choose the people of the cases that begin this month; before its frames are made."""
        self._watch(city)
        for script in self.scripts:
            for _ in range(self._starts(script, city.month)):
                self._begin_one(script, View(city, memory, self.refused))

    def _watch(self, city: City) -> None:
        """Remember whom a visit of this month found not entitled."""
        for batch in city.events.get("visit_outcome", []):
            persons = np.asarray(batch["person"])[np.asarray(batch["outcome"]) == 4]
            self.refused.update(city.persons.household[persons].tolist())

    def _starts(self, script: Script, month: int) -> int:
        """How many cases of a script begin in a month: as many as the city is large, spread over its months."""
        span = range(self.first_month + FIRST_LEAD, self.last_month - LAST_LEAD + 1)
        months = [one for one in span if script.quarter in (None, one % 3)]
        if month not in months:
            return 0
        rng = stream(self.seed, "stage", script.what)
        return int((rng.choice(months, self.households // HOUSEHOLDS_A_CASE) == month).sum())

    def _begin_one(self, script: Script, view: View) -> None:
        city, people = view.city, view.city.persons
        free = ~np.isin(people.household, np.fromiter(self.taken, dtype=np.int64))
        who = np.flatnonzero(script.whom(view) & free & tidy(city))
        if not len(who):
            return
        person = int(stream(self.seed, "stage", script.what, city.month, len(self._begun)).choice(who))
        self.taken.add(int(people.household[person]))
        self.edits += script.edits(city, person)
        self._begun.append((script, person, city.month))

    def apply(self, feed: str, frame: pl.DataFrame, city: City) -> pl.DataFrame:
        """The frame with this month's edits; rows in a new order that says nothing."""
        edits = [edit for edit in self.edits if edit.holds(feed, city.month)]
        for edit in edits:
            frame = _edited(frame, edit, city.month)
        if not edits:
            return frame
        return frame[stream(self.seed, "stage order", feed, city.month).permutation(frame.height)]

    def found(self, city: City) -> list[Found]:
        """Cases that can be seen from this month on, of households still complete."""
        whole = tidy(city)
        return [
            Found([script.indicator], script.what, np.array([person]), month, city.month, script.evidence,
                  script.near_miss)
            for script, person, month in self._begun
            if month + script.months == city.month and whole[person]
        ]  # fmt: skip


def tidy(city: City) -> Bools:
    """People of spared households that live where they are registered, all together and nobody else with them."""
    people, size = city.persons, len(city.households)
    present = city.at_home
    stays = present & (people.hukou == people.household) & people.spared
    strays = np.zeros(size, dtype=bool)
    relevant = city.alive & (people.moved_out < 0)
    strays[people.household[relevant & ~stays]] = True
    strays[people.hukou[relevant & ~stays]] = True
    return np.asarray(stays & ~strays[people.household])


def _edited(frame: pl.DataFrame, edit: Edit, month: int) -> pl.DataFrame:
    column = "id_number"
    ours = pl.col(column) == edit.id_number if column in frame.columns else pl.lit(False)
    for name, value in edit.where.items():
        ours &= pl.col(name) == value
    values = {name: value(month) if callable(value) else value for name, value in edit.values.items()}
    if edit.kind == "drop":
        return frame.filter(~ours.fill_null(False))
    if edit.kind == "add":
        return pl.concat([frame, _row(frame, {"id_number": edit.id_number, **values})])
    new = {
        name: pl.col(name) * value if edit.kind == "times" else pl.lit(value, dtype=frame.schema[name])
        for name, value in values.items()
    }
    told = [pl.when(ours).then(cell).otherwise(pl.col(name)).alias(name) for name, cell in new.items()]
    return frame.with_columns(told)


def _row(frame: pl.DataFrame, values: Values) -> pl.DataFrame:
    """One row with the columns of a frame; what is not said stays empty."""
    said = {name: value for name, value in {**values, "_spared": True}.items() if name in frame.columns}
    cells = {
        name: pl.Series(name, [str(said[name]) if kind == pl.String and said.get(name) is not None else said.get(name)])
        .cast(kind)
        for name, kind in frame.schema.items()
    }  # fmt: skip
    return pl.DataFrame(cells)


def day_in(month: int, day: int) -> date:
    return first_date(month).replace(day=day)


def month_name(month: int) -> str:
    return f"{first_date(month):%Y%m}"


def of_household(city: City, mask: Bools) -> Bools:
    """Whether anybody of the household is in the mask, by person."""
    return np.asarray(city.count(mask)[city.persons.household] > 0)
