"""Keyed pseudonyms of ID numbers: the same person, the same key, and no way back without the secret.

Belongs here: HMAC and its encoding in letters. Does not belong here: keeping who is who (``vault``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
import polars as pl
import pyarrow as pa

from models.contract import Feed

Algorithm = Literal["sha256", "sm3"]
# 24 letters of 4 bits: 96 bits, enough for a collision chance under 1e-12 among 100 million people. Letters
# only, so that no key can ever look like an ID number or a phone.
KEY_BYTES = 12
_BLOCK_BYTES = 64
_LETTERS = np.frombuffer(b"abcdefghijklmnop", dtype=np.uint8)


def pseudonyms(values: pl.Series, key: bytes, algorithm: Algorithm = "sha256") -> pl.Series:
    """The pseudonym of each value, null for null; the secret is used once for each distinct value."""
    distinct = values.unique().drop_nulls()
    if not len(distinct):
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    if len(distinct) == len(values):
        return _letters(values, key, algorithm)
    letters = _letters(distinct, key, algorithm)
    order = pl.DataFrame({"value": distinct, "key": letters})
    frame = values.rename("value").to_frame().join(order, on="value", how="left", maintain_order="left")
    return frame["key"].rename(values.name)


def _letters(values: pl.Series, key: bytes, algorithm: Algorithm) -> pl.Series:
    digests = [digest[:KEY_BYTES] for digest in hmac_digests(values, key, algorithm)]
    return letters_of(digests).rename(values.name)


def hmac_digests(values: Iterable[str], key: bytes, algorithm: Algorithm) -> list[bytes]:
    """HMAC (RFC 2104) of each value.

    The two hashes are begun with the key once and copied for each value, which takes a third of the time of
    ``hmac.digest`` (0.65 against 1.8 microseconds a value); that it is the same is tested.
    """
    block = key if len(key) <= _BLOCK_BYTES else hashlib.new(algorithm, key).digest()
    block = block.ljust(_BLOCK_BYTES, b"\0")
    begin_inner = hashlib.new(algorithm, bytes(byte ^ 0x36 for byte in block)).copy
    begin_outer = hashlib.new(algorithm, bytes(byte ^ 0x5C for byte in block)).copy
    digests = []
    for value in values:
        inner, outer = begin_inner(), begin_outer()
        inner.update(value.encode())
        outer.update(inner.digest())
        digests.append(outer.digest())
    return digests


def letters_of(digests: list[bytes]) -> pl.Series:
    """Digests of equal length as texts of letters, two a byte."""
    raw = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(digests), -1)
    letters = np.empty((len(digests), raw.shape[1] * 2), dtype=np.uint8)
    letters[:, 0::2] = _LETTERS[raw >> 4]
    letters[:, 1::2] = _LETTERS[raw & 15]
    offsets = np.arange(len(digests) + 1, dtype=np.int64) * letters.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.large_string(), len(digests), buffers)))


def letters_of_digest(digest: bytes, length: int) -> str:
    """The first letters of one digest."""
    return str(letters_of([digest])[0])[:length]


def identity_keys(rows: pl.DataFrame, feed: Feed, key: bytes, algorithm: Algorithm) -> dict[str, pl.Series]:
    """The pseudonyms of each column of ID numbers or of numbers that contain one, by that column's name."""
    return {
        column.name: pseudonyms(rows[column.name], key, algorithm)
        for column in feed.columns
        if column.type == "id" or column.carries_id_number
    }
