"""Months of a database's tables into the landing, each as one file of JSON Lines with its sidecar.

Belongs here: writing the delivery of a month. Does not belong here: which month (``extent``), SQL (``sql``).
JSON Lines since each line is a row and nothing but a row: in a CSV a row could be taken for a total or be blank.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ingestion.arrival import SETTLE_SECONDS
from ingestion.header import header_of
from ingestion.limits import MAX_BYTES
from ingestion.source.database import Database
from ingestion.source.extent import Extent, Group, extents, to_deliver
from ingestion.source.files import Waiting
from ingestion.source.landing import Draft, Landing, statement_key
from ingestion.source.problem import SourceError
from ingestion.source.record import Fetched, Record, key_of
from ingestion.source.settings import TableSettings
from ingestion.source.sql import Relation
from ingestion.statement import LOCAL_ZONE
from models.contract import Feed


@dataclass(frozen=True)
class NewMonth:
    """A month of a table that may have changed, and the file that it becomes."""

    relation: Relation
    extent: Extent
    file_name: str
    known: Fetched | None

    @property
    def table(self) -> TableSettings:
        return self.relation.table


def new_months(
    source: str, table: TableSettings, feed: Feed, database: Database, record: Record, now: datetime
) -> Iterator[NewMonth | Waiting]:
    """The months of one table that are to be read, and what must wait."""
    relation = database.relation(table)
    _check_watermark(table, feed)
    found, waiting = extents(table, list(_groups(database, relation)), now)
    yield from (Waiting(what, why) for what, why in waiting.items())
    known = {
        str(item.period): item
        for item in record.all_fetched(source, table.feed)
        if item.period and item.file_key == key_of(file_name(source, table, item.period))
    }
    for extent in to_deliver(table, feed, found, known, now):
        yield NewMonth(relation, extent, file_name(source, table, extent.period), known.get(extent.period))


def _check_watermark(table: TableSettings, feed: Feed) -> None:
    """A watermark is kept in clear and shown on screens, so it must say nothing of who somebody is."""
    column = header_of([table.watermark], feed).columns.get(0) if table.watermark else None
    if column is not None and column.is_direct_identifier:
        raise SourceError(
            f"{table.feed}: {table.watermark} says who somebody is and is no watermark",
            "name a column of time, or a number that every change raises, as watermark in zhaoren.toml",
        )


def file_name(source: str, table: TableSettings, period: str) -> str:
    """Month and district, so that they are read from it as from any file's name."""
    parts = [period.replace("-", ""), *([table.division] if table.division else []), source]
    return "-".join(parts) + ".jsonl"


def _groups(database: Database, relation: Relation) -> Iterator[Group]:
    for batch in database.batches(relation.extents()):
        for month, rows, missing, watermark, position in batch.iter_rows():
            yield Group(month, int(rows), int(missing), watermark, position)


def fetch_month(
    source: str, new: NewMonth, feed: Feed, database: Database, landing: Landing, record: Record, now: datetime
) -> bool:
    """Read a month whole and land it; False where it is what was delivered last.

    The record's watermark follows only once the ledger has the delivery (``settle``), so that a kill leads to the
    same file again, never to a gap.
    """
    known, table = new.known, new.table
    with landing.draft() as draft:
        rows = _write(new, feed, database, draft)
        if rows != new.extent.rows:
            raise SourceError(f"{table.feed}: rows came or went while they were read", "try again", may_pass=True)
        entry = _entry(source, new, draft.sha256, now)
        if known is not None and known.sha256 == draft.sha256:
            marks = {name: getattr(entry, name) for name in ("fingerprint", "watermark", "position")}
            record.note(replace(known, **marks))
            return False
        sidecar = json.dumps(_sidecar(new, draft, entry.received), ensure_ascii=False).encode()
        entry = replace(entry, statement_key=statement_key(sidecar))
        settled = min(entry.received, now.timestamp() - SETTLE_SECONDS - 1)
        landing.put(table.feed, new.file_name, draft, sidecar, settled)
        record.note(entry)
    return True


def _write(new: NewMonth, feed: Feed, database: Database, draft: Draft) -> int:
    if new.extent.rows == 0:
        return 0
    columns, keys = _columns(new.relation, feed)
    rows = 0
    for batch in database.batches(new.relation.rows(columns, keys, new.extent.months)):
        lines = io.BytesIO()
        batch.write_ndjson(lines)
        draft.write(lines.getvalue())
        rows += batch.height
        if draft.size > MAX_BYTES:
            raise SourceError(
                f"{feed.name} of {new.extent.period} is larger than any delivery may be",
                "deliver by district: one [[source.table]] with a query and a division for each",
            )
    return rows


def _columns(relation: Relation, feed: Feed) -> tuple[list[str], list[str]]:
    """The columns that are delivered, and the order of rows with equal watermarks: by key, then by all others.

    Month and watermark are left out where the contract does not know them: they are no drift of the schema.
    """
    ours = {relation.table.month, relation.table.watermark}
    contract = {name: header_of([name], feed).columns.get(0) for name in relation.kinds}
    columns = [name for name, column in contract.items() if column is not None or name not in ours]
    keys = [name for name in columns if (column := contract[name]) is not None and column.key]
    return columns, [*keys, *(name for name in columns if name not in keys)]


def _entry(source: str, new: NewMonth, sha256: str, now: datetime) -> Fetched:
    extent = new.extent
    return Fetched(
        source=source,
        feed=new.table.feed,
        file_key=key_of(new.file_name),
        shown_name=new.file_name,
        fingerprint=extent.fingerprint,
        sha256=sha256,
        statement_key="",
        state="landed",
        received=_sent_at(new, now.timestamp()),
        fetched_at=now.timestamp(),
        period=extent.period,
        row_count=extent.rows,
        watermark=extent.watermark,
        position=extent.position,
    )


def _sent_at(new: NewMonth, now: float) -> float:
    """The watermark where it is a time, else now; always later than the delivery that it takes the place of."""
    kind = new.relation.kinds.get(new.table.watermark or "")
    position = new.extent.position if kind in ("time", "zoned_time") else None
    moment = min(now if position is None else position, now)
    if new.known is not None and moment <= new.known.received:
        return max(now, new.known.received + 1)
    return moment


def _sidecar(new: NewMonth, draft: Draft, sent_at: float) -> dict[str, object]:
    stated: dict[str, object] = {
        "feed": new.table.feed,
        "period": new.extent.period,
        "rows": new.extent.rows,
        "sha256": draft.sha256,
        "sent_at": datetime.fromtimestamp(sent_at, LOCAL_ZONE).isoformat(),
    }
    return {**stated, "division": new.table.division} if new.table.division else stated
