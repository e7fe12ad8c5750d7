"""The figures of a month as the bulletin may print them: read once, small counts hidden once for all of its parts.

Belongs here: which cells of ``figure_month_area`` the bulletin draws on, which of them add up, and so which are hidden.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import polars as pl

from models.statistics import load_figures
from workbench.bulletin.catalogue import HEADLINES, STOCKS, is_printed
from workbench.report.figure import Figure
from workbench.report.frame import month_before
from workbench.report.suppress import Cell, Sum, hide
from workbench.statistics_blocks import ALL, CITY, PEOPLE_UNITS

HISTORY_MONTHS = 13
LEVELS = ("city", "county", "township")
TABLE = "figure_month_area"
# Stock = stock of the month before + these, by sign: what the reader of two bulletins can work out.
FLOWS = ((1, "new"), (-1, "left"), (1, "changed_in"), (-1, "changed_out"), (1, "moved_in"), (-1, "moved_out"))
# Counts that are others taken together, where data say so.
TOGETHER = (
    ("alerts_standing", ("alerts_listed", "alerts_silenced", "alerts_put_off")),
    ("reviews_due", ("reviews_done", "reviews_overdue")),
    ("register_persons", ("register_persons_by_area_type",)),
    ("alerts_standing", ("alerts_by_level",)),
    ("children_of_concern", ("children_by_risk",)),
    ("resident_households", ("households_by_rule",)),
)


@dataclass(frozen=True)
class Place:
    """Where a figure is looked up: month, area, layer and part."""

    figure: str
    month: date
    level: str
    area: str
    layer: str = ALL
    part: str = ALL

    @property
    def id(self) -> str:
        """A stable name of the figure in all forms of the report."""
        return f"{self.figure}/{self.month:%Y-%m}/{self.level}/{self.area}/{self.layer}/{self.part}"


class BulletinFigures:
    """All figures that the bulletin of a month may print."""

    def __init__(self, figures: pl.DataFrame, month: date, limit: int) -> None:
        self.month, self.limit = month.replace(day=1), limit
        self._rows = dict(_read(figures, self.month))
        self.months = tuple(sorted({place.month for place in self._rows if place.level == "city"}))

    @cached_property
    def hidden(self) -> dict[Place, str]:
        """What is not shown, with why."""
        cells = dict(self._cells())
        return hide(cells, self.sums(cells), self.limit) if self.limit else {}

    def __call__(
        self, figure: str, level: str = "city", area: str = CITY, layer: str = ALL, part: str = ALL, back: int = 0
    ) -> Figure:
        """The figure there; ``back`` months earlier. A layer or part in which nothing was counted is nothing."""
        month = self.month
        for _ in range(back):
            month = month_before(month)
        place = Place(figure, month, level, area, layer, part)
        value, complete = self._value(place)
        where = {
            "figure": figure,
            "month": f"{month:%Y-%m-%d}",
            "area_level": level,
            "area_code": area,
            "layer": layer,
            "dimension": part,
        }
        entry = load_figures()[figure]
        return Figure(
            id=place.id,
            value=value,
            unit=entry.unit,
            table=TABLE,
            where=where,
            hidden=self._sign(place),
            limit=self.limit,
            is_complete=complete,
        )

    def _value(self, place: Place) -> tuple[Decimal | None, bool]:
        found = self._rows.get(place)
        if found is not None:
            return found[0], found[1]
        whole = self._rows.get(Place(place.figure, place.month, "city", CITY))
        counted = whole is not None and whole[0] is not None and not load_figures()[place.figure].is_rate
        return (Decimal(0) if counted else None), whole is None or whole[1]

    def _sign(self, place: Place) -> str:
        entry = load_figures()[place.figure]
        if not entry.is_rate:
            return self.hidden.get(place, "")
        bases = (entry.numerator or "", entry.denominator or "")
        rest = (place.month, place.level, place.area, place.layer, place.part)
        return "rest" if any(Place(base, *rest) in self.hidden for base in bases) else ""

    def parts(self, figure: str) -> list[str]:
        """The parts of a figure that the city has this month, in order of their codes."""
        return sorted(
            {
                place.part
                for place in self._rows
                if place.figure == figure and place.month == self.month and place.part != ALL and place.layer == ALL
            }
        )

    def areas(self, level: str) -> set[str]:
        """Codes of the areas of a level that have any figure this month."""
        return {place.area for place in self._rows if place.level == level and place.month == self.month}

    def _cells(self) -> Iterator[tuple[Place, Cell]]:
        """Every number that is not a rate."""
        known = load_figures()
        for place, (value, _) in self._rows.items():
            entry = known[place.figure]
            if value is None or entry.is_rate:
                continue
            rest = (place.month, place.level, place.area, place.layer, place.part)
            # What is hidden beside a small one: months before first, then townships, counties, parts, the city last.
            earlier = place.month < self.month
            is_whole = place.layer == ALL and place.part == ALL
            rank = 9 * earlier + LEVELS.index(place.level) * 2 + (not is_whole)
            if place.figure in HEADLINES and place.level == "city" and is_whole and not earlier:
                rank = -1
            people = tuple(Place(base, *rest) for base in entry.people)
            yield (
                place,
                Cell(value, is_count=entry.unit in PEOPLE_UNITS, rank=rank, people=people),
            )

    def sums(self, cells: dict[Place, Cell]) -> list[Sum[Place]]:
        """Which cells add up, as far as they do: areas, layers, parts, stocks and flows, counts taken together."""
        candidates = [*self._by_area(cells), *self._by_split(cells), *self._stocks(cells), *self._together(cells)]
        return [one for one in candidates if len(one.terms) > 1 and _adds_up(one, cells)]

    def _by_area(self, cells: Iterable[Place]) -> Iterator[Sum[Place]]:
        inside: dict[tuple[Place, str], list[Place]] = defaultdict(list)
        for place in cells:
            if place.level != "city":
                above = "city" if place.level == "county" else "county"
                area = CITY if above == "city" else place.area[:6]
                top = Place(place.figure, place.month, above, area, place.layer, place.part)
                inside[(top, place.level)].append(place)
        for (top, _), parts in inside.items():
            yield Sum(((1, top), *((-1, part) for part in parts)))

    def _by_split(self, cells: Iterable[Place]) -> Iterator[Sum[Place]]:
        layers: dict[Place, list[Place]] = defaultdict(list)
        parts: dict[Place, list[Place]] = defaultdict(list)
        for place in cells:
            if place.layer != ALL:
                top = Place(place.figure, place.month, place.level, place.area, ALL, place.part)
                layers[top].append(place)
            if place.part != ALL:
                top = Place(place.figure, place.month, place.level, place.area, place.layer, ALL)
                parts[top].append(place)
        for group in (layers, parts):
            for top, below in group.items():
                yield Sum(((1, top), *((-1, one) for one in below)))

    def _stocks(self, cells: Iterable[Place]) -> Iterator[Sum[Place]]:
        """Stocks of two months and what came and went between, where both are printed."""
        for place in cells:
            if place.figure not in STOCKS or place.part != ALL:
                continue
            rest = (place.level, place.area, place.layer)
            before = Place(place.figure, month_before(place.month), *rest)
            if before not in self._rows:
                continue
            flows = [(-sign, Place(f"{STOCKS[place.figure]}_{kind}", place.month, *rest)) for sign, kind in FLOWS]
            yield Sum(((1, place), (-1, before), *flows))

    def _together(self, cells: Iterable[Place]) -> Iterator[Sum[Place]]:
        for place in cells:
            rest = (place.month, place.level, place.area, place.layer, place.part)
            for whole, parts in TOGETHER:
                if place.figure == whole:
                    yield Sum(((1, place), *((-1, Place(part, *rest)) for part in parts)))


def _adds_up(one: Sum[Place], cells: dict[Place, Cell]) -> bool:
    terms = [(sign, cells[place].value) for sign, place in one.terms if place in cells]
    return len(terms) > 1 and sum((sign * value for sign, value in terms), Decimal(0)) == 0


def _read(figures: pl.DataFrame, month: date) -> Iterator[tuple[Place, tuple[Decimal | None, bool]]]:
    """What the bulletin may print of this month and those before."""
    months = [month]
    for _ in range(HISTORY_MONTHS - 1):
        months.append(month_before(months[-1]))
    wanted = figures.filter(
        pl.col("month").is_in(months), pl.col("area_level") != "village", pl.col("figure").is_in(list(load_figures()))
    ).sort("figure", "month", "area_level", "area_code", "layer", "dimension")
    columns = ("figure", "month", "area_level", "area_code", "layer", "dimension", "value", "is_feed_arrived")
    for figure, when, level, area, layer, part, value, complete in wanted.select(columns).iter_rows():
        if is_printed(figure, level, layer, part, months.index(when)):
            yield Place(figure, when, level, area, layer, part), (value, complete)
