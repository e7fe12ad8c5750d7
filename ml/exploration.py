"""What visits by chance teach: how often a household outside of the model's choice is in need all the same.

Belongs here: figures from the two arms of the list and the logged probabilities. Does not belong here: the drawing
itself, which is n30_model_score (the policy parameter n30_exploration_ratio says which share), and training.

On the ranked arm the model chose, so its precision says nothing about whom it passed over. On the random arm chance
chose with a probability that was written down: it speaks for all whom the model passed over.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.cohort import Source, known_events, label, lazy
from ml.experiment import Experiment
from ml.metrics import estimate, household_weights
from ml.watching import load_watch

Vector = npt.NDArray[np.float64]
RANKED, RANDOM = "ranked", "random"
FIGURES = ("ranked_precision", "random_precision", "needed", "recall")


def visited_rows(listed: Source, events: pl.DataFrame, experiment: Experiment, embargo: int) -> pl.DataFrame:
    """The rows of the alert list that the model put there, with their matured label.

    listed: alert_list with selection_arm and selection_probability. Rows without a matured outcome fall away.
    """
    rows = lazy(listed).filter(pl.col("selection_arm").is_not_null())
    columns = ("household_id", "month", "township_code", "selection_arm", "selection_probability")
    chosen = rows.select(*columns).sort("month", "household_id").collect()
    newest: date | None = events.select(pl.col("observed_month").max()).item()
    if chosen.is_empty() or newest is None:
        return chosen.with_columns(label=pl.lit(None, pl.Int8)).clear()
    known = known_events(events, newest)
    return label(chosen, known, experiment, newest, embargo).filter(pl.col("label").is_not_null())


def arm_metrics(rows: pl.DataFrame, replicates: int, seed: int) -> dict[str, Any]:
    """Both arms side by side: precision of each, and by inverse propensity how many were in need and how many of them
    the model's choice found; with bootstrap intervals by household. Empty arms are None.
    """
    values, arm = rows["label"].cast(pl.Float64).to_numpy(), (rows["selection_arm"] == RANDOM).to_numpy()
    inverse = 1.0 / rows["selection_probability"].to_numpy()
    point = _figures(values, arm, inverse, np.ones(len(values)))
    weights = household_weights(rows, replicates, seed) if rows.height else np.empty((0, 0))
    drawn = np.array([_figures(values, arm, inverse, weight.astype(float)) for weight in weights]).reshape(-1, 4)
    counts = {RANKED: int((~arm).sum()), RANDOM: int(arm.sum())}
    return {
        "visits": counts,
        **{name: asdict(estimate(point[at], drawn[:, at])) for at, name in enumerate(FIGURES)},
    }


def _figures(values: Vector, arm: npt.NDArray[np.bool_], inverse: Vector, weight: Vector) -> tuple[float, ...]:
    ranked, chance = weight * ~arm, weight * arm
    # Each speaks for as many as its probability says: the highest ranks for themselves, the random ones for those
    # passed over. Without any random visit nobody speaks for these.
    found = float((values * ranked).sum())
    needed = float((values * weight * inverse).sum()) if chance.sum() else float("nan")
    return (
        _ratio(found, float(ranked.sum())),
        _ratio(float((values * chance).sum()), float(chance.sum())),
        needed,
        _ratio(found, needed),
    )


def training_weights(probability: Vector, cap: float | None = None) -> Vector:
    """Inverse of the logged probabilities, at most `cap` (watch.yaml), with mean 1.

    Full inverse weights let a handful of rows decide: in a trial they lowered AUC from 0.914 to 0.891, capped at 5 they
    were level with none. So training uses none unless `helps` says otherwise.
    """
    cap = load_watch().exploration.weight_cap if cap is None else cap
    weight = np.minimum(1.0 / np.asarray(probability, dtype=float), cap)
    return np.asarray(weight / weight.mean())


def helps(plain: Vector, weighted: Vector) -> bool:
    """Whether weighting is worth it: its recall in bootstrap replicates (paired) lies above by more than one error."""
    difference = np.asarray(weighted) - np.asarray(plain)
    return bool(np.nanmean(difference) > np.nanstd(difference))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
