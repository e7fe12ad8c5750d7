"""From old person keys to new ones: the map, and its use on tables and databases.

Belongs here: finding keys by their form in whatever column they stand. Does not belong here: which files there are
(``rotation``).
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ingestion.change import Change
from ingestion.database import RecordsError, address_of
from ingestion.linkage.proposals import renumbered
from ingestion.pseudonym import KEY_BYTES, Algorithm, pseudonyms
from ingestion.store import Store

_LETTERS = KEY_BYTES * 2
_KEY = rf"^[a-p]{{{_LETTERS}}}$"
_DECISIONS = "link_decision"
OLD_COLUMN = "old"
"""The column of given-out keys in the alias tables: it stays as it is."""


@dataclass(frozen=True)
class KeyMap:
    """``known`` has old and new key of everybody in the vault.

    Keys of persons whose identities were deleted are not in it; theirs become a hash of the old key, the same
    everywhere, which nobody can compute from an ID number any more.
    """

    known: pl.DataFrame
    new_key: bytes = field(repr=False)
    algorithm: Algorithm = "sha256"

    def of(self, keys: pl.Series) -> pl.Series:
        """The new key of each old one; null stays null."""
        distinct = keys.drop_nulls().unique().rename(OLD_COLUMN)
        table = distinct.to_frame().join(self.known, on=OLD_COLUMN, how="left")
        unknown = table.filter(pl.col("new").is_null())[OLD_COLUMN]
        others = pl.DataFrame({OLD_COLUMN: unknown, "other": pseudonyms(unknown, self.new_key, self.algorithm)})
        table = table.join(others, on=OLD_COLUMN, how="left").select(OLD_COLUMN, new=pl.coalesce("new", "other"))
        found = keys.rename(OLD_COLUMN).to_frame().join(table, on=OLD_COLUMN, how="left", maintain_order="left")
        return found["new"].rename(keys.name)


def key_map_of(store: Store, new_key: bytes) -> KeyMap:
    """Old and new keys of every person and every certificate number in the vault, accepted or not."""
    numbers = pl.Series("number", [], dtype=pl.String)
    for path in sorted(store.vault.glob("*/*.*.*.parquet")):
        rows = store.encrypted.read(path, ["id_number", "document_number"])
        numbers = pl.concat([numbers, rows["id_number"], rows["document_number"]]).drop_nulls().unique()
    old = pseudonyms(numbers, store.keys.pseudonym, store.algorithm)
    new = pseudonyms(numbers, new_key, store.algorithm)
    known = pl.DataFrame({OLD_COLUMN: old, "new": new}).unique(OLD_COLUMN)
    return KeyMap(known, new_key, store.algorithm)


def rekeyed(frame: pl.DataFrame, mapping: KeyMap) -> pl.DataFrame | None:
    """The frame with new keys in the place of old ones, its rows in their order; None where it holds none.

    A text of the form of a key is one where the vault knows it, or where its column is named for keys.
    """
    columns = [_rekeyed_column(frame[name], mapping) for name in frame.columns if name != OLD_COLUMN]
    changed = [column for column in columns if column is not None]
    return frame.with_columns(changed) if changed else None


def _rekeyed_column(cells: pl.Series, mapping: KeyMap) -> pl.Series | None:
    if cells.dtype == pl.List(pl.String):
        return _rekeyed_lists(cells, mapping)
    if cells.dtype != pl.String:
        return None
    is_key = cells.str.contains(_KEY).fill_null(False)
    if not cells.name.endswith("key") and is_key.any():
        is_key = is_key & cells.is_in(mapping.known[OLD_COLUMN].implode()).fill_null(False)
    if not is_key.any():
        return None
    return mapping.of(cells.set(~is_key, None)).zip_with(is_key, cells)


def _rekeyed_lists(cells: pl.Series, mapping: KeyMap) -> pl.Series | None:
    rows = cells.to_frame().with_row_index("at").explode(cells.name)
    changed = _rekeyed_column(rows[cells.name], mapping)
    if changed is None:
        return None
    lists = rows.with_columns(changed).group_by("at", maintain_order=True).agg(cells.name).sort("at")[cells.name]
    return pl.Series(cells.name, lists).zip_with(cells.list.len().fill_null(0) > 0, cells)


def see_that_records_are_files(home: Path) -> None:
    """``RecordsError`` where records lie in a database: they could not change in one step with the files."""
    if address_of(home) is not None:
        raise RecordsError(
            "person keys are changed only while records are files of the home",
            "`zhaoren records move --to files`, then this command, then `zhaoren records move --to URL` again",
        )


def rekey_databases(home: Path, mapping: KeyMap, change: Change) -> int:
    """The SQLite files of a home that hold person keys, written anew; how many."""
    return sum(_rekey_database(path, mapping, change) for path in sorted(home.glob("*.db")))


def _rekey_database(path: Path, mapping: KeyMap, change: Change) -> int:
    copy = path.with_name(f".{path.name}.staged")
    copy.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            count = sum(_rekey_table(target, table, mapping) for table in _tables(target))
            if count and _DECISIONS in _tables(target):
                _renumber_decisions(target)
            target.execute("pragma journal_mode=delete")
            target.commit()
        if not count:
            return 0
        for ending in ("-wal", "-shm"):
            change.delete(path.with_name(path.name + ending))
        shutil.copyfile(copy, change.stage(path))
        return 1
    finally:
        copy.unlink(missing_ok=True)


def _renumber_decisions(connection: sqlite3.Connection) -> None:
    """Decisions about links go by numbers made of person keys: those of before must be known under the new ones."""
    columns = ("sequence", "proposal_id", "delivery_id", "row_number", "column", "person_key", "other_key")
    names = ", ".join(f'"{name}"' for name in columns)
    rows = connection.execute(f"select {names} from {_DECISIONS}").fetchall()
    numbers = {"sequence": pl.Int64, "row_number": pl.Int64}
    schema = {name: numbers.get(name, pl.String) for name in columns}
    changed = renumbered(pl.DataFrame(rows, schema=schema, orient="row")).select("proposal_id", "sequence")
    connection.executemany(f"update {_DECISIONS} set proposal_id = ? where sequence = ?", changed.rows())


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    return [str(name) for (name,) in rows]


def _rekey_table(connection: sqlite3.Connection, table: str, mapping: KeyMap) -> int:
    """How many cells were changed. The tables of a ledger are small beside the rows that they speak of."""
    changed = 0
    columns = [str(row[1]) for row in connection.execute(f'pragma table_info("{table}")')]
    for column in columns:
        found = connection.execute(
            f'select distinct "{column}" from "{table}" where typeof("{column}") = \'text\' and length("{column}") = ?',
            (_LETTERS,),
        ).fetchall()
        cells = pl.Series(column, [value for (value,) in found], dtype=pl.String)
        new = _rekeyed_column(cells, mapping)
        if new is not None:
            pairs = [(after, before) for before, after in zip(cells, new, strict=True) if before != after]
            connection.executemany(f'update "{table}" set "{column}" = ? where "{column}" = ?', pairs)
            changed += len(pairs)
    return changed
