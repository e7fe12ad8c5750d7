"""What was fetched from where: the record in ``sources.db`` of the data home.

Belongs here: one row a fetched file, which delivery came from which source, how the last look went. Whether a file
counts is decided by the ledger alone; this record only spares fetching it again.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from ingestion.database import Text, address_of, open_database
from models.masking import mask_text

State = Literal["landed", "refused", "settled"]

METADATA = sa.MetaData()
_FETCHED = sa.Table(
    "fetched",
    METADATA,
    sa.Column("source", Text, primary_key=True),
    sa.Column("feed", Text, primary_key=True),
    sa.Column("file_key", Text, primary_key=True),
    sa.Column("shown_name", Text, nullable=False),
    sa.Column("fingerprint", Text, nullable=False),
    sa.Column("sha256", Text),
    sa.Column("statement_key", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("fetched_at", sa.Float, nullable=False),
    sa.Column("delivery_id", Text),
    sa.Column("fault", Text),
    sa.Column("period", Text),
    sa.Column("row_count", sa.Integer),
    sa.Column("watermark", Text),
    sa.Column("position", sa.Float),
)
_ORIGIN = sa.Table(
    "origin",
    METADATA,
    sa.Column("delivery_id", Text, primary_key=True),
    sa.Column("source", Text, nullable=False),
    sa.Column("fetched_at", sa.Float, nullable=False),
)
_LOOK = sa.Table(
    "look",
    METADATA,
    sa.Column("source", Text, primary_key=True),
    sa.Column("tried_at", sa.Float, nullable=False),
    sa.Column("fetched_at", sa.Float),
    sa.Column("problem", Text),
    sa.Column("next_step", Text),
    sa.Column("waiting", sa.JSON, nullable=False),
)


@dataclass(frozen=True)
class Fetched:
    """One file of a source as it was fetched last; moments are seconds since 1970.

    ``statement_key`` is what the ledger keeps of its sidecar; ``received`` is when its source calls it sent. Of a
    database's delivery also month, rows and watermark: ``position`` is the watermark as a number where it is a time
    or a number.
    """

    source: str
    feed: str
    file_key: str
    shown_name: str
    fingerprint: str
    sha256: str | None
    statement_key: str
    state: State
    received: float
    fetched_at: float
    delivery_id: str | None = None
    fault: str | None = None
    period: str | None = None
    row_count: int | None = None
    watermark: str | None = None
    position: float | None = None


@dataclass(frozen=True)
class Look:
    """How the last look at a source went."""

    source: str
    tried_at: float
    fetched_at: float | None
    problem: str | None
    next_step: str | None
    waiting: list[dict[str, str]]


def key_of(name: str) -> str:
    """A file name as a digest (names may hold personal data); the one that the ledger keeps."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


class Record:
    """The record of one data home; made at first use."""

    def __init__(self, home: Path) -> None:
        path = home / "sources.db"
        self._engine = open_database(path, METADATA)
        if address_of(home) is None:
            path.chmod(0o600)

    def fetched(self, source: str, feed: str, name: str) -> Fetched | None:
        """The file of that name, if it was ever fetched."""
        found = self._rows(source, _FETCHED.c.feed == feed, _FETCHED.c.file_key == key_of(name))
        return found[0] if found else None

    def all_fetched(self, source: str, feed: str | None = None) -> list[Fetched]:
        """Everything ever fetched from a source."""
        return self._rows(source, *([_FETCHED.c.feed == feed] if feed is not None else []))

    def unsettled(self, source: str) -> list[Fetched]:
        """What the ledger is not yet known to have."""
        return self._rows(source, _FETCHED.c.state != "settled")

    def note(self, entry: Fetched) -> None:
        """Remember a file in place of what was known under its name."""
        same = sa.and_(*(_FETCHED.c[name] == getattr(entry, name) for name in ("source", "feed", "file_key")))
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_FETCHED).where(same))
            connection.execute(sa.insert(_FETCHED).values(**asdict(entry)))

    def forget(self, entry: Fetched) -> None:
        """As if never fetched."""
        same = sa.and_(*(_FETCHED.c[name] == getattr(entry, name) for name in ("source", "feed", "file_key")))
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_FETCHED).where(same))

    def note_origin(self, delivery_id: str, source: str, fetched_at: float) -> None:
        """Remember where a delivery came from."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_ORIGIN).where(_ORIGIN.c.delivery_id == delivery_id))
            row = {"delivery_id": delivery_id, "source": source, "fetched_at": fetched_at}
            connection.execute(sa.insert(_ORIGIN).values(**row))

    def origin(self, delivery_id: str) -> str | None:
        """The source that a delivery came from; None where it lay in the inbox."""
        query = sa.select(_ORIGIN.c.source).where(_ORIGIN.c.delivery_id == delivery_id)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one_or_none()

    def note_look(self, look: Look) -> None:
        """Remember how a look went; a failed one leaves the time of the last good one."""
        last = self.last_look(look.source)
        values: dict[str, Any] = asdict(look)
        values["waiting"] = [{name: mask_text(text) for name, text in item.items()} for item in look.waiting]
        if look.fetched_at is None and last is not None:
            values["fetched_at"] = last.fetched_at
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_LOOK).where(_LOOK.c.source == look.source))
            connection.execute(sa.insert(_LOOK).values(**values))

    def last_look(self, source: str) -> Look | None:
        """How the last look at a source went; None before the first."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_LOOK).where(_LOOK.c.source == source)).mappings().first()
        return None if row is None else Look(**row)

    def _rows(self, source: str, *conditions: sa.ColumnElement[bool]) -> list[Fetched]:
        query = sa.select(_FETCHED).where(_FETCHED.c.source == source, *conditions)
        with self._engine.connect() as connection:
            return [Fetched(**row) for row in connection.execute(query).mappings()]
