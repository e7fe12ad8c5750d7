"""The sources of the settings: fetched before the inbox is read, and what landed taken in like the inbox.

Belongs here: calls of ``ingestion.source`` for a data home. What is fetched and what becomes of it is decided
there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from ingestion import Delivery
from ingestion.database import is_there
from ingestion.source import (
    FetchReport,
    Record,
    SourceError,
    enter_refused,
    fetch,
    landing_folders,
    take_in,
)
from ingestion.source.settings import KEEP_REJECTED_DAYS
from models.contract import load_feeds
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of

Tell = Callable[[str], None]


def fetch_sources(home: DataHome, only: str | None = None, tell: Tell | None = None) -> list[FetchReport]:
    """Land what is new in every source (or the one of that name); a source that fails stops no other."""
    reports = []
    for source in home.settings().source:
        if only in (None, source.name):
            if tell is not None:
                tell(f"fetching from {source.name}")
            reports.append(fetch(source, home.root))
    return reports


def take_in_landed(home: DataHome, only_feed: str | None = None) -> list[Delivery]:
    """Take in what lies in the landings; one at which another process is at work waits for the next pass."""
    entered: list[Delivery] = []
    for name, days in _landings(home).items():
        try:
            entered += take_in(
                name, store_of(home), load_feeds(), datetime.now(UTC), only_feed, keep_rejected_days=days
            )
        except SourceError:
            continue
    return entered


def take_in_unusual(home: DataHome) -> list[Delivery]:
    """Take in what no feed's own step would: folders that are no feed, files that were refused unread."""
    entered = [item for feed in sorted(landed_feeds(home) - load_feeds().keys()) for item in take_in_landed(home, feed)]
    for source in home.settings().source:
        entered += enter_refused(source.name, store_of(home), load_feeds(), datetime.now(UTC))
    return entered


def landed_feeds(home: DataHome) -> set[str]:
    """Folders in which something landed."""
    folders = (path for landing in landing_folders(home.root) for path in landing.iterdir() if path.is_dir())
    return {path.name for path in folders if any(path.iterdir())}


def _landings(home: DataHome) -> dict[str, int]:
    """Sources by name, those no longer configured too, with the days for which they keep rejected files."""
    found = {path.name: KEEP_REJECTED_DAYS for path in landing_folders(home.root)}
    return found | {source.name: source.keep_rejected_days for source in home.settings().source}


def due_sources(home: DataHome, now: datetime) -> list[tuple[str, int]]:
    """Sources whose time has come, each with the number of its turn."""
    due = []
    for source in home.settings().source:
        look, seconds = Record(home.root).last_look(source.name), source.every_minutes * 60
        if look is None or now.timestamp() - look.tried_at >= seconds:
            due.append((source.name, int(now.timestamp()) // seconds))
    return due


def origin_of(home: DataHome, delivery_id: str) -> str:
    """Where a delivery came from, in words: a source, or the inbox."""
    return (Record(home.root).origin(delivery_id) if is_there(home.root / "sources.db") else None) or "inbox"


def problems_of_sources(reports: Sequence[FetchReport]) -> list[dict[str, str | None]]:
    """What could not be read, with what to do."""
    return [
        {"source": report.source, "problem": report.problem, "next_step": report.next_step}
        for report in reports
        if report.problem is not None
    ]
