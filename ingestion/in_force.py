"""Which delivery speaks for which rows and months, as of a moment.

Belongs here: pure functions from ledger entries to validity. Does not belong here: the warehouse that joins on
it, what a single delivery's state is called (``life``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import PurePath

import polars as pl

from ingestion.delivery import Delivery
from models.calendar import next_month

OPEN_END = date(9999, 12, 31)
VALIDITY_SCHEMA = {
    "delivery_id": pl.String(),
    "feed": pl.String(),
    "division": pl.String(),
    "area": pl.String(),
    "excepted": pl.String(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
}


@dataclass(frozen=True)
class Validity:
    """One delivery speaks for (some of) its rows in months [valid_from, valid_to); ``valid_from`` is its own month.

    ``division`` is the district that sent it (None: the whole city). The rows are those of the division ``area``
    (None: all of the file, rows of other cities and of no division included) but for the divisions ``excepted``,
    as ``,420702,420703001,`` (None: no exception): for those another row, or another delivery, speaks.
    """

    delivery_id: str
    feed: str
    division: str | None
    area: str | None
    excepted: str | None
    valid_from: date
    valid_to: date

    def speaks_for(self, area: str | None) -> bool:
        """Whether rows that stand directly in that division (None: in none of the city) are among its own."""
        inside = self.area is None or (area is not None and area.startswith(self.area))
        return inside and not (area is not None and any(map(area.startswith, self.exceptions)))

    @property
    def exceptions(self) -> list[str]:
        return self.excepted.strip(",").split(",") if self.excepted else []


def receipt_order(item: Delivery) -> tuple[datetime, str, str, int]:
    """Deliveries count in the order in which they were received, ties by file name (``x.csv`` before ``x(1).csv``).

    Never in the order in which they happened to be ingested, so that any order of intake comes to the same.
    """
    return item.received_at, PurePath(item.file_name).stem, item.file_name, item.sequence or 0


def said(deliveries: Iterable[Delivery], statuses: Sequence[str] = ("accepted",)) -> list[Delivery]:
    """What has been said, in the order in which it counts: deliveries of those statuses, and again where the same
    bytes were sent once more.

    A duplicate has no rows of its own, but it repeats its original at its own time: what was received between
    the two is no correction of what came after it. Supplements say nothing by themselves.
    """
    known = [item for item in deliveries if item.period is not None]
    counting = {item.delivery_id: item for item in known if item.status in statuses and item.supplements is None}
    again = [item for item in known if item.status == "duplicate" and item.detail in counting]
    spoken = sorted([*counting.values(), *again], key=receipt_order)
    return [counting[str(item.detail)] if item.status == "duplicate" else item for item in spoken]


def as_of(deliveries: Iterable[Delivery], moment: datetime | None) -> list[Delivery]:
    """The accepted ones that had been received by that moment, supplements too, in the order of receipt."""
    accepted = [item for item in received_by(deliveries, moment) if item.status == "accepted" and item.period]
    return sorted(accepted, key=receipt_order)


def received_by(deliveries: Iterable[Delivery], moment: datetime | None) -> list[Delivery]:
    return [item for item in deliveries if moment is None or item.received_at <= moment]


def delivery_validity(deliveries: Iterable[Delivery], moment: datetime | None = None) -> pl.DataFrame:
    """Validity of all accepted deliveries as of a moment, columns as in ``Validity``."""
    return pl.DataFrame([row.__dict__ for row in validity_rows(deliveries, moment)], schema=VALIDITY_SCHEMA)


def validity_rows(deliveries: Iterable[Delivery], moment: datetime | None = None) -> list[Validity]:
    """Validity of all accepted deliveries as of a moment.

    A snapshot holds from its month to the month of the next one that covers it; events only in their month.
    Within a month what was received last speaks for its area: a whole-city file takes the place of all before
    it, a county's part that of its townships', a township's part that of its own rows alone. Rows of another
    city or of no division belong to no part and stay with the wider file. Senders of the same feed do not
    concern each other. A supplement counts wherever the delivery that it supplements does.
    """
    known = received_by(deliveries, moment)
    groups: dict[tuple[str, str | None], list[Delivery]] = defaultdict(list)
    for item in said(known):
        groups[item.feed, item.sender].append(item)
    rows = [row for key in sorted(groups, key=str) for row in _rows_of(groups[key])]
    return [*rows, *_supplement_rows(known, rows)]


def covers(wider: str | None, division: str | None) -> bool:
    """Whether every row of the one belongs to the other as well; None is the whole city."""
    return wider is None or (division is not None and division.startswith(wider))


def overlap(one: str | None, other: str | None) -> bool:
    return covers(one, other) or covers(other, one)


def touched_months(before: Iterable[Validity], after: Iterable[Validity]) -> date | None:
    """The first month whose rows in force differ between two validities; None where they never do.

    Months before it need not be computed again: the same deliveries speak for the same rows in them.
    """
    old, new = _by_delivery(before), _by_delivery(after)
    changed = [delivery_id for delivery_id in old.keys() | new.keys() if old[delivery_id] != new[delivery_id]]
    months = (_first_difference(old[delivery_id], new[delivery_id]) for delivery_id in changed)
    return min((month for month in months if month is not None), default=None)


def validity_of(frame: pl.DataFrame) -> list[Validity]:
    """The rows of a published ``delivery_validity``."""
    return [Validity(**row) for row in frame.select(list(VALIDITY_SCHEMA)).iter_rows(named=True)]


def first_day(period: str) -> date:
    return date(int(period[:4]), int(period[5:7]), 1)


def _rows_of(items: list[Delivery]) -> Iterator[Validity]:
    """Validity of the deliveries of one feed and sender, given in the order in which they count."""
    areas = {item.division for item in items}
    winners = {area: _winners(items, area) for area in areas}
    for item in sorted(_once(items), key=lambda item: item.delivery_id):
        month = first_day(str(item.period))
        if winners[item.division][month].delivery_id == item.delivery_id:
            inner = sorted(str(area) for area in areas if area != item.division and covers(item.division, area))
            ends = {area: _end(item, winners[area]) for area in [item.division, *inner]}
            yield from _regions(item, ends, inner)


def _regions(item: Delivery, ends: dict[str | None, date | None], inner: list[str]) -> Iterator[Validity]:
    """One row for the whole, and for each area within whose months end otherwise than those around it."""
    apart = [area for area in inner if ends[area] != ends[_around(area, inner, item.division)]]
    regions: list[str | None] = [None, *apart]
    for region in regions:
        end = ends[item.division if region is None else region]
        within = [area for area in apart if area != region and covers(region, area)]
        if end is not None:
            excepted = _outermost(within)
            listed = f",{','.join(excepted)}," if excepted else None
            yield Validity(item.delivery_id, item.feed, item.division, region, listed, first_day(str(item.period)), end)


def _around(area: str, areas: list[str], whole: str | None) -> str | None:
    """The narrowest of the areas around one."""
    return max((other for other in areas if other != area and area.startswith(other)), key=len, default=whole)


def _once(items: Iterable[Delivery]) -> list[Delivery]:
    """Each once, however often it was said."""
    return list({item.delivery_id: item for item in items}.values())


def _winners(items: list[Delivery], area: str | None) -> dict[date, Delivery]:
    """The delivery that speaks for that area in each month in which any does: the last one counts."""
    return {first_day(str(item.period)): item for item in items if covers(item.division, area)}


def _end(item: Delivery, winners: dict[date, Delivery]) -> date | None:
    """The month from which a delivery no longer speaks for an area; None where it never does."""
    month = first_day(str(item.period))
    if winners[month].delivery_id != item.delivery_id:
        return None
    if item.mode != "snapshot":
        return next_month(month)
    return min((other for other in winners if other > month), default=OPEN_END)


def _outermost(areas: Iterable[str]) -> list[str]:
    """Without the townships of a county that is there itself."""
    found: list[str] = []
    for area in sorted(areas):
        if not found or not area.startswith(found[-1]):
            found.append(area)
    return found


def _supplement_rows(known: Sequence[Delivery], rows: Sequence[Validity]) -> list[Validity]:
    by_delivery: dict[str, list[Validity]] = defaultdict(list)
    for row in rows:
        by_delivery[row.delivery_id].append(row)
    return [
        replace(row, delivery_id=item.delivery_id)
        for item in known
        if item.supplements is not None and item.status == "accepted"
        for row in by_delivery[item.supplements]
    ]


def _by_delivery(rows: Iterable[Validity]) -> dict[str, list[Validity]]:
    found: dict[str, list[Validity]] = defaultdict(list)
    for row in rows:
        found[row.delivery_id].append(row)
    return found


def _first_difference(old: list[Validity], new: list[Validity]) -> date | None:
    """The first month in which one delivery speaks for other rows than before."""
    both = [*old, *new]
    areas = {None, *(row.area for row in both), *(area for row in both for area in row.exceptions)}
    edges = sorted({edge for row in both for edge in (row.valid_from, row.valid_to)})
    return next(
        (edge for edge in edges if any(_speaks(edge, area, old) != _speaks(edge, area, new) for area in areas)), None
    )


def _speaks(month: date, area: str | None, rows: list[Validity]) -> bool:
    return any(row.valid_from <= month < row.valid_to and row.speaks_for(area) for row in rows)
