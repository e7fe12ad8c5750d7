"""Looking at sources without fetching: is one reached and readable, what is new, where do they stand.

Belongs here: answers for `doctor` and `sources`. Nothing is changed.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ingestion.source.database import Database
from ingestion.source.fetching import explained, opened
from ingestion.source.files import NewFile, new_files
from ingestion.source.record import Record
from ingestion.source.settings import DatabaseSource, DirectorySource, Source, TableSettings
from ingestion.source.tables import NewMonth, new_months
from models.contract import load_feeds

# Folders whose entries are counted; a look is no fetch.
_LOOKED_AT = 50


@dataclass(frozen=True)
class Standing:
    """Where a source stands; moments are None before the first."""

    name: str
    kind: str
    where: str
    tried_at: datetime | None
    fetched_at: datetime | None
    watermark: str | None
    deliveries: int
    landed: int
    waiting: list[dict[str, str]]
    problem: str | None
    next_step: str | None
    new: list[str] | None = None
    """What a look found new; None without a look."""


def new_in(source: Source, home: Path, now: datetime | None = None) -> list[str]:
    """What a fetch would bring, by feed and file or month, masked; ``SourceError`` where it cannot be seen.

    A month that is looked at again because rows may have come late counts too: whether it changed, only reading
    it can tell.
    """
    moment, record = now or datetime.now(UTC), Record(home)
    with explained():
        if not isinstance(source, DatabaseSource):
            with opened(source, home) as location:
                found = list(new_files(source, location, record, moment.timestamp()))
            return [f"{item.feed}/{item.shown}" for item in found if isinstance(item, NewFile)]
        return [line for table in source.table for line in _new_months(source, table, record, moment, home)]


def _new_months(source: DatabaseSource, table: TableSettings, record: Record, now: datetime, home: Path) -> list[str]:
    with closing(Database(source, home)) as database:
        found = list(new_months(source.name, table, load_feeds()[table.feed], database, record, now))
    return [f"{table.feed} {item.extent.period}" for item in found if isinstance(item, NewMonth)]


def reachable(source: Source, home: Path) -> str:
    """What was seen where a source is reached and readable; ``SourceError`` where it is not."""
    with explained():
        if isinstance(source, DatabaseSource):
            with closing(Database(source, home)) as database:
                for table in source.table:
                    database.relation(table)
            return f"{len(source.table)} tables readable"
        with opened(source, home) as location:
            folders = list(source.feeds.values()) or location.folders()
            count = sum(len(location.entries(folder.strip("/"))) for folder in folders[:_LOOKED_AT])
        return f"{len(folders)} folders, {count} entries"


def standing(source: Source, home: Path) -> Standing:
    """Where a source stands by the record alone; nothing is connected."""
    record = Record(home)
    look, fetched = record.last_look(source.name), record.all_fetched(source.name)
    marks = [item for item in fetched if item.state == "settled" and item.watermark is not None]
    top = max(marks, key=lambda item: (item.position or 0.0, item.watermark or ""), default=None)
    return Standing(
        name=source.name,
        kind=source.kind,
        where=str(source.path) if isinstance(source, DirectorySource) else source.url,
        tried_at=_moment(look.tried_at) if look else None,
        fetched_at=_moment(look.fetched_at) if look else None,
        watermark=top.watermark if top else None,
        deliveries=sum(item.state == "settled" for item in fetched),
        landed=sum(item.state != "settled" for item in fetched),
        waiting=look.waiting if look else [],
        problem=look.problem if look else None,
        next_step=look.next_step if look else None,
    )


def _moment(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)
