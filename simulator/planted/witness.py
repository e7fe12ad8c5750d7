"""Collects the cases of all months and writes them beside the inbox.

Belongs here: which cases are named, their members, the file. Does not belong here: what a case is.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from simulator.city import City
from simulator.months import period_text
from simulator.planted import exit_side, need_side
from simulator.planted.memory import Found, Memory
from simulator.planted.stage import Stage
from simulator.randomness import Ints

# Named cases of one kind; large cities have many more, which are true but not listed.
MOST_OF_A_KIND = 60


@dataclass
class Witness:
    """Watches the city month by month and notes cases of spared households, whose rows are never faulty."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    stage: Stage | None = None
    _counts: Counter[str] = field(default_factory=Counter)

    def observe(self, city: City) -> None:
        """Note this month's cases; the city must have been reported already."""
        taken = self.stage.taken if self.stage else set()
        for found in (*need_side.cases(city, self.memory), *exit_side.cases(city, self.memory)):
            # Of those whose rows are staged, the files no longer say what happened to them.
            staged = np.isin(city.persons.household[found.persons], np.fromiter(taken, dtype=np.int64))
            self._note(city, replace(found, persons=found.persons[~staged]))
        for found in self.stage.found(city) if self.stage else ():
            self._note(city, found)
        self.memory.update(city)

    def _note(self, city: City, found: Found) -> None:
        if not len(found.persons) or found.event_month < city.first_month or found.detectable_month > city.last_month:
            return
        for person in np.unique(found.persons)[: MOST_OF_A_KIND - self._counts[found.what]]:
            members = self._members(city, int(person))
            if not city.persons.spared[members].all():
                continue
            self._counts[found.what] += 1
            identifiers = city.persons.id_number
            self.cases.append(
                {
                    "indicator": list(found.indicator),
                    "what": found.what,
                    "id_number": identifiers[int(person)],
                    "member_id_numbers": [identifiers[int(member)] for member in members],
                    "event_month": period_text(found.event_month),
                    "detectable_month": period_text(found.detectable_month),
                    "evidence_feeds": list(found.evidence),
                    "near_miss": found.near_miss,
                }
            )

    def _members(self, city: City, person: int) -> Ints:
        """The household of the person as it lives now, the person first though dead, held or gone."""
        home = city.persons.household[person]
        others = np.flatnonzero((city.persons.household == home) & city.at_home)
        return np.concatenate([[person], others[others != person]])

    def write(self, path: Path) -> int:
        """One JSON object a line; returns the number of true cases, near misses not counted."""
        with path.open("w", encoding="utf-8") as out:
            for case in self.cases:
                out.write(json.dumps(case, ensure_ascii=False) + "\n")
        return sum(1 for case in self.cases if not case["near_miss"])
