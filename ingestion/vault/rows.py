"""What the vault keeps of a delivery: one row a person and set of facts, written as the rows come in.

Belongs here: which columns of a feed say who somebody is. Does not belong here: looking them up (``lookup``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import polars as pl

from ingestion.encryption import EncryptedParquet, EncryptedWriter
from ingestion.table import ROW_NUMBER
from models.contract import Column, Feed

FACTS = ("id_number", "name", "phone", "address", "former_name", "document_number")
"""What may be known of who a person is."""
SCHEMA: dict[str, pl.DataType] = {
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
Sieve = Callable[[pl.DataFrame], pl.DataFrame]
"""Takes out the rows that must not be kept."""


class VaultWriter:
    """Keeps the identities of one delivery as its rows come in; a feed without any leaves no file."""

    def __init__(self, encrypted: EncryptedParquet, feed: Feed, path: Path, sieve: Sieve | None = None) -> None:
        self._feed = feed
        self._sieve = sieve
        self._context: AbstractContextManager[EncryptedWriter] = encrypted.writer(path)
        self._writer: EncryptedWriter | None = None

    def __enter__(self) -> VaultWriter:
        self._writer = self._context.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._context.__exit__(*raised)  # type: ignore[arg-type]

    def add(self, accepted: pl.DataFrame, keys: Mapping[str, pl.Series]) -> None:
        """Keep the direct identifiers of these rows; ``keys`` are their pseudonyms by column."""
        rows = identity_rows(accepted, self._feed, keys)
        if rows is not None and self._sieve is not None:
            rows = self._sieve(rows)
        if rows is not None and self._writer is not None:
            self._writer.write(rows)


def identity_rows(accepted: pl.DataFrame, feed: Feed, keys: Mapping[str, pl.Series]) -> pl.DataFrame | None:
    """One row a person and set of facts, for each role a person has in the feed; None for feeds without any."""
    parts = []
    for role in _roles(feed):
        part = accepted.select(ROW_NUMBER, *(pl.col(source).alias(name) for name, source in role.items()))
        if "id_number" in role:
            part = part.with_columns(keys[role["id_number"]].rename("person_key"))
        missing = [pl.lit(None, dtype).alias(name) for name, dtype in SCHEMA.items() if name not in part.columns]
        part = part.with_columns(missing).with_columns(
            pl.lit(role.get("id_number", role.get("name", ""))).alias("role")
        )
        parts.append(_distinct(part.select(list(SCHEMA))))
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
