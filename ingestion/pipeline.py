"""The way of the files of an inbox into lake, vault, quarantine and ledger.

Belongs here: which files are taken in and in which order. Does not belong here: the way of a single file
(``intake``), any rule of reading, parsing or deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from ingestion.arrival import Arrival, arrivals, feed_folders
from ingestion.delivery import Delivery
from ingestion.intake import FileIntake, feed_name
from ingestion.lake import write_empty_tables
from ingestion.ledger import Ledger
from ingestion.lock import exclusive
from ingestion.mending.settlement import settle
from ingestion.recovery import recover
from ingestion.statement import LOCAL_ZONE
from ingestion.store import Store
from models.contract import Feed

Progress = Callable[[Delivery], None]


def ingest(
    inbox: Path,
    store: Store,
    feeds: Mapping[str, Feed],
    now: datetime,
    only_feed: str | None = None,
    progress: Progress | None = None,
) -> list[Delivery]:
    """Take in every file of the inbox that the ledger does not know yet; the new entries, in order.

    ``only_feed`` limits it to the folder of that name: feeds do not depend on each other. ``now`` is the time of
    ingestion. A file that cannot be taken is entered as rejected and never stops the others.
    """
    now = now if now.tzinfo else now.replace(tzinfo=LOCAL_ZONE)
    write_empty_tables(store.lake, dict(feeds))
    if not inbox.is_dir():
        return []
    entered: list[Delivery] = []
    with exclusive(store) as hold, Ledger(store.ledger_file) as ledger:
        recover(store, ledger.deliveries() if hold.unclean_since else [], hold)
        for folder in feed_folders(inbox):
            if only_feed in (None, folder.name):
                entered += _ingest_folder(folder, feeds.get(folder.name), store, ledger, now, progress)
        settle(store, ledger.deliveries(), feeds)
        # As they stand beside each other, whatever the order in which they were taken.
        stand = {item.delivery_id: item for item in ledger.deliveries()} if entered else {}
    return [stand[item.delivery_id] for item in entered]


def _ingest_folder(
    folder: Path, feed: Feed | None, store: Store, ledger: Ledger, now: datetime, progress: Progress | None
) -> list[Delivery]:
    history = ledger.deliveries(feed=feed_name(folder.name, feed))
    entered = []
    for arrival in arrivals(folder, now):
        delivery = take_file(arrival, feed, store, history, now)
        if delivery is None:
            continue
        delivery = ledger.record(delivery)
        history.append(delivery)
        entered.append(delivery)
        if progress is not None:
            progress(delivery)
    return entered


def take_file(
    arrival: Arrival, feed: Feed | None, store: Store, history: list[Delivery], now: datetime
) -> Delivery | None:
    """Take in one file: its rows are written, its ledger entry is returned for the caller to record.

    ``history`` are the entries of the same feed so far. None where the ledger has the file already.
    """
    return FileIntake(arrival, feed, store, now).take(history)
