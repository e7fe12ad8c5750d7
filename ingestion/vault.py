"""The identity vault: who stands behind a person key, encrypted.

Belongs here: names, ID numbers, phones, addresses of accepted deliveries and their look-up. Does not belong
here: who may look (``orchestration``), pseudonyms (``pseudonym``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.delivery import Delivery
from ingestion.encryption import EncryptedParquet
from ingestion.ledger import Ledger
from ingestion.pseudonym import Algorithm, pseudonyms
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from models.contract import Column, Feed

_SCHEMA = {
    "person_key": pl.String(),
    "id_number": pl.String(),
    "name": pl.String(),
    "phone": pl.String(),
    "address": pl.String(),
    "former_name": pl.String(),
    "document_number": pl.String(),
    "role": pl.String(),
    ROW_NUMBER: pl.Int64(),
}
"""Which delivery and month the facts are from, is in the name of the file."""
IDENTITY_COLUMNS = ("person_key", "id_number", "name", "phone", "address")
PERSON_COLUMNS = (
    "person_key",
    "id_number",
    "name",
    "former_name",
    "born_on",
    "phone",
    "address",
    "document_number",
    "feed",
    "delivery_id",
)


class Vault:
    """The vault of one data home. Of held and rejected deliveries nothing is looked at."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.vault
        self._encrypted: EncryptedParquet = store.encrypted
        self._key = store.keys.pseudonym
        self._algorithm: Algorithm = store.algorithm

    def file(self, feed: str, delivery_id: str) -> Path:
        return self._folder / feed / f"{delivery_id}.parquet"

    def keep(self, accepted: pl.DataFrame, feed: Feed, keys: Mapping[str, pl.Series], delivery_id: str) -> None:
        """Keep the direct identifiers of a delivery's rows; a feed without any leaves no file."""
        rows = identity_rows(accepted, feed, keys)
        if rows is not None:
            self._encrypted.write(rows, self.file(feed.name, delivery_id))

    def writer(self, feed: Feed, delivery_id: str) -> VaultWriter:
        """A context in which a delivery's rows are kept chunk by chunk; the file is there when it ends well."""
        return VaultWriter(self._encrypted, feed, self.file(feed.name, delivery_id))

    def people(self, deliveries: Iterable[str] | None = None) -> pl.DataFrame:
        """Newest known facts of every person: the columns of ``PERSON_COLUMNS``, one row a person key.

        ``feed`` and ``delivery_id`` are those of the newest row about the person; a fact that is missing there is
        taken from the newest row that has it. ``born_on`` is what the ID number says.
        """
        parts = [
            rows.with_columns(
                pl.lit(place).alias("place"),
                pl.lit(item.feed).alias("feed"),
                pl.lit(item.delivery_id).alias("delivery_id"),
            )
            for place, item, rows in self._all(deliveries)
        ]
        empty = pl.DataFrame(schema={**_SCHEMA, "place": pl.Int32(), "feed": pl.String(), "delivery_id": pl.String()})
        rows = pl.concat([empty, *parts]).filter(pl.col("person_key").is_not_null()).sort("place", ROW_NUMBER)
        facts = [
            pl.col(name).drop_nulls().last().alias(name)
            for name in PERSON_COLUMNS
            if name in _SCHEMA and name != "person_key"
        ]
        newest = [pl.col(name).last() for name in ("feed", "delivery_id")]
        people = rows.group_by("person_key").agg(*facts, *newest).sort("person_key")
        return people.with_columns(born_on_of(pl.col("id_number")).alias("born_on")).select(PERSON_COLUMNS)

    def identities(self, person_keys: Sequence[str], deliveries: Iterable[str] | None = None) -> pl.DataFrame:
        """Latest known identity of each of those persons: person_key, id_number, name, phone, address.

        A name, phone or address of a later month outranks an earlier one; missing ones do not. Persons that the
        vault does not know are left out. ``deliveries`` limits it to what is known from those (default: all
        accepted).
        """
        wanted = pl.Series("person_key", list(person_keys), dtype=pl.String).unique()
        found = [
            rows.filter(pl.col("person_key").is_in(wanted.implode())).with_columns(pl.lit(place).alias("place"))
            for place, _, rows in self._all(deliveries)
        ]
        return _latest(pl.concat([pl.DataFrame(schema={**_SCHEMA, "place": pl.Int32()}), *found]))

    def person_keys_of(self, id_numbers: Sequence[str]) -> pl.DataFrame:
        """id_number and person_key of each, whether the vault knows it or not."""
        numbers = pl.Series("id_number", list(id_numbers), dtype=pl.String).str.to_uppercase()
        return pl.DataFrame([numbers, pseudonyms(numbers, self._key, self._algorithm).rename("person_key")])

    def publish_person_keys(self, path: Path, deliveries: Iterable[str] | None = None) -> None:
        """Write person_key, born_on and sex of every person known, without any direct identifier."""
        parts = [rows.select("person_key", "id_number").drop_nulls().unique() for *_, rows in self._all(deliveries)]
        empty = pl.DataFrame(schema={"person_key": pl.String, "id_number": pl.String})
        persons = pl.concat([empty, *parts]).unique("person_key").sort("person_key")
        write_parquet(
            persons.select(
                "person_key",
                born_on_of(pl.col("id_number")).alias("born_on"),
                pl.when(pl.col("id_number").str.slice(16, 1).cast(pl.Int8, strict=False) % 2 == 1)
                .then(pl.lit("1"))
                .otherwise(pl.lit("2"))
                .alias("sex"),
            ),
            path,
        )

    def reporters(self, delivery_id: str, feed: str) -> pl.DataFrame:
        """Identities of a delivery's rows that bear no ID number (a report of a person known by name alone)."""
        path = self.file(feed, delivery_id)
        rows = self._encrypted.read(path) if path.exists() else pl.DataFrame(schema=_SCHEMA)
        return rows.filter(pl.col("person_key").is_null())

    def _all(self, deliveries: Iterable[str] | None) -> Iterable[tuple[int, Delivery, pl.DataFrame]]:
        """Place in time, entry and rows of each accepted delivery (of those named), earliest month first."""
        with Ledger(self._store.ledger_file) as ledger:
            accepted = ledger.deliveries(status="accepted")
        known = None if deliveries is None else set(deliveries)
        ordered = sorted(accepted, key=lambda item: (item.period or "", item.received_at, item.sequence or 0))
        for place, item in enumerate(ordered):
            path = self.file(item.feed, item.delivery_id)
            if (known is None or item.delivery_id in known) and path.exists():
                yield place, item, self._encrypted.read(path)


class VaultWriter:
    """Keeps the identities of one delivery as its rows come in."""

    def __init__(self, encrypted: EncryptedParquet, feed: Feed, path: Path) -> None:
        self._encrypted = encrypted
        self._feed = feed
        self._path = path
        self._parts: list[pl.DataFrame] = []

    def __enter__(self) -> VaultWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._parts:
            self._encrypted.write(pl.concat(self._parts), self._path)

    def add(self, accepted: pl.DataFrame, keys: Mapping[str, pl.Series]) -> None:
        """Keep the direct identifiers of these rows; ``keys`` are their pseudonyms by column."""
        rows = identity_rows(accepted, self._feed, keys)
        if rows is not None:
            self._parts.append(rows)


def born_on_of(id_number: pl.Expr) -> pl.Expr:
    """The birth date that an ID number of 18 digits states."""
    return id_number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)


def identity_rows(accepted: pl.DataFrame, feed: Feed, keys: Mapping[str, pl.Series]) -> pl.DataFrame | None:
    """One row a person and set of facts, for each role a person has in the feed; None for feeds without any."""
    parts = []
    for role in _roles(feed):
        part = accepted.select(ROW_NUMBER, *(pl.col(source).alias(name) for name, source in role.items()))
        if "id_number" in role:
            part = part.with_columns(keys[role["id_number"]].rename("person_key"))
        missing = [pl.lit(None, dtype).alias(name) for name, dtype in _SCHEMA.items() if name not in part.columns]
        part = part.with_columns(missing).with_columns(
            pl.lit(role.get("id_number", role.get("name", ""))).alias("role")
        )
        parts.append(_distinct(part.select(list(_SCHEMA))))
    return pl.concat(parts) if parts else None


def _distinct(part: pl.DataFrame) -> pl.DataFrame:
    """A person with the same facts once; rows without a person key all, if they say anything."""
    has_key = pl.col("person_key").is_not_null()
    if not part["person_key"].is_duplicated().any():
        return part
    facts = ["name", "phone", "address", "former_name", "document_number"]
    known = part.filter(has_key).unique(["person_key", *facts], keep="last", maintain_order=True)
    unknown = part.filter(~has_key & ~pl.all_horizontal(pl.col(fact).is_null() for fact in facts))
    return pl.concat([known, unknown])


def _roles(feed: Feed) -> list[dict[str, str]]:
    """For each person that a row names: vault column -> column of the feed."""
    names = {column.name: column for column in feed.columns}
    roles = [_role_of(column, names) for column in feed.columns if column.type == "id"]
    used = {source for role in roles for source in role.values()}
    left = [column for column in feed.columns if column.is_direct_identifier and column.name not in used]
    return roles + [{"name": column.name} for column in left]


def _role_of(column: Column, names: dict[str, Column]) -> dict[str, str]:
    if column.name != "id_number":
        name = column.name.removesuffix("_id") + "_name"
        return {"id_number": column.name, **({"name": name} if name in names else {})}
    role = {"id_number": column.name}
    for fact in ("name", "phone", "address", "former_name"):
        if fact in names:
            role[fact] = fact
    document = next((item.name for item in names.values() if item.carries_id_number), None)
    return {**role, **({"document_number": document} if document else {})}


def _latest(rows: pl.DataFrame) -> pl.DataFrame:
    ordered = rows.filter(pl.col("person_key").is_not_null()).sort("place", ROW_NUMBER)
    facts = [pl.col(name).drop_nulls().last().alias(name) for name in IDENTITY_COLUMNS[1:]]
    return ordered.group_by("person_key").agg(facts).sort("person_key")
