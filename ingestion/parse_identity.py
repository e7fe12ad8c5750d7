"""Citizen ID numbers (GB 11643-1999) and the disability certificate numbers that contain one.

Belongs here: their check digits, what they state, old forms and what a spreadsheet does to them. Does not belong here:
pseudonyms (``pseudonym``).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from ingestion.normalise import ERROR_CELL, NUMERIC_CELL
from ingestion.parsed import FAULT, VALUE, Parsed
from ingestion.reason import ID_INVALID, ID_PRECISION_LOST, VALUE_INVALID

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int32)
_FIRST_BIRTH = 19_000_101
_SCIENTIFIC = r"^[1-9](?:\.\d+)?[Ee]\+?1[4-7]$"

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


def parse_id(cells: pl.Series, received_on: date) -> Parsed:
    """ID numbers of 18 characters. Old ones of 15 digits are completed, ``x`` becomes ``X``."""
    valid = _mask(cells, received_on)
    rest = cells.filter(~valid & cells.is_not_null()).unique()
    if not len(rest):
        return Parsed(cells)
    parsed = _ids_of(rest.rename("cell").to_frame(), received_on)
    frame = pl.DataFrame({"cell": cells, "valid": valid})
    frame = frame.join(parsed, on="cell", how="left", maintain_order="left")
    return Parsed.of(frame.with_columns(pl.when("valid").then("cell").otherwise(VALUE).alias(VALUE)))


def parse_certificate(cells: pl.Series, received_on: date) -> Parsed:
    """Disability certificate numbers: ID number, category digit, grade digit, optionally ``B`` and a digit."""
    text = cells.str.to_uppercase().str.replace_all(r"[\s-]", "")
    groups = text.str.extract_groups(r"^(\d{17}[\dX])([1-7])([1-4])(?:B\d)?$")
    identity = groups.struct.field("1")
    valid = _mask(identity, received_on)
    frame = pl.DataFrame({"cell": text, "valid": valid, "raw": cells})
    empty = pl.col("raw").is_null()
    frame = frame.with_columns(
        pl.when("valid").then("cell").alias(VALUE), pl.when(~empty & ~pl.col("valid")).then(_fault("raw")).alias(FAULT)
    )
    return Parsed.of(frame)


def check_character(first_17: str) -> str:
    """The check character (mod 11-2) of the first 17 digits."""
    total = sum(int(digit) * int(weight) for digit, weight in zip(first_17, WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def born_on_of(id_number: pl.Expr) -> pl.Expr:
    """The birth date that an ID number of 18 digits states."""
    return id_number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)


def sex_of(id_number: pl.Expr) -> pl.Expr:
    """The sex that an ID number of 18 digits states: 1 male, 2 female."""
    is_odd = id_number.str.slice(16, 1).cast(pl.Int8, strict=False) % 2 == 1
    return pl.when(is_odd).then(pl.lit("1")).otherwise(pl.lit("2"))


def _ids_of(frame: pl.DataFrame, received_on: date) -> pl.DataFrame:
    bare = pl.col("cell").str.replace_all(r"\s", "").str.to_uppercase()
    frame = frame.with_columns(text=bare.str.replace(r"^(\d{15})\.0+$", "$1"))
    old = frame["text"].str.contains(r"^\d{15}$")
    completed = _completed(frame["text"].set(~old, None))
    frame = frame.with_columns(id=pl.when(old).then(completed).otherwise("text"))
    frame = frame.with_columns(valid=_mask(frame["id"], received_on))
    return frame.select(
        "cell",
        pl.when("valid").then("id").alias(VALUE),
        pl.when(~pl.col("valid")).then(_fault("text")).alias(FAULT),
    )


def _fault(name: str) -> pl.Expr:
    """Why an ID number is none: its last digits lost in a spreadsheet, or wrong."""
    text = pl.col(name)
    lost = (
        text.str.starts_with(NUMERIC_CELL)
        | text.str.contains(_SCIENTIFIC)
        | text.str.contains(r"^\d{15}000$|^\d{15}000\.0+$")
    )
    is_error = text.str.contains(ERROR_CELL, literal=True)
    return (
        pl.when(is_error)
        .then(pl.lit(VALUE_INVALID))
        .when(lost)
        .then(pl.lit(ID_PRECISION_LOST))
        .otherwise(pl.lit(ID_INVALID))
    )


def _completed(old: pl.Series) -> pl.Series:
    """15-digit numbers with century and check character; few in any file, so by distinct value."""
    values = old.unique().drop_nulls().to_list()
    new = {value: value[:6] + "19" + value[6:] for value in values}
    full = {value: text + check_character(text) for value, text in new.items()}
    return old.replace_strict(full, default=None, return_dtype=pl.String)


def _mask(texts: pl.Series, received_on: date) -> pl.Series:
    """Which texts are valid ID numbers of 18 characters; false for null."""
    fits = (texts.str.len_bytes() == 18).fill_null(False)
    valid = np.zeros(len(texts), dtype=np.bool_)
    valid[fits.to_numpy()] = _check(_matrix(texts.filter(fits), 18), received_on)
    return pl.Series(valid)


def _matrix(texts: pl.Series, width: int) -> Bytes:
    """Texts of that many bytes each as a matrix of bytes."""
    if not len(texts):
        return np.empty((0, width), dtype=np.uint8)
    joined = texts.rechunk().str.join("").item().encode()
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, width)


def _check(letters: Bytes, received_on: date) -> Bools:
    """Digits, check character and birth date of each row of 18 letters."""
    digits = letters[:, :17].astype(np.int32) - 48
    are_digits = ((digits >= 0) & (digits <= 9)).all(axis=1)
    expected = _CHECK[(digits @ WEIGHTS) % 11]
    born = digits[:, 6:14] @ np.array([10**at for at in range(7, -1, -1)], dtype=np.int32)
    year, month, day = born // 10_000, born // 100 % 100, born % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = _DAYS[np.clip(month, 0, 12)] - ((month == 2) & ~leap)
    real = (month >= 1) & (month <= 12) & (day >= 1) & (day <= days)
    received = received_on.year * 10_000 + received_on.month * 100 + received_on.day
    lived = (born >= _FIRST_BIRTH) & (born <= received)
    result: Bools = are_digits & (letters[:, 17] == expected) & real & lived & (digits[:, 0] > 0)
    return result
