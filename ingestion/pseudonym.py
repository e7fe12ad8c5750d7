"""Keyed pseudonyms of ID numbers: the same person, the same key, and no way back without the secret.

Belongs here: HMAC and its encoding in letters. Does not belong here: keeping who is who (``vault``).
"""

from __future__ import annotations

import hmac
from typing import Literal

import numpy as np
import polars as pl

Algorithm = Literal["sha256", "sm3"]
# 24 letters of 4 bits: 96 bits, enough for a collision chance under 1e-12 among 100 million people. Letters
# only, so that no key can ever look like an ID number or a phone.
KEY_BYTES = 12
_LETTERS = np.frombuffer(b"abcdefghijklmnop", dtype=np.uint8)


def pseudonyms(values: pl.Series, key: bytes, algorithm: Algorithm = "sha256") -> pl.Series:
    """The pseudonym of each value, null for null; the secret is used once for each distinct value."""
    distinct = values.unique().drop_nulls()
    if not len(distinct):
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    letters = letters_of([hmac.digest(key, value.encode(), algorithm)[:KEY_BYTES] for value in distinct])
    order = pl.DataFrame({"value": distinct, "key": letters})
    frame = values.rename("value").to_frame().join(order, on="value", how="left", maintain_order="left")
    return frame["key"].rename(values.name)


def letters_of(digests: list[bytes]) -> pl.Series:
    """Digests of ``KEY_BYTES`` bytes each as texts of letters, two a byte."""
    raw = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(digests), -1)
    nibbles = np.stack([raw >> 4, raw & 15], axis=2).reshape(len(digests), -1)
    texts = _LETTERS[nibbles].tobytes().decode()
    width = nibbles.shape[1]
    return pl.Series([texts[at : at + width] for at in range(0, len(texts), width)], dtype=pl.String)


def letters_of_digest(digest: bytes, length: int) -> str:
    """The first letters of one digest."""
    return str(letters_of([digest])[0])[:length]
