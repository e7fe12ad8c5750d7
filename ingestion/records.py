"""All records of a data home copied from files to a database and back, whole and compared row by row.

Belongs here: copying tables and proving the copy. Does not belong here: which tables there are (each room knows its
own), when a home may be moved (``orchestration.state``).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from ingestion.database import Address, RecordsError, address_of, postgresql, sqlite

_ROWS_AT_ONCE = 5_000
Rooms = Mapping[str, Sequence[sa.MetaData]]
"""Which tables stand in which file, by its name (``ledger.db``)."""


def copy_database(source: Path, target: Path, metadata: Sequence[sa.MetaData]) -> None:
    """The records under that name as a file of SQLite that is whole though somebody may be writing."""
    address = address_of(source.parent)
    if address is not None:
        _export(address, {target.name: metadata}, target.parent)
    elif source.is_file():
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("pragma journal_mode=delete")


def export_records(home: Path, rooms: Rooms, folder: Path) -> dict[str, int]:
    """Every record of a home as files of SQLite in a folder, wherever they lie; rows by table.

    To be called while nobody writes: files are copied one after the other, a database is read as of one moment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = address_of(home)
    if address is not None:
        return _export(address, rooms, folder)
    for name, metadata in rooms.items():
        copy_database(home / name, folder / name, metadata)
    return count_records(folder, rooms)


def count_records(folder: Path, rooms: Rooms) -> dict[str, int]:
    """Rows by table of files of SQLite; files that are not there have none."""
    return _counts(rooms, _proofs(folder, rooms))


def import_records(folder: Path, rooms: Rooms, address: Address) -> dict[str, int]:
    """Files of SQLite into a schema without records, in one transaction; rows by table.

    ``RecordsError`` where the schema holds records already, or where a table came out other than it went in: then
    nothing was written.
    """
    before = _proofs(folder, rooms)
    with postgresql(address).begin() as connection:
        connection.execute(sa.schema.CreateSchema(address.schema, if_not_exists=True))
        for name, metadata in rooms.items():
            for item in metadata:
                item.create_all(connection)
            if (folder / name).is_file():
                _import_file(folder / name, metadata, connection)
        differ = [table.name for table, proof in before.items() if _proof(table, connection) != proof]
        if differ:
            raise RecordsError(f"the copy differs: {', '.join(differ)}", "nothing was written; records lie as before")
    return _counts(rooms, before)


def _import_file(path: Path, metadata: Sequence[sa.MetaData], connection: sa.Connection) -> None:
    with _opened(path) as old:
        for table in [*_known(metadata), *_others(old, metadata)]:
            if not sa.inspect(old).has_table(table.name):
                continue
            table.create(connection, checkfirst=True)
            if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar():
                raise RecordsError(
                    f"the schema holds records already (table {table.name})", "name another schema, or empty this one"
                )
            _copy(table, old, connection)
            _continue_numbers(table, connection)


def _export(address: Address, rooms: Rooms, folder: Path) -> dict[str, int]:
    """One moment of the database: repeatable read."""
    engine = postgresql(address).execution_options(isolation_level="REPEATABLE READ")
    counts: dict[str, int] = {}
    with engine.connect() as old:
        there = set(sa.inspect(old).get_table_names())
        for name, metadata in rooms.items():
            (folder / name).unlink(missing_ok=True)
            with sqlite(folder / name).begin() as new:
                for table in _known(metadata):
                    table.create(new, checkfirst=True)
                    counts[table.name] = _copy(table, old, new) if table.name in there else 0
    return counts


def _copy(table: sa.Table, old: sa.Connection, new: sa.Connection) -> int:
    count = 0
    rows = old.execution_options(stream_results=True).execute(sa.select(table).order_by(*table.primary_key.columns))
    for part in rows.mappings().partitions(_ROWS_AT_ONCE):
        new.execute(sa.insert(table), [dict(row) for row in part])
        count += len(part)
    return count


def _continue_numbers(table: sa.Table, connection: sa.Connection) -> None:
    """Numbers given out by the database go on after the highest that was copied."""
    column = table.autoincrement_column
    if column is None:
        return
    place = "pg_get_serial_sequence(:table, :column)"
    names = {"table": table.name, "column": column.name}
    highest = connection.execute(sa.select(sa.func.max(column))).scalar()
    if highest and connection.execute(sa.text(f"select {place}"), names).scalar():
        connection.execute(sa.text(f"select setval({place}, :highest)"), {**names, "highest": highest})


def _known(metadata: Sequence[sa.MetaData]) -> list[sa.Table]:
    return [table for item in metadata for table in item.sorted_tables]


def _others(old: sa.Connection, metadata: Sequence[sa.MetaData]) -> list[sa.Table]:
    """Tables that an earlier version made and that are read still."""
    known = {table.name for table in _known(metadata)}
    names = [name for name in sa.inspect(old).get_table_names() if name not in known]
    found = sa.MetaData()
    if names:
        found.reflect(old, only=names)
    return found.sorted_tables


def _counts(rooms: Rooms, proofs: Mapping[sa.Table, tuple[int, str]]) -> dict[str, int]:
    """Rows of every table that there may be; one that nobody made yet has none."""
    tables = [table for metadata in rooms.values() for table in _known(metadata)]
    return {table.name: proofs.get(table, (0, ""))[0] for table in tables}


def _proofs(folder: Path, rooms: Rooms) -> dict[sa.Table, tuple[int, str]]:
    found: dict[sa.Table, tuple[int, str]] = {}
    for name, metadata in rooms.items():
        if (folder / name).is_file():
            with _opened(folder / name) as old:
                there = set(sa.inspect(old).get_table_names())
                found |= {table: _proof(table, old) for table in _known(metadata) if table.name in there}
    return found


def _proof(table: sa.Table, connection: sa.Connection) -> tuple[int, str]:
    """Number of rows, and a digest over what is in them, in the order of their keys."""
    digest, count = hashlib.sha256(), 0
    for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns)):
        digest.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
        count += 1
    return count, digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[sa.Connection]:
    with sqlite(path).connect() as connection:
        yield connection
