"""Who stands behind a person key: look-ups over the index of the vault and the delivery files not in it yet.

Belongs here: what is known of persons, newest first, from all accepted deliveries or from some. Does not belong here:
who may look (``orchestration``), pseudonyms (``pseudonym``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.delivery import Delivery
from ingestion.encryption import EncryptedParquet
from ingestion.in_force import receipt_order
from ingestion.ledger import Ledger
from ingestion.parse_identity import born_on_of, sex_of
from ingestion.pseudonym import Algorithm, pseudonyms
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from ingestion.vault.former import Former
from ingestion.vault.index import ENTRY_SCHEMA, SHARDS, Index, Source, entries_of
from ingestion.vault.rows import (
    FACTS,
    IDENTITY_COLUMNS,
    PERSON_COLUMNS,
    SCHEMA,
    VaultWriter,
)
from ingestion.vault.tombstone import Tombstones
from models.contract import Feed

INDEX_FOLDER = "index"
_PLACED = {**ENTRY_SCHEMA, "place": pl.Int32()}


@dataclass(frozen=True)
class _Known:
    """What a look-up may use: deliveries in time, of them the segments that stand for several."""

    sources: tuple[Source, ...]
    by_sequence: Mapping[int, Delivery]


class Vault:
    """The vault of one data home. Of held and rejected deliveries nothing is looked at."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.vault
        self._encrypted: EncryptedParquet = store.encrypted
        self._key = store.keys.pseudonym
        self._algorithm: Algorithm = store.algorithm
        self._index = Index(self._folder / INDEX_FOLDER, self._encrypted)

    def file(self, feed: str, delivery_id: str) -> Path:
        return self._folder / feed / f"{delivery_id}.parquet"

    def writer(self, feed: Feed, delivery_id: str) -> VaultWriter:
        """A context in which a delivery's rows are kept chunk by chunk; the file is there when it ends well."""
        period = delivery_id.split(".")[1]
        sieve = partial(Tombstones(self._store).sieve, feed=feed.name, period=period)
        return VaultWriter(self._encrypted, feed, self.file(feed.name, delivery_id), sieve)

    def keep(self, accepted: pl.DataFrame, feed: Feed, keys: Mapping[str, pl.Series], delivery_id: str) -> None:
        """Keep the direct identifiers of a delivery's rows; a feed without any leaves no file."""
        with self.writer(feed, delivery_id) as writer:
            writer.add(accepted, keys)

    def refresh(self) -> int:
        """Take deliveries that came or went into the index; how many files were read for it."""
        return self._index.refresh(self._known(None).sources)

    def identities(self, person_keys: Sequence[str], deliveries: Iterable[str] | None = None) -> pl.DataFrame:
        """Latest known identity of each of those persons: person_key, id_number, name, phone, address.

        A name, phone or address of a later month outranks an earlier one; missing ones do not. Persons that the
        vault does not know are left out. ``deliveries`` limits it to what is known from those (default: all
        accepted).
        """
        wanted = pl.Series("person_key", list(person_keys), dtype=pl.String).drop_nulls().unique().sort()
        known = self._known(deliveries)
        parts = [_latest(entries, IDENTITY_COLUMNS[1:]) for entries in self._entries(known, wanted)]
        return pl.concat([_empty(IDENTITY_COLUMNS), *parts]).sort("person_key")

    def people(self, deliveries: Iterable[str] | None = None) -> pl.DataFrame:
        """Newest known facts of every person: the columns of ``PERSON_COLUMNS``, one row a person key.

        ``feed`` and ``delivery_id`` are those of the newest row about the person; a fact that is missing there is
        taken from the newest row that has it. ``born_on`` is what the ID number says.
        """
        self.refresh()
        known = self._known(deliveries)
        parts = [_latest(entries, FACTS, pl.col("last").last()) for entries in self._entries(known, None)]
        people = pl.concat([_empty(("person_key", *FACTS)).with_columns(last=pl.lit(None, pl.Int32)), *parts])
        named = _named(known.by_sequence)
        return (
            people.join(named, left_on="last", right_on="sequence", how="left")
            .with_columns(born_on_of(pl.col("id_number")).alias("born_on"))
            .select(PERSON_COLUMNS)
            .sort("person_key")
        )

    def facts_of(self, person_key: str) -> pl.DataFrame:
        """Everything known of one person: fact, value, feed, role, and since and until when which delivery said so.

        Columns: fact, value, feed, role, first_month, first_delivery, last_month, last_delivery; newest first.
        """
        known = self._known(None)
        wanted = pl.Series("person_key", [person_key])
        entries = pl.concat([pl.DataFrame(schema=_PLACED), *self._entries(known, wanted)])
        named = _named(known.by_sequence)
        long = entries.unpivot(FACTS, index=["feed", "role", "first", "last", "place"], variable_name="fact")
        told = long.drop_nulls("value").join(_as(named, "first"), on="first").join(_as(named, "last"), on="last")
        facts = told.group_by("fact", "value", "feed", "role").agg(
            pl.col("first_month", "first_delivery").sort_by("first_month").first(),
            pl.col("last_month", "last_delivery", "place").sort_by("place").last(),
        )
        return facts.sort(["place", "fact", "feed"], descending=[True, False, False]).drop("place")

    def told_names(self, deliveries: Iterable[str] | None = None) -> Iterator[pl.DataFrame]:
        """What each feed calls each person, a part of the persons at a time.

        Columns: person_key, feed, role, name, former_name, first_month (date), delivery_id and row_number of the last
        that said so, place (its order in time).
        """
        self.refresh()
        known = self._known(deliveries)
        named = _named(known.by_sequence)
        first = named.select(first="sequence", first_month=pl.col("month").str.to_date("%Y-%m", strict=False))
        last = named.select(pl.col("sequence").alias("last"), "delivery_id")
        for entries in self._entries(known, None):
            yield (
                entries.join(first, on="first", how="left")
                .join(last, on="last", how="left")
                .select(
                    *("person_key", "feed", "role", "name", "former_name", "first_month", "delivery_id"),
                    pl.col("last_row").alias(ROW_NUMBER),
                    "place",
                )
            )

    def spans(self) -> pl.DataFrame:
        """One row a person, feed and role: person_key, feed, role, first and last (ledger sequences)."""
        self.refresh()
        known = self._known(None)
        places = {item.sequence: item.place for item in known.sources}
        first_place = pl.col("first").replace_strict(places, return_dtype=pl.Int32)
        parts = [
            entries.group_by("person_key", "feed", "role").agg(
                pl.col("first").sort_by(first_place).first(), pl.col("last").sort_by("place").last()
            )
            for entries in self._entries(known, None)
        ]
        schema = {name: ENTRY_SCHEMA[name] for name in ("person_key", "feed", "role", "first", "last")}
        return pl.concat([pl.DataFrame(schema=schema), *parts])

    def person_keys_of(self, id_numbers: Sequence[str]) -> pl.DataFrame:
        """id_number and person_key of each, whether the vault knows it or not."""
        numbers = pl.Series("id_number", list(id_numbers), dtype=pl.String).str.to_uppercase()
        return pl.DataFrame([numbers, pseudonyms(numbers, self._key, self._algorithm).rename("person_key")])

    def publish_person_keys(self, path: Path, deliveries: Iterable[str] | None = None) -> None:
        """Write person_key, born_on and sex of every person known, without any direct identifier.

        Persons whose identities were deleted are in it as long as their pseudonymous rows are.
        """
        self.refresh()
        known = self._known(deliveries)
        parts = [
            entries.select("person_key", "id_number").drop_nulls().unique("person_key")
            for entries in self._entries(known, None)
        ]
        number = pl.col("id_number")
        born = [
            part.select("person_key", born_on_of(number).alias("born_on"), sex_of(number).alias("sex"))
            for part in parts
        ]
        persons = pl.concat([Former(self._store).all(), *born]).unique("person_key", keep="last")
        write_parquet(persons.sort("person_key"), path)

    def reporters(self, delivery_id: str, feed: str) -> pl.DataFrame:
        """Identities of a delivery's rows that bear no ID number (a report of a person known by name alone)."""
        path = self.file(feed, delivery_id)
        rows = self._encrypted.read(path) if path.exists() else pl.DataFrame(schema=SCHEMA)
        return rows.filter(pl.col("person_key").is_null())

    def sources(self) -> tuple[Source, ...]:
        """The delivery files that count, earliest data month first."""
        return self._known(None).sources

    def _known(self, deliveries: Iterable[str] | None) -> _Known:
        """Accepted deliveries (of those named) that left identities, earliest month first."""
        with Ledger(self._store.ledger_file) as ledger:
            accepted = ledger.deliveries(status="accepted")
        wanted = None if deliveries is None else set(deliveries)
        ordered = sorted(accepted, key=lambda item: (item.period or "", *receipt_order(item)))
        sources = [
            Source(item.delivery_id, item.feed, str(item.period)[:4], item.sequence or 0, place, path)
            for place, item in enumerate(ordered)
            if (wanted is None or item.delivery_id in wanted)
            and (path := self.file(item.feed, item.delivery_id)).exists()
        ]
        return _Known(tuple(sources), {item.sequence or 0: item for item in ordered})

    def _entries(self, known: _Known, wanted: pl.Series | None) -> Iterator[pl.DataFrame]:
        """Entries with their place in time, shard by shard, of the (sorted) person keys or of everybody."""
        segments = self._index.usable(known.sources)
        covered = frozenset().union(*(segment.delivery_ids for segment in segments))
        loose = self._loose([item for item in known.sources if item.delivery_id not in covered], wanted)
        places = {item.sequence: item.place for item in known.sources}
        letters = SHARDS if wanted is None else sorted({key[:1] for key in wanted} & set(SHARDS))
        for letter in letters:
            is_here = pl.col("person_key").str.starts_with(letter)
            keys = None if wanted is None else wanted.filter(wanted.str.starts_with(letter))
            parts = [self._index.read(segment, letter, keys) for segment in segments]
            entries = pl.concat([*parts, loose.filter(is_here)])
            yield entries.with_columns(pl.col("last").replace_strict(places, return_dtype=pl.Int32).alias("place"))

    def _loose(self, sources: list[Source], wanted: pl.Series | None) -> pl.DataFrame:
        """Entries of delivery files that are in no usable segment."""
        parts = []
        for source in sources:
            entries = entries_of(self._encrypted.read(source.path), source)
            is_wanted = pl.lit(True) if wanted is None else pl.col("person_key").is_in(wanted.implode())
            parts.append(entries.filter(is_wanted))
        return pl.concat([pl.DataFrame(schema=ENTRY_SCHEMA), *parts])


def _latest(entries: pl.DataFrame, facts: Sequence[str], *more: pl.Expr) -> pl.DataFrame:
    """Of each person the newest value of each fact that is not missing."""
    ordered = entries.sort("place", "last_row", "role")
    newest = [pl.col(name).drop_nulls().last().alias(name) for name in facts]
    return ordered.group_by("person_key").agg(*newest, *more)


def _empty(columns: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


def _named(deliveries: Mapping[int, Delivery]) -> pl.DataFrame:
    """sequence, feed, delivery_id and month of each delivery."""
    rows = [(number, item.feed, item.delivery_id, item.period) for number, item in deliveries.items()]
    schema = {"sequence": pl.Int32, "feed": pl.String, "delivery_id": pl.String, "month": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _as(named: pl.DataFrame, end: str) -> pl.DataFrame:
    return named.select(
        pl.col("sequence").alias(end),
        pl.col("month").alias(f"{end}_month"),
        pl.col("delivery_id").alias(f"{end}_delivery"),
    )
