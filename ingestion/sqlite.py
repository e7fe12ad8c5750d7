"""Small records in SQLite: opened in one way, by whichever process of a data home comes first.

Belongs here: making tables at first use, waiting for another process, moments in time. Does not belong here: what is
recorded (``ledger``, ``linkage.events``, ``source.record``, ``orchestration.operations``).
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_PATIENCE_SECONDS = 60


class Moment(sa.types.TypeDecorator[datetime]):
    """Moments with a zone; SQLite keeps none, so they are stored in UTC."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


def open_database(
    path: Path, metadata: sa.MetaData, *, pragmas: tuple[str, ...] = (), keep_connections: bool = False
) -> sa.Engine:
    """The file with these tables in it, both made where they are missing.

    Whoever keeps connections must dispose of the engine at the end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": _PATIENCE_SECONDS},
        poolclass=sa.QueuePool if keep_connections else sa.NullPool,
    )

    def prepare(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    sa.event.listen(engine, "connect", prepare)
    with contextlib.suppress(sa.exc.OperationalError):  # made by another process a moment ago
        metadata.create_all(engine)
    return engine
