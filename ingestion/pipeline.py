"""The way of the files of an inbox into lake, vault, quarantine and ledger.

Belongs here: which files are taken in and in which order. Does not belong here: the way of a single file
(``intake``), any rule of reading, parsing or deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ingestion.arrival import Arrival, arrivals, feed_folders
from ingestion.delivery import Delivery
from ingestion.intake import FileIntake, feed_name
from ingestion.lake import write_empty_tables
from ingestion.ledger import Ledger
from ingestion.lock import Hold, exclusive, left_by_one_alone, only_one_of, with_marks_of_feeds
from ingestion.mending.settlement import settle
from ingestion.parallel import is_worth_it, take_in_folders
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
    workers: int = 1,
) -> list[Delivery]:
    """Take in every file of the inbox that the ledger does not know yet; the new entries, feed by feed in order.

    ``only_feed`` limits it to the folder of that name: feeds do not depend on each other. ``now`` is the time of
    ingestion. A file that cannot be taken is entered as rejected and never stops the others. With more than one
    worker feeds are taken in side by side where there is much to take in; ``FeedsLostError`` where a process died.
    """
    now = now if now.tzinfo else now.replace(tzinfo=LOCAL_ZONE)
    write_empty_tables(store.lake, dict(feeds))
    if not inbox.is_dir():
        return []
    folders = {path: feeds.get(path.name) for path in feed_folders(inbox) if only_feed in (None, path.name)}
    own = None if only_feed is None else feed_name(only_feed, feeds.get(only_feed))
    with _turn(store, own) as (hold, left_of), Ledger(store.ledger_file) as ledger:
        recover(store, ledger.deliveries(left_of) if hold.unclean_since else [], hold, left_of)
        try:
            entered = _take_in(folders, store, now, workers, progress or (lambda _: None))
        finally:
            settle(store, ledger.deliveries(own), feeds)
        # As they stand beside each other, whatever the order in which they were taken.
        stand = {item.delivery_id: item for item in ledger.deliveries()} if entered else {}
    order = [feed_name(path.name, feed) for path, feed in folders.items()]
    stood = [stand[item.delivery_id] for item in entered]
    return sorted(stood, key=lambda item: (order.index(item.feed), item.sequence or 0))


@contextmanager
def _turn(store: Store, feed: str | None) -> Iterator[tuple[Hold, str | None]]:
    """Alone in the home, or beside others that take in other feeds; and of which feed things may be left unfinished.

    Whoever died while alone may have left things of any feed: then the next one is alone too.
    """
    if feed is not None and not left_by_one_alone(store):
        with only_one_of(store, feed) as hold:
            yield hold, feed
        return
    with exclusive(store) as hold, with_marks_of_feeds(store, hold):
        yield hold, None


def _take_in(
    folders: Mapping[Path, Feed | None], store: Store, now: datetime, workers: int, progress: Progress
) -> list[Delivery]:
    entered: list[Delivery] = []

    def enter(delivery: Delivery) -> None:
        entered.append(delivery)
        progress(delivery)

    if workers > 1 and is_worth_it(list(folders)):
        take_in_folders(folders, store, now, take_folder, workers, enter)
    else:
        for folder, feed in folders.items():
            take_folder(folder, feed, store, now, enter)
    return entered


def is_much_to_take_in(inbox: Path) -> bool:
    """Whether there is so much in an inbox that more than one worker pays."""
    return inbox.is_dir() and is_worth_it(feed_folders(inbox))


def take_folder(folder: Path, feed: Feed | None, store: Store, now: datetime, progress: Progress) -> None:
    """Take in the files of one feed's folder; ``progress`` hears of each entry of the ledger."""
    with Ledger(store.ledger_file) as ledger:
        history = ledger.deliveries(feed=feed_name(folder.name, feed))
        for arrival in arrivals(folder, now):
            delivery = take_file(arrival, feed, store, history, now)
            if delivery is not None:
                history.append(ledger.record(delivery))
                progress(history[-1])


def take_file(
    arrival: Arrival, feed: Feed | None, store: Store, history: list[Delivery], now: datetime
) -> Delivery | None:
    """Take in one file: its rows are written, its ledger entry is returned for the caller to record.

    ``history`` are the entries of the same feed so far. None where the ledger has the file already.
    """
    return FileIntake(arrival, feed, store, now).take(history)
