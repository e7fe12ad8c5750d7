"""What all kinds of risk model share: a score that is a base value plus one contribution a column.

Belongs here: the promise and what follows from it. Not here: any way of learning (`ml.estimator`, `ml.spline`,
`ml.boosted`, `ml.blend`).
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from ml.columns import Flags, Matrix, matrix_of

Vector = npt.NDArray[np.float64]


class AdditiveModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """What all kinds share: raw score = baseline_ + row sum of explain(X), by definition and to the last bit."""

    baseline_: float
    classes_: npt.NDArray[np.int64]
    n_features_in_: int

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from an (n, p) table and 0/1 labels."""
        raise NotImplementedError

    def explain(self, X: Any, dead: Flags | None = None) -> Matrix:  # noqa: N803
        """Contribution of each feature to each row's raw score, (n, p), centred on the training rows.

        Columns flagged in `dead` (their feed sent nothing) contribute nothing, for any row.
        """
        matrix = matrix_of(X)
        if matrix.shape[1] != self.n_features_in_:
            raise ValueError(f"{matrix.shape[1]} columns, fitted on {self.n_features_in_}")
        parts = self._contributions(matrix)
        if dead is not None:
            parts[:, dead] = 0.0
        return parts

    def decision_function(self, X: Any) -> Vector:  # noqa: N803
        """Raw score of each row: log-odds, or points for the rules."""
        return np.asarray(self.baseline_ + self.explain(X).sum(axis=1))

    def predict_proba(self, X: Any) -> Matrix:  # noqa: N803
        """Uncalibrated probabilities, (n, 2)."""
        positive = 1.0 / (1.0 + np.exp(-self.decision_function(X)))
        return np.column_stack([1.0 - positive, positive])

    def predict(self, X: Any) -> npt.NDArray[np.int64]:  # noqa: N803
        """1 where the uncalibrated probability is a half or more."""
        return (self.decision_function(X) >= 0).astype(np.int64)

    def _contributions(self, matrix: Matrix) -> Matrix:
        raise NotImplementedError


def checked(table: Any, y: Any, sample_weight: Any) -> tuple[Matrix, Vector, Vector]:
    """Matrix, 0/1 labels and weights to learn from; raises ValueError where only one class is present."""
    matrix = matrix_of(table)
    labels = np.asarray(y, dtype=np.float64)
    weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if len(np.unique(labels)) < 2:
        raise ValueError("labels of one class only: nothing can be learnt")
    return matrix, labels, weights
