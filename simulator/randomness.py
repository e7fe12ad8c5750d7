"""Seeded random streams: one for each purpose and month, so that a change in one room does not move the others.

Belongs here: how a seed becomes generators. Does not belong here: what is drawn from them.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator that depends on the seed and the purpose alone, on every machine alike."""
    digest = blake2b(repr((seed, *purpose)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def happens(rng: np.random.Generator, probability: Floats | float, size: int) -> Bools:
    """Independent events, one for each of ``size`` units."""
    return np.asarray(rng.random(size) < probability)


def sigmoid(value: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-value)))
