"""Accepted proposals become mended rows, sent back to the delivery that they were set aside from.

Belongs here: writing the accepted number into the row as it was delivered. Does not belong here: taking it in, which
is what ``mending`` does with every row that a person mended, by the same contract and the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ingestion.header import header_of
from ingestion.ledger import Ledger
from ingestion.linkage.claims import LINKABLE, as_written
from ingestion.linkage.decisions import LinkDecisions, Said
from ingestion.linkage.proposals import ROW, open_rows
from ingestion.lock import exclusive
from ingestion.mending import resubmit
from ingestion.mending.export import NUMBER_HEADER, exported
from ingestion.normalise import normalise_cells
from ingestion.quarantine import faults_of
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from models.contract import Feed
from models.masking import mask_text

FILE_NAME = "identity_accepted.csv"
# What stands behind the ID number in a disability certificate number: category, grade, reissue.
_BEHIND = r"([1-7][1-4](?:B\d)?)$"


@dataclass(frozen=True)
class Accepted:
    """What came of the accepted rows of one delivery: its supplement, and how many rows are in force now.

    ``left`` are rows whose proposals do not suffice: another fault in the row, or another number still open.
    """

    delivery_id: str
    supplement: str | None
    rows: int
    in_force: int
    left: int


def accept(store: Store, feeds: Mapping[str, Feed], proposals: pl.DataFrame, said: Said) -> list[Accepted]:
    """Mend the rows of these proposals and resubmit them, a file for each delivery; what came of each.

    Only called with what a person accepted. A row that still fails a check stays in quarantine and is counted.
    """
    rows = proposals.filter(pl.col("kind") == ROW)
    with exclusive(store):
        return [
            _accept_in(store, feeds, str(delivery_id), part, said)
            for (delivery_id,), part in rows.sort("delivery_id").group_by("delivery_id", maintain_order=True)
        ]


def mended_rows(rows: pl.DataFrame, proposals: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Raw rows (``row_number``, ``reasons``, ``raw``) that the proposals mend wholly, as a file to be sent back."""
    numbers = proposals.unique([ROW_NUMBER, "column"], keep="none")
    frame = exported(rows.join(_whole(rows, numbers, feed), on=ROW_NUMBER, how="semi"), feed)
    labels = [name for name in frame.columns if name != NUMBER_HEADER]
    header = header_of(labels, feed)
    for (column,), part in numbers.group_by("column"):
        position = header.position(str(column))
        if position is None:
            continue
        given = part.select(pl.col(ROW_NUMBER).cast(pl.String).alias(NUMBER_HEADER), pl.col("id_number").alias("given"))
        frame = frame.join(given, on=NUMBER_HEADER, how="left", maintain_order="left")
        for carrier in feed.columns:
            at = header.position(carrier.name)
            if carrier.carries_id_number and column == "id_number" and at is not None:
                frame = _with_carrier(frame, labels[at], labels[position])
        frame = frame.with_columns(pl.coalesce("given", labels[position]).alias(labels[position])).drop("given")
    return frame


def _accept_in(
    store: Store, feeds: Mapping[str, Feed], delivery_id: str, proposals: pl.DataFrame, said: Said
) -> Accepted:
    with Ledger(store.ledger_file) as ledger:
        item = ledger.delivery(delivery_id)
        entries = ledger.deliveries(item.feed)
    feed = feeds[item.feed]
    frame = mended_rows(open_rows(store, entries, item), proposals, feed)
    if frame.is_empty():
        return Accepted(delivery_id, None, 0, 0, proposals[ROW_NUMBER].n_unique())
    # In memory alone: raw rows never lie on a disk in clear.
    content = frame.write_csv(include_bom=True).encode()
    entry = resubmit(
        store, delivery_id, Path(FILE_NAME), mask_text(said.reason), said.decided_by, feeds, said.decided_at, content
    )
    done = frame.select(pl.col(NUMBER_HEADER).cast(pl.Int64).alias(ROW_NUMBER))
    LinkDecisions(store).record(proposals.join(done, on=ROW_NUMBER, how="semi"), "accepted", said, entry.delivery_id)
    left = proposals.join(done, on=ROW_NUMBER, how="anti")[ROW_NUMBER].n_unique()
    return Accepted(delivery_id, entry.delivery_id, frame.height, entry.rows_accepted, left)


def _whole(rows: pl.DataFrame, numbers: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """row_number of those rows all of whose faults are mended by the numbers."""
    carriers = [column.name for column in feed.columns if column.carries_id_number]
    told = numbers.select(ROW_NUMBER, "column", pl.lit(True).alias("is_told"))
    told = faults_of(rows).join(told, on=[ROW_NUMBER, "column"], how="left")
    is_carrier = pl.col("column").is_in(carriers)
    mends = pl.col("reason").is_in(LINKABLE) & (pl.col("is_told").fill_null(False) | is_carrier)
    judged = told.group_by(ROW_NUMBER).agg(mends.all().alias("all"), pl.col("is_told").any().alias("any"))
    return judged.filter(pl.col("all") & pl.col("any").fill_null(False)).select(ROW_NUMBER)


def _with_carrier(frame: pl.DataFrame, carrier: str, column: str) -> pl.DataFrame:
    """A certificate number that carries the wrong number is given the right one, with what stood behind it."""
    written = pl.Series("written", as_written(normalise_cells(frame[column].cast(pl.String))))
    certificate = pl.Series("certificate", as_written(normalise_cells(frame[carrier].cast(pl.String))))
    told = frame.with_columns(written, certificate)
    same = pl.col("certificate").str.starts_with(pl.col("written")).fill_null(False)
    behind = pl.col("certificate").str.extract(_BEHIND)
    renewed = pl.when(pl.col("given").is_not_null() & same & behind.is_not_null()).then(pl.col("given") + behind)
    return told.with_columns(pl.coalesce(renewed, carrier).alias(carrier)).drop("written", "certificate")
