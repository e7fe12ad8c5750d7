"""Codes or their labels, statistical divisions, unified social credit codes.

Belongs here: values out of a closed or checkable set. Does not belong here: citizen ID numbers
(``parse_identity``).
"""

from __future__ import annotations

from functools import cache

import polars as pl

from ingestion.parsed import FAULT, VALUE, Parsed, parse_distinct
from ingestion.reason import CODE_UNKNOWN, DIVISION_UNKNOWN, USCC_INVALID
from models.codes import city_code, load_code_tables, load_divisions

_USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = [pow(3, at, 31) for at in range(17)]


def parse_code(cells: pl.Series, table: str) -> Parsed:
    """Codes of a table; a label, a code without its leading zeros or written as ``1.0`` stands for the code."""
    return parse_distinct(cells, lambda frame: _codes_of(frame, table))


def parse_division(cells: pl.Series) -> Parsed:
    """Division codes of 6, 9 or 12 digits as delivered; those of the own city must be in the list."""
    return parse_distinct(cells, _divisions_of)


def parse_uscc(cells: pl.Series) -> Parsed:
    """Unified social credit codes (GB 32100-2015): 18 characters, the last a check character."""
    return parse_distinct(cells, _usccs_of)


def _codes_of(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    spellings = _spellings(table)
    key = pl.col("cell").str.replace_all(r"\s", "").str.to_uppercase().str.replace(r"^(\d+)\.0+$", "$1")
    value = key.replace_strict(spellings, default=None, return_dtype=pl.String)
    return _with_fault(frame.with_columns(value.alias(VALUE)), CODE_UNKNOWN)


@cache
def _spellings(table: str) -> dict[str, str]:
    """Every spelling of a code of that table, upper case, without blanks."""
    labels = load_code_tables()[table].labels
    spellings: dict[str, str] = {}
    for code, label in labels.items():
        for spelling in (label.zh, f"{code}{label.zh}", f"{code}-{label.zh}", f"{code}.{label.zh}"):
            spellings.setdefault("".join(spelling.split()).upper(), code)
    for code in labels:
        spellings.setdefault(code.lstrip("0") or "0", code)
        spellings.setdefault(code.zfill(2), code)
    # The code itself outranks every other reading.
    return {**spellings, **{code.upper(): code for code in labels}}


def _divisions_of(frame: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("cell").str.replace_all(r"\s", "").str.replace(r"^(\d+)\.0+$", "$1")
    well_formed = code.str.contains(r"^[1-9]\d{5}(?:\d{3}){0,2}$")
    own = code.str.starts_with(city_code()[:4])
    known = code.str.pad_end(12, "0").is_in(_division_codes())
    value = pl.when(well_formed & (~own | known)).then(code)
    return _with_fault(frame.with_columns(value.alias(VALUE)), DIVISION_UNKNOWN)


@cache
def _division_codes() -> list[str]:
    return [division.code for division in load_divisions()]


def _usccs_of(frame: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("cell").str.replace_all(r"\s|-", "").str.to_uppercase()
    shaped = code.str.contains(rf"^[{_USCC_LETTERS}]{{18}}$")
    values = {letter: at for at, letter in enumerate(_USCC_LETTERS)}
    total = pl.sum_horizontal(
        code.str.slice(at, 1).replace_strict(values, default=0, return_dtype=pl.Int32) * weight
        for at, weight in enumerate(_USCC_WEIGHTS)
    )
    check = ((31 - total % 31) % 31).replace_strict(dict(enumerate(_USCC_LETTERS)), return_dtype=pl.String)
    value = pl.when(shaped & (check == code.str.slice(17, 1))).then(code)
    return _with_fault(frame.with_columns(value.alias(VALUE)), USCC_INVALID)


def _with_fault(frame: pl.DataFrame, reason: str) -> pl.DataFrame:
    return frame.with_columns(pl.when(pl.col(VALUE).is_null()).then(pl.lit(reason)).alias(FAULT))
