"""How long a month took to come, against the last 12: days to the first arrival, and what says nothing of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from expectations.over_time import arrival_days


def came(delivery_id: str, period: str, day: str, division: str | None = None) -> dict[str, Any]:
    received = datetime.fromisoformat(day)
    return {
        "delivery_id": delivery_id, "feed": "f", "division": division, "period": period, "received_at": received
    }  # fmt: skip


def days(*deliveries: dict[str, Any]) -> dict[str, float]:
    found = arrival_days(pl.DataFrame(deliveries, schema_overrides={"division": pl.String}), 4)
    return dict(found.select("delivery_id", "value").iter_rows())


def test_days_count_from_the_end_of_the_month() -> None:
    assert days(came("a", "2024-02", "2024-03-01T00:10"), came("b", "2024-01", "2024-02-11T23:50")) == {"a": 0, "b": 10}


def test_a_correction_is_as_old_as_what_it_corrects_a_district_stands_for_itself() -> None:
    first, again = came("a", "2024-01", "2024-02-05", "420702"), came("b", "2024-01", "2024-04-01", "420702")
    other = came("c", "2024-01", "2024-02-20", "420704")
    assert days(first, again, other) == {"a": 4, "b": 4, "c": 19}


def test_a_backlog_says_nothing_one_month_fewer_does() -> None:
    periods = ("2023-09", "2023-10", "2023-11", "2023-12")
    assert days(*(came(period, period, "2024-01-20") for period in periods)) == {}, "four months in one day"
    assert len(days(*(came(period, period, "2024-01-20") for period in periods[1:]))) == 3
