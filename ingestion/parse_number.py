"""Money, numbers and counts as people write them.

Belongs here: signs, separators, units, brackets for negative amounts. Does not belong here: limits
(``parse``), which depend on the contract.
"""

from __future__ import annotations

import polars as pl

from ingestion.header import UNITS
from ingestion.parsed import FAULT, READABLE, VALUE, Parsed, parse_distinct
from ingestion.reason import OUT_OF_RANGE, VALUE_INVALID

WAN = 10_000
MONEY = pl.Decimal(14, 2)
_MAX_MONEY = 10**12
_WIDE = pl.Decimal(38, 8)
_SUM = pl.Decimal(38, 2)
# What says that there is nothing: a dash of any length that people type, or the word.
_NOTHING = ["-", "--", "—", "——", "–", "―", "─", "──", "无"]
# Groups of three digits, set apart by commas or blanks, do not begin with a zero (0,123 is a decimal comma).
_DIGITS = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?: [0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_NUMBER = rf"(?P<digits>(?:{_DIGITS})(?:[eE][+-]?[0-9]{{1,3}})?)"
_SIGN = "[+\u2212-]"
_CURRENCY = r"(?:[¥￥]|人民币|RMB|CNY)?\s*"
_MONEY_UNIT = rf"(?:{'|'.join(sorted(UNITS, key=len, reverse=True))})"
_MONEY_FORM = (
    rf"^{_CURRENCY}(?P<open>\()?\s*(?P<sign>{_SIGN})?\s*{_CURRENCY}(?P<inner>{_SIGN})?{_NUMBER}"
    rf"\s*(?P<unit>{_MONEY_UNIT})?整?\s*(?P<close>\))?\s*(?P<after>{_MONEY_UNIT})?$"
)
_NUMBER_UNIT = r"(?:%|千瓦时|度|kWh|kwh|KWH|平方米|㎡|m²|m2|人|岁|年级)"
_NUMBER_FORM = (
    rf"^(?P<open>\()?\s*(?P<sign>{_SIGN})?\s*(?P<inner>)?{_NUMBER}"
    rf"\s*(?P<unit>{_NUMBER_UNIT})?\s*(?P<close>\))?(?P<after>{_NUMBER_UNIT})?$"
)


def parse_money(cells: pl.Series, unit: int) -> Parsed:
    """Yuan with two decimals; ``unit`` is what one stands for where the cell itself names no unit."""
    quick = cells.cast(MONEY, strict=False) if unit == 1 and _is_plain(cells) else None
    if quick is not None and quick.null_count() == cells.null_count():
        return Parsed(quick)
    return parse_distinct(cells, lambda frame: _money_of(frame, unit))


def parse_decimal(cells: pl.Series) -> Parsed:
    """A number as float."""
    return parse_distinct(cells, lambda frame: _number_of(frame, pl.Float64))


def parse_int(cells: pl.Series) -> Parsed:
    """A whole number; ``3.0`` is one, ``3.5`` is a fault."""
    return parse_distinct(cells, lambda frame: _number_of(frame, pl.Int64))


def _is_plain(cells: pl.Series) -> bool:
    """Whether all are digits with at most two decimals: everything else is read and rounded with care."""
    return bool(cells.str.contains(r"^-?[0-9]{1,12}(?:\.[0-9]{1,2})?$").all())


def _money_of(frame: pl.DataFrame, unit: int) -> pl.DataFrame:
    """Yuan; an amount that can be read but is beyond what is stored is out of range and counts in sums."""
    frame = _unpacked(frame, _MONEY_FORM)
    factor = pl.col("unit").replace_strict(UNITS, default=None, return_dtype=pl.Int64).fill_null(unit)
    amount = (_to_wide(pl.col("digits")) * factor.cast(_WIDE)).round(2, mode="half_away_from_zero")
    frame = frame.with_columns((amount.cast(_SUM, strict=False) * pl.col("sign")).cast(_SUM).alias(READABLE))
    fits = pl.col(READABLE).abs() < _MAX_MONEY
    frame = frame.with_columns(pl.when(fits).then(READABLE).cast(MONEY, strict=False).alias(VALUE))
    return frame.with_columns(
        pl.when(pl.col("digits").is_not_null() & pl.col(VALUE).is_null())
        .then(pl.lit(OUT_OF_RANGE))
        .otherwise(_fault())
        .alias(FAULT)
    )


def _number_of(frame: pl.DataFrame, dtype: type[pl.DataType]) -> pl.DataFrame:
    frame = _unpacked(frame, _NUMBER_FORM)
    number = pl.col("digits").cast(pl.Float64, strict=False) * pl.col("sign")
    if dtype == pl.Int64:
        number = pl.when((number == number.floor()) & (number.abs() < 2**53)).then(number).cast(pl.Int64, strict=False)
    else:
        number = pl.when(number.is_finite()).then(number)
    return frame.with_columns(number.alias(VALUE)).with_columns(_fault().alias(FAULT))


def _unpacked(frame: pl.DataFrame, form: str) -> pl.DataFrame:
    """Adds ``digits`` (null where no number), ``sign``, ``unit`` and ``nothing``."""
    text = pl.col("cell").str.strip_chars()
    frame = frame.with_columns(text.is_in(_NOTHING).alias("nothing"), text.str.extract_groups(form).alias("parts"))
    part = pl.col("parts").struct
    is_open, is_closed = part.field("open").is_not_null(), part.field("close").is_not_null()
    signs = pl.sum_horizontal(part.field(name).is_not_null() & (part.field(name) != "") for name in ("sign", "inner"))
    # A bracket without its other half, a bracket and a sign, two signs or two units say nothing clear.
    clear = (is_open == is_closed) & (signs + is_open.cast(pl.Int8) <= 1)
    clear &= part.field("after").is_null() | (is_closed & part.field("unit").is_null())
    minus = pl.any_horizontal(part.field(name).is_in(["-", "\u2212"]) for name in ("sign", "inner"))
    return frame.with_columns(
        digits=pl.when(clear).then(part.field("digits").str.replace_all("[, ]", "")),
        sign=pl.when(is_open | minus.fill_null(False)).then(-1).otherwise(1),
        unit=pl.coalesce(part.field("unit"), part.field("after")),
    )


def _to_wide(digits: pl.Expr) -> pl.Expr:
    plain = digits.cast(_WIDE, strict=False)
    return (
        pl.when(digits.str.contains("[eE]"))
        .then(digits.cast(pl.Float64, strict=False).cast(_WIDE, strict=False))
        .otherwise(plain)
    )


def _fault() -> pl.Expr:
    """A text that is neither a number nor says that there is none."""
    return pl.when(pl.col(VALUE).is_null() & ~pl.col("nothing")).then(pl.lit(VALUE_INVALID))
