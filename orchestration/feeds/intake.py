"""Feeds taken in side by side, before the run that shows each of them as a step of its own.

Belongs here: when that is done and what the run is told of it. What becomes of a file, and in which process, is
decided in ``ingestion``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingestion import Delivery, FeedsLostError, ingest, is_much_to_take_in
from models.contract import load_feeds
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of
from orchestration.runner import Listener


@dataclass(frozen=True)
class Taken:
    """When feeds were taken in side by side, and which not to the end, with why; ``at`` None where it was not done."""

    at: str | None = None
    lost: Mapping[str, str] = field(default_factory=dict)


NOT_TAKEN = Taken()


def take_in_side_by_side(home: DataHome, inbox: Path, listener: Listener) -> Taken:
    """Take in the whole inbox in as many processes as the settings allow threads, where there is much in it.

    Steps of a run come one after the other, so that what takes long is done before them; they then find it done.
    """
    workers = home.settings().limits.threads
    if workers < 2 or not is_much_to_take_in(inbox):
        return NOT_TAKEN
    now = datetime.now(UTC)
    told = _Told(listener, len(load_feeds()))
    try:
        ingest(inbox, store_of(home), load_feeds(), now, progress=told, workers=workers)
    except FeedsLostError as error:
        return Taken(now.isoformat(), error.why)
    finally:
        told.end()
    return Taken(now.isoformat())


class _Told:
    """Tells a listener of each feed of which the first delivery is in."""

    def __init__(self, listener: Listener, feeds: int) -> None:
        self._listener = listener
        self._seen: dict[str, None] = {}
        listener.begin(feeds)

    def __call__(self, delivery: Delivery) -> None:
        if delivery.feed not in self._seen:
            self._seen[delivery.feed] = None
            self._listener.step(f"ingest_{delivery.feed}")

    def end(self) -> None:
        for feed in self._seen:
            self._listener.done(f"ingest_{feed}")
