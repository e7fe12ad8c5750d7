"""Which delivery speaks for which month and district, as of a moment.

Belongs here: pure functions from ledger entries to validity. Does not belong here: the warehouse that joins on
it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from ingestion.delivery import Delivery
from ingestion.reason import PART_MISSING

OPEN_END = date(9999, 12, 31)
VALIDITY_SCHEMA = {
    "delivery_id": pl.String(),
    "feed": pl.String(),
    "division": pl.String(),
    "valid_from": pl.Date(),
    "valid_to": pl.Date(),
}


@dataclass(frozen=True)
class Validity:
    """One delivery speaks for the rows of one division (None: all its rows) in months [valid_from, valid_to)."""

    delivery_id: str
    feed: str
    division: str | None
    valid_from: date
    valid_to: date


def as_of(deliveries: Iterable[Delivery], moment: datetime | None) -> list[Delivery]:
    """The accepted ones that had been received by that moment, in the order in which they count."""
    known = [item for item in deliveries if item.status == "accepted" and item.period is not None]
    if moment is not None:
        known = [item for item in known if item.received_at <= moment]
    return sorted(known, key=lambda item: (item.received_at, item.sequence or 0))


def delivery_validity(
    deliveries: Iterable[Delivery], districts: Mapping[str, Sequence[str]], moment: datetime | None = None
) -> pl.DataFrame:
    """Validity of all accepted deliveries as of a moment.

    A snapshot holds from its month to the month of the next one of the same extent; events only in their month.
    Within a month a whole-city file takes the place of all before it, a later part that of its own district.
    ``districts`` names for each feed whose files come in parts the districts of the city (from the division
    list): a whole-city file that lost some of them to parts stays in force for the others, row by row.
    """
    by_feed: dict[str, list[Delivery]] = defaultdict(list)
    for item in as_of(deliveries, moment):
        by_feed[item.feed].append(item)
    rows = [row for feed in sorted(by_feed) for row in _validity_of_feed(by_feed[feed], districts.get(feed, ()))]
    return pl.DataFrame([row.__dict__ for row in rows], schema=VALIDITY_SCHEMA)


def with_missing_parts(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """The same entries; those of a month in which a district's part is missing carry the warning for it."""
    missing = missing_parts(deliveries)
    return [
        replace(item, warnings=[*item.warnings, PART_MISSING])
        if item.status == "accepted" and (item.feed, item.period) in missing
        else item
        for item in deliveries
    ]


def missing_parts(deliveries: Iterable[Delivery], moment: datetime | None = None) -> dict[tuple[str, str], list[str]]:
    """Districts whose part is missing in a month in which others of the same feed sent theirs: by (feed, month).

    Districts are those that ever sent a part of the feed before or in that month.
    """
    parts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    whole: set[tuple[str, str]] = set()
    for item in as_of(deliveries, moment):
        if item.division is None:
            whole.add((item.feed, str(item.period)))
        else:
            parts[item.feed][str(item.period)].add(item.division)
    missing = {}
    for feed, months in parts.items():
        seen: set[str] = set()
        for month in sorted(months):
            lacking = sorted(seen - months[month])
            seen |= months[month]
            if lacking and (feed, month) not in whole:
                missing[feed, month] = lacking
    return missing


def _validity_of_feed(items: list[Delivery], districts: Sequence[str]) -> list[Validity]:
    parts = {item.division for item in items if item.division}
    extents: list[str | None] = [None]
    if parts:
        extents = [*sorted({*districts, *parts})]
    winners = {extent: _winners(items, extent) for extent in extents}
    rows: list[Validity] = []
    for extent, months in winners.items():
        rows += _stretches(months, extent)
    return _merged(rows, len(extents), {item.delivery_id for item in items if item.division is not None})


def _winners(items: list[Delivery], extent: str | None) -> dict[date, Delivery]:
    """The delivery that speaks for that extent in each month in which any does: the last one counts."""
    months: dict[date, Delivery] = {}
    for item in items:
        if item.division is None or extent is None or _covers(item.division, extent):
            months[_first_day(str(item.period))] = item
    return months


def _covers(division: str, extent: str) -> bool:
    return extent.startswith(division)


def _stretches(months: dict[date, Delivery], extent: str | None) -> list[Validity]:
    rows = []
    ordered = sorted(months)
    for at, month in enumerate(ordered):
        item = months[month]
        end = _next_month(month)
        if item.mode == "snapshot":
            end = ordered[at + 1] if at + 1 < len(ordered) else OPEN_END
        rows.append(Validity(item.delivery_id, item.feed, extent, month, end))
    return rows


def _merged(rows: list[Validity], extent_count: int, parts: set[str]) -> list[Validity]:
    """No division where all rows count: of a part, or of a whole-city file in force for every district."""
    by_span: dict[tuple[str, date, date], list[Validity]] = defaultdict(list)
    for row in rows:
        by_span[row.delivery_id, row.valid_from, row.valid_to].append(row)
    merged: list[Validity] = []
    for (delivery_id, _, _), group in sorted(by_span.items()):
        if delivery_id in parts or len(group) == extent_count:
            merged.append(replace(group[0], division=None))
        else:
            merged += sorted(group, key=lambda row: row.division or "")
    return merged


def _first_day(period: str) -> date:
    return date(int(period[:4]), int(period[5:7]), 1)


def _next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
