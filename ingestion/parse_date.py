"""Dates and months as people and spreadsheets write them.

Belongs here: the accepted forms. Does not belong here: whether a date lies in the future (``parse``).
"""

from __future__ import annotations

import polars as pl

from ingestion.parsed import FAULT, VALUE, Parsed, parse_distinct
from ingestion.reason import DATE_INVALID, VALUE_INVALID

_HOUR, _SIXTY = "(?:[01]?[0-9]|2[0-4])", "[0-5]?[0-9]"
_HALF_DAY = r"(?:上午|下午|[AaPp][Mm])?"
_CLOCK = (
    rf"{_HALF_DAY}\s*{_HOUR}(?:[:：]{_SIXTY}(?:[:：]{_SIXTY}(?:\.[0-9]+)?)?"
    rf"|[时点](?:{_SIXTY}分?(?:{_SIXTY}秒)?)?)\s*{_HALF_DAY}"
)
_COMPACT_CLOCK = "(?:[01][0-9]|2[0-4])[0-5][0-9](?:[0-5][0-9])?"
_ZONE = r"\s*(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
_TIME = rf"(?:(?:T|\s+)(?:{_CLOCK}|{_COMPACT_CLOCK}){_ZONE})?"
_YEAR, _TWO = "([0-9]{4})", "([0-9]{1,2})"
# One separator throughout; each has its own groups, since the pattern language has no references back.
_FORMS = (
    rf"^{_YEAR}\s*-\s*{_TWO}\s*-\s*{_TWO}{_TIME}$",
    rf"^{_YEAR}\s*/\s*{_TWO}\s*/\s*{_TWO}{_TIME}$",
    rf"^{_YEAR}\s*\.\s*{_TWO}\s*\.\s*{_TWO}{_TIME}$",
    rf"^{_YEAR}\s*年\s*{_TWO}\s*月\s*{_TWO}\s*(?:(?:日|号)\s*(?:{_CLOCK})?)?{_TIME}$",
    rf"^([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})(?:\.0+|{_COMPACT_CLOCK})?{_TIME}$",
)
# A month with a point and one digit is left out: 2023.1 is what a spreadsheet makes of 2023.10 as well.
_MONTHS = (
    rf"^{_YEAR}\s*[-/]\s*{_TWO}$",
    rf"^{_YEAR}\s*年\s*{_TWO}\s*月份?$",
    r"^([0-9]{4})([0-9]{2})(?:\.0+)?$",
    r"^([0-9]{4})\.([0-9]{2})$",
)
_SERIAL = r"^([0-9]{4,5})(?:\.[0-9]+)?$"
# Serial numbers of spreadsheets count from 1899-12-30 (so that the false leap day of 1900 falls out).
_SERIAL_START = pl.date(1899, 12, 30)
# Four digits may be a bare year, which is no date, so that serials are read from 1902-09-26 on but for 1904-12-04
# to 1906-01-08.
_FIRST_SERIAL, _LAST_SERIAL = 1_000, 73_050
_BARE_YEARS = (1800, 2200)
# 9999-12-31 is how systems write 'without end'.
_FIRST_YEAR, _LAST_YEAR = 1800, 9999


def parse_date(cells: pl.Series) -> Parsed:
    """Days; a time part is dropped."""
    return parse_distinct(cells, _dates)


def parse_month(cells: pl.Series) -> Parsed:
    """First days of months; a date is taken where it is the first of a month, as spreadsheets make of months."""
    return parse_distinct(cells, _months)


def _dates(frame: pl.DataFrame) -> pl.DataFrame:
    serial = pl.col("cell").str.extract(_SERIAL).cast(pl.Int32, strict=False)
    counted = pl.when(serial.is_between(_FIRST_SERIAL, _LAST_SERIAL) & ~serial.is_between(*_BARE_YEARS)).then(
        _SERIAL_START + pl.duration(days=serial)
    )
    frame = frame.with_columns(pl.coalesce(*map(_day, _FORMS), counted).alias(VALUE))
    return _with_fault(frame, DATE_INVALID)


def _months(frame: pl.DataFrame) -> pl.DataFrame:
    whole = pl.coalesce(*map(_day, _FORMS[:4]))
    spelt = pl.coalesce(*map(_day, _MONTHS))
    frame = frame.with_columns(pl.coalesce(spelt, pl.when(whole.dt.day() == 1).then(whole)).alias(VALUE))
    return _with_fault(frame, VALUE_INVALID)


def _day(form: str) -> pl.Expr:
    """The day that a form with groups for year, month and (else the first) day finds; null where there is none."""
    groups = pl.col("cell").str.extract_groups(form)
    year, month = (groups.struct.field(name) for name in ("1", "2"))
    day = groups.struct.field("3") if form in _FORMS else pl.when(month.is_not_null()).then(pl.lit("1"))
    text = pl.format("{}-{}-{}", year, month.str.zfill(2), day.str.zfill(2)).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(year.cast(pl.Int32, strict=False).is_between(_FIRST_YEAR, _LAST_YEAR)).then(text)


def _with_fault(frame: pl.DataFrame, reason: str) -> pl.DataFrame:
    return frame.with_columns(pl.when(pl.col(VALUE).is_null()).then(pl.lit(reason)).alias(FAULT))
