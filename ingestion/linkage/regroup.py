"""Decisions about persons by key: whether they can be, before they are kept.

Belongs here: that keys and rows exist and are what a person takes them for. Does not belong here: keeping the
decision (``events``), its meaning (``resolve``).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ingestion.linkage.decisions import Said
from ingestion.linkage.events import IdentityError, IdentityEvents
from ingestion.linkage.resolve import Event, Row, key_of_today
from ingestion.lock import exclusive
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from ingestion.vault import Vault
from models.contract import Feed, person_key_name

MAIN_COLUMN = "person_key"


def merge(store: Store, key: str, into: str, said: Said) -> Event:
    """``key`` is the person ``into``; both must be known."""
    with exclusive(store):
        events = IdentityEvents(store)
        _check_known(store, events.all(), key, into)
        return events.merge(key, into, said.reason, said.decided_by, said.decided_at)


def split(store: Store, key: str, rows: Sequence[Row], said: Said, to: str | None = None) -> Event:
    """Those rows, which bear ``key`` (or a key that stands for it), are about ``to``, or about somebody unknown."""
    with exclusive(store):
        events = IdentityEvents(store)
        known = events.all()
        _check_known(store, known, key, *([to] if to else []))
        for row in rows:
            _check_row(store, known, key, row)
        return events.split(key, rows, said.reason, said.decided_by, said.decided_at, to)


def undo(store: Store, event_id: str, said: Said) -> Event:
    """Take a merge or split back."""
    with exclusive(store):
        return IdentityEvents(store).undo(event_id, said.reason, said.decided_by, said.decided_at)


def rows_in(path: Path, feeds: Mapping[str, Feed]) -> list[Row]:
    """Rows named in a CSV with the columns delivery_id and row_number, and column where it is not the main one.

    The column is one of person keys by its name in the lake (``person_key``, ``applicant_key``).
    """
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        lines = list(reader)
        if not {"delivery_id", "row_number"} <= set(reader.fieldnames or ()):
            raise KeyError
        told = [
            (str(line["delivery_id"]).strip(), int(line["row_number"]), (line.get("column") or MAIN_COLUMN).strip())
            for line in lines
        ]
    except (KeyError, TypeError, ValueError):
        raise IdentityError("the file of rows needs the columns delivery_id and row_number (a whole number)") from None
    rows = []
    for delivery_id, row_number, column in dict.fromkeys(told):
        feed = feeds.get(delivery_id.split(".")[0])
        columns = [person_key_name(item.name) for item in feed.columns if item.type == "id"] if feed else []
        if column not in columns:
            raise IdentityError(f"row {row_number} of {delivery_id}: no column {column} of persons there")
        rows.append(Row(delivery_id.split(".")[0], delivery_id, row_number, column))
    return rows


def _check_known(store: Store, events: Sequence[Event], *keys: str) -> None:
    made = {event.other_key for event in events if event.kind == "split"}
    told = set(Vault(store).identities([key for key in keys if key not in made])["person_key"]) | made
    for key in keys:
        if key not in told:
            raise IdentityError(f"nobody is known by the key {key}")


def _check_row(store: Store, events: Sequence[Event], key: str, row: Row) -> None:
    period = row.delivery_id.split(".")[1] if row.delivery_id.count(".") == 2 else ""
    path = store.lake_file(row.feed, period, row.delivery_id)
    found = pl.read_parquet(path).filter(pl.col(ROW_NUMBER) == row.row_number) if path.exists() else pl.DataFrame()
    if found.is_empty():
        raise IdentityError(f"no accepted row {row.row_number} in {row.delivery_id}")
    borne = found[row.column][0]
    if borne is None or key_of_today(str(borne), events) != key_of_today(key, events):
        raise IdentityError(f"row {row.row_number} of {row.delivery_id} is not about {key}")
