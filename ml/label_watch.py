"""Do entries still come from everywhere: a group whose labels are missing, and probabilities beside what came.

Belongs here: outcomes against expectations, once they have matured. Does not belong here: features (``drift``), and how
well groups are found (``fairness``).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import binom

from ml.cohort import KEY, Source, cohort, known_events, label, lazy, reporting_delay
from ml.experiment import Experiment
from ml.metrics import bin_starts
from ml.watching import CalibrationWatch, Labels, load_watch

Vector = npt.NDArray[np.float64]
LOST_LABELS = "lost_labels"


@dataclass(frozen=True)
class LostLabels:
    """A group with fewer entries than the others and the probabilities lead one to expect."""

    group: str
    value: str
    entries: float
    expected: float
    ratio: float
    chance: float
    """How often so few come by chance, after correction for the number of groups looked at."""


@dataclass(frozen=True)
class MatureCalibration:
    """Probabilities given in the past against what had come of them by the as-of month."""

    rows: int
    entries: int
    ratio: float
    """Entries for each one told; 1 is right, nan where nothing has matured."""
    slope: float

    def is_right(self, watch: CalibrationWatch | None = None) -> bool:
        """Within what watch.yaml allows, or too little to say."""
        watch = watch or load_watch().calibration
        if self.entries < watch.least_entries or np.isnan(self.slope):
            return True
        ratio_right = 1 / watch.ratio_most <= self.ratio <= watch.ratio_most
        return bool(ratio_right and watch.slope_least <= self.slope <= watch.slope_most)


def mature_calibration(
    scores: Source, features: Source, events: Source, experiment: Experiment, as_of: date
) -> MatureCalibration:
    """How the probabilities of household_score turned out, over all months whose outcome is known at `as_of`.

    Each was given by the model that was known in its month. Months scored by rules alone have no probability and say
    nothing; so do rows censored since.
    """
    known = known_events(events, as_of)
    rows = cohort(features, experiment, until=as_of)
    labelled = label(rows, known, experiment, as_of, reporting_delay(known, experiment).months)
    told = lazy(scores).select(*KEY, "probability").filter(pl.col("probability").is_not_null()).collect()
    judged = labelled.filter(pl.col("label").is_not_null()).join(told, on=list(KEY)).sort(KEY)
    came, said = (judged[name].cast(pl.Float64).to_numpy() for name in ("label", "probability"))
    ratio, slope = calibration_line(came, said)
    return MatureCalibration(judged.height, int(came.sum()), ratio, slope)


def lost_labels(rows: pl.DataFrame, groups: Sequence[str], watch: Labels | None = None) -> list[LostLabels]:
    """Groups of `groups` (columns of `rows`) that lost entries; rows have household_id, label and probability.

    Expected is what the probabilities say, scaled to the entries of all other rows, so a model that says too much
    everywhere accuses nobody. One household enters in several months: entries count by households.
    """
    watch = watch or load_watch().labels
    entered = rows.filter(pl.col("label") == 1)
    if entered.is_empty():
        return []
    repeats = entered.height / entered["household_id"].n_unique()
    tables = [(group, _table(rows, group)) for group in groups if group in rows.columns]
    tests = sum(table.height for _, table in tables)
    found = [
        one
        for group, table in tables
        for row in table.iter_rows(named=True)
        if (one := _verdict(group, row, table, repeats, tests, watch)) is not None
    ]
    return sorted(found, key=lambda one: (one.chance, one.group, one.value))


def _table(rows: pl.DataFrame, group: str) -> pl.DataFrame:
    table = rows.filter(pl.col(group).is_not_null()).group_by(pl.col(group).cast(pl.String).alias("value"))
    return table.agg(pl.col("label").sum().alias("entries"), pl.col("probability").sum().alias("told")).sort("value")


def _verdict(
    group: str, row: dict[str, Any], table: pl.DataFrame, repeats: float, tests: int, watch: Labels
) -> LostLabels | None:
    entries, told = float(row["entries"]), float(row["told"])
    other_entries, other_told = float(table["entries"].sum()) - entries, float(table["told"].sum()) - told
    if not told or not other_told or not other_entries:
        return None
    expected = told * other_entries / other_told
    # Given all entries of the city, how many fall to the group is binomial.
    share = told / (told + other_told)
    total = round((entries + other_entries) / repeats)
    chance = min(1.0, float(binom.cdf(round(entries / repeats), total, share)) * tests)
    lost = (
        entries / expected < watch.ratio and chance < watch.significance and expected / repeats >= watch.least_expected
    )
    return LostLabels(group, str(row["value"]), entries, expected, entries / expected, chance) if lost else None


def reliability(rows: pl.DataFrame, bins: int | None = None) -> list[dict[str, float]]:
    """Probability told and share that entered, in bins of equal numbers of rows, the lowest first."""
    bins = bins or load_watch().calibration.bins
    known = rows.filter(pl.col("probability").is_not_null() & pl.col("label").is_not_null())
    if known.is_empty():
        return []
    ordered = known.sort("probability", "household_id", "month")
    told, came = (ordered[name].cast(pl.Float64).to_numpy() for name in ("probability", "label"))
    starts = [*bin_starts(len(told), bins).tolist(), len(told)]
    return [
        {"told": float(told[low:high].mean()), "came": float(came[low:high].mean()), "rows": high - low}
        for low, high in itertools.pairwise(starts)
    ]


def calibration_line(label: Vector, probability: Vector) -> tuple[float, float]:
    """Ratio of entries to what was told, and the slope of the outcome on log-odds told; nan where nothing entered.

    1 and 1 are right; a slope below 1 says that probabilities are too extreme.
    """
    if not len(label) or not label.sum() or not probability.sum():
        return float("nan"), float("nan")
    odds = np.log(np.clip(probability, 1e-6, 1 - 1e-6) / (1 - np.clip(probability, 1e-6, 1 - 1e-6)))
    return float(label.sum() / probability.sum()), _slope(label, odds)


def _slope(label: Vector, odds: Vector) -> float:
    """Newton's steps for a logistic line; nan where told is the same everywhere."""
    if float(odds.std()) < 1e-9:
        return float("nan")
    design = np.column_stack([np.ones(len(odds)), odds])
    line = np.array([0.0, 1.0])
    for _ in range(50):
        mean = 1 / (1 + np.exp(-(design @ line)))
        weight = np.maximum(mean * (1 - mean), 1e-12)
        step = np.linalg.solve(design.T @ (design * weight[:, None]) + 1e-9 * np.eye(2), design.T @ (label - mean))
        line = line + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-8:
            break
    return float(line[1])


def lost_figures(found: Sequence[LostLabels]) -> list[dict[str, Any]]:
    """For JSON, with the kind of the finding."""
    return [{"kind": LOST_LABELS, **asdict(one)} for one in found]
