"""The rows a model learns from: case-control sample of labelled household-months with known weights, as a matrix."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.metrics import roc_auc_score

from ml.cohort import KEY, Source, lazy
from ml.columns import Matrix, feature_matrix
from ml.experiment import Experiment

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Sampled cohort rows (sorted by month, household), their features and the rate at which others were kept.

    A row without a known entry weighs 1 / rate where it was drawn; entries are all kept and weigh 1.
    """

    rows: pl.DataFrame
    matrix: Matrix = field(repr=False)
    rate: float

    def until(self, month: date) -> npt.NDArray[np.bool_]:
        return (self.rows["month"] <= month).to_numpy()

    def weights(self, label: Vector) -> Vector:
        """Weights for labels as known at some earlier month: an entry not known then counts as drawn, or not at all."""
        drawn = self.rows["is_drawn"].to_numpy()
        return np.where(label == 1, 1.0, np.where(drawn, 1.0 / self.rate, 0.0))


def draw_sample(features: Source, labelled: pl.DataFrame, experiment: Experiment) -> Sample:
    """Keep every entry and a random share of the other labelled rows, and read their features.

    `labelled` is the cohort with `label`, sorted by month and household; the draw depends on the seed alone.
    """
    usable = labelled.filter(pl.col("outcome") != "unmatured")
    positives = usable.filter(pl.col("label") == 1).height
    others = usable.height - positives
    limits = experiment.sampling
    wanted = min(max(positives * limits.negatives_per_positive, limits.least_rows), limits.most_rows)
    rate = min(1.0, wanted / others) if others else 1.0
    drawn = np.random.default_rng(experiment.seed).random(usable.height) < rate
    kept = usable.with_columns(pl.Series("is_drawn", drawn)).filter(pl.col("is_drawn") | (pl.col("label") == 1))
    columns = lazy(features).collect_schema().names()
    wanted_columns = [name for name in experiment.feature_names if name in columns]
    source = lazy(features).select(*KEY, *wanted_columns)
    rows = kept.lazy().join(source, on=list(KEY), how="left").sort("month", "household_id").collect()
    matrix = feature_matrix(rows, experiment.feature_names)
    return Sample(rows.select(kept.columns), matrix, rate)


def silent_features(features: Source, month: date, experiment: Experiment) -> tuple[str, ...]:
    """Features without a single value in a month: their feed was silent, or the table does not have them."""
    rows = lazy(features).filter(pl.col("month") == month)
    known = [name for name in experiment.feature_names if name in rows.collect_schema().names()]
    counts = rows.select(pl.col(known).count()).collect().row(0, named=True) if known else {}
    return tuple(name for name in experiment.feature_names if not counts.get(name))


def without(matrix: Matrix, experiment: Experiment, excluded: Collection[str]) -> Matrix:
    """The matrix with the excluded features emptied: no estimator learns from an empty column."""
    if not excluded:
        return matrix
    emptied = matrix.copy()
    emptied[:, [name in excluded for name in experiment.feature_names]] = np.nan
    return emptied


def find_leaks(sample: Sample, experiment: Experiment) -> tuple[str, ...]:
    """Features that alone rank the entries too well to have been known before them.

    A column copied from the outcome, or filled in after it, shows here whatever the model; needs enough entries.
    """
    label = sample.rows["label"].to_numpy(allow_copy=True)
    known = sample.rows["label"].is_not_null().to_numpy()
    positive = np.asarray(label == 1, dtype=float)
    if positive.sum() < experiment.leak.min_positives or positive[known].all():
        return ()
    found = []
    for place, name in enumerate(experiment.feature_names):
        column = sample.matrix[known, place]
        if np.isnan(column).all():
            continue
        # Missing is its own value below all others: a leak may lie in what is missing, too.
        value = np.where(np.isnan(column), np.nanmin(column) - 1.0, column)
        area = float(roc_auc_score(positive[known], value))
        if max(area, 1.0 - area) >= experiment.leak.auc:
            found.append(name)
    return tuple(found)
