"""Which key a key stands for today: pure functions over the events that made persons one or took them apart.

Belongs here: the meaning of merges, splits and their undoing. Does not belong here: keeping them (``events``).

The active merges are a forest: a merge is only made between persons who are two at that time, and undoing one takes
an edge away. So undoing in any order leaves the same as if the undone ones had never been, and every key ever given
out leads to exactly one key of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import polars as pl

Kind = Literal["merge", "split", "undo"]
ALIAS_SCHEMA = {
    "person_key": pl.String(),
    "resolved_key": pl.String(),
    "decided_at": pl.Datetime("us", "UTC"),
}
ROW_ALIAS_SCHEMA = {
    "delivery_id": pl.String(),
    "row_number": pl.Int64(),
    "column_name": pl.String(),
    "resolved_key": pl.String(),
    "decided_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Row:
    """One row of a delivery, and the column of the lake that holds the key in question."""

    feed: str
    delivery_id: str
    row_number: int
    column: str


@dataclass(frozen=True)
class Event:
    """A decision about persons.

    merge: ``person_key`` is ``other_key`` from now on. split: ``rows`` that bore ``person_key`` are about
    ``other_key``. undo: the event ``undoes`` is taken back.
    """

    event_id: str
    kind: Kind
    reason: str
    decided_by: str
    decided_at: datetime
    person_key: str | None = None
    other_key: str | None = None
    undoes: str | None = None
    rows: tuple[Row, ...] = field(default=())


def active(events: Iterable[Event], moment: datetime | None = None) -> list[Event]:
    """Merges and splits that hold as of a moment (None: now), in the order in which they were made."""
    known = [event for event in events if moment is None or event.decided_at <= moment]
    undone = {event.undoes for event in known if event.kind == "undo"}
    return [event for event in known if event.kind != "undo" and event.event_id not in undone]


def resolved(events: Iterable[Event], moment: datetime | None = None) -> dict[str, tuple[str, datetime]]:
    """For every key that stands for another one: that key, and since when it stands for anything but itself."""
    parent: dict[str, tuple[str, datetime]] = {}
    for event in active(events, moment):
        if event.kind == "merge":
            one, other = _root(str(event.person_key), parent), _root(str(event.other_key), parent)
            if one != other:  # never else in one history; a moment in the past may see less than all of it
                parent[one] = (other, event.decided_at)
    return {key: (_root(key, parent), _since(key, parent)) for key in parent}


def key_of_today(key: str, events: Iterable[Event], moment: datetime | None = None) -> str:
    """The key that a key stands for; itself where nothing was decided about it."""
    found = resolved(events, moment).get(key)
    return found[0] if found else key


def alias_frame(events: Sequence[Event], moment: datetime | None = None) -> pl.DataFrame:
    """person_key, resolved_key, decided_at of every key that stands for another one."""
    rows = [(key, *found) for key, found in sorted(resolved(events, moment).items())]
    return pl.DataFrame(rows, schema=ALIAS_SCHEMA, orient="row")


def row_alias_frame(events: Sequence[Event], moment: datetime | None = None) -> pl.DataFrame:
    """The rows that were taken away from a person, and the key of today of the person they are about."""
    aliases = resolved(events, moment)
    found: dict[tuple[str, int, str], tuple[str, datetime]] = {}
    for event in active(events, moment):
        if event.kind == "split":
            key = aliases.get(str(event.other_key), (str(event.other_key),))[0]
            for row in event.rows:
                found[row.delivery_id, row.row_number, row.column] = (key, event.decided_at)
    rows = [(*row, *told) for row, told in sorted(found.items())]
    return pl.DataFrame(rows, schema=ROW_ALIAS_SCHEMA, orient="row")


def _root(key: str, parent: dict[str, tuple[str, datetime]]) -> str:
    while key in parent:
        key = parent[key][0]
    return key


def _since(key: str, parent: dict[str, tuple[str, datetime]]) -> datetime:
    moments = []
    while key in parent:
        key, moment = parent[key]
        moments.append(moment)
    return max(moments)
