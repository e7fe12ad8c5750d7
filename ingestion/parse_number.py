"""Money, numbers and counts as people write them.

Belongs here: signs, separators, units, brackets for negative amounts. Does not belong here: limits
(``parse``), which depend on the contract.
"""

from __future__ import annotations

import polars as pl

from ingestion.header import UNITS
from ingestion.parsed import FAULT, VALUE, Parsed, parse_distinct
from ingestion.reason import VALUE_INVALID

WAN = 10_000
MONEY = pl.Decimal(14, 2)
_WIDE = pl.Decimal(30, 8)
_NOTHING = ["-", "--", "—", "——", "–", "/", "\\", "无", "空", "null", "NULL", "None", "N/A", "n/a"]
_PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?$"
_GROUPED = r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$"
_UNIT = rf"({'|'.join(sorted(UNITS, key=len, reverse=True))})$"


def parse_money(cells: pl.Series, unit: int) -> Parsed:
    """Yuan with two decimals; ``unit`` is what one stands for where the cell itself names no unit."""
    quick = cells.cast(MONEY, strict=False) if unit == 1 and not _has_fine_decimals(cells) else None
    if quick is not None and quick.null_count() == cells.null_count():
        return Parsed(quick)
    return parse_distinct(cells, lambda frame: _money_of(frame, unit))


def parse_decimal(cells: pl.Series) -> Parsed:
    """A number as float."""
    return parse_distinct(cells, lambda frame: _number_of(frame, pl.Float64))


def parse_int(cells: pl.Series) -> Parsed:
    """A whole number; ``3.0`` is one, ``3.5`` is a fault."""
    return parse_distinct(cells, lambda frame: _number_of(frame, pl.Int64))


def _has_fine_decimals(cells: pl.Series) -> bool:
    """Exponents and more than two decimals are rounded with care, not by the quick cast."""
    return bool(cells.str.contains(r"[eE]|\.\d{3}").any())


def _money_of(frame: pl.DataFrame, unit: int) -> pl.DataFrame:
    factor = pl.col("unit").replace_strict(UNITS, default=None, return_dtype=pl.Int64).fill_null(unit)
    frame = _unpacked(frame, r"[￥¥$]|人民币|RMB|CNY", _UNIT)
    amount = _to_wide(pl.col("digits")) * factor.cast(_WIDE)
    bounded = pl.when(amount.abs() < 10**11).then(amount)
    return _with_fault(
        frame.with_columns(
            (bounded.round(2, mode="half_away_from_zero") * pl.col("sign")).cast(MONEY, strict=False).alias(VALUE)
        )
    )


def _number_of(frame: pl.DataFrame, dtype: type[pl.DataType]) -> pl.DataFrame:
    frame = _unpacked(frame, r"%|千瓦时|度|平方米|㎡|m²|人|岁|年级", r"(\x00)$")
    number = pl.col("digits").cast(pl.Float64, strict=False) * pl.col("sign")
    if dtype == pl.Int64:
        number = pl.when((number == number.floor()) & (number.abs() < 2**53)).then(number).cast(pl.Int64, strict=False)
    else:
        number = pl.when(number.is_finite()).then(number)
    return _with_fault(frame.with_columns(number.alias(VALUE)))


def _unpacked(frame: pl.DataFrame, ignored: str, unit: str) -> pl.DataFrame:
    """Adds ``digits`` (null where no number), ``sign``, ``unit``, ``nothing``."""
    bare = pl.col("cell").str.replace_all(rf"\s|{ignored}", "")
    body = bare.str.extract(r"^\((.*)\)$").fill_null(bare.str.replace(r"^\((.*)\)(\D+)$", "$1$2"))
    frame = frame.with_columns(
        nothing=pl.col("cell").str.strip_chars().is_in(_NOTHING),
        negative=bare.str.contains(r"^\(.*\)"),
        unit=body.str.extract(unit),
        body=body.str.replace(unit, ""),
    )
    digits = (
        pl.when(pl.col("body").str.contains(_GROUPED))
        .then(pl.col("body").str.replace_all(",", ""))
        .when(pl.col("body").str.contains(_PLAIN))
        .then(pl.col("body"))
    )
    # A bracket and a minus sign together say nothing clear.
    clear = ~(pl.col("negative") & pl.col("body").str.contains("^[+-]"))
    return frame.with_columns(digits=pl.when(clear).then(digits), sign=pl.when("negative").then(-1).otherwise(1))


def _to_wide(digits: pl.Expr) -> pl.Expr:
    plain = digits.cast(_WIDE, strict=False)
    return (
        pl.when(digits.str.contains("[eE]"))
        .then(digits.cast(pl.Float64, strict=False).cast(_WIDE, strict=False))
        .otherwise(plain)
    )


def _with_fault(frame: pl.DataFrame) -> pl.DataFrame:
    at_fault = pl.col(VALUE).is_null() & ~pl.col("nothing")
    return frame.with_columns(
        pl.when(~pl.col("nothing")).then(VALUE), pl.when(at_fault).then(pl.lit(VALUE_INVALID)).alias(FAULT)
    )
