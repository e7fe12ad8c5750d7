"""The record of merges, splits and their undoing: an append-only table beside the ledger's, in the same file.

Belongs here: keeping events, and refusing those that make no sense. Does not belong here: what they mean
(``resolve``), who may decide (``orchestration``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ingestion.database import Moment, Text, in_order, open_database
from ingestion.linkage.resolve import Event, Row, active, key_of_today
from ingestion.pseudonym import KEY_BYTES, letters_of_digest
from ingestion.store import Store
from models.masking import mask_text

METADATA = sa.MetaData()
EVENT = sa.Table(
    "identity_event",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event_id", Text, nullable=False, unique=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("person_key", Text),
    sa.Column("other_key", Text),
    sa.Column("undoes", Text, unique=True),
    sa.Column("reason", Text, nullable=False),
    sa.Column("decided_by", Text, nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
)
EVENT_ROW = sa.Table(
    "identity_event_row",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event_id", Text, nullable=False, index=True),
    sa.Column("feed", Text, nullable=False),
    sa.Column("delivery_id", Text, nullable=False),
    sa.Column("row_number", sa.Integer, nullable=False),
    sa.Column("column", Text, nullable=False),
)
_TOLD = ("event_id", "kind", "person_key", "other_key", "undoes", "reason", "decided_by", "decided_at")
_ID_LETTERS = 12


class IdentityError(ValueError):
    """A decision about persons that makes no sense; says why. Names keys, never numbers or names of people."""


class IdentityEvents:
    """Merges and splits of one data home."""

    def __init__(self, store: Store) -> None:
        self._engine = open_engine(store)

    def all(self) -> list[Event]:
        """Every event in the order in which it was made."""
        rows: dict[str, list[Row]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(sa.select(EVENT_ROW).order_by(EVENT_ROW.c.sequence)).mappings():
                told = Row(row["feed"], row["delivery_id"], row["row_number"], row["column"])
                rows.setdefault(row["event_id"], []).append(told)
            found = connection.execute(sa.select(EVENT).order_by(EVENT.c.sequence)).mappings().all()
        return [_event_of(row, tuple(rows.get(row["event_id"], ()))) for row in found]

    def merge(self, key: str, into: str, reason: str, decided_by: str, now: datetime) -> Event:
        """The person ``key`` is the person ``into``, whose key (and number) survives; ``IdentityError`` if already."""
        events = self.all()
        if key == into:
            raise IdentityError("a person is always the same as itself")
        if key_of_today(key, events) == key_of_today(into, events):
            raise IdentityError(f"{key} and {into} are one person already")
        return self._record(events, Event("", "merge", reason, decided_by, now, key, into))

    def split(
        self, key: str, rows: Sequence[Row], reason: str, decided_by: str, now: datetime, to: str | None = None
    ) -> Event:
        """Those rows are not about ``key`` but about ``to``, or about a person whose number is not known (None).

        Whoever has no number gets a key of the same form that no number leads to.
        """
        events = self.all()
        if not rows:
            raise IdentityError("no row was named that is about another person")
        if to is not None and key_of_today(to, events) == key_of_today(key, events):
            raise IdentityError(f"{to} is the same person as {key}; undo the merge first")
        other = to or _key_without_number(key, rows)
        return self._record(events, Event("", "split", reason, decided_by, now, key, other, rows=tuple(rows)))

    def undo(self, event_id: str, reason: str, decided_by: str, now: datetime) -> Event:
        """Take a merge or split back; everything else that was decided stays."""
        events = self.all()
        if event_id not in {event.event_id for event in active(events)}:
            raise IdentityError(f"{event_id} is no merge or split that holds")
        return self._record(events, Event("", "undo", reason, decided_by, now, undoes=event_id))

    def _record(self, events: Sequence[Event], event: Event) -> Event:
        named = replace(
            event,
            event_id=_event_id(event, len(events)),
            # People write numbers into reasons, and an event is kept for good.
            reason=mask_text(event.reason),
            decided_at=event.decided_at.astimezone(UTC),
        )
        columns = {name: getattr(named, name) for name in _TOLD}
        with self._engine.begin() as connection:
            in_order(connection, EVENT)
            connection.execute(sa.insert(EVENT).values(**columns))
            for row in named.rows:
                told = {"feed": row.feed, "delivery_id": row.delivery_id, "row_number": row.row_number}
                connection.execute(sa.insert(EVENT_ROW).values(event_id=named.event_id, column=row.column, **told))
        return named


def open_engine(store: Store) -> sa.Engine:
    """The ledger's file, with the tables of this room in it; connections are not kept."""
    return open_database(store.ledger_file, METADATA)


def _event_of(row: Mapping[Any, Any], rows: tuple[Row, ...]) -> Event:
    told = {name: row[name] for name in _TOLD}
    return Event(**told, rows=rows)


def _event_id(event: Event, place: int) -> str:
    told = repr((event.kind, event.person_key, event.other_key, event.undoes, place))
    return letters_of_digest(hashlib.sha256(told.encode()).digest(), _ID_LETTERS)


def _key_without_number(key: str, rows: Sequence[Row]) -> str:
    """A key for somebody of whom no number is known: of the same form, from the rows that told of the person."""
    told = repr((key, sorted((row.delivery_id, row.row_number, row.column) for row in rows)))
    return letters_of_digest(hashlib.sha256(told.encode()).digest(), KEY_BYTES * 2)
