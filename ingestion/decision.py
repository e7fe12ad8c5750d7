"""Accepted, held, rejected or duplicate: what becomes of a delivery, given what came before it.

Belongs here: pure decisions over ledger entries. Does not belong here: reading files, writing anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from ingestion.delivery import KEPT, Delivery, Status
from ingestion.header import header_of
from ingestion.in_force import overlap, said
from ingestion.reason import DUPLICATE, EMPTY, MANIFEST_MISMATCH, FileRejectedError
from ingestion.statement import Sidecar
from ingestion.totals import TOLERANCE
from models.contract import Column, Feed

# Smaller files are not held for a share of bad rows (feeds.md section 2).
MIN_ROWS_TO_HOLD = 10


def original_of_duplicate(history: Sequence[Delivery], entry: Delivery) -> Delivery | None:
    """The delivery now in force, or held, for the same extent that has the same bytes and sidecar statements."""
    same = [
        item
        for item in history
        if (item.period, item.sender, item.supplements) == (entry.period, entry.sender, entry.supplements)
    ]
    for status in KEPT:
        item = _speaking(same, entry.division, status)
        if item and (item.sha256, item.statement_key) == (entry.sha256, entry.statement_key):
            return item
    return None


def _speaking(same_month: Sequence[Delivery], division: str | None, status: Status) -> Delivery | None:
    """The last of that status and extent, unless something accepted later has taken (part of) its place."""
    spoken = said([replace(item, supplements=None) for item in same_month], ("accepted", status))
    for item in reversed(spoken):
        if item.status == status and item.division == division:
            return item
        if item.status == "accepted" and overlap(item.division, division):
            return None
    return None


def as_duplicate(entry: Delivery, original: Delivery) -> Delivery:
    """The entry of a file that says once more what another said; that one's counts are its own."""
    return replace(
        entry,
        status="duplicate",
        reason=DUPLICATE,
        detail=original.delivery_id,
        rows_data=original.rows_data,
        rows_framing=original.rows_framing,
    )


def as_rejected(entry: Delivery, error: FileRejectedError) -> Delivery:
    """The entry of a file that cannot be taken in."""
    return replace(
        entry,
        status="rejected",
        reason=error.reason,
        detail=error.detail,
        rows_data=error.rows_data,
        rows_framing=error.rows_framing,
    )


def must_be_held(rows_data: int, rows_quarantined: int, feed: Feed) -> bool:
    """Whether too many rows are quarantined, duplicates included, for the delivery to be taken unseen."""
    return rows_data >= MIN_ROWS_TO_HOLD and rows_quarantined > feed.max_quarantined_share * rows_data


def check_not_empty(rows_data: int, feed: Feed, sidecar: Sidecar) -> None:
    """Raise (empty) where there are no data rows, unless an events feed says so itself: a quiet month."""
    if rows_data == 0 and not is_quiet_month(feed, sidecar):
        raise FileRejectedError(EMPTY, "nothing but a header")


def is_quiet_month(feed: Feed, sidecar: Sidecar) -> bool:
    return feed.mode == "events" and sidecar.rows == 0


def check_digest(sidecar: Sidecar, sha256: str) -> None:
    """Raise (manifest_mismatch) where the sidecar states another digest."""
    if sidecar.sha256 is not None and sidecar.sha256 != sha256:
        raise FileRejectedError(MANIFEST_MISMATCH, "sha256")


def check_row_count(sidecar: Sidecar, rows_data: int) -> None:
    """Raise (manifest_mismatch) where the sidecar states another number of data rows."""
    if sidecar.rows is not None and sidecar.rows != rows_data:
        raise FileRejectedError(MANIFEST_MISMATCH, "rows")


def check_control_totals(sidecar: Sidecar, totals: Mapping[str, Decimal], feed: Feed) -> None:
    """Raise (manifest_mismatch) where a control total disagrees or names no column of numbers in the file."""
    for name, stated in sidecar.control_totals.items():
        column = _column_named(feed, name)
        if column is None or column.name not in totals:
            raise FileRejectedError(MANIFEST_MISMATCH, "a control total of no known column")
        found = totals[column.name]
        if not any(abs(stated - value) <= TOLERANCE for value in _readings(found, column)):
            raise FileRejectedError(MANIFEST_MISMATCH, f"control total of {column.name}")


def _readings(total: Decimal, column: Column) -> tuple[Decimal, ...]:
    """A sum in yuan; of a column in 万元 also in that unit, since the sender may sum what is written."""
    return (total, total / 10_000) if column.type == "wan" else (total,)


def _column_named(feed: Feed, name: str) -> Column | None:
    return header_of([name], feed).columns.get(0)
