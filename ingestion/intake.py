"""One file on its way into lake, vault and quarantine.

Belongs here: the order of steps for a file and what is written when. Does not belong here: any rule of reading,
parsing or deciding; which files there are (``pipeline``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from ingestion.arrival import Arrival
from ingestion.atomic import parquet_writer
from ingestion.checking import CheckedFile, check_file, readers_never_fail
from ingestion.decision import (
    as_duplicate,
    as_rejected,
    check_control_totals,
    check_digest,
    check_not_empty,
    check_row_count,
    is_quiet_month,
    must_be_held,
    original_of_duplicate,
)
from ingestion.delivery import Delivery, delivery_id_of
from ingestion.lake import lake_rows, lake_schema
from ingestion.pseudonym import identity_keys
from ingestion.quarantine import Quarantine
from ingestion.reading.decode import is_blank
from ingestion.reading.read import check_columns, open_source, warnings_of
from ingestion.reading.spool import FileChangedError, Spool, copy_file
from ingestion.reason import (
    EMPTY,
    FEED_UNKNOWN,
    TOO_MANY_BAD_ROWS,
    UNREADABLE,
    UNSAFE,
    FileRejectedError,
)
from ingestion.segments import Segments
from ingestion.store import Store
from ingestion.vault import Vault
from models.contract import Feed
from models.masking import mask_text


class FileIntake:
    """One file on its way in."""

    def __init__(self, arrival: Arrival, feed: Feed | None, store: Store, now: datetime) -> None:
        self._arrival = arrival
        self._feed = feed
        self._store = store
        self._now = now
        self._sha256: str | None = None

    def take(self, history: Sequence[Delivery]) -> Delivery | None:
        """The ledger entry of the file, its rows written; None where the ledger has it already, and where the
        file changed while it was read.
        """
        try:
            fault = self._arrival.fault
            if fault is not None and fault.reason in (UNSAFE, UNREADABLE):
                raise fault
            copied = copy_file(self._arrival.path, self._store.home)
        except FileChangedError:
            return None
        except FileRejectedError as error:
            return None if self._is_known(history) else self._rejected(error, history)
        with copied.spool as raw:
            self._sha256 = copied.sha256
            return None if self._is_known(history) else self._taken(raw, history)

    def _is_known(self, history: Sequence[Delivery]) -> bool:
        """Whether the last entry of that file name has the same bytes and the same sidecar."""
        same = (entry for entry in reversed(history) if entry.file_key == self._arrival.file_key)
        last = next(same, None)
        return last is not None and (last.sha256, last.statement_key) == (self._sha256, self._arrival.sidecar.key)

    def _taken(self, raw: Spool, history: Sequence[Delivery]) -> Delivery:
        try:
            if self._feed is None:
                raise FileRejectedError(FEED_UNKNOWN, "no contract for a feed of that name")
            if self._arrival.fault is not None:
                raise self._arrival.fault
            return self._duplicate(history) or self._read(raw, self._feed, history)
        except FileRejectedError as error:
            return self._rejected(error, history)

    def _duplicate(self, history: Sequence[Delivery]) -> Delivery | None:
        entry = self._entry(history)
        original = original_of_duplicate(history, entry)
        return None if original is None else as_duplicate(entry, original)

    def _read(self, raw: Spool, feed: Feed, history: Sequence[Delivery]) -> Delivery:
        sidecar = self._arrival.sidecar
        if is_blank(raw) and is_quiet_month(feed, sidecar):
            check_digest(sidecar, str(self._sha256))
            return replace(self._entry(history), status="accepted")
        try:
            with readers_never_fail():
                source = open_source(raw, self._store.home, feed)
                check_columns(source, feed)
        except FileRejectedError as error:
            if error.reason == EMPTY and is_quiet_month(feed, sidecar):
                check_digest(sidecar, str(self._sha256))
                return replace(self._entry(history), status="accepted")
            raise
        with Segments(self._store.home) as segments:
            entry = self._entry(history)
            checked = check_file(source, feed, entry.received_on, segments)
            entry = replace(
                entry,
                rows_data=checked.rows_data,
                rows_framing=len(checked.framing),
                schema_drift=[mask_text(label) for label in source.header.drift],
            )
            try:
                self._check(checked, feed)
            except FileRejectedError as error:
                return replace(entry, reason=error.reason, detail=error.detail)
            return self._kept(entry, checked, feed, warnings_of(source, self._arrival.path.suffix))

    def _check(self, checked: CheckedFile, feed: Feed) -> None:
        """Raise where the file as a whole is not what it should be."""
        sidecar = self._arrival.sidecar
        check_digest(sidecar, str(self._sha256))
        check_row_count(sidecar, checked.rows_data)
        check_not_empty(checked.rows_data, feed, sidecar)
        if checked.fault is not None:
            raise checked.fault
        check_control_totals(sidecar, checked.control_totals, feed)

    def _kept(self, entry: Delivery, checked: CheckedFile, feed: Feed, warnings: Sequence[str]) -> Delivery:
        is_held = must_be_held(checked.rows_data, checked.rows_quarantined, feed)
        self._write(entry.delivery_id, checked, feed, is_held)
        return replace(
            entry,
            status="held" if is_held else "accepted",
            reason=TOO_MANY_BAD_ROWS if is_held else None,
            rows_accepted=checked.rows_accepted,
            rows_quarantined=checked.rows_quarantined,
            quarantined_by_reason=dict(sorted(checked.quarantined_by_reason.items())),
            cell_defects_by_reason=dict(sorted(checked.defects_by_reason.items())),
            control_totals={name: str(total) for name, total in checked.control_totals.items()},
            warnings=[mask_text(warning) for warning in (*warnings, *checked.warnings)],
        )

    def _write(self, delivery_id: str, checked: CheckedFile, feed: Feed, is_held: bool) -> None:
        """Everything but the ledger row, part by part: until that is there, nothing of it counts."""
        store, period = self._store, str(self._arrival.period)
        held, lake = store.held_file(feed.name, delivery_id), store.lake_file(feed.name, period, delivery_id)
        with (
            Quarantine(store).writer(feed, delivery_id) as quarantine,
            Vault(store).writer(feed, delivery_id) as vault,
            parquet_writer(held if is_held else lake, even_empty=True) as rows,
        ):
            rows.write(pl.DataFrame(schema=lake_schema(feed)))
            for part in checked.parts():
                quarantine.add(part.quarantined, part.faults, part.defects, part.completed)
                keys = identity_keys(part.accepted, feed, store.keys.pseudonym, store.algorithm)
                vault.add(part.accepted, keys)
                rows.write(lake_rows(part.accepted, feed, keys, delivery_id, period))

    def _rejected(self, error: FileRejectedError, history: Sequence[Delivery]) -> Delivery:
        return as_rejected(self._entry(history), error)

    def _entry(self, history: Sequence[Delivery]) -> Delivery:
        """The part of the ledger entry that does not depend on what is in the file."""
        arrival = self._arrival
        name = feed_name(arrival.feed, self._feed)
        return Delivery(
            delivery_id=self._delivery_id(name, history),
            feed=name,
            mode=self._feed.mode if self._feed else None,
            file_name=arrival.file_name,
            file_key=arrival.file_key,
            sha256=self._sha256,
            statement_key=arrival.sidecar.key,
            period=arrival.period,
            division=arrival.division,
            sender=_sender(arrival, self._feed),
            status="rejected",
            received_at=arrival.received_at,
            ingested_at=self._now,
            contract_version=self._feed.version if self._feed else None,
        )

    def _delivery_id(self, feed_name: str, history: Sequence[Delivery]) -> str:
        """From feed, file, content and statements; the same file coming back after another one counts on."""
        arrival = self._arrival
        parts = [feed_name, arrival.period, arrival.division, arrival.file_key, self._sha256, arrival.sidecar.key]
        again = sum(
            (entry.file_key, entry.sha256, entry.statement_key) == (parts[3], parts[4], parts[5]) for entry in history
        )
        return delivery_id_of(feed_name, arrival.period, [*parts, again])


def _sender(arrival: Arrival, feed: Feed | None) -> str | None:
    """The sender that the sidecar names, where the contract knows it; else the department."""
    stated = arrival.sidecar.sender
    return stated if feed is not None and stated in feed.senders else None


def feed_name(folder: str, feed: Feed | None) -> str:
    """The name under which the ledger keeps what lies in that folder."""
    return feed.name if feed is not None else mask_text(folder)
