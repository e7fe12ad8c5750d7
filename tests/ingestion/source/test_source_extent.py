"""Which months of a table are delivered: after any history of changes, what was delivered is what the table holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.source.extent import Extent, Group, extents, period_of_value, to_deliver
from ingestion.source.record import Fetched
from ingestion.source.settings import TableSettings
from models.contract import load_feeds

FEED = load_feeds()["medical_settlement"]
TABLE = TableSettings(feed="medical_settlement", table="t", watermark="at", month="day", overlap=5)
NOW = datetime(2023, 7, 5, tzinfo=UTC)
Rows = dict[int, tuple[int, int | None, int]]
"""By number of the row: month, watermark, content."""

CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 8), st.integers(1, 6), st.integers(0, 99)),
        st.tuples(st.just("late"), st.integers(0, 8), st.integers(1, 6), st.integers(0, 99)),
        st.tuples(st.just("unmarked"), st.integers(0, 8), st.integers(1, 6), st.integers(0, 99)),
        st.tuples(st.just("delete"), st.integers(0, 8), st.just(1), st.just(0)),
        st.tuples(st.just("fetch"), st.just(0), st.just(1), st.just(0)),
    ),
    max_size=40,
)


@dataclass
class City:
    """What the ledger would hold: the content of each month as it was delivered last."""

    known: dict[str, Fetched]
    delivered: dict[str, Rows]

    def fetch(self, rows: Rows) -> None:
        found, _ = extents(TABLE, groups(rows), NOW)
        for extent in to_deliver(TABLE, FEED, found, self.known, NOW):
            self.delivered[extent.period] = month(rows, extent.period)
            self.known[extent.period] = known(extent)


def known(extent: Extent) -> Fetched:
    return Fetched(
        "s", "medical_settlement", "k", "n", extent.fingerprint, "sha", "", "settled", 0.0, 0.0,
        period=extent.period, row_count=extent.rows, watermark=extent.watermark, position=extent.position,
    )  # fmt: skip


def month(rows: Rows, period: str) -> Rows:
    return {at: row for at, row in rows.items() if f"2023-{row[0]:02d}" == period}


def groups(rows: Rows) -> list[Group]:
    found = []
    for at in sorted({row[0] for row in rows.values()}):
        marks = [mark for when, mark, _ in rows.values() if when == at]
        top = max((mark for mark in marks if mark is not None), default=None)
        found.append(
            Group(
                f"2023{at:02d}",
                len(marks),
                marks.count(None),
                None if top is None else str(top),
                None if top is None else float(top),
            )
        )
    return found


@settings(deadline=None, max_examples=300)
@given(CHANGES)
def test_after_any_history_the_last_delivery_of_each_month_is_its_rows(
    changes: list[tuple[str, int, int, int]],
) -> None:
    rows: Rows = {}
    city, clock = City({}, {}), 100
    for kind, at, when, content in changes:
        clock += 1
        if kind == "put":
            rows[at] = (when, clock, content)
        elif kind == "late" and at not in rows:
            # A row that comes with a watermark from before, as of a transaction that took long, or with none.
            rows[at] = (when, None if content % 3 == 0 else clock - content, content)
        elif kind == "unmarked" and rows.get(at, (0, None, 0))[1] is None:
            # Comes, moves or changes without any watermark.
            rows[at] = (when, None, content)
        elif kind == "delete":
            rows.pop(at, None)
        elif kind == "fetch":
            city.fetch(rows)
    city.fetch(rows)
    for period in {*city.delivered, *(f"2023-{row[0]:02d}" for row in rows.values())}:
        assert city.delivered.get(period, {}) == month(rows, period)


def test_a_quiet_table_is_not_read_again_but_for_its_newest_month() -> None:
    rows: Rows = {1: (1, 10, 0), 2: (5, 90, 0), 3: (6, 100, 0)}
    city = City({}, {})
    city.fetch(rows)
    found, _ = extents(TABLE, groups(rows), NOW)
    assert [extent.period for extent in to_deliver(TABLE, FEED, found, city.known, NOW)] == ["2023-06"]


@pytest.mark.parametrize(
    ("value", "period"),
    [
        ("202303", "2023-03"), ("2023-03", "2023-03"), ("20230305", "2023-03"), ("2023/3/5", "2023-03"),
        ("2023年3月", "2023-03"), ("2023-03-05 10:00:00", "2023-03"), ("2023.12", "2023-12"),
        ("202313", None), ("1989-03", None), ("2023", None), ("infinity", None), (None, None), ("2023031", None),
    ],
)  # fmt: skip
def test_months_are_read_as_departments_write_them(value: str | None, period: str | None) -> None:
    assert period_of_value(value) == period
