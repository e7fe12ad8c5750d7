"""From contributions of features to the few reasons a caseworker reads; no wording, that is models/labels/ml.yaml."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from ml.columns import Matrix
from ml.experiment import Experiment

LABEL_KEY = "ml.reason.{code}"


def reason_contributions(parts: Matrix, experiment: Experiment) -> Matrix:
    """(n, reasons): contributions summed within each reason, in the order of experiment.reason_codes."""
    places = {code: place for place, code in enumerate(experiment.reason_codes)}
    membership = np.zeros((len(experiment.features), len(places)))
    for row, feature in enumerate(experiment.features):
        membership[row, places[feature.reason]] = 1.0
    return np.asarray(parts @ membership)


def reason_codes(parts: Matrix, experiment: Experiment) -> pl.Series:
    """The strongest risk-raising reasons of each row as a JSON list, strongest first; [] where none does."""
    grouped = reason_contributions(parts, experiment)
    top = min(experiment.reasons.top, grouped.shape[1])
    order = np.argsort(-grouped, axis=1, kind="stable")[:, :top]
    strength = np.take_along_axis(grouped, order, axis=1)
    names = np.array(experiment.reason_codes)[order]
    columns = {
        f"reason_{place}": pl.Series(names[:, place]).set(
            pl.Series(strength[:, place] < experiment.reasons.least_contribution), None
        )
        for place in range(top)
    }
    return _json_lists(pl.DataFrame(columns), list(columns))


def _json_lists(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    quoted = pl.concat_list([pl.lit('"') + pl.col(name) + pl.lit('"') for name in columns]).list.drop_nulls()
    return frame.select((pl.lit("[") + quoted.list.join(", ") + pl.lit("]")).alias("reason_codes")).to_series()
