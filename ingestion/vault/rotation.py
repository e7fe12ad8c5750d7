"""Changing the vault key or the pseudonym key of a whole data home, as one change.

Belongs here: which files a key is in, and writing them anew. Does not belong here: keys themselves (``keys``), what
the warehouse makes of new pseudonyms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ingestion.change import FOLDER as CHANGE_FOLDER
from ingestion.change import Change, changing
from ingestion.encryption import EncryptedParquet
from ingestion.keys import Keys, Kind, NextKey, marker_of, next_key, write_key_file, write_marker, written_with
from ingestion.linkage.proposals import proposals_file
from ingestion.store import Store
from ingestion.vault.alias import Aliases
from ingestion.vault.lookup import INDEX_FOLDER
from ingestion.vault.rekeying import KeyMap, key_map_of, rekey_databases, rekeyed, see_that_records_are_files

# Made from everything else by the next run, which then computes all months anew.
WAREHOUSE_FILES = ("warehouse.duckdb", "warehouse.duckdb.wal")
# Encrypted Parquet begins with these bytes, open Parquet with PAR1.
_ENCRYPTED = b"PARE"


@dataclass(frozen=True)
class Rotated:
    """What a rotation did: ids of the keys before and after, files written anew, person keys changed."""

    kind: Kind
    key_id_before: str
    key_id_after: str
    files: int
    person_keys: int
    store: Store


def rotate_vault_key(store: Store, environment: Mapping[str, str] | None = None) -> Rotated:
    """Encrypt everything that is encrypted under a new vault key; the old one opens nothing afterwards."""
    fresh = next_key("vault", _key_file(store), store.keys, environment)
    keys = Keys(store.keys.pseudonym, fresh.key)
    with changing(store.home) as change:
        encrypted = EncryptedParquet(fresh.key)
        files = 0
        for path in parquet_files(store.home):
            if is_encrypted(path):
                encrypted.write(store.encrypted.read(path), change.stage(path))
                files += 1
        change.delete(store.vault / INDEX_FOLDER)
        _switch(store, keys, fresh, change)
    return Rotated("vault", store.keys.key_id("vault"), keys.key_id("vault"), files, 0, _with(store, keys))


def rotate_pseudonyms(store: Store, environment: Mapping[str, str] | None = None) -> Rotated:
    """Give every person a new key, in every file of the home; keys given out before still resolve.

    The warehouse is taken away: without it the next run builds it anew from its first month.
    """
    see_that_records_are_files(store.home)
    fresh = next_key("pseudonym", _key_file(store), store.keys, environment)
    keys = Keys(fresh.key, store.keys.vault)
    with changing(store.home) as change:
        mapping = key_map_of(store, fresh.key)
        files = sum(_rekey(store, path, mapping, change) for path in parquet_files(store.home))
        files += rekey_databases(store.home, mapping, change)
        Aliases(store).add(mapping.known, _published(store), mapping, change)
        for name in WAREHOUSE_FILES:
            change.delete(store.home / name)
        change.delete(store.vault / INDEX_FOLDER)
        # Proposals bear numbers made of person keys; they are found anew under their new ones.
        change.delete(proposals_file(store).parent)
        _switch(store, keys, fresh, change)
    before, after = (item.key_id("pseudonym") for item in (store.keys, keys))
    return Rotated("pseudonym", before, after, files, mapping.known.height, _with(store, keys))


def parquet_files(home: Path) -> Iterator[Path]:
    """Every Parquet file of a home but the index of the vault, which is made anew."""
    for path in sorted(home.rglob("*.parquet")):
        parts = path.relative_to(home).parts
        is_made_anew = parts[0] == CHANGE_FOLDER or parts[:2] == ("vault", INDEX_FOLDER)
        if path.is_file() and not is_made_anew and not _is_linked(home, path):
            yield path


def is_encrypted(path: Path) -> bool:
    """Whether a file is encrypted Parquet, whoever wrote it."""
    with path.open("rb") as stream:
        return stream.read(len(_ENCRYPTED)) == _ENCRYPTED


def _is_linked(home: Path, path: Path) -> bool:
    """Seen through a link (the published generation): the file itself is found where it lies."""
    return any(parent.is_symlink() for parent in path.parents if parent.is_relative_to(home) and parent != home)


def _rekey(store: Store, path: Path, mapping: KeyMap, change: Change) -> int:
    sealed = is_encrypted(path)
    before = store.encrypted.read(path) if sealed else pl.read_parquet(path)
    after = rekeyed(before, mapping)
    if after is None:
        return 0
    staged = change.stage(path)
    if sealed:
        store.encrypted.write(after, staged)
    else:
        after.write_parquet(staged, compression="zstd")
    return 1


def _published(store: Store) -> Path:
    return store.home / "published"


def _switch(store: Store, keys: Keys, fresh: NextKey, change: Change) -> None:
    """The keys last: until then the home is written with the old ones."""
    if fresh.text is not None:
        write_key_file(change.stage(_key_file(store)), _key_file(store), fresh)
    write_marker(change.stage(marker_of(store.home)), keys, store.algorithm, written_with(store.home))
    change.commit()


def _key_file(store: Store) -> Path:
    return store.key_file or store.home / "keys.json"


def _with(store: Store, keys: Keys) -> Store:
    return replace(store, keys=keys)
