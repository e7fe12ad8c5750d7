"""What a ledger entry states that depends on other entries: what it supersedes, and warnings by comparison.

Belongs here: pure functions over all entries, so that any order of intake states the same. Does not belong
here: what a file says by itself (``decision``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from ingestion.delivery import KEPT, Delivery
from ingestion.in_force import as_of, covers, receipt_order
from ingestion.reason import PART_MISSING, VOLUME_ANOMALY
from models.codes import load_divisions
from models.contract import Feed, load_feeds

# Smaller deliveries are not compared in volume (feeds.md section 2).
MIN_ROWS_TO_COMPARE = 20
_Extent = tuple[str, str | None, str | None]


def as_they_stand(deliveries: Sequence[Delivery], feeds: Mapping[str, Feed] | None = None) -> list[Delivery]:
    """The same entries with ``supersedes`` and with the warnings that come of comparing them with each other."""
    contracts = load_feeds() if feeds is None else feeds
    missing = missing_parts(deliveries)
    earlier, last = _superseded(deliveries), _Volumes(deliveries)
    return [_as_it_stands(item, contracts.get(item.feed), missing, earlier, last) for item in deliveries]


def _as_it_stands(
    item: Delivery,
    feed: Feed | None,
    missing: Mapping[tuple[str, str], list[str]],
    earlier: Mapping[str, str],
    volumes: _Volumes,
) -> Delivery:
    if item.status not in KEPT or item.supplements is not None:
        return item
    warnings = [warning for warning in item.warnings if warning not in (VOLUME_ANOMALY, PART_MISSING)]
    if feed is not None and volumes.differs(item, feed):
        warnings.append(VOLUME_ANOMALY)
    if item.status == "accepted" and item.sender is None and (item.feed, item.period) in missing:
        warnings.append(PART_MISSING)
    return replace(item, warnings=warnings, supersedes=earlier.get(item.delivery_id))


def _superseded(deliveries: Sequence[Delivery]) -> dict[str, str]:
    """Of each accepted delivery the one before it, in the order of receipt, of the same month and extent."""
    last: dict[tuple[_Extent, str | None], str] = {}
    found = {}
    for item in as_of(deliveries, None):
        if item.supplements is None:
            extent = (_extent(item), item.period)
            if extent in last:
                found[item.delivery_id] = last[extent]
            last[extent] = item.delivery_id
    return found


class _Volumes:
    """Row counts of accepted deliveries by extent, in the order of months and receipt."""

    def __init__(self, deliveries: Iterable[Delivery]) -> None:
        counts: dict[_Extent, list[tuple[tuple[str, object], int]]] = defaultdict(list)
        for item in deliveries:
            if item.status == "accepted" and item.supplements is None and item.period is not None:
                counts[_extent(item)].append((_place(item), item.rows_data))
        self._counts = {extent: sorted(found, key=lambda pair: pair[0]) for extent, found in counts.items()}

    def differs(self, item: Delivery, feed: Feed) -> bool:
        """Whether the row count is far from that of the last accepted delivery before it.

        The last one is that of the latest month not after its own: a late delivery of October is compared with
        September, not with the December that came meanwhile.
        """
        known = self._counts.get(_extent(item), [])
        before = bisect_left(known, _place(item), key=lambda pair: pair[0])
        if not before:
            return False
        rows = known[before - 1][1]
        return rows >= MIN_ROWS_TO_COMPARE and abs(item.rows_data - rows) > feed.max_volume_change_share * rows


def _extent(item: Delivery) -> _Extent:
    return item.feed, item.division, item.sender


def _place(item: Delivery) -> tuple[str, object]:
    return item.period or "", receipt_order(item)


def missing_parts(deliveries: Iterable[Delivery], moment: datetime | None = None) -> dict[tuple[str, str], list[str]]:
    """Districts whose part is missing in a month in which others of the same feed sent theirs: by (feed, month).

    Expected are the districts that sent a part in that month or before, and all of the city's where it once came
    whole. A county's part stands for those of its townships.
    """
    sent: dict[str, dict[str, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    for item in as_of(deliveries, moment):
        if item.sender is None and item.supplements is None:
            sent[item.feed][str(item.period)].add(item.division)
    missing = {}
    for feed, months in sent.items():
        expected: set[str] = set()
        for month in sorted(months):
            expected |= {part for part in months[month] if part is not None}
            lacking = sorted(part for part in expected if not any(covers(other, part) for other in months[month]))
            if lacking:
                missing[feed, month] = lacking
            if None in months[month]:
                expected |= set(counties())
    return missing


@cache
def counties() -> tuple[str, ...]:
    """Codes of the city's counties."""
    return tuple(division.short_code for division in load_divisions() if division.level == "county")
