"""Where a day begins and ends, and working days of the Chinese calendar, with its holidays and make-up days.

Belongs here: the bureau's time zone, which days are worked and counting them. Does not belong here: how many days an
answer may take (a parameter). The holiday notice of a year is known only once it is out; years without one count
weekends alone, and ``is_known`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

SATURDAY = 5
ZONE_NAME = "Asia/Shanghai"
BUREAU_ZONE = ZoneInfo(ZONE_NAME)
"""Days end where the bureau is; departments write local time without a zone."""


def is_known(day: date) -> bool:
    """Whether the holidays of the day's year are known; where not, only weekends are free."""
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def is_working_day(day: date) -> bool:
    """Whether offices work that day: holidays are free, make-up weekends are worked."""
    if is_known(day):
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < SATURDAY


def add_working_days(day: date, count: int) -> date:
    """The ``count``-th working day after ``day`` (``day`` itself never counts); ``count`` is at least 0."""
    if count < 0:
        raise ValueError("working days are counted forward")
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from first to last, both included."""
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))


def months_between(first: date, last: date) -> Iterator[date]:
    """The first day of every month from that of ``first`` to that of ``last``, both included."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = next_month(month)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)
