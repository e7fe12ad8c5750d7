"""What the bulletin calls months, places and levels in one language.

Belongs here: names. Does not belong here: numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from models.codes import load_divisions
from models.labels import label
from workbench.report.frame import month_name
from workbench.statistics_blocks import CITY

LEVELS = ("red", "orange", "yellow", "blue")
# What a township is: left out of its name on a tile.
KINDS = ("街道办事处", "街道", "镇", "乡")


@dataclass(frozen=True)
class Area:
    """A place: its level, code without the zeros that fill up, and name."""

    level: str
    key: str
    name: str

    @property
    def short(self) -> str:
        """The name without what kind of place it is."""
        for kind in KINDS:
            if self.name.endswith(kind) and len(self.name) > len(kind) + 1:
                return self.name.removesuffix(kind)
        return self.name


@dataclass(frozen=True)
class Words:
    """Names for a month in a language."""

    on: date
    lang: str
    known: frozenset[str]
    """Codes of the areas that have figures: those of unknown place stand only where there is any."""

    levels = LEVELS

    @property
    def month(self) -> str:
        """The month as a person says it."""
        return month_name(self.on, self.lang)

    @cached_property
    def city(self) -> Area:
        """The city."""
        return Area("city", CITY, next(place.name for place in load_divisions() if place.level == "city"))

    @cached_property
    def counties(self) -> tuple[Area, ...]:
        """Counties in the order of the list."""
        return tuple(Area("county", one.code[:6], one.name) for one in load_divisions() if one.level == "county")

    @cached_property
    def townships(self) -> tuple[Area, ...]:
        """Townships in the order of the list."""
        return tuple(Area("township", one.code[:9], one.name) for one in load_divisions() if one.level == "township")

    def townships_of(self, county: Area) -> tuple[Area, ...]:
        """Townships of a county."""
        return tuple(one for one in self.townships if one.key.startswith(county.key))

    @cached_property
    def areas(self) -> tuple[Area, ...]:
        """City, counties with their townships, and what has no known place."""
        unknown = label("statistics.without_place", self.lang)
        rows = [self.city]
        for county in self.counties:
            rows += [county, *self.townships_of(county)]
            if f"{county.key}000" in self.known:
                rows.append(Area("township", f"{county.key}000", f"{county.name} · {unknown}"))
        if f"{CITY}000" in self.known:
            rows.append(Area("county", CITY, unknown))
        return tuple(rows)

    def column(self, name: str) -> str:
        """The heading of a column."""
        return label(f"bulletin.column.{name}", self.lang)
