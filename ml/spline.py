"""Penalised logistic regression on piecewise linear splines: smooth, monotone where asked, exact by construction.

Belongs here: the basis and its fit. Not here: other kinds, choosing the penalty.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ml.additive import AdditiveModel, Vector, checked
from ml.columns import Matrix, signed_log
from ml.minimise import Bound, minimise

Small = npt.NDArray[np.float32]
MOST_CATEGORIES = 40
ROWS_AT_ONCE = 20_000  # explained together: the design is many times as wide as the table


class SplineRiskClassifier(AdditiveModel):
    """Each number gives a line and ramps between `knots` quantiles, a missing flag, each category a flag of its own.

    A ramp rises from 0 to 1 between two knots, so coefficients of one sign make the whole curve monotone, and beyond
    the last knot it stays level. l2 is the penalty on standardised columns, bend the multiple of it on ramps.
    """

    def __init__(
        self,
        l2: float = 1.0,
        bend: float = 4.0,
        knots: int = 6,
        directions: Sequence[int] | None = None,
        log_scale: Sequence[bool] | None = None,
        categorical: Sequence[bool] | None = None,
    ) -> None:
        self.l2 = l2
        self.bend = bend
        self.knots = knots
        self.directions = directions
        self.log_scale = log_scale
        self.categorical = categorical

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from an (n, p) table and 0/1 labels; raises ValueError where only one class is present."""
        matrix, labels, weights = checked(X, y, sample_weight)
        self.n_features_in_ = matrix.shape[1]
        self.classes_ = np.array([0, 1])
        scaled = self._scaled(matrix)
        self._lay_out(scaled, weights)
        design = self._design(scaled)
        self.mean_ = (weights @ design / weights.sum()).astype(np.float64)
        spread = np.sqrt(np.maximum(weights @ design**2 / weights.sum() - self.mean_**2, 0.0))
        self.spread_ = np.where(spread > 1e-6, spread, np.inf)
        design -= self.mean_.astype(np.float32)
        design /= self.spread_.astype(np.float32)
        self._solve(design, labels, weights)
        return self

    def _scaled(self, matrix: Matrix) -> Matrix:
        if self.log_scale is None:
            return matrix
        return np.where(np.asarray(self.log_scale, dtype=bool), signed_log(matrix), matrix)

    def _lay_out(self, scaled: Matrix, weights: Vector) -> None:
        """Which basis columns there are: (feature, kind, from, to); kind 0 line, 1 ramp, 2 missing, 3 category."""
        rows: list[tuple[float, float, float, float]] = []
        categorical = np.zeros(scaled.shape[1], bool) if self.categorical is None else np.asarray(self.categorical)
        self.centre_, self.width_ = np.zeros(scaled.shape[1]), np.ones(scaled.shape[1])
        for place in range(scaled.shape[1]):
            column = scaled[:, place]
            missing = np.isnan(column)
            present, weight = column[~missing], weights[~missing]
            if 0 < len(present) < len(column):
                rows.append((place, 2, 0.0, 0.0))
            if categorical[place]:
                values, counts = np.unique(present, return_counts=True)
                frequent = values[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
                rows += [(place, 3, float(value), float(value)) for value in np.sort(frequent)]
            elif len(present) and present.min() < present.max() and weight.sum() > 0:
                self.centre_[place] = np.average(present, weights=weight)
                width = np.sqrt(np.average((present - self.centre_[place]) ** 2, weights=weight))
                self.width_[place] = width if width > 0 else 1.0
                rows.append((place, 0, 0.0, 0.0))
                rows += [(place, 1, start, end) for start, end in _ramps(present, self.knots)]
        self.layout_ = np.array(rows, dtype=np.float64).reshape(-1, 4)
        self.typical_ = np.array([_height(scaled[:, int(place)], *way) for place, *way in rows])

    def _design(self, scaled: Matrix) -> Small:
        design = np.zeros((len(scaled), len(self.layout_)), dtype=np.float32, order="F")
        for target, (place, kind, start, end) in enumerate(self.layout_):
            column = scaled[:, int(place)]
            missing = np.isnan(column)
            if kind == 0:
                standard = (column - self.centre_[int(place)]) / self.width_[int(place)]
                value = np.where(missing, 0.0, np.clip(standard, -6.0, 6.0))
            elif kind == 1:
                # A missing value stands where the ramp is on average: nothing but its own flag moves the score.
                ramp = np.clip((column - start) / (end - start), 0.0, 1.0)
                value = np.where(missing, self.typical_[target], ramp)
            else:
                value = missing if kind == 2 else column == start
            design[:, target] = value
        return design

    def _solve(self, design: Small, labels: Vector, weights: Vector) -> None:
        """Bounded and penalised maximum likelihood; weights keep the number of observations."""
        place, kind = self.layout_[:, 0].astype(int), self.layout_[:, 1]
        directions = np.zeros(self.n_features_in_) if self.directions is None else np.asarray(self.directions)
        signs = np.where(kind <= 1, directions[place], 0)
        bounds: list[Bound] = [(None, None)]
        bounds += [(0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in signs]
        penalty = self.l2 * np.where(kind == 1, self.bend, 1.0)
        share = float(labels @ weights / weights.sum())
        start = np.zeros(1 + len(place))
        start[0] = np.log(share / (1.0 - share))
        total = weights.sum()

        def loss(beta: Vector) -> tuple[float, Vector]:
            raw = beta[0] + (design @ beta[1:].astype(np.float32)).astype(np.float64)
            value = weights @ (np.logaddexp(0.0, raw) - labels * raw) + 0.5 * penalty @ beta[1:] ** 2
            residual = weights * (1.0 / (1.0 + np.exp(-raw)) - labels)
            inner = (residual.astype(np.float32) @ design).astype(np.float64) + penalty * beta[1:]
            return float(value / total), np.concatenate([[residual.sum()], inner]) / total

        found = minimise(loss, start, bounds, tolerance=1e-9, most=300)
        self.baseline_ = float(found[0])
        self.coefficients_ = np.where(np.isfinite(self.spread_), found[1:], 0.0)

    def _contributions(self, matrix: Matrix) -> Matrix:
        parts = np.zeros((len(matrix), self.n_features_in_))
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            design = self._design(self._scaled(matrix[rows]))
            for target, place in enumerate(self.layout_[:, 0].astype(int)):
                if self.coefficients_[target]:
                    standard = (design[:, target] - self.mean_[target]) / self.spread_[target]
                    parts[rows, place] += standard * self.coefficients_[target]
        return parts


def _height(column: Vector, kind: float, start: float, end: float) -> float:
    """Where a ramp is on average over the values that are there."""
    present = column[~np.isnan(column)]
    return float(np.clip((present - start) / (end - start), 0.0, 1.0).mean()) if kind == 1 and len(present) else 0.0


def _ramps(present: Vector, knots: int) -> list[tuple[float, float]]:
    """Neighbouring quantiles as ramps; few values: a ramp between each two; half of the knots follow the values."""
    if knots < 2:
        return []
    values = np.unique(present)
    if len(values) <= 2:
        return []
    if len(values) <= knots:
        points = values
    else:
        inside = np.linspace(0.02, 0.98, knots)
        points = np.unique(np.concatenate([np.quantile(present, inside), np.quantile(values, [0.5, 0.9])]))
    return [(float(start), float(end)) for start, end in pairwise(points) if end > start]
