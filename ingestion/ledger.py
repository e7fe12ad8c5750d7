"""The ledger: every file ever seen, what became of it, and who decided what about it.

Belongs here: the transactional record; its row is the commit of a delivery. Does not belong here: the decision
itself (``decision``), files.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from ingestion.database import Moment, Text, add_new_columns, in_order, open_database
from ingestion.delivery import Delivery, Status, delivery_frame
from ingestion.life import RESUBMITTED, TransitionError
from ingestion.standing import as_they_stand

METADATA = sa.MetaData()
# What was entered stays entered when the power fails; whoever reads waits for nobody.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL")
_DELIVERY = sa.Table(
    "delivery",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("delivery_id", Text, nullable=False, unique=True),
    sa.Column("feed", Text, nullable=False, index=True),
    sa.Column("mode", Text),
    sa.Column("file_name", Text, nullable=False),
    sa.Column("file_key", Text, nullable=False),
    sa.Column("sha256", Text),
    sa.Column("statement_key", Text, nullable=False),
    sa.Column("period", Text),
    sa.Column("division", Text),
    sa.Column("status", Text, nullable=False),
    sa.Column("reason", Text),
    sa.Column("detail", Text),
    sa.Column("rows_data", sa.Integer, nullable=False),
    sa.Column("rows_framing", sa.Integer, nullable=False),
    sa.Column("rows_accepted", sa.Integer, nullable=False),
    sa.Column("rows_quarantined", sa.Integer, nullable=False),
    sa.Column("quarantined_by_reason", sa.JSON, nullable=False),
    sa.Column("cell_defects_by_reason", sa.JSON, nullable=False),
    sa.Column("control_totals", sa.JSON, nullable=False),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("schema_drift", sa.JSON, nullable=False),
    sa.Column("supersedes", Text),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("ingested_at", Moment, nullable=False),
    sa.Column("contract_version", Text),
    sa.Column("sender", Text),
    sa.Column("supplements", Text),
)
_DECISION = sa.Table(
    "decision",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("delivery_id", Text, nullable=False, index=True),
    sa.Column("status", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("reason_before", Text),
    sa.Column("decided_by", Text, nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
)


class DeliveryNotFoundError(LookupError):
    """No delivery of that id, or none in the state that the wish supposes."""


class Ledger:
    """The ledger of one data home."""

    def __init__(self, path: Path) -> None:
        self._engine = open_database(path, METADATA, pragmas=_PRAGMAS, keep_connections=True)
        if self._engine.dialect.name == "sqlite":
            add_new_columns(self._engine, METADATA)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; the ledger opens new ones when it is used again."""
        self._engine.dispose()

    def record(self, delivery: Delivery, by: tuple[str, str] | None = None) -> Delivery:
        """Enter a file; this is what makes its delivery count. The entry with its place in the order.

        ``by`` says who brought it in and why where that was a person: kept as a decision, in the same step.
        """
        row = {name: value for name, value in asdict(delivery).items() if name != "sequence"}
        with self._engine.begin() as connection:
            in_order(connection, _DELIVERY)
            done = connection.execute(sa.insert(_DELIVERY).values(**row))
            if by is not None:
                decision = {"decided_by": by[0], "reason": by[1], "decided_at": delivery.ingested_at}
                connection.execute(
                    sa.insert(_DECISION).values(delivery_id=delivery.delivery_id, status=RESUBMITTED, **decision)
                )
            assert done.inserted_primary_key is not None
            return replace(delivery, sequence=done.inserted_primary_key[0])

    def deliveries(self, feed: str | None = None, status: Status | None = None) -> list[Delivery]:
        """Entries in the order in which they were made, as they stand beside each other."""
        query = sa.select(_DELIVERY).order_by(_DELIVERY.c.sequence)
        if feed is not None:
            query = query.where(_DELIVERY.c.feed == feed)
        with self._engine.connect() as connection:
            entries = as_they_stand([Delivery(**row) for row in connection.execute(query).mappings()])
        return [item for item in entries if status in (None, item.status)]

    def delivery(self, delivery_id: str) -> Delivery:
        """One entry; ``DeliveryNotFoundError`` where there is none."""
        query = sa.select(_DELIVERY.c.feed).where(_DELIVERY.c.delivery_id == delivery_id)
        with self._engine.connect() as connection:
            feed = connection.execute(query).scalar()
        if feed is None:
            raise DeliveryNotFoundError(f"no delivery {delivery_id}")
        return next(item for item in self.deliveries(feed) if item.delivery_id == delivery_id)

    def change(
        self,
        delivery_id: str,
        before: Status,
        after: Status,
        why: str,
        decided_by: str,
        now: datetime,
        **also: Any,
    ) -> None:
        """Set a delivery's status by a person's or a check's decision, which is kept with its reason.

        ``also`` are other columns of the entry. Entry and decision change together or not at all;
        ``TransitionError`` where the entry is no longer in the status that the decision was made about.
        """
        is_it = (_DELIVERY.c.delivery_id == delivery_id) & (_DELIVERY.c.status == before)
        decision = {"delivery_id": delivery_id, "status": after, "reason": why, "decided_by": decided_by}
        with self._engine.begin() as connection:
            reason_before = connection.execute(sa.select(_DELIVERY.c.reason).where(is_it).with_for_update()).scalar()
            if not connection.execute(sa.update(_DELIVERY).where(is_it).values(status=after, **also)).rowcount:
                raise TransitionError(f"delivery {delivery_id} is no longer {before}")
            connection.execute(sa.insert(_DECISION).values(**decision, reason_before=reason_before, decided_at=now))

    def decisions(self, delivery_id: str | None = None) -> list[dict[str, Any]]:
        """Who released, rejected or held what, why and when; oldest first."""
        query = sa.select(_DECISION).order_by(_DECISION.c.sequence)
        if delivery_id is not None:
            query = query.where(_DECISION.c.delivery_id == delivery_id)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def frame(self) -> pl.DataFrame:
        """The ledger with exactly the stable columns of the export; maps and lists as JSON text.

        Run by run and feed by feed, whichever feed was quicker where several were taken in side by side.
        """
        entries = sorted(self.deliveries(), key=lambda item: (item.ingested_at, item.feed, item.sequence or 0))
        return delivery_frame(entries)
