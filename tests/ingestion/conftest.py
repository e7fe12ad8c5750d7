"""An inbox to fill and a store to take it in: what the tests of ingestion share."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from stdnum.cn.uscc import calc_check_digit

from ingestion import Delivery, Ledger, Store, ingest
from ingestion.keys import Keys
from ingestion.parse_identity import check_character
from models.codes import load_code_tables
from models.contract import Column, Feed, load_feeds

NOW = datetime(2023, 6, 1, 4, 0, tzinfo=UTC)
ARRIVED = datetime(2023, 4, 10, 1, 0, tzinfo=UTC)
GOOD_USCC = "914207003LL9ABQQ80"
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈", "文明华丽英俊杰敏静强"


def id_number(at: int = 0, born: date = date(1980, 1, 1), sex: int = 1) -> str:
    """A valid ID number; different for each ``at`` under a thousand."""
    day = born + timedelta(days=at // 400)
    first = f"420702{day:%Y%m%d}{(at % 400) * 2 + sex % 2:03d}"
    return first + check_character(first)


def person_name(at: int) -> str:
    return SURNAMES[at % 10] + GIVEN[at // 10 % 10] + GIVEN[at // 100 % 10]


def uscc(at: int) -> str:
    """A valid unified social credit code; different for each ``at``."""
    first = f"91420700{at:09d}"
    return first + calc_check_digit(first)


def good_cell(column: Column, at: int) -> str:
    """A cell that is right for that column, as departments write it."""
    if column.carries_id_number:
        return id_number(at) + "42"
    cells = {
        "id": id_number(at),
        "name": person_name(at),
        "phone": f"139{at:08d}",
        "address": f"长江路{at + 1}号",
        "date": "2023-03-05",
        "month": "202303",
        "money": "100.50",
        "wan": "5.5",
        "int": "3",
        "decimal": "50",
        "division": "420702",
        "uscc": uscc(at),
        "text": f"T{at}",
    }
    if column.type == "code":
        return next(iter(load_code_tables()[str(column.code_table)].labels))
    if column.name == "born_on":
        return "1980-01-01"
    return cells[column.type]


def good_row(feed: Feed, at: int) -> dict[str, str]:
    """A row without any fault: header -> cell."""
    row = {column.header: good_cell(column, at) for column in feed.columns}
    if "出生日期" in row:
        row["出生日期"] = f"{id_number(at)[6:10]}-{id_number(at)[10:12]}-{id_number(at)[12:14]}"
    return row


class City:
    """An inbox and a data home of its own."""

    def __init__(self, folder: Path) -> None:
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.store = Store(folder / "home", Keys(b"p" * 32, b"v" * 32))
        self.feeds = load_feeds()

    def rows(self, feed: str, count: int = 12, **changed: str | None) -> list[dict[str, str]]:
        """Good rows; ``changed`` are cells (by English name) of the second row."""
        contract = self.feeds[feed]
        rows = [good_row(contract, at) for at in range(count)]
        for name, cell in changed.items():
            rows[1][contract.column(name).header] = cell or ""
        return rows

    def put(
        self,
        feed: str,
        rows: Sequence[Mapping[str, str]] | str | bytes,
        name: str = "报送_202303.csv",
        sidecar: Mapping[str, Any] | bytes | None = None,
        arrived: datetime = ARRIVED,
        encoding: str = "utf-8",
        delimiter: str = ",",
    ) -> Path:
        """Put a file into the inbox: rows, a text or bytes."""
        path = self.inbox / feed / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(rows, bytes):
            data = rows
        else:
            data = (rows if isinstance(rows, str) else as_csv(rows, delimiter)).encode(encoding)
        path.write_bytes(data)
        os.utime(path, (arrived.timestamp(), arrived.timestamp()))
        if sidecar is not None:
            text = sidecar if isinstance(sidecar, bytes) else json.dumps(sidecar).encode()
            path.with_name(path.name + ".manifest.json").write_bytes(text)
        return path

    def take(self, now: datetime = NOW) -> list[Delivery]:
        return ingest(self.inbox, self.store, self.feeds, now)

    def take_one(
        self,
        feed: str,
        rows: Sequence[Mapping[str, str]] | str | bytes,
        name: str = "报送_202303.csv",
        **kwargs: Any,
    ) -> Delivery:
        """Put one file and take it in."""
        self.put(feed, rows, name, **kwargs)
        (delivery,) = self.take()
        balance(delivery)
        return delivery

    def lake(self, delivery: Delivery) -> pl.DataFrame:
        return pl.read_parquet(self.store.lake_file(delivery.feed, str(delivery.period), delivery.delivery_id))

    def deliveries(self) -> list[Delivery]:
        with Ledger(self.store.ledger_file) as ledger:
            return ledger.deliveries()


def balance(delivery: Delivery) -> None:
    """Data rows in file = accepted + quarantined, wherever the ledger states both."""
    if delivery.status in ("accepted", "held"):
        assert delivery.rows_data == delivery.rows_accepted + delivery.rows_quarantined
        assert delivery.rows_quarantined == sum(delivery.quarantined_by_reason.values())
    else:
        assert (delivery.rows_accepted, delivery.rows_quarantined) == (0, 0)


def as_csv(rows: Sequence[Mapping[str, str]], delimiter: str = ",") -> str:
    """Rows with a header line."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)
