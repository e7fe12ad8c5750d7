"""From the landing into the ledger, and what is done with the landed files after that.

Belongs here: taking in a landing as an inbox, entering what was refused unread, settling the record by the ledger.
Does not belong here: what becomes of a delivery (``pipeline``, ``decision``).

A file leaves the landing once the ledger has it: accepted and held rows lie in lake, vault and quarantine, a
duplicate is there already. A rejected one stays for some days, so that somebody can look at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.arrival import Arrival
from ingestion.database import is_there
from ingestion.delivery import Delivery
from ingestion.ledger import Ledger
from ingestion.lock import exclusive
from ingestion.pipeline import Progress, ingest, take_file
from ingestion.reason import UNSAFE, FileRejectedError
from ingestion.source.landing import Landing
from ingestion.source.record import Fetched, Record, key_of
from ingestion.source.settings import KEEP_REJECTED_DAYS
from ingestion.statement import LOCAL_ZONE, SIDECAR_SUFFIX, division_of, period_of
from ingestion.store import Store
from models.contract import Feed
from models.masking import mask_text

_Ledgered = dict[tuple[str, str, str | None, str], Delivery]


def take_in(
    source: str,
    store: Store,
    feeds: Mapping[str, Feed],
    now: datetime,
    only_feed: str | None = None,
    progress: Progress | None = None,
    keep_rejected_days: int = KEEP_REJECTED_DAYS,
) -> list[Delivery]:
    """Take in what landed of a source, as from an inbox; the new entries of the ledger.

    ``SourceError`` where another process is at work on it.
    """
    landing, record = Landing(store.home, source), Record(store.home)
    with landing.locked():
        entered = ingest(landing.inbox, store, feeds, now, only_feed, progress)
        entered += enter_refused(source, store, feeds, now, only_feed)
        settle(landing, record, now, keep_rejected_days)
    return entered


def enter_refused(
    source: str, store: Store, feeds: Mapping[str, Feed], now: datetime, only_feed: str | None = None
) -> list[Delivery]:
    """Files whose name or kind forbade fetching them: entered as rejected, as the inbox would."""
    record = Record(store.home)
    refused = [item for item in record.unsettled(source) if item.state == "refused"]
    refused = [item for item in refused if only_feed in (None, item.feed)]
    if not refused:
        return []
    entered = []
    with exclusive(store), Ledger(store.ledger_file) as ledger:
        for item in refused:
            history = ledger.deliveries(feed=mask_text(item.feed))
            delivery = take_file(_refused_arrival(item, now), feeds.get(item.feed), store, history, now)
            if delivery is not None:
                entered.append(ledger.record(replace(delivery, file_key=item.file_key)))
                record.note_origin(delivery.delivery_id, source, item.fetched_at)
            record.note(replace(item, state="settled", delivery_id=delivery.delivery_id if delivery else None))
    return entered


def _refused_arrival(item: Fetched, now: datetime) -> Arrival:
    name = item.shown_name
    return Arrival(
        path=Path(item.feed) / name,
        feed=item.feed,
        received_at=min(datetime.fromtimestamp(int(item.received), LOCAL_ZONE), now),
        period=period_of(name),
        division=division_of(name)[0],
        fault=FileRejectedError(UNSAFE, item.fault or ""),
    )


def settle(landing: Landing, record: Record, now: datetime, keep_rejected_days: int = KEEP_REJECTED_DAYS) -> None:
    """Note what the ledger has by now, and clear the landing of it.

    What landed and is neither there nor in the ledger is forgotten, so that it is fetched again.
    """
    unsettled = [item for item in record.unsettled(landing.source) if item.state == "landed"]
    known = _ledgered(landing.home, {item.feed for item in unsettled} | {path.parent.name for path in _files(landing)})
    landed = {(path.parent.name, key_of(path.name)) for path in _files(landing)}
    for item in unsettled:
        delivery = known.get(_key(item))
        if delivery is not None:
            if delivery.ingested_at.timestamp() >= item.fetched_at:
                record.note_origin(delivery.delivery_id, landing.source, item.fetched_at)
            record.note(replace(item, state="settled", delivery_id=delivery.delivery_id))
        elif (item.feed, item.file_key) not in landed:
            record.forget(item)
    _clear(landing, record, known, now - timedelta(days=keep_rejected_days))


def _ledgered(home: Path, feeds: set[str]) -> _Ledgered:
    """The newest entry of the ledger for each file name, content and sidecar of those feeds."""
    if not is_there(home / "ledger.db"):
        return {}
    with Ledger(home / "ledger.db") as ledger:
        entries = [item for feed in sorted(feeds) for item in ledger.deliveries(feed=mask_text(feed))]
    return {(item.feed, item.file_key, item.sha256, item.statement_key): item for item in entries}


def _key(item: Fetched) -> tuple[str, str, str | None, str]:
    return mask_text(item.feed), item.file_key, item.sha256, item.statement_key


def _clear(landing: Landing, record: Record, known: _Ledgered, rejected_before: datetime) -> None:
    for path in list(_files(landing)):
        item = record.fetched(landing.source, path.parent.name, path.name)
        if item is None or item.state != "settled":
            continue
        delivery = known.get(_key(item))
        if delivery is not None and (delivery.status != "rejected" or delivery.ingested_at < rejected_before):
            landing.discard(path.parent.name, path.name)


def _files(landing: Landing) -> Iterator[Path]:
    """Files that landed, without their sidecars."""
    if landing.inbox.is_dir():
        for path in landing.inbox.glob("*/*"):
            if not path.name.endswith(SIDECAR_SUFFIX):
                yield path
