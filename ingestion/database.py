"""Small records of a data home, opened in one way: files of SQLite in the home, or one schema of a PostgreSQL database.

Belongs here: where the records lie, making tables at first use, waiting for others, moments and texts. Does not belong
here: what is recorded (``ledger``, ``linkage.events``, ``source.record``, ``orchestration.home.operations``), moving
records from one place to the other (``records``).

A home says in ``database.json`` where its records lie; without that file they are files of the home. So a setting that
was forgotten, or a copy of a home that is worked in elsewhere, never begins a second, empty ledger beside the first.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

PLACE_FILE = "database.json"
PASSWORD_VARIABLE = "ZHAOREN_DATABASE__PASSWORD"
POSTGRESQL = "postgresql"
_PATIENCE_SECONDS = 60
_CONNECT_SECONDS = 10
_PREPARED: set[tuple[str, str, tuple[str, ...]]] = set()
_GUARD = threading.Lock()


class RecordsError(RuntimeError):
    """The records of a data home cannot be opened; says why and what next, never a password."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.next_step = next_step


@dataclass(frozen=True)
class Address:
    """A schema of a PostgreSQL database; the URL holds no password.

    The password comes from ``ZHAOREN_DATABASE__PASSWORD``, else from ``password_file``, else from where libpq looks
    (``~/.pgpass``).
    """

    url: str
    schema: str
    password_file: str | None = None


class Moment(sa.types.TypeDecorator[datetime]):
    """Moments with a zone; they are stored in UTC without one."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


class Text(sa.types.TypeDecorator[str]):
    """Text that is compared and sorted by its bytes, whatever language the server speaks."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        kind = sa.String(collation="C") if dialect.name == POSTGRESQL else sa.String()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """PostgreSQL refuses the character of number 0, which names of columns in broken files may hold."""
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if value and dialect.name == POSTGRESQL else value


def address_of(home: Path) -> Address | None:
    """Where the records of that home lie; None where they are files of it."""
    try:
        told = json.loads((home / PLACE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Address(**told)


def write_address(home: Path, address: Address | None) -> None:
    """From now on the records of that home lie there. In one step."""
    target = home / PLACE_FILE
    if address is None:
        target.unlink(missing_ok=True)
        return
    pending = target.with_name(f".{PLACE_FILE}.aside")
    pending.write_text(json.dumps(asdict(address), indent=1) + "\n", encoding="utf-8")
    with pending.open() as stream:
        os.fsync(stream.fileno())
    pending.replace(target)


def is_there(path: Path) -> bool:
    """Whether there is anything to read under that name: the file, or the database that takes its place."""
    return address_of(path.parent) is not None or path.is_file()


def open_database(
    path: Path, metadata: sa.MetaData, *, pragmas: tuple[str, ...] = (), keep_connections: bool = False
) -> sa.Engine:
    """The file (or the database in its place) with these tables in it, made where they are missing.

    Whoever keeps connections must dispose of the engine at the end.
    """
    address = address_of(path.parent)
    if address is not None:
        engine = postgresql(address, keep_connections=keep_connections)
        _prepare(engine, address, metadata)
        return engine
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sqlite(path, pragmas=pragmas, keep_connections=keep_connections)
    with contextlib.suppress(sa.exc.OperationalError):  # made by another process a moment ago
        metadata.create_all(engine)
    return engine


def sqlite(path: Path, *, pragmas: tuple[str, ...] = (), keep_connections: bool = False) -> sa.Engine:
    """A file of SQLite."""
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": _PATIENCE_SECONDS},
        poolclass=sa.QueuePool if keep_connections else sa.NullPool,
        hide_parameters=True,
    )

    def prepare(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    sa.event.listen(engine, "connect", prepare)
    return engine


def postgresql(address: Address, *, keep_connections: bool = False) -> sa.Engine:
    """A schema of a PostgreSQL database. The password is given to the driver alone: no engine can show it."""
    return sa.create_engine(
        f"{POSTGRESQL}+psycopg2://",
        creator=lambda: _connect(address),
        poolclass=sa.QueuePool if keep_connections else sa.NullPool,
        hide_parameters=True,
    )


def driver_url(address: Address, schema: str) -> str:
    """A URL for others that open the same database themselves; it holds the password, so it is never written down."""
    url = sa.make_url(address.url).set(drivername=POSTGRESQL)
    password = _password(address)
    url = url.set(password=password) if password else url
    return url.update_query_dict({"options": f"-c search_path={schema}"}).render_as_string(hide_password=False)


def in_order(connection: sa.Connection, table: sa.Table) -> None:
    """Let nobody else write to the table until this transaction ends, so that numbers follow the order of commits.

    SQLite has one writer at a time by itself.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(sa.text(f'LOCK TABLE "{table.name}" IN EXCLUSIVE MODE'))


def add_new_columns(engine: sa.Engine, metadata: sa.MetaData) -> None:
    """A database made by an earlier version lacks the columns that came later; all of them may be empty."""
    known = sa.inspect(engine)
    for table in metadata.sorted_tables:
        there = {column["name"] for column in known.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                with (
                    contextlib.suppress(sa.exc.OperationalError, sa.exc.ProgrammingError),
                    engine.begin() as connection,
                ):
                    kind = column.type.compile(engine.dialect)
                    connection.execute(sa.text(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}'))


@contextlib.contextmanager
def advisory_lock(address: Address, name: str, *, shared: bool = False) -> Iterator[Iterator[bool]]:
    """A lock that all machines share which keep their records there; it ends with its connection.

    Yields an endless iterator: each look says whether the lock is held now.
    """
    keys = {"space": _number(address.schema), "name": _number(name)}
    try_lock = sa.text(f"select pg_try_advisory_lock{'_shared' if shared else ''}(:space, :name)")
    with postgresql(address).connect() as connection:
        held = False

        def looks() -> Iterator[bool]:
            nonlocal held
            while True:
                held = held or bool(connection.execute(try_lock, keys).scalar())
                connection.commit()
                yield held

        yield looks()


def _number(name: str) -> int:
    """A signed 32-bit number for a name."""
    return zlib.crc32(name.encode()) - 2**31


def _connect(address: Address) -> Any:
    try:
        import psycopg2  # type: ignore[import-untyped]
    except ImportError as error:
        raise RecordsError(
            "records in PostgreSQL need a package that is not installed", "pip install 'zhaoren[cluster]'"
        ) from error
    options = f"-c search_path={address.schema} -c lock_timeout={_PATIENCE_SECONDS}s -c timezone=UTC"
    # A network that breaks is noticed, so that a lock does not seem to be held by one who is gone.
    alive = {"connect_timeout": _CONNECT_SECONDS, "keepalives_idle": 30, "keepalives_interval": 10}
    try:
        return psycopg2.connect(address.url, password=_password(address), options=options, **alive)
    except psycopg2.Error as error:
        # libpq's words name host, port, user and database, never the password.
        raise RecordsError(
            f"the database of the records cannot be reached: {str(error).strip().splitlines()[0]}",
            f"is it running, and is {PASSWORD_VARIABLE} (or the password file) right? nothing was changed",
        ) from None


def _password(address: Address) -> str | None:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if address.password_file:
        try:
            return Path(address.password_file).read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise RecordsError(
                f"the password file of the database cannot be read ({error.strerror})",
                "mend `database.password_file` or its rights",
            ) from None
    return None


def _prepare(engine: sa.Engine, address: Address, metadata: sa.MetaData) -> None:
    """Make schema and tables where they are missing, one process at a time; once in each process."""
    this = (address.url, address.schema, tuple(sorted(metadata.tables)))
    with _GUARD:
        if this in _PREPARED:
            return
    with engine.begin() as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(:space, 0)"), {"space": _number(address.schema)})
        connection.execute(sa.schema.CreateSchema(address.schema, if_not_exists=True))
        metadata.create_all(connection)
    add_new_columns(engine, metadata)
    with _GUARD:
        _PREPARED.add(this)
