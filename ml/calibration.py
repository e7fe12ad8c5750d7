"""From raw score to the probability shown: monotone, fitted on matured out-of-time scores; never used for ranking."""

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.isotonic import IsotonicRegression

from ml.minimise import minimise

Vector = npt.NDArray[np.float64]


class ScoreCalibrator(BaseEstimator):  # type: ignore[misc]
    """Two parameters while entries are few, isotonic steps from `isotonic_min_positives` on.

    Isotonic steps put many households on one probability: that is why ranks come from the raw score.
    """

    def __init__(self, isotonic_min_positives: int = 200) -> None:
        self.isotonic_min_positives = isotonic_min_positives

    def fit(self, score: Vector, label: Vector) -> Self:
        """Learn from raw scores and 0/1 outcomes of rows the model had not seen."""
        score, label = np.asarray(score, dtype=float), np.asarray(label, dtype=float)
        self.base_rate_ = float((label.sum() + 0.5) / (len(label) + 1.0))
        if label.sum() >= self.isotonic_min_positives:
            steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(score, label)
            self.method_ = "isotonic"
            self.knots_ = np.asarray(steps.X_thresholds_, dtype=float)
            self.values_ = np.asarray(steps.y_thresholds_, dtype=float)
        else:
            self.method_ = "platt"
            self.centre_ = float(score.mean()) if len(score) else 0.0
            self.spread_ = float(score.std()) or 1.0
            self.intercept_, self.slope_ = self._line(score, label)
        return self

    def _line(self, score: Vector, label: Vector) -> tuple[float, float]:
        """Logistic line with a slope of nought or more; a weak prior towards the base rate keeps rare data finite."""
        standard = (score - self.centre_) / self.spread_
        start = float(np.log(self.base_rate_ / (1 - self.base_rate_)))
        if label.sum() == 0:
            return start, 0.0

        def loss(line: Vector) -> tuple[float, Vector]:
            raw = line[0] + line[1] * standard
            value = (np.logaddexp(0.0, raw) - label * raw).sum() + 0.05 * line[1] ** 2
            residual = 1.0 / (1.0 + np.exp(-raw)) - label
            return float(value), np.array([residual.sum(), residual @ standard + 0.1 * line[1]])

        intercept, slope = minimise(loss, np.array([start, 0.5]), [(None, None), (0.0, None)])
        return float(intercept), float(slope)

    def predict(self, score: Vector) -> npt.NDArray[np.float64]:
        """Calibrated probability of each raw score; never falls when the score rises."""
        score = np.asarray(score, dtype=float)
        if self.method_ == "isotonic":
            return np.asarray(np.interp(score, self.knots_, self.values_))
        line = self.intercept_ + self.slope_ * (score - self.centre_) / self.spread_
        return np.asarray(1.0 / (1.0 + np.exp(-line)))
