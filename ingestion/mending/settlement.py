"""What a corrected delivery did to the rows that the one before it had left in quarantine.

Belongs here: comparing a delivery's quarantined rows with what superseded it. Does not belong here: how two rows are
compared (``comparison``), what a person sends back by hand (``resubmission``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ingestion.delivery import KEPT, Delivery
from ingestion.in_force import covers
from ingestion.life import by_month, superseding
from ingestion.mending.comparison import accepted_view, match, quarantined_view
from ingestion.mending.row_state import MENDED, SUPERSEDED, WITHDRAWN, answer_file, write_answers
from ingestion.quarantine import Quarantine
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from models.contract import Feed


def settle(store: Store, deliveries: Sequence[Delivery], feeds: Mapping[str, Feed]) -> int:
    """Compare what was not compared yet; how many pairs of deliveries. Done twice it changes nothing.

    To be called under the lock. A row of the earlier delivery is then mended (accepted in the later one),
    superseded (set aside there again) or withdrawn (not there any more).
    """
    compared = 0
    for group in by_month(deliveries):
        for item in group:
            # Of what was rejected no row waits for anybody.
            if item.status in KEPT and item.supplements is None and item.rows_quarantined and item.feed in feeds:
                compared += sum(_settle(store, item, later, feeds[item.feed]) for later in superseding(item, group))
    return compared


def _settle(store: Store, item: Delivery, later: Delivery, feed: Feed) -> bool:
    if answer_file(store, item, later).exists():
        return False
    write_answers(store, item, later, answers(store, item, later, feed))
    return True


def answers(store: Store, item: Delivery, later: Delivery, feed: Feed) -> pl.DataFrame:
    """State of each quarantined row of a delivery by the one that superseded it, and the row that answers it.

    Where that one is a district's part, only of the rows that stand in the district.
    """
    raw = Quarantine(store).raw_rows(feed.name, item.delivery_id)
    rows = quarantined_view(raw, feed, store, item.received_on)
    if not covers(later.division, item.division):
        rows = _inside(rows, feed, str(later.division))
        raw = raw.join(rows, on=ROW_NUMBER, how="semi")
    before, after = (accepted_view(store, feed, _rows_file(store, one), one.delivery_id) for one in (item, later))
    mended = match(rows, after, feed, before).with_columns(pl.lit(MENDED).alias("state"))
    left = rows.join(mended, on=ROW_NUMBER, how="anti")
    again = _again(left, later, feed, store).with_columns(pl.lit(SUPERSEDED).alias("state"))
    found = pl.concat([mended, again]).select(ROW_NUMBER, "state", "by_row")
    gone = raw.select(ROW_NUMBER).join(found, on=ROW_NUMBER, how="anti")
    withdrawn = gone.select(ROW_NUMBER, pl.lit(WITHDRAWN).alias("state"), pl.lit(None, pl.Int64).alias("by_row"))
    return pl.concat([found, withdrawn]).sort(ROW_NUMBER)


def _again(rows: pl.DataFrame, later: Delivery, feed: Feed, store: Store) -> pl.DataFrame:
    raw = Quarantine(store).raw_rows(feed.name, later.delivery_id)
    candidates = quarantined_view(raw, feed, store, later.received_on)
    return match(rows, candidates, feed, candidates.clear())


def _inside(rows: pl.DataFrame, feed: Feed, division: str) -> pl.DataFrame:
    if feed.division_column is None:
        return rows.clear()
    return rows.filter(pl.col(feed.division_column).str.starts_with(division))


def _rows_file(store: Store, item: Delivery) -> Path:
    if item.status == "held":
        return store.held_file(item.feed, item.delivery_id)
    return store.lake_file(item.feed, str(item.period), item.delivery_id)
