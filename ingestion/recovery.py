"""What a process that was killed left behind: files that no ledger entry vouches for, moves that were cut short.

Belongs here: putting the files in order by the ledger, which alone says what counts. Does not belong here: rows
that were never written (the next run takes the file in again).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.atomic import ASIDE, move_file
from ingestion.delivery import Delivery
from ingestion.lock import Hold
from ingestion.store import Store
from ingestion.vault import Vault

# Clocks of file systems are coarser than those of processes.
_MARGIN = timedelta(seconds=5)


def recover(store: Store, entries: Sequence[Delivery], hold: Hold, feed: str | None = None) -> list[Path]:
    """Mend what is left where a holder of the lock died: what was removed or moved; of one feed where one is named.

    Only files younger than the start of the one that died are looked at, so that a ledger from a backup never
    makes this delete what it does not know. To be called under the lock, with all entries of the ledger.
    """
    if hold.unclean_since is None:
        return []
    mended = [*_finished_moves(store, entries), *_removed(store, entries, hold.unclean_since - _MARGIN, feed)]
    hold.is_mended()
    return mended


def _finished_moves(store: Store, entries: Iterable[Delivery]) -> Iterator[Path]:
    """Rows belong where the status says: of held deliveries out of the lake, of rejected ones nowhere."""
    for item in entries:
        lake = store.lake_file(item.feed, str(item.period), item.delivery_id)
        held = store.held_file(item.feed, item.delivery_id)
        if item.status == "held" and lake.exists():
            move_file(lake, held)
            yield lake
        elif item.status == "rejected":
            for path in (lake, held, Vault(store).file(item.feed, item.delivery_id)):
                if path.exists():
                    path.unlink()
                    yield path
        elif item.status == "accepted" and held.exists():
            if lake.exists():
                held.unlink()
            else:
                move_file(held, lake)
            yield held


def _removed(store: Store, entries: Iterable[Delivery], since: datetime, feed: str | None) -> Iterator[Path]:
    """Files aside and files of deliveries that never came into the ledger, written by the one that died."""
    known = {item.delivery_id for item in entries}
    for folder in (store.lake, store.held, store.vault, store.quarantine, store.faults):
        for path in _files(folder):
            if feed is not None and feed not in path.relative_to(folder).parts:
                continue
            if path.stat().st_mtime >= since.timestamp() and _is_left_over(path, known):
                path.unlink()
                yield path


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)


def _is_left_over(path: Path, known: set[str]) -> bool:
    if path.name.startswith(".") and path.name.endswith(ASIDE):
        return not _is_at_work(path.name.removesuffix(ASIDE).rsplit(".", 1)[-1])
    delivery_id = delivery_of(path)
    return delivery_id is not None and delivery_id not in known


def _is_at_work(pid: str) -> bool:
    """Whether the process that writes a file aside (its name ends in the process id) still lives."""
    if not pid.isdecimal() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def delivery_of(path: Path) -> str | None:
    """The delivery that a file is named for (``feed.month.letters``); None for any other file."""
    parts = path.name.split(".")
    is_named_so = len(parts) >= 4 and parts[-1] == "parquet" and parts[2].isalpha()
    return ".".join(parts[:3]) if is_named_so else None
