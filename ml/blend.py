"""A weighted mean of the scores of fitted kinds; as exact as its members. Not here: choosing members or shares."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ml.additive import AdditiveModel, Vector
from ml.columns import Matrix, matrix_of


class BlendRiskClassifier(AdditiveModel):
    """Mean of the members' log-odds: where a smooth curve and steps err differently, their mean errs less."""

    def __init__(self, members: Sequence[AdditiveModel] = (), shares: Sequence[float] | None = None) -> None:
        self.members = members
        self.shares = shares

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Fit every member on the same rows."""
        matrix = matrix_of(X)
        return self.of([member.fit(matrix, y, sample_weight=sample_weight) for member in self.members])

    def of(self, fitted: Sequence[AdditiveModel]) -> Self:
        """Take members that are fitted already."""
        self.members = list(fitted)
        self.n_features_in_ = fitted[0].n_features_in_
        self.classes_ = np.array([0, 1])
        self.baseline_ = float(sum(w * one.baseline_ for w, one in zip(self._shares(), fitted, strict=True)))
        return self

    def _shares(self) -> list[float]:
        return [1.0 / len(self.members)] * len(self.members) if self.shares is None else list(self.shares)

    def decision_function(self, X: Any) -> Vector:  # noqa: N803
        """Mean of the members' raw scores."""
        scores = [w * one.decision_function(X) for w, one in zip(self._shares(), self.members, strict=True)]
        return np.asarray(sum(scores))

    def _contributions(self, matrix: Matrix) -> Matrix:
        parts = [w * one._contributions(matrix) for w, one in zip(self._shares(), self.members, strict=True)]
        return np.asarray(sum(parts))
