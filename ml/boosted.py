"""Boosted trees with interactions, explained exactly: kept as plain arrays, their Shapley values are the reasons.

Belongs here: growing the trees and keeping them. Not here: Shapley values (`ml.shapley`), choosing the settings.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

import ml
from ml.additive import AdditiveModel, Vector, checked
from ml.bins import Bins
from ml.columns import Matrix, matrix_of
from ml.shapley import (
    DEEPEST,
    MOST_LEAVES,
    Axis,
    Codes,
    Leaf,
    Tree,
    axes_of,
    codes_of,
    covers_of,
    cuts_of,
    expected,
    forest_contributions,
    forest_scores,
    keys_of,
    tree_of,
)

ROWS_AT_ONCE = 200_000  # rows scored together: memory does not grow with the table
COVER_ROWS = 200_000  # rows that say how often each leaf is reached, where a feature is unknown
ALONE = 400_000  # values (rows times columns) up to which one thread grows the trees
PATIENCE = 40  # rounds without gain on held-out rows after which growing stops


@dataclass(frozen=True)
class Held:
    """Rows kept apart that say when to stop growing."""

    bins: Bins = field(repr=False)
    labels: Vector = field(repr=False)
    weights: Vector = field(repr=False)


class BoostedRiskClassifier(AdditiveModel):
    """Boosted trees, monotone where `directions` say so; `pairwise` allows two features to act together, no more.

    At most 32 leaves and 8 features on the way to one, so that exact reasons stay cheap (see `ml.shapley`).
    """

    def __init__(
        self,
        directions: Sequence[int] | None = None,
        pairwise: bool = False,
        learning_rate: float = 0.06,
        max_iter: int = 200,
        max_leaf_nodes: int = 12,
        max_depth: int = 6,
        min_samples_leaf: int = 20,
        l2: float = 5.0,
        column_share: float = 0.5,
        random_state: int = 0,
    ) -> None:
        self.directions = directions
        self.pairwise = pairwise
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2 = l2
        self.column_share = column_share
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from an (n, p) table and 0/1 labels; columns that are empty or constant are left out."""
        matrix, labels, weights = checked(X, y, sample_weight)
        bins = Bins.of(matrix)
        return self.keep(self.grow(bins, labels, weights), bins, matrix, weights)

    def grow(
        self, bins: Bins, labels: Vector, weights: Vector, held: Held | None = None
    ) -> HistGradientBoostingClassifier:
        """scikit-learn's boosting on the columns that vary; with `held`, no longer than it gains there."""
        if self.max_leaf_nodes > MOST_LEAVES:
            raise ValueError(f"max_leaf_nodes {self.max_leaf_nodes} is more than {MOST_LEAVES}")
        self.n_features_in_ = len(bins.edges)
        self.classes_ = np.array([0, 1])
        self.used_ = np.array([_varies(bins.codes[:, place]) for place in range(self.n_features_in_)], dtype=bool)
        directions = np.zeros(self.n_features_in_) if self.directions is None else np.asarray(self.directions)
        trees = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            max_leaf_nodes=4 if self.pairwise else self.max_leaf_nodes,
            max_depth=2 if self.pairwise else min(self.max_depth, DEEPEST),
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2,
            max_features=self.column_share,
            monotonic_cst=directions[self.used_].astype(int),
            # Its own held-out rows would be drawn at random, over households and time.
            early_stopping=held is not None,
            n_iter_no_change=PATIENCE,
            tol=0.0,
            scoring="loss",
            random_state=self.random_state,
        )
        apart: dict[str, Any] = {}
        if held is not None:
            apart = {"X_val": self.inside(held.bins.codes), "y_val": held.labels, "sample_weight_val": held.weights}
        with threadpool_limits(_threads(bins.codes.size), user_api="openmp"):
            return trees.fit(self.inside(bins.codes), labels, sample_weight=weights, **apart)

    def inside(self, matrix: Matrix) -> Matrix:
        """The columns that vary."""
        return matrix if self.used_.all() else matrix[:, self.used_]

    def keep(self, grown: HistGradientBoostingClassifier, bins: Bins, matrix: Matrix, weights: Vector) -> Self:
        """Keep the trees as plain arrays; refuse them where they do not say what scikit-learn says."""
        nodes = [predictors[0].nodes for predictors in grown._predictors]
        used = np.flatnonzero(self.used_)
        trees = [_on_values(tree_of(own), bins, used) for own in nodes if len(own) > 1]
        # A tree that found nothing to split is a number.
        alone = sum(float(own["value"][0]) for own in nodes if len(own) == 1)
        self.start_ = float(grown._baseline_prediction.ravel()[0]) + alone
        every = max(1, len(matrix) // COVER_ROWS)
        inside, weights = self.inside(matrix[::every]), weights[::every]
        cuts = cuts_of(trees, inside.shape[1])
        codes = codes_of(inside, cuts)
        self._check(grown, self.inside(bins.codes[::every]), inside, trees)
        covers = [covers_of(tree, axes, keys_of(axes, codes), weights) for tree, axes in _with_axes(trees, cuts)]
        self._flatten(trees, covers)
        means = [expected(tree, cover) for tree, cover in zip(trees, covers, strict=True)]
        self.baseline_ = self.start_ + float(np.sum(means))
        return self

    def _check(self, grown: HistGradientBoostingClassifier, codes: Matrix, inside: Matrix, trees: list[Tree]) -> None:
        every = max(1, len(inside) // 500)
        told, probe = grown.decision_function(codes[::every]), inside[::every]
        cuts = cuts_of(trees, inside.shape[1])
        if np.abs(told - self.start_ - forest_scores(codes_of(probe, cuts), trees, cuts, len(probe))).max() > 1e-9:
            raise RuntimeError("the trees read off do not score as scikit-learn's: its nodes mean something else")

    def _flatten(self, trees: list[Tree], covers: list[Vector]) -> None:
        """One row a node and one a leaf over all trees: what is saved is numbers alone."""
        self.node_tree_ = np.repeat(np.arange(len(trees)), [len(tree.feature) for tree in trees])
        self.node_feature_ = _joined([tree.feature for tree in trees], np.int64)
        self.node_threshold_ = _joined([tree.threshold for tree in trees], np.float64)
        self.node_missing_left_ = _joined([tree.missing_left for tree in trees], np.bool_)
        leaves = [(number, leaf) for number, tree in enumerate(trees) for leaf in tree.leaves]
        self.leaf_tree_ = np.array([number for number, _ in leaves], dtype=np.int64)
        self.leaf_value_ = np.array([leaf.value for _, leaf in leaves], dtype=np.float64)
        self.leaf_cover_ = _joined(covers, np.float64)
        steps = [(place, node, left) for place, (_, leaf) in enumerate(leaves) for node, left in leaf.steps]
        self.step_ = np.array(steps, dtype=np.int64).reshape(-1, 3)

    def _forest(self) -> tuple[list[Tree], list[Vector]]:
        count = int(self.leaf_tree_.max()) + 1 if len(self.leaf_tree_) else 0
        ways: list[list[tuple[int, bool]]] = [[] for _ in self.leaf_value_]
        for leaf, node, left in self.step_.tolist():
            ways[leaf].append((node, bool(left)))
        trees, covers = [], []
        for number in range(count):
            nodes, leaves = self.node_tree_ == number, np.flatnonzero(self.leaf_tree_ == number)
            tree = Tree(
                self.node_feature_[nodes],
                self.node_threshold_[nodes],
                self.node_missing_left_[nodes],
                tuple(Leaf(tuple(ways[leaf]), float(self.leaf_value_[leaf])) for leaf in leaves),
            )
            trees.append(tree)
            covers.append(self.leaf_cover_[leaves])
        return trees, covers

    def decision_function(self, X: Any) -> Vector:  # noqa: N803
        """Raw score of each row, from the leaves alone: quicker than explain, and equal within 1e-9."""
        matrix = matrix_of(X)
        if matrix.shape[1] != self.n_features_in_:
            raise ValueError(f"{matrix.shape[1]} columns, fitted on {self.n_features_in_}")
        trees, _ = self._forest()
        cuts = cuts_of(trees, int(self.used_.sum()))
        scores = [forest_scores(codes, trees, cuts, stop - start) for start, stop, codes in self._blocks(matrix, cuts)]
        return self.start_ + np.concatenate([np.empty(0), *scores])

    def _contributions(self, matrix: Matrix) -> Matrix:
        trees, covers = self._forest()
        cuts = cuts_of(trees, int(self.used_.sum()))
        parts = np.zeros((self.n_features_in_, len(matrix)))
        used = np.flatnonzero(self.used_)
        for start, stop, codes in self._blocks(matrix, cuts):
            for column, values in forest_contributions(codes, trees, cuts, covers):
                parts[used[column], start:stop] += values
        return parts.T

    def _blocks(self, matrix: Matrix, cuts: list[Vector]) -> Iterator[tuple[int, int, Codes]]:
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, len(matrix))
            yield start, stop, codes_of(self.inside(matrix[start:stop]), cuts)


def _with_axes(trees: list[Tree], cuts: list[Vector]) -> Iterator[tuple[Tree, list[Axis]]]:
    return ((tree, axes_of(tree, cuts)) for tree in trees)


def _threads(values: int) -> int | None:
    """One thread for few rows, where waiting costs more than it saves, and where threads spin on a busy machine."""
    spinning = not ml.WAITS_PASSIVELY and os.getloadavg()[0] > (os.cpu_count() or 1)
    return 1 if values < ALONE or spinning else None


def _on_values(tree: Tree, bins: Bins, used: npt.NDArray[np.int64]) -> Tree:
    """The same tree, split at values where it was split at bin numbers."""
    pairs = zip(tree.feature, tree.threshold, strict=True)
    return replace(tree, threshold=np.array([bins.threshold(int(used[column]), code) for column, code in pairs]))


def staged_scores(grown: HistGradientBoostingClassifier, codes: Matrix, every: int) -> Iterator[tuple[int, Vector]]:
    """Rounds and raw scores after every so many rounds (and the last): what fewer rounds would have said."""
    last = grown.n_iter_
    for done, raw in enumerate(grown.staged_decision_function(codes), start=1):
        if done % every == 0 or done == last:
            yield done, np.asarray(raw).ravel().copy()


def anything_varies(bins: Bins) -> bool:
    """Whether there is a column that trees could split."""
    return any(_varies(bins.codes[:, place]) for place in range(bins.codes.shape[1]))


def _varies(column: Vector) -> bool:
    missing = np.isnan(column)
    if missing.all():
        return False
    return bool(missing.any()) or float(column.min()) < float(column.max())


def _joined(parts: list[Any], kind: Any) -> Any:
    return np.concatenate(parts).astype(kind) if parts else np.empty(0, dtype=kind)
