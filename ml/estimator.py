"""The public estimator for any table (RiskClassifier), and the simple kinds of risk model: rules, line, steps.

Belongs here: fitting on a table and explaining it, in scikit-learn's manner. Not here: where the table comes from,
time, calibration, words for reasons; the other kinds (`ml.spline`, `ml.boosted`, `ml.blend`), the contest.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from ml.additive import AdditiveModel, Vector, checked
from ml.choosing import Plan, contest, fit_chosen, sampled
from ml.columns import Matrix, matrix_of, signed_log
from ml.encoding import TableEncoder
from ml.minimise import Bound, minimise
from ml.tables import columns_of, names_of, part_of


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
        matrix, labels, weights = checked(X, y, sample_weight)
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
        matrix, labels, weights = checked(X, y, sample_weight)
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


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Who is at risk, on any table: tries the kinds, takes the simplest that is as good as the best, explains each row.

    X: polars or pandas frame or array; numbers, booleans and text categories; missing values allowed. y: two classes.
    `month` makes it judge on later rows only, `group` on other groups only. explain(X) has one contribution a column,
    in log-odds; baseline_ plus their sum is decision_function(X) for every row. `monotone` maps column names (or
    positions) to +1 or -1. Above `max_rows` the more frequent class is sampled, with weights that undo it.
    """

    def __init__(
        self,
        monotone: Mapping[str | int, int] | None = None,
        kinds: Sequence[str] = ("linear", "spline", "additive", "boosted", "blend"),
        max_rows: int = 300_000,
        max_contest_rows: int = 60_000,
        max_rounds: int = 600,
        random_state: int = 0,
    ) -> None:
        self.monotone = monotone
        self.kinds = kinds
        self.max_rows = max_rows
        self.max_contest_rows = max_contest_rows
        self.max_rounds = max_rounds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def fit(self, X: Any, y: Any, month: Any = None, group: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """Choose a kind and learn from all rows; raises ValueError for other than two classes."""
        columns = columns_of(X)
        self._learn_names(X, columns)
        labels = self._labels(y, len(columns[0]))
        weights = _weights(sample_weight, len(labels))
        rows = len(labels)
        # A row without weight is not there: it must not decide a split, a bin or a category either.
        present = np.flatnonzero(weights > 0)
        kept, drawn = sampled(labels[present], weights[present], self.max_rows, self.random_state)
        kept = present[kept]
        columns, labels, weights = part_of(columns, kept), labels[kept], drawn
        if not 0 < labels @ weights < weights.sum():
            raise ValueError("Classifier can't train when only one class is present.")
        when, who = (
            _ranks(given, name, rows)[kept] if given is not None else None
            for given, name in ((month, "month"), (group, "group"))
        )
        plan = Plan(columns, labels, weights, who, self._directions(), self.random_state, self.max_rounds)
        chosen = contest(plan, self.kinds, when, self.max_contest_rows)
        self.judged_, self.kind_, self.settings_, self.share_ = chosen.judged, chosen.kind, chosen.members, chosen.share
        self.encoder_ = TableEncoder()
        self.model_ = fit_chosen(plan, chosen, self.encoder_)
        self.baseline_ = self.model_.baseline_
        return self

    def explain(self, X: Any) -> Matrix:  # noqa: N803
        """Contribution of each column to each row's log-odds, (n, p)."""
        check_is_fitted(self)
        matrix = self._matrix(X)
        return self.model_.explain(matrix)

    def decision_function(self, X: Any) -> Vector:  # noqa: N803
        """Log-odds of the second class."""
        check_is_fitted(self)
        matrix = self._matrix(X)
        return self.model_.decision_function(matrix)

    def predict_proba(self, X: Any) -> Matrix:  # noqa: N803
        """Probabilities of the two classes, (n, 2)."""
        check_is_fitted(self)
        matrix = self._matrix(X)
        return self.model_.predict_proba(matrix)

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """The likelier class of each row."""
        check_is_fitted(self)
        return np.asarray(self.classes_[(self.decision_function(X) >= 0).astype(int)])

    def _learn_names(self, table: Any, columns: Sequence[Any]) -> None:
        if not columns:
            raise ValueError(f"0 feature(s) (shape=({len(table)}, 0)) while a minimum of 1 is required.")
        if not len(columns[0]):
            raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
        self.n_features_in_ = len(columns)
        names = names_of(table)
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _labels(self, y: Any, rows: int) -> Vector:
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        values = column_or_1d(y.to_numpy() if isinstance(y, pl.Series) else y, warn=True)
        check_classification_targets(values)
        assert_all_finite(values)
        if len(values) != rows:
            raise ValueError(f"Found input variables with inconsistent numbers of samples: {[rows, len(values)]}")
        self.classes_ = np.unique(values)
        if len(self.classes_) > 2:
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {type_of_target(values)}."
            )
        if len(self.classes_) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        return np.asarray(values == self.classes_[1], dtype=np.float64)

    def _directions(self) -> list[int]:
        names = {name: place for place, name in enumerate(getattr(self, "feature_names_in_", ()))}
        directions = [0] * self.n_features_in_
        for column, sign in (self.monotone or {}).items():
            directions[names[column] if isinstance(column, str) else column] = sign
        return directions

    def _matrix(self, table: Any) -> Matrix:
        check_is_fitted(self)
        columns = columns_of(table)
        expected, given = getattr(self, "feature_names_in_", None), names_of(table)
        _check_feature_names(self, table, reset=False)
        if len(columns) != self.n_features_in_:
            raise ValueError(
                f"X has {len(columns)} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        if expected is not None and given is not None and list(expected) != list(given):
            raise ValueError("The feature names should match those that were passed during fit.")
        if columns and not len(columns[0]):
            raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
        return self.encoder_.transform(columns)


def _weights(sample_weight: Any, rows: int) -> Vector:
    if sample_weight is None:
        return np.ones(rows)
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        return np.full(rows, float(weights))
    if weights.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if len(weights) != rows:
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(rows,)}!")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("sample weights must be finite and not negative")
    if not weights.any():
        raise ValueError("every sample weight is zero")
    return weights


def _ranks(given: Any, name: str, rows: int) -> npt.NDArray[np.int64]:
    """Months or groups of any type as whole numbers in their order; a row without a group is a group of its own."""
    values = pl.Series(given.to_list() if hasattr(given, "to_list") else list(given), strict=False)
    if len(values) != rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {name} {len(values)}, X {rows}")
    missing = values.is_null().to_numpy()
    if values.dtype.is_float():
        missing |= values.is_nan().fill_null(True).to_numpy()
    if name == "month" and missing.any():
        raise ValueError("month has missing values: when was such a row?")
    ranks = values.rank("dense").cast(pl.Int64).fill_null(0).to_numpy().copy()
    ranks[missing] = ranks.max(initial=0) + 1 + np.arange(int(missing.sum()))
    return np.asarray(ranks)
