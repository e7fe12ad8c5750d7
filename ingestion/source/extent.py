"""Which months of a table are to be delivered: pure decisions over what was found and what was delivered before.

Belongs here: months of rows, months that are over, what has changed. Does not belong here: SQL, files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from ingestion.normalise import normalise_text
from ingestion.source.record import Fetched
from ingestion.source.settings import TableSettings
from ingestion.statement import LOCAL_ZONE
from models.contract import Feed

_MONTH = re.compile(r"(?P<y>199\d|20\d\d)(?:(?P<m>0[1-9]|1[0-2])(?:\d\d)?$|[-/.年](?P<n>1[0-2]|0?[1-9])(?!\d))")


@dataclass(frozen=True)
class Group:
    """Rows with one value of the column of month, as the database counted them."""

    month: str | None
    rows: int
    missing: int
    watermark: str | None
    position: float | None


@dataclass(frozen=True)
class Extent:
    """All rows of one data month; ``months`` are the values of the column of month that stand for it (None: the
    table has none). ``missing`` rows have no watermark; ``position`` is the watermark as a number, if it is one.
    """

    period: str
    months: tuple[str, ...] | None
    rows: int
    missing: int = 0
    watermark: str | None = None
    position: float | None = None

    @property
    def fingerprint(self) -> str:
        """Another one when rows came, went or were changed with a new watermark."""
        return f"{self.rows}|{self.missing}|{self.watermark or ''}"


def period_of_value(value: str | None) -> str | None:
    """The month in a value of the column of month: ``202303``, ``2023-03``, ``20230305``, ``2023年3月``…"""
    found = _MONTH.match(normalise_text(value or ""))
    return f"{found['y']}-{int(found['m'] or found['n']):02d}" if found else None


def last_period(table: TableSettings, now: datetime) -> str:
    """The newest month that may be delivered: the one before this, or this one where the table is set so."""
    first = now.astimezone(LOCAL_ZONE).replace(day=1)
    return f"{first if table.open_month == 'deliver' else first - timedelta(days=1):%Y-%m}"


def extents(table: TableSettings, groups: Sequence[Group], now: datetime) -> tuple[list[Extent], dict[str, str]]:
    """The months that may be delivered, and what has to wait with why."""
    last = last_period(table, now)
    if table.month is None:
        return [_merged(last, None, groups)], {}
    months: dict[str, list[Group]] = {}
    waiting: dict[str, str] = {}
    for group in groups:
        period = period_of_value(group.month)
        months.setdefault(period or "", []).append(group)
    unreadable = sum(group.rows for group in months.pop("", []))
    if unreadable:
        waiting[f"{table.feed}: {unreadable} rows"] = f"no month can be read in {table.month}"
    for period in sorted(month for month in months if month > last):
        rows = sum(group.rows for group in months.pop(period))
        waiting[f"{table.feed} {period}: {rows} rows"] = "the month is not over"
    found = [
        _merged(period, tuple(sorted(str(group.month) for group in of)), of) for period, of in sorted(months.items())
    ]
    return found, waiting


def _merged(period: str, months: tuple[str, ...] | None, groups: Sequence[Group]) -> Extent:
    marked = [group for group in groups if group.watermark is not None]
    by = attrgetter("position") if all(group.position is not None for group in marked) else attrgetter("watermark")
    top = max(marked, key=by, default=None)
    return Extent(
        period=period,
        months=months,
        rows=sum(group.rows for group in groups),
        missing=sum(group.missing for group in groups),
        watermark=top.watermark if top else None,
        position=top.position if top and math.isfinite(top.position or 0.0) else None,
    )


def to_deliver(
    table: TableSettings, feed: Feed, found: Iterable[Extent], known: Mapping[str, Fetched], now: datetime
) -> list[Extent]:
    """The months that may have changed since they were delivered (``known``, by month), oldest first.

    A month of which all rows are gone is delivered empty, so that what was withdrawn does not live on.
    """
    listed = list(found)
    positions = [item.position for item in known.values() if item.state == "settled" and item.position is not None]
    top = max(positions, default=None)
    chosen = [extent for extent in listed if _may_differ(table, feed, extent, known.get(extent.period), top, now)]
    if table.month is not None:
        present = {extent.period for extent in listed}
        chosen += [Extent(period, (), 0) for period, item in known.items() if period not in present and item.row_count]
    return sorted(chosen, key=lambda extent: extent.period)


def _may_differ(
    table: TableSettings, feed: Feed, extent: Extent, known: Fetched | None, top: float | None, now: datetime
) -> bool:
    if known is None:
        return True
    if table.month is None and table.open_month == "wait" and now.astimezone(LOCAL_ZONE).day > feed.due_day:
        # The state of today is no longer that of the end of last month.
        return False
    if known.fingerprint != extent.fingerprint or extent.missing or table.watermark is None:
        return True
    if extent.position is None or top is None:
        # A watermark that is a text: rows may come late with the highest one.
        return extent.watermark == max((extent.watermark or "", known.watermark or ""))
    return extent.position >= top - table.overlap
