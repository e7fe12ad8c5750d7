"""Dates and months as people and spreadsheets write them.

Belongs here: the accepted forms. Does not belong here: whether a date lies in the future (``parse``).
"""

from __future__ import annotations

import polars as pl

from ingestion.parsed import FAULT, VALUE, Parsed, parse_distinct
from ingestion.reason import DATE_INVALID, VALUE_INVALID

_TIME = r"(?:[T\s]*\d{1,2}[::时]\d{1,2}(?:[::分]\d{1,2}(?:\.\d+)?秒?)?分?\s*(?:Z|[+-]\d{2}:?\d{2})?)?"
_DATE = rf"^(\d{{4}})\s*(?:-|/|\.|年)\s*(\d{{1,2}})\s*(?:-|/|\.|月)\s*(\d{{1,2}})\s*日?{_TIME}$"
_COMPACT = rf"^(\d{{4}})(\d{{2}})(\d{{2}})(?:\.0+)?{_TIME}$"
_MONTH = r"^(\d{4})\s*(?:-|/|\.|年)\s*(\d{1,2})\s*月?$|^(\d{4})(\d{2})(?:\.0+)?$"
_SERIAL = r"^(\d{4,5})(?:\.\d+)?$"
# Serial numbers of spreadsheets count from 1899-12-30 (so that the false leap day of 1900 falls out).
_SERIAL_START = pl.date(1899, 12, 30)
# Four digits may be a bare year, which is no date, so that serials are read from 1902-09-26 on but for 1904-12-04
# to 1906-01-08.
_FIRST_SERIAL, _LAST_SERIAL = 1_000, 73_050
_FIRST_YEAR, _LAST_YEAR = 1800, 2200


def parse_date(cells: pl.Series) -> Parsed:
    """Days; a time part is dropped."""
    return parse_distinct(cells, _dates)


def parse_month(cells: pl.Series) -> Parsed:
    """First days of months; a date is taken where it is the first of a month, as spreadsheets make of months."""
    return parse_distinct(cells, _months)


def _dates(frame: pl.DataFrame) -> pl.DataFrame:
    written = _day(_DATE)
    compact = _day(_COMPACT)
    serial = pl.col("cell").str.extract(_SERIAL).cast(pl.Int32, strict=False)
    is_year = serial.is_between(_FIRST_YEAR, _LAST_YEAR)
    counted = pl.when(serial.is_between(_FIRST_SERIAL, _LAST_SERIAL) & ~is_year).then(
        _SERIAL_START + pl.duration(days=serial)
    )
    frame = frame.with_columns(pl.coalesce(written, compact, counted).alias(VALUE))
    return _with_fault(frame, DATE_INVALID)


def _months(frame: pl.DataFrame) -> pl.DataFrame:
    groups = pl.col("cell").str.extract_groups(_MONTH)
    year = pl.coalesce(groups.struct.field("1"), groups.struct.field("3")).cast(pl.Int32, strict=False)
    month = pl.coalesce(groups.struct.field("2"), groups.struct.field("4")).cast(pl.Int32, strict=False)
    spelt = _checked(year, month, pl.lit(1))
    whole = _day(_DATE)
    frame = frame.with_columns(pl.coalesce(spelt, pl.when(whole.dt.day() == 1).then(whole)).alias(VALUE))
    return _with_fault(frame, VALUE_INVALID)


def _day(pattern: str) -> pl.Expr:
    groups = pl.col("cell").str.extract_groups(pattern)
    year, month, day = (groups.struct.field(str(at)).cast(pl.Int32, strict=False) for at in (1, 2, 3))
    return _checked(year, month, day)


def _checked(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The date, null where the calendar has none such."""
    text = pl.format(
        "{}-{}-{}", year, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2)
    ).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(year.is_between(_FIRST_YEAR, _LAST_YEAR)).then(text)


def _with_fault(frame: pl.DataFrame, reason: str) -> pl.DataFrame:
    return frame.with_columns(pl.when(pl.col(VALUE).is_null()).then(pl.lit(reason)).alias(FAULT))
