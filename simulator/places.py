"""Where people live: the villages of the division list, how many live there and how far they are from an office.

Belongs here: geography. Does not belong here: the list itself (``models.codes``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from models.codes import load_divisions
from simulator.randomness import Bools, Floats, Ints, stream

# In a 12-digit village code 001-199 stands for a residents' committee, which makes the place urban.
URBAN_LIMIT = 200
ELSEWHERE = ("440304", "420106", "330106", "310115", "440106")


@dataclass(frozen=True)
class Places:
    """Villages by position; ``remoteness`` runs from 0 (beside the office) to 1 (an hour and more away)."""

    code: pl.Series
    label: pl.Series
    township: Ints
    county: Ints
    urban: Bools
    weight: Floats
    remoteness: Floats

    def county_of(self, village: Ints) -> Ints:
        return self.county[village]


def lay_out(seed: int) -> Places:
    """The villages with weights and distances drawn from the seed."""
    rng = stream(seed, "places")
    divisions = load_divisions()
    names = {division.code: division.name for division in divisions}
    villages = sorted(division.code for division in divisions if division.level == "village")
    codes = np.array([int(code) for code in villages])
    urban = codes % 1000 < URBAN_LIMIT
    townships = np.unique(codes // 1000, return_inverse=True)[1]
    weight = rng.lognormal(0.0, 0.5, len(codes)) * np.where(urban, 2.2, 1.0)
    remoteness = np.where(urban, rng.beta(1.5, 8.0, len(codes)), rng.beta(2.2, 2.5, len(codes)))
    label = [_label(code, names) for code in villages]
    return Places(
        pl.Series(villages), pl.Series(label), townships, codes // 10**6, urban, weight / weight.sum(), remoteness
    )


def _label(code: str, names: dict[str, str]) -> str:
    parts = (code[:6] + "000000", code[:9] + "000", code)
    return "湖北省鄂州市" + "".join(names[part].removesuffix("委会") for part in parts)
