"""The way of a file from the inbox into lake, vault, quarantine and ledger.

Belongs here: the order of steps and what is written when. Does not belong here: any rule of reading, parsing or
deciding.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from ingestion.arrival import Arrival, arrivals, feed_folders
from ingestion.atomic import write_parquet
from ingestion.decision import (
    check_control_totals,
    check_digest,
    check_not_empty,
    check_row_count,
    is_quiet_month,
    must_be_held,
    original_of_duplicate,
)
from ingestion.delivery import Delivery
from ingestion.lake import lake_rows, write_empty_tables
from ingestion.ledger import Ledger
from ingestion.limits import MAX_BYTES
from ingestion.lock import exclusive
from ingestion.pseudonym import identity_keys, letters_of_digest
from ingestion.quarantine import Quarantine, quarantined_rows
from ingestion.reading.decode import Payload
from ingestion.reading.read import read_table
from ingestion.reason import (
    DUPLICATE,
    FEED_UNKNOWN,
    TOO_MANY_BAD_ROWS,
    UNREADABLE,
    UNSAFE,
    FileRejectedError,
)
from ingestion.recovery import recover
from ingestion.rows import CheckedRows, check_rows
from ingestion.statement import LOCAL_ZONE
from ingestion.store import Store
from ingestion.vault import Vault
from models.contract import Feed
from models.masking import mask_text

ID_LETTERS = 10
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
        # As they stand beside each other, whatever the order in which they were taken.
        stand = {item.delivery_id: item for item in ledger.deliveries()} if entered else {}
    return [stand[item.delivery_id] for item in entered]


def _ingest_folder(
    folder: Path, feed: Feed | None, store: Store, ledger: Ledger, now: datetime, progress: Progress | None
) -> list[Delivery]:
    history = ledger.deliveries(feed=_feed_name(folder.name, feed))
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
    return _FileIntake(arrival, feed, store, now).take(history)


def _sender(arrival: Arrival, feed: Feed | None) -> str | None:
    """The sender that the sidecar names, where the contract knows it; else the department."""
    stated = arrival.sidecar.sender
    return stated if feed is not None and stated in feed.senders else None


def _feed_name(folder: str, feed: Feed | None) -> str:
    return feed.name if feed is not None else mask_text(folder)


@contextmanager
def _readers_never_fail() -> Iterator[None]:
    """What no reader foresaw rejects its own file and no other; the message may quote cells, so it is dropped."""
    try:
        yield
    except (FileRejectedError, MemoryError):
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        raise FileRejectedError(UNREADABLE, f"unforeseen {type(error).__name__}") from None


class _FileIntake:
    """One file on its way in."""

    def __init__(self, arrival: Arrival, feed: Feed | None, store: Store, now: datetime) -> None:
        self._arrival = arrival
        self._feed = feed
        self._store = store
        self._now = now
        self._sha256: str | None = None

    def take(self, history: list[Delivery]) -> Delivery | None:
        """The ledger entry of the file, its rows written; None where the ledger has it already."""
        try:
            payload = Payload(self._bytes())
        except FileRejectedError as error:
            return None if self._is_known(history) else self._rejected(error, history)
        self._sha256 = payload.sha256()
        if self._is_known(history):
            return None
        try:
            if self._feed is None:
                raise FileRejectedError(FEED_UNKNOWN, "no contract for a feed of that name")
            if self._arrival.fault is not None:
                raise self._arrival.fault
            return self._duplicate(history) or self._read(payload, self._feed, history)
        except FileRejectedError as error:
            return self._rejected(error, history)

    def _bytes(self) -> bytes:
        """The file's bytes; opened so that a link or a pipe put in its place is not followed."""
        fault = self._arrival.fault
        if fault is not None and fault.reason in (UNSAFE, UNREADABLE):
            raise fault
        try:
            descriptor = os.open(self._arrival.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            raise FileRejectedError(UNREADABLE, "no permission to read") from None
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FileRejectedError(UNSAFE, "not a regular file")
            if status.st_size > MAX_BYTES:
                raise FileRejectedError(UNSAFE, "larger than any delivery may be")
            return stream.read()

    def _is_known(self, history: list[Delivery]) -> bool:
        """Whether the last entry of that file name has the same bytes and the same sidecar."""
        same = (entry for entry in reversed(history) if entry.file_key == self._arrival.file_key)
        last = next(same, None)
        return last is not None and (last.sha256, last.statement_key) == (self._sha256, self._arrival.sidecar.key)

    def _duplicate(self, history: list[Delivery]) -> Delivery | None:
        original = original_of_duplicate(history, self._entry(history))
        if original is None:
            return None
        return replace(
            self._entry(history),
            status="duplicate",
            reason=DUPLICATE,
            detail=original.delivery_id,
            rows_data=original.rows_data,
            rows_framing=original.rows_framing,
        )

    def _read(self, payload: Payload, feed: Feed, history: list[Delivery]) -> Delivery:
        arrival, sidecar = self._arrival, self._arrival.sidecar
        if payload.is_blank() and is_quiet_month(feed, sidecar):
            check_digest(sidecar, str(self._sha256))
            return replace(self._entry(history), status="accepted")
        with _readers_never_fail():
            table = read_table(payload, arrival.path.suffix, feed)
        checked: CheckedRows | None = None
        try:
            check_digest(sidecar, str(self._sha256))
            check_row_count(sidecar, table)
            check_not_empty(table, feed, sidecar)
            with _readers_never_fail():
                checked = check_rows(table, feed, arrival.received_at.astimezone(LOCAL_ZONE).date())
            check_control_totals(sidecar, checked, feed)
        except FileRejectedError as error:
            return replace(
                self._rejected(error, history),
                rows_data=table.rows_data,
                rows_framing=len(table.framing),
                schema_drift=[mask_text(label) for label in table.header.drift],
            )
        entry = replace(
            self._entry(history),
            rows_framing=len(table.framing),
            schema_drift=[mask_text(label) for label in table.header.drift],
        )
        quarantined = quarantined_rows(table, checked)
        del table
        return self._taken(entry, checked, quarantined, feed)

    def _taken(self, entry: Delivery, checked: CheckedRows, quarantined: pl.DataFrame, feed: Feed) -> Delivery:
        is_held = must_be_held(checked, feed)
        self._write(entry.delivery_id, checked, quarantined, feed, is_held)
        return replace(
            entry,
            status="held" if is_held else "accepted",
            reason=TOO_MANY_BAD_ROWS if is_held else None,
            rows_data=checked.rows_data,
            rows_accepted=checked.accepted.height,
            rows_quarantined=checked.rows_data - checked.accepted.height,
            quarantined_by_reason=checked.quarantined_by_reason,
            cell_defects_by_reason=checked.defects_by_reason,
            control_totals={name: str(total) for name, total in checked.control_totals.items()},
            warnings=[mask_text(warning) for warning in checked.warnings],
        )

    def _write(
        self, delivery_id: str, checked: CheckedRows, quarantined: pl.DataFrame, feed: Feed, is_held: bool
    ) -> None:
        """Everything but the ledger row: until that is there, nothing of it counts."""
        store, period = self._store, str(self._arrival.period)
        Quarantine(store).keep(quarantined, checked, feed, delivery_id)
        keys = identity_keys(checked.accepted, feed, store.keys.pseudonym, store.algorithm)
        Vault(store).keep(checked.accepted, feed, keys, delivery_id)
        rows = lake_rows(checked.accepted, feed, keys, delivery_id, period)
        held, lake = store.held_file(feed.name, delivery_id), store.lake_file(feed.name, period, delivery_id)
        write_parquet(rows, held if is_held else lake)

    def _rejected(self, error: FileRejectedError, history: list[Delivery]) -> Delivery:
        return replace(
            self._entry(history),
            status="rejected",
            reason=error.reason,
            detail=error.detail,
            rows_data=error.rows_data,
            rows_framing=error.rows_framing,
        )

    def _entry(self, history: list[Delivery]) -> Delivery:
        """The part of the ledger entry that does not depend on what is in the file."""
        arrival = self._arrival
        feed_name = _feed_name(arrival.feed, self._feed)
        return Delivery(
            delivery_id=self._delivery_id(feed_name, history),
            feed=feed_name,
            mode=self._feed.mode if self._feed else None,
            file_name=arrival.file_name,
            file_key=arrival.file_key,
            sha256=self._sha256,
            statement_key=arrival.sidecar.key,
            period=arrival.period,
            division=arrival.division,
            sender=_sender(arrival, self._feed),
            supplements=arrival.supplements,
            status="rejected",
            received_at=arrival.received_at,
            ingested_at=self._now,
            contract_version=self._feed.version if self._feed else None,
        )

    def _delivery_id(self, feed_name: str, history: list[Delivery]) -> str:
        """From feed, file, content and statements; the same file coming back after another one counts on."""
        arrival = self._arrival
        parts = [feed_name, arrival.period, arrival.division, arrival.file_key, self._sha256, arrival.sidecar.key]
        again = sum(
            (entry.file_key, entry.sha256, entry.statement_key) == (parts[3], parts[4], parts[5]) for entry in history
        )
        digest = hashlib.sha256(repr([*parts, again]).encode()).digest()
        return f"{feed_name}.{arrival.period or 'none'}.{letters_of_digest(digest, ID_LETTERS)}"
