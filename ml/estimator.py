"""The three kinds of risk model, all exactly additive: the score is the sum of one contribution a feature.

Belongs here: fitting on a matrix and explaining it, in scikit-learn's manner. Not here: where the matrix comes from,
time, calibration, words for reasons.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from ml.columns import Flags, Matrix, matrix_of, signed_log
from ml.minimise import Bound, minimise

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


class RuleListClassifier(AdditiveModel):
    """Points for each rule that holds: what an experienced office does without any model; learns nothing."""

    def __init__(self, rules: Sequence[dict[str, Any]] = (), feature_names: Sequence[str] = ()) -> None:
        self.rules = rules
        self.feature_names = feature_names

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:  # noqa: ARG002, N803
        """Nothing is learnt; the data only says how many columns there are."""
        self.n_features_in_ = matrix_of(X).shape[1]
        self.classes_ = np.array([0, 1])
        self.baseline_ = 0.0
        return self

    def _contributions(self, matrix: Matrix) -> Matrix:
        parts = np.zeros_like(matrix)
        places = {name: place for place, name in enumerate(self.feature_names)}
        for rule in self.rules:
            column = matrix[:, places[rule["feature"]]]
            holds = column >= rule["at_least"] if "at_least" in rule else column <= rule["at_most"]
            parts[:, places[rule["feature"]]] += np.where(holds, float(rule["points"]), 0.0)
        return parts


class LogisticRiskClassifier(AdditiveModel):
    """Penalised logistic regression; imputation and scaling come from the training rows, signs from `directions`.

    Missing values take the training mean plus a flag of their own. l2 is the penalty on standardised coefficients.
    """

    def __init__(
        self, l2: float = 1.0, directions: Sequence[int] | None = None, log_scale: Sequence[bool] | None = None
    ) -> None:
        self.l2 = l2
        self.directions = directions
        self.log_scale = log_scale

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from an (n, p) table and 0/1 labels; raises ValueError where only one class is present."""
        matrix, labels, weights = _checked(X, y, sample_weight)
        self.n_features_in_ = matrix.shape[1]
        self.classes_ = np.array([0, 1])
        scaled = self._scaled(matrix)
        missing = np.isnan(scaled)
        present = np.where(missing, 0.0, weights[:, None])
        total = np.maximum(present.sum(axis=0), 1e-12)
        filled = np.where(missing, 0.0, scaled)
        self.mean_ = (filled * present).sum(axis=0) / total
        spread = np.sqrt((np.where(missing, 0.0, (filled - self.mean_) ** 2) * present).sum(axis=0) / total)
        self.spread_ = np.where(spread > 1e-9, spread, np.inf)  # a constant column contributes nothing
        self.missing_share_ = (missing * weights[:, None]).sum(axis=0) / weights.sum()
        self._solve(self._design(matrix), labels, weights)
        return self

    def _scaled(self, matrix: Matrix) -> Matrix:
        if self.log_scale is None:
            return matrix
        return np.where(np.asarray(self.log_scale, dtype=bool), signed_log(matrix), matrix)

    def _design(self, matrix: Matrix) -> Matrix:
        """Standardised values (limited to 6 spreads, so that no typing error decides) and centred missing flags."""
        scaled = self._scaled(matrix)
        missing = np.isnan(scaled)
        standard = np.where(missing, 0.0, (np.where(missing, 0.0, scaled) - self.mean_) / self.spread_)
        seen_missing = (self.missing_share_ > 0) & (self.missing_share_ < 1)
        flags = np.where(seen_missing, missing - self.missing_share_, 0.0)
        return np.hstack([np.clip(standard, -6.0, 6.0), flags])

    def _solve(self, design: Matrix, labels: Vector, weights: Vector) -> None:
        """Fit the columns that vary; the others keep a coefficient of nought."""
        features = self.n_features_in_
        directions = np.zeros(features) if self.directions is None else np.asarray(self.directions)
        active = np.flatnonzero(design.any(axis=0))
        signs = np.concatenate([directions, np.zeros(features)])[active]
        bounds: list[Bound] = [(None, None)]
        bounds += [(0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in signs]
        design = design[:, active]
        share = float((labels * weights).sum() / weights.sum())
        start = np.zeros(1 + len(active))
        start[0] = np.log(share / (1.0 - share))
        total = weights.sum()

        def loss(beta: Vector) -> tuple[float, Vector]:
            raw = beta[0] + design @ beta[1:]
            value = (weights * (np.logaddexp(0.0, raw) - labels * raw)).sum() + 0.5 * self.l2 * (beta[1:] ** 2).sum()
            residual = weights * (1.0 / (1.0 + np.exp(-raw)) - labels)
            slope = np.concatenate([[residual.sum()], residual @ design + self.l2 * beta[1:]])
            return float(value / total), np.asarray(slope / total)

        found = minimise(loss, start, bounds)
        self.baseline_ = float(found[0])
        self.coefficients_ = np.zeros(2 * features)
        self.coefficients_[active] = found[1:]

    def _contributions(self, matrix: Matrix) -> Matrix:
        weighted = self._design(matrix) * self.coefficients_
        return np.asarray(weighted[:, : self.n_features_in_] + weighted[:, self.n_features_in_ :])


class AdditiveRiskClassifier(AdditiveModel):
    """Boosted trees without interactions, monotone where `directions` say so, kept as one step function a feature.

    The trees learn on our own bins, so after fitting each feature's function is read off bin by bin and the trees are
    thrown away: scoring is a look-up, contributions are exact, and only plain arrays are saved.
    """

    def __init__(
        self,
        directions: Sequence[int] | None = None,
        learning_rate: float = 0.06,
        max_iter: int = 150,
        max_leaf_nodes: int = 6,
        min_samples_leaf: int = 15,
        l2: float = 1.0,
        max_bins: int = 64,
        random_state: int = 0,
    ) -> None:
        self.directions = directions
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2 = l2
        self.max_bins = max_bins
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from an (n, p) table and 0/1 labels; columns that are empty or constant are left out."""
        matrix, labels, weights = _checked(X, y, sample_weight)
        self.n_features_in_ = matrix.shape[1]
        self.classes_ = np.array([0, 1])
        self.edges_ = [_edges(matrix[:, place], self.max_bins) for place in range(matrix.shape[1])]
        codes = self._codes(matrix)
        # scikit-learn raises on a column that is entirely missing; a constant one could not split anyway.
        self.used_ = np.array([bool(len(edges)) for edges in self.edges_])
        trees = self._trees().fit(codes[:, self.used_], labels, sample_weight=weights)
        self._read_off(trees)
        self._centre(codes, weights)
        return self

    def _trees(self) -> HistGradientBoostingClassifier:
        directions = np.zeros(self.n_features_in_) if self.directions is None else np.asarray(self.directions)
        return HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2,
            monotonic_cst=directions[self.used_].astype(int),
            interaction_cst="no_interactions",
            # Its early stopping would split at random, over households and time; the number of rounds is declared.
            early_stopping=False,
            random_state=self.random_state,
        )

    def _codes(self, matrix: Matrix) -> Matrix:
        codes = np.empty_like(matrix)
        for place, edges in enumerate(self.edges_):
            column = matrix[:, place]
            codes[:, place] = np.where(np.isnan(column), np.nan, np.searchsorted(edges, column, side="left"))
        return codes

    def _read_off(self, trees: HistGradientBoostingClassifier) -> None:
        """One step function a feature: the change of the score when only that feature leaves bin 0."""
        used = np.flatnonzero(self.used_)
        sizes = [len(self.edges_[place]) + 2 for place in used]  # bins, and one more for missing
        probes = np.zeros((1 + sum(sizes), len(used)))
        row = 1
        for column, size in enumerate(sizes):
            probes[row : row + size, column] = [*range(size - 1), np.nan]
            row += size
        raw = trees.decision_function(probes)
        self.baseline_ = float(raw[0])
        self.steps_ = [np.zeros(2) for _ in self.edges_]
        starts = np.cumsum([1, *sizes])
        for place, start, size in zip(used, starts, sizes, strict=False):
            self.steps_[place] = raw[start : start + size] - raw[0]

    def _centre(self, codes: Matrix, weights: Vector) -> None:
        """Mean contribution nought in training; where training knew no missing value, missing is neutral."""
        for place, steps in enumerate(self.steps_):
            bins = np.where(np.isnan(codes[:, place]), len(steps) - 1, np.nan_to_num(codes[:, place])).astype(int)
            share = np.bincount(bins, weights=weights, minlength=len(steps)) / weights.sum()
            mean = float(share @ steps)
            self.steps_[place] = steps - mean
            self.baseline_ += mean
            if share[-1] == 0:
                self.steps_[place][-1] = 0.0

    def _contributions(self, matrix: Matrix) -> Matrix:
        parts = np.empty_like(matrix)
        codes = self._codes(matrix)
        for place, steps in enumerate(self.steps_):
            missing = np.isnan(codes[:, place])
            parts[:, place] = steps[np.where(missing, len(steps) - 1, np.nan_to_num(codes[:, place])).astype(int)]
        return parts


def _edges(column: Vector, max_bins: int) -> Vector:
    """Bin edges of one column: midpoints while there are few values, quantiles otherwise; none where it is constant."""
    values = np.unique(column[~np.isnan(column)])
    if len(values) < 2:
        return np.empty(0)
    if len(values) <= max_bins:
        return np.asarray((values[:-1] + values[1:]) / 2.0)
    # Half of the edges by rank of the rows, half by rank of the values: a heap of zeros must not eat the tail.
    rows = np.quantile(column[~np.isnan(column)], np.linspace(0, 1, max_bins // 2 + 1)[1:-1], method="lower")
    tail = np.quantile(values, np.linspace(0, 1, max_bins // 2 + 1)[1:-1], method="lower")
    return np.unique(np.concatenate([rows, tail]))


def _checked(table: Any, y: Any, sample_weight: Any) -> tuple[Matrix, Vector, Vector]:
    matrix = matrix_of(table)
    labels = np.asarray(y, dtype=np.float64)
    weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if len(np.unique(labels)) < 2:
        raise ValueError("labels of one class only: nothing can be learnt")
    return matrix, labels, weights
