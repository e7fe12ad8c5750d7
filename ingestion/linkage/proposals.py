"""Proposed persons for rows in quarantine, and pairs of persons to be judged: found, kept encrypted, read again.

Belongs here: running the passes over a data home and keeping what they say. Does not belong here: the passes
(``match``, ``pairs``), what a person decides about it (``decisions``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from ingestion.atomic import replace_file
from ingestion.delivery import Delivery
from ingestion.in_force import delivery_validity
from ingestion.ledger import Ledger
from ingestion.linkage.claims import Claims, claims_of, feeds_with_numbers
from ingestion.linkage.events import IdentityEvents
from ingestion.linkage.match import link
from ingestion.linkage.pairs import pairs
from ingestion.linkage.resolve import resolved
from ingestion.linkage.sources import StoreKnown
from ingestion.mending.row_state import OPEN, row_states, with_state
from ingestion.pseudonym import letters_of, pseudonyms
from ingestion.quarantine import Quarantine
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from models.contract import Feed
from models.linkage import LINKAGE_FILE, Linkage, load_linkage

ROW, PAIR = "row", "pair"
PROPOSAL: dict[str, pl.DataType] = {
    "proposal_id": pl.String(),
    "kind": pl.String(),
    "pass": pl.String(),
    "state": pl.String(),
    "feed": pl.String(),
    "delivery_id": pl.String(),
    ROW_NUMBER: pl.Int64(),
    "column": pl.String(),
    "is_alone": pl.Boolean(),
    "person_key": pl.String(),
    "other_key": pl.String(),
    "confirmed_by": pl.String(),
    "against": pl.String(),
    "name_written": pl.String(),
    "number_written": pl.String(),
    "id_number": pl.String(),
    "name": pl.String(),
    "phone": pl.String(),
    "address": pl.String(),
    "other_id_number": pl.String(),
    "other_name": pl.String(),
    "other_phone": pl.String(),
    "other_address": pl.String(),
}
"""Of a row: where it stands, what is written there, and the person proposed. Of a pair: two persons side by side."""
PERSONAL = tuple(name for name in PROPOSAL if name.startswith(("name", "number", "id_", "phone", "address", "other_")))
_ID_LETTERS = 12
ROW_ID = ("delivery_id", ROW_NUMBER, "column", "person_key")
PAIR_ID = ("person_key", "other_key")
"""What the number of a proposal is made of."""


def proposals_file(store: Store) -> Path:
    return store.quarantine / "_linkage" / "proposals.parquet"


def propose(store: Store, feeds: Mapping[str, Feed], linkage: Linkage | None = None) -> pl.DataFrame:
    """Run the declared passes over what is in quarantine now and keep what they say; all proposals (``PROPOSAL``).

    Nothing is applied. Skipped where nothing has come in and nothing was decided since the last time.
    """
    declared = linkage or load_linkage()
    with Ledger(store.ledger_file) as ledger:
        entries = ledger.deliveries()
    basis = _basis(entries, IdentityEvents(store))
    path = proposals_file(store)
    if path.exists() and _basis_file(store).exists() and _basis_file(store).read_text(encoding="utf-8") == basis:
        return read_proposals(store)
    found = _proposals(store, feeds, declared, entries)
    store.encrypted.write(found, path)
    replace_file(_basis_file(store), lambda aside: _write(aside, basis))
    return found


def read_proposals(store: Store) -> pl.DataFrame:
    """What the passes said last; empty before the first time."""
    path = proposals_file(store)
    return store.encrypted.read(path) if path.exists() else pl.DataFrame(schema=PROPOSAL)


def open_rows(store: Store, entries: Sequence[Delivery], item: Delivery) -> pl.DataFrame:
    """Rows of a delivery that are still set aside: row_number, reasons, raw."""
    raw = Quarantine(store).raw_rows(item.feed, item.delivery_id)
    named = raw.with_columns(pl.lit(item.delivery_id).alias("delivery_id"))
    of_feed = [entry for entry in entries if entry.feed == item.feed]
    state = with_state(named, row_states(store, of_feed), of_feed)
    return state.filter(pl.col("state") == OPEN).select(ROW_NUMBER, "reasons", "raw")


def _proposals(store: Store, feeds: Mapping[str, Feed], linkage: Linkage, entries: Sequence[Delivery]) -> pl.DataFrame:
    known = StoreKnown(store, feeds, linkage)
    claims = _claims(store, feeds, linkage, entries)
    rows = _of_rows(claims, known, store, linkage) if claims.claims.height else pl.DataFrame(schema=PROPOSAL)
    return pl.concat([rows, _of_pairs(known, store, linkage)]).sort("kind", "delivery_id", ROW_NUMBER, "proposal_id")


def _claims(store: Store, feeds: Mapping[str, Feed], linkage: Linkage, entries: Sequence[Delivery]) -> Claims:
    """Of deliveries that still speak for some month: a row of one that was superseded needs no mending."""
    in_force = set(delivery_validity(entries)["delivery_id"])
    asking = feeds_with_numbers(feeds)
    parts: list[Claims] = []
    first = 0
    for item in entries:
        if item.delivery_id in in_force and item.feed in asking and item.rows_quarantined and item.supplements is None:
            part = claims_of(open_rows(store, entries, item), item, feeds[item.feed], store, linkage, first)
            first += part.claims.height
            parts.append(part)
    return Claims.concat(parts)


def _of_rows(claims: Claims, known: StoreKnown, store: Store, linkage: Linkage) -> pl.DataFrame:
    links = link(claims.claims, claims.facts, known, linkage)
    told = links.join(claims.places, on="claim").join(claims.claims.select("claim", "text"), on="claim")
    keyed = told.with_columns(
        person_key=pseudonyms(told["id_number"], store.keys.pseudonym, store.algorithm),
        kind=pl.lit(ROW),
        name_written=pl.col("name_as_written"),
        number_written=pl.col("text"),
    )
    people = known.vault.select("id_number", "name", "phone", "address")
    shown = _shaped(keyed.join(people, on="id_number", how="left"))
    return _named(shown, ROW_ID)


def _of_pairs(known: StoreKnown, store: Store, linkage: Linkage) -> pl.DataFrame:
    """Pairs of persons that are two today."""
    (declared,) = (item for item in linkage.passes if item.method == "valid")
    people = known.vault.select("id_number", "person_key", "name", "phone", "address")
    others = people.rename({name: f"other_{name}" for name in people.columns if name != "person_key"})
    found = pairs(known, linkage).join(people, on="id_number", how="left")
    found = found.join(
        others.rename({"person_key": "other_key"}), left_on="other", right_on="other_id_number", how="left"
    )
    told = found.with_columns(
        pl.lit(PAIR).alias("kind"),
        pl.lit(declared.name).alias("pass"),
        pl.lit(declared.state).alias("state"),
        pl.col("other").alias("other_id_number"),
    )
    aliases = {key: found[0] for key, found in resolved(IdentityEvents(store).all()).items()}
    today = [pl.col(name).replace(aliases) for name in ("person_key", "other_key")]
    return _named(_shaped(told.filter(today[0] != today[1])), PAIR_ID)


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, kind).alias(name) for name, kind in PROPOSAL.items() if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in PROPOSAL.items())


def renumbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows about proposals whose person keys were changed, with the numbers that these make."""
    is_row = pl.col("delivery_id").is_not_null()
    return pl.concat([_named(frame.filter(is_row), ROW_ID), _named(frame.filter(~is_row), PAIR_ID)])


def _named(frame: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Proposals with their number: letters made of what they are about, so that the same one is the same again."""
    told = frame.select(pl.concat_str([pl.col(name).cast(pl.String) for name in by], separator="|")).to_series()
    digests = [hashlib.sha256(text.encode()).digest()[: _ID_LETTERS // 2] for text in told]
    return frame.with_columns(proposal_id=letters_of(digests)) if digests else frame


def _basis(entries: Sequence[Delivery], events: IdentityEvents) -> str:
    """A digest of all that proposals depend on: deliveries and their state, events, the declared passes."""
    told = [(item.delivery_id, item.status) for item in entries]
    decided = [event.event_id for event in events.all()]
    declared = LINKAGE_FILE.read_bytes()
    return hashlib.sha256(repr((told, decided)).encode() + declared).hexdigest()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _basis_file(store: Store) -> Path:
    return proposals_file(store).with_name("basis")


def received_by(frame: pl.DataFrame, entries: Sequence[Delivery], moment: datetime | None) -> pl.DataFrame:
    """Rows of deliveries that had been received by a moment."""
    if moment is None:
        return frame
    known = [item.delivery_id for item in entries if item.received_at <= moment]
    return frame.filter(pl.col("delivery_id").is_null() | pl.col("delivery_id").is_in(known))
