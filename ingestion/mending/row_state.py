"""The state of each quarantined row: open, mended, withdrawn, or superseded by the same row set aside again.

Belongs here: the state as the ledger and the answers kept by ``settlement`` and ``resubmission`` show it. Does not
belong here: finding out which row answers which (``comparison``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.delivery import KEPT, Delivery
from ingestion.life import by_month, superseding
from ingestion.store import Store
from ingestion.table import ROW_NUMBER

RowState = Literal["open", "mended", "withdrawn", "superseded"]
OPEN: RowState = "open"
MENDED: RowState = "mended"
WITHDRAWN: RowState = "withdrawn"
SUPERSEDED: RowState = "superseded"

ANSWER_SCHEMA = {ROW_NUMBER: pl.Int64(), "state": pl.String(), "by_row": pl.Int64()}
STATE_SCHEMA = {
    "delivery_id": pl.String(),
    ROW_NUMBER: pl.Int64(),
    "state": pl.String(),
    "by_delivery": pl.String(),
    "by_row": pl.Int64(),
}


def answer_file(store: Store, item: Delivery, by: Delivery) -> Path:
    """Where it is kept how another delivery of the same month answers the rows of one: row numbers and states."""
    letters = by.delivery_id.rsplit(".", 1)[-1]
    return store.faults / "answer" / item.feed / f"{item.delivery_id}.{letters}.parquet"


def write_answers(store: Store, item: Delivery, by: Delivery, answers: pl.DataFrame) -> None:
    write_parquet(
        answers.select(pl.col(name).cast(dtype) for name, dtype in ANSWER_SCHEMA.items()), answer_file(store, item, by)
    )


def row_states(store: Store, deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """Every quarantined row that is no longer open: delivery_id, row_number, state, by_delivery, by_row.

    A supplement answers the rows of its base; then what superseded the base, in its order, those that are left. Of
    a supplement's own quarantined rows none is open that stands for one of its base: that one is.
    """
    parts = [part for group in by_month(deliveries) for part in _states_of(store, group)]
    return pl.concat([pl.DataFrame(schema=STATE_SCHEMA), *parts])


def _states_of(store: Store, group: Sequence[Delivery]) -> Iterator[pl.DataFrame]:
    known = {item.delivery_id: item for item in group}
    supplements = [item for item in group if item.supplements in known and item.status == "accepted"]
    for item in group:
        if item.supplements is None and item.status in KEPT and item.rows_quarantined:
            own = [other for other in supplements if other.supplements == item.delivery_id]
            yield _closed(store, item, [*own, *superseding(item, group)])
        elif item.supplements in known and item.status == "accepted" and item.rows_quarantined:
            yield _attempts(store, item, known[str(item.supplements)])


def with_state(rows: pl.DataFrame, states: pl.DataFrame, deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """Rows (``delivery_id``, ``row_number``) with ``state``, ``by_delivery`` and ``by_row``.

    Rows of a delivery that a person rejected are withdrawn with it.
    """
    gone = [item.delivery_id for item in deliveries if item.status in ("rejected", "duplicate")]
    otherwise = pl.when(pl.col("delivery_id").is_in(gone)).then(pl.lit(WITHDRAWN)).otherwise(pl.lit(OPEN))
    joined = rows.join(states, on=["delivery_id", ROW_NUMBER], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("state", otherwise).alias("state"))


def _closed(store: Store, item: Delivery, answering: Sequence[Delivery]) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=STATE_SCHEMA)]
    for other in answering:
        path = answer_file(store, item, other)
        if path.exists():
            closed = pl.read_parquet(path).filter(pl.col("state").is_in([MENDED, WITHDRAWN, SUPERSEDED]))
            parts.append(_stated(closed, item.delivery_id, other.delivery_id))
    return pl.concat(parts).unique([ROW_NUMBER], keep="first", maintain_order=True)


def _attempts(store: Store, supplement: Delivery, base: Delivery) -> pl.DataFrame:
    """Rows of a supplement that did not mend theirs; those that stand for no row of the base stay open."""
    path = answer_file(store, base, supplement)
    answers = pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=ANSWER_SCHEMA)
    failed = answers.filter(pl.col("state") == OPEN)
    turned = failed.select(
        pl.col("by_row").alias(ROW_NUMBER), pl.lit(SUPERSEDED).alias("state"), pl.col(ROW_NUMBER).alias("by_row")
    )
    return _stated(turned, supplement.delivery_id, base.delivery_id)


def _stated(answers: pl.DataFrame, delivery_id: str, by_delivery: str) -> pl.DataFrame:
    return answers.select(
        pl.lit(delivery_id).alias("delivery_id"),
        ROW_NUMBER,
        "state",
        pl.lit(by_delivery).alias("by_delivery"),
        "by_row",
    )
