"""Which candidate speaks: recall at township capacity over the origins, the simpler one within one standard error."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.calibration import ScoreCalibrator
from ml.experiment import Experiment
from ml.folds import Fold, World, matured, outcomes
from ml.metrics import (
    Estimate,
    estimate,
    household_weights,
    list_metrics,
    precision_recall,
    probability_metrics,
    random_list,
    recall_replicates,
)
from ml.ranking import ranking_metrics

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """The kind chosen, and for each kind its recall at capacity and how far (with error) it lies behind the best."""

    kind: str
    best: str
    recall: dict[str, float]
    behind: dict[str, tuple[float, float]]


def choose(rows: pl.DataFrame, experiment: Experiment) -> Verdict | None:
    """Judge the kinds on pooled labelled rows of matured origins; None where no entry was there to be found.

    The standard error is that of the difference to the best, resampling households: both lists face the same draws.
    """
    if rows.is_empty() or rows["label"].sum() == 0:
        return None
    kinds = [candidate.kind for candidate in experiment.candidates]
    label = _floats(rows, "label")
    weights = household_weights(rows, experiment.validation.bootstrap_replicates, experiment.seed)
    listed = {kind: _floats(rows, f"listed_{kind}") for kind in kinds}
    ones = np.ones(len(label))
    recall = {kind: precision_recall(label, listed[kind], ones)[1] for kind in kinds}
    best = max(kinds, key=lambda kind: recall[kind])
    replicates = {kind: recall_replicates(label, listed[kind], weights) for kind in kinds}
    behind = {
        kind: (recall[best] - recall[kind], float(np.nanstd(replicates[best] - replicates[kind]))) for kind in kinds
    }
    chosen = next(kind for kind in kinds if behind[kind][0] <= behind[kind][1])
    return Verdict(chosen, best, recall, behind)


def calibrator_of(rows: pl.DataFrame, kind: str, experiment: Experiment) -> ScoreCalibrator | None:
    """Calibrate a kind on the newest labelled months of out-of-time scores; None where there is nothing to learn."""
    if rows.is_empty():
        return None
    newest = sorted(rows["month"].unique().to_list())[-experiment.calibration.slices :]
    recent = rows.filter(pl.col("month").is_in(newest))
    calibrator = ScoreCalibrator(experiment.calibration.isotonic_min_positives)
    return calibrator.fit(_floats(recent, f"score_{kind}"), _floats(recent, "label"))


def calibrated_rows(world: World, folds: list[Fold], rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Labelled rows with the probability a calibrator could have given at their own month: only from folds that had
    matured by then. Months before any fold matured fall away."""
    parts = []
    for fold in folds:
        earlier = outcomes(world, matured(folds, fold.origin.month), fold.origin.month)
        calibrator = calibrator_of(earlier, kind, world.experiment)
        own = rows.filter(pl.col("month") == fold.origin.month)
        if calibrator is not None and not own.is_empty():
            parts.append(own.with_columns(pl.Series("probability", calibrator.predict(_floats(own, f"score_{kind}")))))
    return pl.concat(parts) if parts else rows.clear().with_columns(pl.lit(0.0).alias("probability"))


def measure(world: World, folds: list[Fold], rows: pl.DataFrame) -> dict[str, dict[str, Estimate]]:
    """All metrics of all candidates and of a random list, on the pooled labelled rows of the origins."""
    validation = world.experiment.validation
    label = _floats(rows, "label")
    weights = household_weights(rows, validation.bootstrap_replicates, world.experiment.seed)
    found: dict[str, dict[str, Estimate]] = {}
    for candidate in world.experiment.candidates:
        kind = candidate.kind
        figures = list_metrics(label, _floats(rows, f"score_{kind}"), _floats(rows, f"listed_{kind}"), weights)
        figures |= ranking_metrics(rows, f"score_{kind}", weights)
        shown = calibrated_rows(world, folds, rows, kind)
        drawn = household_weights(shown, validation.bootstrap_replicates, world.experiment.seed)
        probability = _floats(shown, "probability")
        figures |= probability_metrics(_floats(shown, "label"), probability, validation.calibration_bins, drawn)
        found[kind] = figures
    found["random"] = _random(label, _floats(rows, "chance"))
    return found


def _random(label: Vector, chance: Vector) -> dict[str, Estimate]:
    precision, recall = random_list(label, chance)
    nothing: Any = np.empty(0)
    base = float(label.mean()) if len(label) else float("nan")
    return {
        "precision_at_capacity": estimate(precision, nothing),
        "recall_at_capacity": estimate(recall, nothing),
        "lift_at_capacity": estimate(precision / base if base else float("nan"), nothing),
        "pr_auc": estimate(base, nothing),
    }


def _floats(rows: pl.DataFrame, column: str) -> Vector:
    return rows[column].cast(pl.Float64).to_numpy()
