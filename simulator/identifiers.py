"""Numbers that identify: citizen ID numbers, credit codes, plates, phones, all valid in form and drawn at random.

Belongs here: check characters and uniqueness. Does not belong here: who gets a number (``people``, ``work``).
No number is given in sequence, so that no order of numbers says anything about a household.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.months import compact
from simulator.randomness import Ints

# GB 11643-1999, mod 11-2.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = np.array(list("10X98765432"))
# GB 32100-2015: 31 characters without I, O, S, V, Z.
_USCC_ALPHABET = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
_USCC_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)])
_PLATE_ALPHABET = np.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"))


def id_numbers(rng: np.random.Generator, area: Ints, born: Ints, sex: Ints, taken: Ints) -> tuple[pl.Series, Ints]:
    """ID numbers of 18 characters and their first 17 digits; none of ``taken`` is given again."""
    stem = area.astype(np.int64) * 10**11 + compact(born).astype(np.int64) * 1000
    number = stem + _order_code(rng, sex)
    for _ in range(100):
        clash = _repeated(number) | np.isin(number, taken)
        if not clash.any():
            break
        number[clash] = stem[clash] + _order_code(rng, sex[clash])
    checks = np.zeros(len(number), dtype=np.int64)
    for place, weight in enumerate(_ID_WEIGHTS):
        checks += number // 10 ** (16 - place) % 10 * weight
    text = pl.Series(number).cast(pl.String) + pl.Series(_ID_CHECK[checks % 11])
    return text, number


def _order_code(rng: np.random.Generator, sex: Ints) -> Ints:
    """Three digits, odd for men and even for women."""
    code = rng.integers(0, 500, len(sex)) * 2 + (sex == 1)
    return np.asarray(code, dtype=np.int64)


def _repeated(number: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    repeated = np.ones(len(number), dtype=bool)
    repeated[np.unique(number, return_index=True)[1]] = False
    return repeated


def credit_codes(rng: np.random.Generator, area: Ints, kind: str) -> pl.Series:
    """Unified social credit codes; ``kind`` is '91' for companies and '92' for sole traders."""
    count = len(area)
    places = np.empty((count, 17), dtype=np.int64)
    places[:, 0], places[:, 1] = int(kind[0]), int(kind[1])
    for place in range(6):
        places[:, 2 + place] = area // 10 ** (5 - place) % 10
    places[:, 8:] = rng.integers(0, 31, (count, 9))
    check = (31 - places @ _USCC_WEIGHTS % 31) % 31
    return _joined(_USCC_ALPHABET[np.column_stack([places, check])])


def plates(rng: np.random.Generator, count: int) -> pl.Series:
    """Number plates of the city; repeats are so rare that the caller drops them."""
    return "鄂G" + _joined(_PLATE_ALPHABET[rng.integers(0, len(_PLATE_ALPHABET), (count, 5))])


def phones(rng: np.random.Generator, count: int) -> pl.Series:
    return pl.Series(19_900_000_000 + rng.integers(0, 10**6, count)).cast(pl.String)


def running_numbers(rng: np.random.Generator, count: int, digits: int) -> pl.Series:
    """Distinct numbers of fixed width in random order."""
    chosen = _distinct(rng, count, 10**digits)
    return pl.Series(chosen).cast(pl.String).str.zfill(digits)


def _distinct(rng: np.random.Generator, count: int, space: int) -> Ints:
    drawn = np.unique(rng.integers(0, space, int(count * 1.3) + 50))
    while len(drawn) < count:
        drawn = np.unique(np.concatenate([drawn, rng.integers(0, space, count)]))
    return rng.permutation(drawn)[:count]


def _joined(characters: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> pl.Series:
    count, width = characters.shape
    return pl.Series(np.ascontiguousarray(characters).view(f"U{width}").reshape(count))
