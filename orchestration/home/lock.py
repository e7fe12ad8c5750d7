"""One run at a time on a data home: a second one waits for a while and says so.

Belongs here: the patience of the settings put to the lock. The lock itself is in ``ingestion``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ingestion import BusyError
from ingestion.lock import Hold, alone, exclusive
from orchestration.console import tell
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of

RUN_LOCK = "run.lock"

__all__ = ["BusyError", "locked", "taking_in"]


@contextlib.contextmanager
def locked(home: DataHome) -> Iterator[None]:
    """Hold the data home for one run, or for a decision that no run may see half done.

    Waits up to ``limits.wait_seconds`` for another process; ``BusyError`` where it is at work even then.
    """
    with alone(home.root / RUN_LOCK, home.settings().limits.wait_seconds, tell):
        yield


def taking_in(home: DataHome) -> contextlib.AbstractContextManager[Hold]:
    """Be the only one that takes deliveries in; a run may be building tables meanwhile."""
    return exclusive(store_of(home), home.settings().limits.wait_seconds, tell)
