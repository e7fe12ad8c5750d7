"""Months as whole numbers, so that horizons and embargoes are additions; no calendar of working days."""

from datetime import date

import polars as pl


def month_number(month: date) -> int:
    """Months since year 0; the day does not matter."""
    return month.year * 12 + month.month - 1


def month_date(number: int) -> date:
    """First day of the month with this number."""
    return date(number // 12, number % 12 + 1, 1)


def month_expression(column: str) -> pl.Expr:
    """month_number of a date column, as an expression."""
    return pl.col(column).dt.year().cast(pl.Int32) * 12 + pl.col(column).dt.month().cast(pl.Int32) - 1
