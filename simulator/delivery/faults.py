"""Faulty and odd rows, at settable rates, each counted for the truth.

Belongs here: what goes wrong in a cell or row. Does not belong here: what goes wrong with a file (``outbox``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from models.contract import Feed
from simulator.delivery.style import Style
from simulator.randomness import Bools


@dataclass
class Injected:
    """Cells after faults, positions of rows to be broken in the file, and counts by reason."""

    text: pl.DataFrame
    broken: list[int] = field(default_factory=list)
    quarantined: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)


def inject(
    rng: np.random.Generator, text: pl.DataFrame, feed: Feed, style: Style, spared: Bools, rate: float, spoiled: float
) -> Injected:
    return Injected(text)
