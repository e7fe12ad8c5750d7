"""How good a list is: precision and recall at township capacity, lift, PR-AUC, Brier, ECE, with bootstrap intervals.

All functions take one row a household and scored month. Intervals resample households, not rows: the same household
stands in several months.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Vector = npt.NDArray[np.float64]
INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % bootstrap interval; None where nothing could be measured."""

    value: float | None
    low: float | None
    high: float | None


def within_capacity(rows: pl.DataFrame, score: str) -> Vector:
    """1.0 for each row on its township's list of the month: the best `capacity` rows, ties by household_id.

    To be asked of the whole cohort of a month, unlabelled rows included: the list does not know who will be labelled.
    """
    place = pl.struct(-pl.col(score), "household_id").rank("ordinal").over("month", "township_code")
    return rows.select((place <= pl.col("capacity")).cast(pl.Float64)).to_series().to_numpy()


def household_weights(rows: pl.DataFrame, replicates: int, seed: int) -> npt.NDArray[np.int8]:
    """(replicates, n): how often each row's household is drawn; Poisson(1), the limit of the bootstrap."""
    households = rows["household_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    generator = np.random.default_rng(seed)
    count = int(households.max()) + 1 if len(households) else 0
    # One byte a draw: a large city has 600,000 rows, and a draw above 127 does not happen.
    draws = generator.poisson(1.0, size=(replicates, count)).astype(np.int8)
    return np.asarray(draws[:, households])


def precision_recall(label: Vector, listed: Vector, weight: Vector) -> tuple[float, float]:
    """Share of the listed that entered, share of the entered that were listed; nan where the denominator is nought."""
    hit = float((label * listed * weight).sum())
    return _ratio(hit, float((listed * weight).sum())), _ratio(hit, float((label * weight).sum()))


def average_precision(label: Vector, order: npt.NDArray[np.int64], weight: Vector) -> float:
    """Area under the precision-recall steps, given the rows' order by falling score."""
    hits = np.cumsum(label[order] * weight[order])
    seen = np.cumsum(weight[order])
    if not len(hits) or hits[-1] == 0:
        return float("nan")
    precision = hits / np.maximum(seen, 1e-12)
    return float((precision * label[order] * weight[order]).sum() / hits[-1])


def random_list(label: Vector, chance: Vector) -> tuple[float, float]:
    """Expected precision and recall of a list drawn at random; `chance` is capacity / households of the township."""
    hit = float((label * chance).sum())
    return _ratio(hit, float(chance.sum())), _ratio(hit, float(label.sum()))


def calibration_error(label: Vector, probability: Vector, bins: int) -> float:
    """Expected calibration error: mean gap of stated and observed share, over bins of equal numbers of rows."""
    if not len(label):
        return float("nan")
    order = np.argsort(probability, kind="stable")
    gap, starts = (label - probability)[order], bin_starts(len(label), bins)
    return _mean_gap(gap, np.ones(len(gap)), starts)


def bin_starts(rows: int, bins: int) -> npt.NDArray[np.int64]:
    """First positions of bins of equal numbers of sorted rows."""
    return np.unique(np.arange(min(bins, rows)) * rows // min(bins, rows))


def _mean_gap(gap: Vector, weight: Vector, starts: npt.NDArray[np.int64]) -> float:
    return _ratio(float(np.abs(np.add.reduceat(gap * weight, starts)).sum()), float(weight.sum()))


def list_metrics(label: Vector, score: Vector, listed: Vector, weights: npt.NDArray[np.int8]) -> dict[str, Estimate]:
    """Precision, recall and lift at capacity and PR-AUC of one candidate on labelled rows, with intervals."""
    order = np.argsort(-score, kind="stable")

    def measured(weight: Vector) -> tuple[float, ...]:
        precision, recall = precision_recall(label, listed, weight)
        base = _ratio(float((label * weight).sum()), float(weight.sum()))
        return precision, recall, _ratio(precision, base), average_precision(label, order, weight)

    point = measured(np.ones(len(label)))
    replicates = np.array([measured(weight.astype(float)) for weight in weights]).reshape(-1, 4)
    names = ("precision_at_capacity", "recall_at_capacity", "lift_at_capacity", "pr_auc")
    return {name: estimate(point[place], replicates[:, place]) for place, name in enumerate(names)}


def probability_metrics(
    label: Vector, probability: Vector, bins: int, weights: npt.NDArray[np.int8]
) -> dict[str, Estimate]:
    """Brier score and expected calibration error of calibrated probabilities, with intervals."""
    if not len(label):
        unknown = estimate(float("nan"), np.empty(0))
        return {"brier": unknown, "ece": unknown}
    order = np.argsort(probability, kind="stable")
    gap, starts = (label - probability)[order], bin_starts(len(label), bins)
    brier = [_ratio(float(weight[order] @ gap**2), float(weight.sum())) for weight in weights]
    error = [_mean_gap(gap, weight[order].astype(float), starts) for weight in weights]
    return {
        "brier": estimate(float((gap**2).mean()), np.array(brier)),
        "ece": estimate(calibration_error(label, probability, bins), np.array(error)),
    }


def recall_replicates(label: Vector, listed: Vector, weights: npt.NDArray[np.int8]) -> Vector:
    """Recall at capacity in every bootstrap replicate: the same draws for all candidates, so differences are paired."""
    entered = label == 1  # only they count, and they are few
    drawn = weights[:, entered].astype(float)
    total = drawn.sum(axis=1)
    return np.asarray(np.divide(drawn @ listed[entered], total, out=np.full(len(drawn), np.nan), where=total > 0))


def estimate(value: float, replicates: Vector) -> Estimate:
    """Point and interval; nan becomes None, so that JSON stays JSON."""
    finite = replicates[np.isfinite(replicates)] if len(replicates) else replicates
    low, high = np.percentile(finite, INTERVAL) if len(finite) else (np.nan, np.nan)
    return Estimate(*(float(x) if np.isfinite(x) else None for x in (value, low, high)))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
