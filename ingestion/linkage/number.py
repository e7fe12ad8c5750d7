"""Which valid ID numbers could have been meant by one that is written wrongly, by one slip of the pen.

Belongs here: arithmetic on digits, whole columns at a time. Does not belong here: who has these numbers
(``known``), whether one of them was meant (``match``).

The check character (GB 11643-1999, mod 11-2) makes this cheap: for a wrong digit at a given place exactly one
digit can be right, so a number of 18 characters has about 20 neighbours instead of 200.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from ingestion import parse_identity

WEIGHTS = parse_identity.WEIGHTS.astype(np.int64)
# Remainder of the weighted sum -> value of the check character, where X counts 10; it is its own inverse.
CHECK = np.array([1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2], dtype=np.int64)
_INVERSE = np.array([pow(int(weight), -1, 11) for weight in WEIGHTS], dtype=np.int64)
_LETTERS = np.frombuffer(b"0123456789X", dtype=np.uint8)
_UNREADABLE = -1
FULL, OLD = 18, 15
# Places of the birth date in a full number.
BIRTH = range(6, 14)
_OLD_DIGITS = 10

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SCHEMA = {"at": pl.UInt32(), "id_number": pl.String(), "birth_digits": pl.Boolean()}


def neighbours(texts: pl.Series) -> pl.DataFrame:
    """Valid numbers one slip away from each text: ``at`` (its position), ``id_number``, ``birth_digits``.

    A slip is one wrong character, two neighbours swapped, one character missing or one too many. ``birth_digits``
    says that the slip is outside of the birth date, whose eight digits were therefore all read as written. Birth
    dates need not exist: the numbers are to be met with those of known persons.
    """
    found = []
    lengths = texts.str.len_bytes().fill_null(0)
    for width, search in _SEARCHES.items():
        at = np.flatnonzero((lengths == width).to_numpy())
        if len(at):
            found.append(search(_digits(texts[at], width), at.astype(np.int64)))
    empty = pl.DataFrame(schema=SCHEMA)
    joined = pl.concat([empty, *(part for parts in found for part in parts)])
    return joined.group_by("at", "id_number").agg(pl.col("birth_digits").any())


def with_check(first: Ints) -> Ints:
    """Rows of 17 digits with the value of their check character as an 18th."""
    return np.column_stack([first, CHECK[first @ WEIGHTS % 11]])


def as_text(values: Ints) -> pl.Series:
    """Rows of values 0 to 10 as texts of that many characters."""
    letters = np.ascontiguousarray(_LETTERS[values])
    offsets = np.arange(len(letters) + 1, dtype=np.int64) * letters.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.large_string(), len(letters), buffers)))


def _digits(texts: pl.Series, width: int) -> Ints:
    """Values of the characters, X as 10, anything else unreadable."""
    raw = np.frombuffer(texts.rechunk().str.join("").item().encode(), dtype=np.uint8).reshape(-1, width)
    values = np.where((raw >= 48) & (raw <= 57), raw.astype(np.int64) - 48, _UNREADABLE)
    return np.where(raw == ord("X"), 10, values)


def _is_number(values: Ints) -> Bools:
    """Rows of 18 values that are digits with X only at the end, not beginning with 0, and whose check holds."""
    first = values[:, :17]
    readable = ((first >= 0) & (first <= 9)).all(axis=1) & (values[:, 17] >= 0) & (first[:, 0] > 0)
    result: Bools = readable & (CHECK[(first @ WEIGHTS) % 11] == values[:, 17])
    return result


def _valid(values: Ints, at: Ints, intact: bool) -> pl.DataFrame:
    """Those rows that are numbers."""
    kept = _is_number(values)
    return pl.DataFrame(
        {"at": pl.Series(at[kept]).cast(pl.UInt32), "id_number": as_text(values[kept])}, schema_overrides=SCHEMA
    ).with_columns(birth_digits=pl.lit(intact))


def _filled(values: Ints, place: int, at: Ints) -> pl.DataFrame:
    """Rows with the one right character put into that place, whatever stood there."""
    filled = values.copy()
    filled[:, place] = 0
    if place == FULL - 1:
        filled[:, place] = CHECK[(np.clip(filled[:, :17], 0, 9) @ WEIGHTS) % 11]
    else:
        check = np.clip(filled[:, 17], 0, 10)
        rest = np.clip(filled[:, :17], 0, 9) @ WEIGHTS
        filled[:, place] = (CHECK[check] - rest) * _INVERSE[place] % 11
    return _valid(filled, at, place not in BIRTH)


def _wrong_or_swapped(values: Ints, at: Ints) -> list[pl.DataFrame]:
    found = [_filled(values, place, at) for place in range(FULL)]
    for place in range(FULL - 1):
        swapped = values.copy()
        swapped[:, [place, place + 1]] = values[:, [place + 1, place]]
        found.append(_valid(swapped, at, place + 1 not in BIRTH and place not in BIRTH))
    return found


def _missing(values: Ints, at: Ints) -> list[pl.DataFrame]:
    gap = np.zeros((len(values), 1), dtype=np.int64)
    return [_filled(np.hstack([values[:, :place], gap, values[:, place:]]), place, at) for place in range(FULL)]


def _one_too_many(values: Ints, at: Ints) -> list[pl.DataFrame]:
    # Between the first and the last digit of the birth date the surplus one cannot be told from the others.
    inside = range(BIRTH.start + 1, BIRTH.stop)
    return [_valid(np.delete(values, place, axis=1), at, place not in inside) for place in range(FULL + 1)]


def _old(values: Ints, at: Ints, intact: bool) -> pl.DataFrame:
    """Numbers of 15 digits as the full ones that they became: century 19 and a check character."""
    readable = ((values >= 0) & (values <= 9)).all(axis=1)
    kept = values[readable]
    century = np.tile(np.array([1, 9], dtype=np.int64), (len(kept), 1))
    return _valid(with_check(np.hstack([kept[:, :6], century, kept[:, 6:]])), at[readable], intact)


def _old_wrong_or_swapped(values: Ints, at: Ints) -> list[pl.DataFrame]:
    found = []
    for place in range(OLD):
        for digit in range(_OLD_DIGITS):
            changed = values.copy()
            changed[:, place] = digit
            found.append(_old(changed, at, place not in range(6, 12)))
    for place in range(OLD - 1):
        swapped = values.copy()
        swapped[:, [place, place + 1]] = values[:, [place + 1, place]]
        found.append(_old(swapped, at, place + 1 not in range(6, 12) and place not in range(6, 12)))
    return found


def _old_missing(values: Ints, at: Ints) -> list[pl.DataFrame]:
    found = []
    for place in range(OLD):
        for digit in range(_OLD_DIGITS):
            gap = np.full((len(values), 1), digit, dtype=np.int64)
            found.append(_old(np.hstack([values[:, :place], gap, values[:, place:]]), at, place not in range(6, 12)))
    return found


def _old_one_too_many(values: Ints, at: Ints) -> list[pl.DataFrame]:
    return [_old(np.delete(values, place, axis=1), at, place not in range(7, 12)) for place in range(OLD + 1)]


_SEARCHES = {
    14: _old_missing,
    15: _old_wrong_or_swapped,
    16: _old_one_too_many,
    17: _missing,
    18: _wrong_or_swapped,
    19: _one_too_many,
}
