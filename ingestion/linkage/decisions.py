"""What people decided about proposals: an append-only table beside the ledger's, in the same file.

Belongs here: keeping decisions. Does not belong here: proposals (``proposals``), mending rows (``mend``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl
import sqlalchemy as sa

from ingestion.database import Moment, Text
from ingestion.linkage.events import METADATA, open_engine
from ingestion.store import Store
from models.masking import mask_text

Answer = Literal["accepted", "rejected", "merge", "split"]
ANSWERS: tuple[Answer, ...] = ("accepted", "rejected", "merge", "split")
DECISION = sa.Table(
    "link_decision",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("proposal_id", Text, nullable=False, index=True),
    sa.Column("answer", Text, nullable=False),
    sa.Column("pass", Text, nullable=False),
    sa.Column("feed", Text),
    sa.Column("delivery_id", Text),
    sa.Column("row_number", sa.Integer),
    sa.Column("column", Text),
    sa.Column("person_key", Text, nullable=False),
    sa.Column("other_key", Text),
    sa.Column("confirmed_by", Text),
    sa.Column("led_to", Text),
    sa.Column("reason", Text, nullable=False),
    sa.Column("decided_by", Text, nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
)
_KEPT = (
    "proposal_id",
    "pass",
    "feed",
    "delivery_id",
    "row_number",
    "column",
    "person_key",
    "other_key",
    "confirmed_by",
)
SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(_KEPT, pl.String()),
    "row_number": pl.Int64(),
    "answer": pl.String(),
    "led_to": pl.String(),
    "reason": pl.String(),
    "decided_by": pl.String(),
    "decided_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Said:
    """Who decided, why and when."""

    reason: str
    decided_by: str
    decided_at: datetime


class LinkDecisions:
    """Decisions of one data home."""

    def __init__(self, store: Store) -> None:
        self._engine = open_engine(store)

    def record(self, proposals: pl.DataFrame, answer: Answer, said: Said, led_to: str | None = None) -> None:
        """Keep one answer to each of these proposals; ``led_to`` is the supplement or event that came of it."""
        told: dict[str, Any] = {"answer": answer, "led_to": led_to, "reason": mask_text(said.reason)}
        told |= {"decided_by": said.decided_by, "decided_at": said.decided_at}
        rows = [{**row, **told} for row in proposals.select(_KEPT).iter_rows(named=True)]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(DECISION), rows)

    def frame(self, moment: datetime | None = None) -> pl.DataFrame:
        """The last answer to each proposal (as of a moment)."""
        query = sa.select(*(DECISION.c[name] for name in SCHEMA)).order_by(DECISION.c.sequence)
        if moment is not None:
            query = query.where(DECISION.c.decided_at <= moment)
        with self._engine.connect() as connection:
            rows: Sequence[Any] = connection.execute(query).all()
        frame = pl.DataFrame([tuple(row) for row in rows], schema=SCHEMA, orient="row")
        return frame.unique("proposal_id", keep="last", maintain_order=True)


def undecided(proposals: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Proposals that nobody has answered yet."""
    return proposals.join(decisions, on="proposal_id", how="anti", maintain_order="left")
