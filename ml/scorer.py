"""What is kept of a training: one estimator, its calibrator, and the months for which they may speak."""

from datetime import date

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator

from ml.additive import AdditiveModel
from ml.calibration import ScoreCalibrator
from ml.columns import dead_columns, feature_matrix
from ml.experiment import Experiment
from ml.reasons import reason_codes

SCORE_SCHEMA = {
    "month": pl.Date,
    "household_id": pl.String,
    "score": pl.Float64,
    "probability": pl.Float64,
    "rank_in_township": pl.Int32,
    "reason_codes": pl.String,
    "model_version": pl.String,
    "basis": pl.String,
}


class Scorer(BaseEstimator):  # type: ignore[misc]
    """A fitted candidate as of a month. basis is 'rules' where no model speaks; no calibrator, no probability."""

    def __init__(
        self,
        model_version: str,
        basis: str,
        as_of_month: str,
        estimator: AdditiveModel,
        calibrator: ScoreCalibrator | None = None,
    ) -> None:
        self.model_version = model_version
        self.basis = basis
        self.as_of_month = as_of_month
        self.estimator = estimator
        self.calibrator = calibrator

    @property
    def month(self) -> date:
        return date.fromisoformat(self.as_of_month)

    def score_month(self, rows: pl.DataFrame, experiment: Experiment) -> pl.DataFrame:
        """household_score rows for feature rows of one month; a column that is entirely missing contributes nothing."""
        if rows.is_empty():
            return pl.DataFrame(schema=SCORE_SCHEMA)
        matrix = feature_matrix(rows, experiment.feature_names)
        parts = self.estimator.explain(matrix, dead=dead_columns(matrix))
        score = self.estimator.baseline_ + parts.sum(axis=1)
        unknown = np.full(len(score), np.nan)
        probability = unknown if self.calibrator is None else self.calibrator.predict(score)
        scored = rows.select("month", "household_id", "township_code").with_columns(
            pl.Series("score", score),
            pl.Series("probability", probability),
            reason_codes(parts, experiment),
            model_version=pl.lit(self.model_version),
            basis=pl.lit(self.basis),
        )
        rank = pl.struct(-pl.col("score"), "household_id").rank("ordinal").over("township_code").cast(pl.Int32)
        return scored.with_columns(rank_in_township=rank).select(
            pl.col(name).fill_nan(None).cast(kind) if kind == pl.Float64 else pl.col(name).cast(kind)
            for name, kind in SCORE_SCHEMA.items()
        )
