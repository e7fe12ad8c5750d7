"""What ingestion knew at a moment gone by, laid out as a store of its own.

Belongs here: which deliveries, decisions and events had come by then, and the files of those. Nothing of the store is
changed: files are linked, databases copied. Identities stay encrypted as they are.

What was held or rejected later counts again, with the rows that were set apart then; what came later is not there at
all; a decision taken later has not been taken.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from ingestion.ledger import METADATA as LEDGER
from ingestion.ledger import Ledger
from ingestion.life import STATUS
from ingestion.linkage.decisions import DECISION
from ingestion.quarantine import Quarantine
from ingestion.records import copy_database
from ingestion.store import Store

LEDGER_TABLES = (LEDGER, DECISION.metadata)
LINKED = ("quarantine", "faults")
# Caches and changes under way; the index of the vault speaks for deliveries that were not there yet.
LEFT_OUT = frozenset({"index", ".change"})


@dataclass(frozen=True)
class Gap:
    """A delivery that counted then, and whose rows are not there any more."""

    delivery_id: str
    why: str


def lay_past(store: Store, target: Path, moment: datetime) -> list[Gap]:
    """Lay the store out in ``target`` as it was known at a moment; says what cannot be brought back.

    Deliveries of later months too: no row of a month rests on them (decisions/0024), but the newest address of a person
    on its lists does.
    """
    target.mkdir(parents=True, exist_ok=True)
    copy_database(store.ledger_file, target / "ledger.db", LEDGER_TABLES)
    changed = _turn_back(target / "ledger.db", moment)
    with Ledger(target / "ledger.db") as ledger:
        deliveries = ledger.deliveries()
    known = {item.delivery_id for item in deliveries}
    gaps = []
    past = Store(target, store.keys, store.algorithm, store.key_file)
    for item in deliveries:
        if item.status not in ("accepted", "held"):
            continue
        source = _rows_of(store, item.feed, str(item.period), item.delivery_id)
        lake, held = (
            past.lake_file(item.feed, str(item.period), item.delivery_id),
            past.held_file(item.feed, item.delivery_id),
        )
        if source is not None:
            link(source, lake if item.status == "accepted" else held)
        elif item.rows_accepted or item.delivery_id in changed:
            gaps.append(Gap(item.delivery_id, "its rows were deleted when it was rejected"))
    _link_tree(store.vault, target / "vault", known)
    for folder in LINKED:
        _link_tree(store.home / folder, target / folder, None)
    _count_again(target, changed, store)
    return gaps


def link(source: Path, target: Path) -> None:
    """The same file at another place; a copy where the places lie on different disks."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def plain(moment: datetime) -> str:
    """A moment as the ledger keeps it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _turn_back(ledger: Path, moment: datetime) -> dict[str, str]:
    """Take out of a copied ledger what came after the moment; the deliveries whose status was another one then."""
    at = plain(moment)
    with sqlite3.connect(ledger) as connection:
        connection.execute("delete from delivery where ingested_at > ?", (at,))
        later = connection.execute(
            "select delivery_id, status, reason_before from decision where decided_at > ? order by sequence desc", (at,)
        ).fetchall()
        before = {}
        for delivery, status, reason in later:  # the newest first, so that the oldest of them has the last word
            before[delivery] = "accepted" if status == STATUS["held"] else "held"
            if status == "resubmitted":
                continue
            connection.execute(
                "update delivery set status = ?, reason = ? where delivery_id = ?", (before[delivery], reason, delivery)
            )
        connection.execute("delete from decision where decided_at > ?", (at,))
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        if "identity_event" in tables:
            old = "select event_id from identity_event where decided_at > ?"
            connection.execute(f"delete from identity_event_row where event_id in ({old})", (at,))
            connection.execute("delete from identity_event where decided_at > ?", (at,))
    connection.close()
    return before


def _rows_of(store: Store, feed: str, period: str, delivery: str) -> Path | None:
    places = (store.lake_file(feed, period, delivery), store.held_file(feed, delivery))
    return next((place for place in places if place.is_file()), None)


def _link_tree(source: Path, target: Path, known: Iterable[str] | None) -> None:
    """Link all files; of those in folders of feeds only the ones of known deliveries."""
    wanted = None if known is None else set(known)
    for path in sorted(source.rglob("*")):
        place = path.relative_to(source)
        if not path.is_file() or LEFT_OUT & set(place.parts):
            continue
        is_delivery = len(place.parts) == 2 and path.stem.startswith(f"{place.parts[0]}.")
        if wanted is None or not is_delivery or path.stem in wanted:
            link(path, target / place)


def _count_again(target: Path, changed: Mapping[str, str], store: Store) -> None:
    """What was counted of deliveries that were rejected since: rejection sets their counts to nothing."""
    quarantine = Quarantine(store)
    with sqlite3.connect(target / "ledger.db") as connection:
        for delivery in changed:
            row = connection.execute(
                "select feed, period, rows_data, rows_accepted from delivery where delivery_id = ?", (delivery,)
            ).fetchone()
            if row is None or row[3]:
                continue
            file = _rows_of(store, row[0], str(row[1]), delivery)
            if file is not None:
                accepted = pl.scan_parquet(file).select(pl.len()).collect().item()
                rows, cells = quarantine.counted(row[0], delivery)
                connection.execute(
                    "update delivery set rows_accepted = ?, rows_quarantined = ?, quarantined_by_reason = ?, "
                    "cell_defects_by_reason = ? where delivery_id = ?",
                    (accepted, row[2] - accepted, json.dumps(rows), json.dumps(cells), delivery),
                )
    connection.close()
