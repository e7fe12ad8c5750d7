"""The simulated calendar: months as running numbers, days as days since 1970.

Belongs here: arithmetic of simulated time. Does not belong here: the wall clock, which nothing here asks.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from simulator.randomness import Ints

EPOCH = date(1970, 1, 1)
NEVER = -1_000_000


def day_number(day: date) -> int:
    return (day - EPOCH).days


def month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


def first_date(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def first_day(month: int) -> int:
    return day_number(first_date(month))


def last_day(month: int) -> int:
    return first_day(month + 1) - 1


def period_text(month: int) -> str:
    """``YYYYMM``, the way periods stand in file names."""
    return f"{month // 12}{month % 12 + 1:02d}"


def date_of(day: int) -> date:
    return EPOCH + timedelta(days=day)


def days_in_month(rng: np.random.Generator, month: int, size: int) -> Ints:
    """Random days of a month."""
    return rng.integers(first_day(month), last_day(month) + 1, size)


def compact(days: Ints) -> Ints:
    """Days as the number YYYYMMDD."""
    values = days.astype("datetime64[D]")
    months = values.astype("datetime64[M]")
    years = values.astype("datetime64[Y]").astype(int) + 1970
    month_of_year = months.astype(int) % 12 + 1
    day = (values - months.astype("datetime64[D]")).astype(int) + 1
    return np.asarray(years * 10000 + month_of_year * 100 + day)
