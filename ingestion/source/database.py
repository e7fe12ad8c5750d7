"""A connection to a department's PostgreSQL database, through ADBC.

Belongs here: connecting, sending statements, text in batches, the words for failures. Does not belong here: which
statements (``sql``), which rows are new (``extent``, ``tables``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import polars as pl
import pyarrow as pa

from ingestion.source.problem import SourceError
from ingestion.source.secret import secret_of
from ingestion.source.settings import DatabaseSource, TableSettings
from ingestion.source.sql import SESSION, Kind, Relation, columns_of, timeout

_BATCH_OPTION = "adbc.postgresql.batch_size_hint_bytes"
# By class or code of SQLSTATE: what it means and what to do. (PostgreSQL's manual, appendix A)
_STATES = {
    "28": ("refuses the credentials", "check user, password and pg_hba.conf"),
    "3D": ("has no database of that name", "correct url in zhaoren.toml"),
    "42501": ("refuses to read a table", "GRANT SELECT on it to the user of zhaoren"),
    "42P01": ("has no table of that name", "correct table in zhaoren.toml (schema.table, as it is spelled there)"),
    "42703": ("has no column of that name", "correct query, watermark or month in zhaoren.toml"),
    "42": ("does not understand a statement", "correct table, query, watermark or month in zhaoren.toml"),
    "25006": ("refuses since the query writes", "a query may only read"),
    "57014": ("took too long over a statement", "raise statement_timeout_seconds, or index the column of watermark"),
}


class Database:
    """One transaction that sees one state of the tables."""

    def __init__(self, source: DatabaseSource, home: Path) -> None:
        import adbc_driver_postgresql.dbapi as driver  # of the extra ``sources``

        parts = urlsplit(source.url)
        self._where = f"database {parts.path.strip('/') or 'of the user'} on {parts.hostname or 'this machine'}"
        self._batch = {_BATCH_OPTION: str(source.batch_megabytes << 20)}
        password = secret_of("password", source.password_env, source.secrets_file, home)
        address = _address(source, password)
        try:
            self._connection = driver.connect(address)
        except Exception as error:
            raise self.explain(error) from None
        try:
            for statement in (*SESSION, timeout(source.statement_timeout_seconds)):
                self._run(statement)
        except SourceError:
            self.close()
            raise

    def relation(self, table: TableSettings) -> Relation:
        """A table with its columns; ``SourceError`` where it or a column that is named is not there."""
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(columns_of(table))
                schema = cursor.fetch_arrow_table().schema
            except Exception as error:
                raise self.explain(error) from None
        kinds = {field.name: _kind(field.type) for field in schema}
        for key in ("watermark", "month"):
            name = getattr(table, key)
            if name is not None and name not in kinds:
                raise SourceError(
                    f"{table.feed}: there is no column {name}; there are {', '.join(kinds)}",
                    f"correct {key} in zhaoren.toml",
                )
        return Relation(table, kinds)

    def batches(self, statement: str) -> Iterator[pl.DataFrame]:
        """The rows of a statement as they come from the server, some megabytes at a time."""
        with self._connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**self._batch)
            try:
                cursor.execute(statement)
                with cursor.fetch_record_batch() as reader:
                    for batch in reader:
                        yield pl.DataFrame(batch)
            except (pa.ArrowException, OSError) as error:
                raise self.explain(error) from None
            except Exception as error:
                if not hasattr(error, "sqlstate"):
                    raise
                raise self.explain(error) from None

    def explain(self, error: Exception) -> SourceError:
        """What a failure means; the driver's own words quote the statement and its values."""
        state = str(getattr(error, "sqlstate", None) or "") or _state_of_refusal(str(error))
        for known in (state, state[:2]):
            if known and known in _STATES:
                what, next_step = _STATES[known]
                return SourceError(f"{self._where} {what} (SQLSTATE {state})", next_step)
        code = f"SQLSTATE {state}" if state else type(error).__name__
        return SourceError(
            f"{self._where} cannot be read ({code})", "see that the server is reached from this machine", may_pass=True
        )

    def close(self) -> None:
        self._connection.close()

    def _run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(statement)
            except Exception as error:
                raise self.explain(error) from None


def _address(source: DatabaseSource, password: str | None) -> str:
    """The address with its password and with limits to waiting; never kept and never shown."""
    parts = urlsplit(source.url)
    netloc = parts.netloc
    if password is not None:
        user, _, place = netloc.rpartition("@")
        netloc = f"{user}:{quote(password, safe='')}@{place}"
    seconds = source.timeout_seconds
    limits = {"connect_timeout": seconds, "tcp_user_timeout": seconds * 1000, "keepalives_idle": seconds}
    wanted = {name: value for name, value in limits.items() if f"{name}=" not in parts.query}
    query = "&".join(part for part in (parts.query, urlencode(wanted)) if part)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def _state_of_refusal(text: str) -> str:
    """While connecting, the server's word is all there is: libpq tells no SQLSTATE then."""
    words = {"28P01": ("authentication failed", "no password supplied", "pg_hba.conf"), "3D000": ("does not exist",)}
    return next((state for state, known in words.items() if any(word in text for word in known)), "")


def _kind(kind: pa.DataType) -> Kind:
    if isinstance(kind, pa.ExtensionType):
        is_number = getattr(kind, "type_name", "") == "numeric"
        return "number" if is_number else "text"
    if pa.types.is_boolean(kind):
        return "truth"
    if pa.types.is_timestamp(kind):
        return "zoned_time" if kind.tz else "time"
    if pa.types.is_date(kind):
        return "time"
    return "number" if pa.types.is_integer(kind) or pa.types.is_floating(kind) else "text"
