"""One rolling origin: learn what could be known at an as-of month, score that month's whole cohort, judge it later."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.additive import AdditiveModel
from ml.candidate import estimator_of
from ml.cohort import Source, label, lazy
from ml.columns import dead_columns, feature_matrix
from ml.experiment import Experiment
from ml.metrics import within_capacity
from ml.sample import Sample, without
from ml.splits import Origin

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What every fold shares: where features are, the known events, the embargo, the sample and what was excluded."""

    features: Source
    events: pl.DataFrame = field(repr=False)
    cohort: pl.DataFrame = field(repr=False)
    sample: Sample
    experiment: Experiment
    embargo: int
    excluded: tuple[str, ...]


@dataclass(frozen=True)
class Fold:
    """An origin, its fitted estimators by kind, and its month's cohort with score_<kind> and listed_<kind>."""

    origin: Origin
    estimators: Mapping[str, AdditiveModel] = field(repr=False)
    rows: pl.DataFrame = field(repr=False)
    learnt_rows: int
    learnt_positives: int


def fit_at(world: World, kind: str, as_of: date, learn_until: date) -> tuple[AdditiveModel, int, int] | None:
    """Fit one kind on the labels known at `as_of` of months up to `learn_until`; with rows and entries learnt from.

    None where those labels hold one class only.
    """
    matrix, labels, weights = _known_labels(world, as_of, learn_until)
    candidate = next(entry for entry in world.experiment.candidates if entry.kind == kind)
    estimator = estimator_of(candidate, world.experiment, world.excluded)
    if kind != "rules" and len(np.unique(labels)) < 2:
        return None
    fitted = estimator.fit(matrix, labels, sample_weight=weights)
    return fitted, len(labels), int(labels.sum())


def _known_labels(world: World, as_of: date, learn_until: date) -> tuple[Vector, Vector, Vector]:
    inside = world.sample.until(learn_until)
    rows = world.sample.rows.filter(pl.Series(inside)).drop("outcome", "label")
    known = label(rows, world.events, world.experiment, as_of, world.embargo)["label"]
    values = known.cast(pl.Float64).to_numpy()
    every = np.full(len(inside), np.nan)
    every[inside] = values
    weight = world.sample.weights(every)
    kept = inside & np.isfinite(every) & (weight > 0)
    matrix = without(world.sample.matrix[kept], world.experiment, world.excluded)
    return matrix, every[kept], weight[kept]


def run_fold(world: World, origin: Origin) -> Fold | None:
    """Fit every candidate as of the origin and let it score the origin's month; None where nothing could be learnt."""
    fitted = {
        candidate.kind: fit_at(world, candidate.kind, origin.month, origin.learn_until)
        for candidate in world.experiment.candidates
    }
    if any(found is None for found in fitted.values()):
        return None
    known = {kind: found for kind, found in fitted.items() if found is not None}
    rows = score_cohort(world, origin.month, {kind: found[0] for kind, found in known.items()})
    _, learnt, positives = next(iter(known.values()))
    return Fold(origin, {kind: found[0] for kind, found in known.items()}, rows, learnt, positives)


def score_cohort(world: World, month: date, estimators: Mapping[str, AdditiveModel]) -> pl.DataFrame:
    """The cohort of a month with score_<kind> and listed_<kind> of each estimator."""
    rows = world.cohort.filter(pl.col("month") == month)
    source = lazy(world.features).filter(pl.col("month") == month)
    columns = [name for name in world.experiment.feature_names if name in source.collect_schema().names()]
    table = (
        rows.lazy()
        .select("household_id")
        .join(source.select("household_id", *columns), on="household_id", how="left", maintain_order="left")
    )
    matrix = without(feature_matrix(table.collect(), world.experiment.feature_names), world.experiment, world.excluded)
    dead = dead_columns(matrix)
    for kind, estimator in estimators.items():
        score = estimator.baseline_ + estimator.explain(matrix, dead=dead).sum(axis=1)
        rows = rows.with_columns(pl.Series(f"score_{kind}", score))
        rows = rows.with_columns(pl.Series(f"listed_{kind}", within_capacity(rows, f"score_{kind}")))
    return rows


def matured(folds: Collection[Fold], as_of: date) -> list[Fold]:
    """The folds whose outcome was known at an as-of month."""
    return [fold for fold in folds if fold.origin.matures <= as_of]


def outcomes(world: World, folds: Collection[Fold], as_of: date) -> pl.DataFrame:
    """The labelled rows of folds, stacked, with `label` as known at the as-of month."""
    if not folds:
        return pl.DataFrame(schema={"label": pl.Int8})
    stacked = pl.concat(
        [
            fold.rows.with_columns((pl.col("capacity") / pl.len()).over("month", "township_code").alias("chance"))
            for fold in folds
        ]
    )
    return label(stacked, world.events, world.experiment, as_of, world.embargo).filter(pl.col("label").is_not_null())
