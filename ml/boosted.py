"""Boosted trees with interactions, explained exactly: kept as plain arrays, their Shapley values are the reasons.

Belongs here: growing the trees and keeping them. Not here: Shapley values (`ml.shapley`), choosing the settings.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from ml.additive import AdditiveModel, Vector, checked
from ml.columns import Matrix, matrix_of
from ml.shapley import (
    MOST_NODES,
    Leaf,
    Tree,
    codes_of,
    covers_of,
    expected,
    forest_contributions,
    forest_scores,
    key_of,
    tree_of,
)


class BoostedRiskClassifier(AdditiveModel):
    """Boosted trees, monotone where `directions` say so; `pairwise` allows two features to act together, no more.

    At most 16 leaves a tree, so that a row's way through a tree is one small number (see `ml.shapley`).
    """

    def __init__(
        self,
        directions: Sequence[int] | None = None,
        pairwise: bool = False,
        learning_rate: float = 0.06,
        max_iter: int = 200,
        max_leaf_nodes: int = 12,
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
        self.min_samples_leaf = min_samples_leaf
        self.l2 = l2
        self.column_share = column_share
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Learn from an (n, p) table and 0/1 labels; columns that are empty or constant are left out."""
        matrix, labels, weights = checked(X, y, sample_weight)
        grown = self.grow(matrix, labels, weights)
        return self.keep(grown, matrix, weights)

    def grow(self, matrix: Matrix, labels: Vector, weights: Vector) -> HistGradientBoostingClassifier:
        """scikit-learn's boosting on the columns that vary."""
        if self.max_leaf_nodes > MOST_NODES + 1:
            raise ValueError(f"max_leaf_nodes {self.max_leaf_nodes} is more than {MOST_NODES + 1}")
        self.n_features_in_ = matrix.shape[1]
        self.classes_ = np.array([0, 1])
        self.used_ = np.array([_varies(matrix[:, place]) for place in range(matrix.shape[1])], dtype=bool)
        directions = np.zeros(self.n_features_in_) if self.directions is None else np.asarray(self.directions)
        trees = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            max_leaf_nodes=4 if self.pairwise else self.max_leaf_nodes,
            max_depth=2 if self.pairwise else 6,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2,
            max_features=self.column_share,
            monotonic_cst=directions[self.used_].astype(int),
            # Its early stopping would split at random, over households and time; the number of rounds is declared.
            early_stopping=False,
            random_state=self.random_state,
        )
        return trees.fit(matrix[:, self.used_], labels, sample_weight=weights)

    def keep(self, grown: HistGradientBoostingClassifier, matrix: Matrix, weights: Vector) -> Self:
        """Keep the trees as plain arrays; refuse them where they do not say what scikit-learn says."""
        trees = [tree_of(predictors[0].nodes) for predictors in grown._predictors]
        trees = [tree for tree in trees if len(tree.feature)] or trees[:1]
        inside = matrix[:, self.used_]
        self.start_ = float(grown._baseline_prediction.ravel()[0])
        lost = sum(
            float(predictors[0].nodes["value"][0]) for predictors in grown._predictors if len(predictors[0].nodes) == 1
        )
        trees = [tree for tree in trees if len(tree.feature)]
        self.start_ += lost
        probe = inside[:: max(1, len(inside) // 500)]
        told = grown.decision_function(probe)
        if np.abs(told - self.start_ - forest_scores(probe, trees)).max() > 1e-9:
            raise RuntimeError("the trees read off do not score as scikit-learn's: its nodes mean something else")
        codes = codes_of(inside, trees)
        covers = [covers_of(tree, key_of(tree, codes), weights) for tree in trees]
        self._flatten(trees, covers)
        means = [expected(tree, cover) for tree, cover in zip(trees, covers, strict=True)]
        self.baseline_ = self.start_ + float(np.sum(means))
        return self

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
        """Raw score of each row, from the leaves alone: far quicker than explain, and equal within 1e-9."""
        matrix = matrix_of(X)
        if matrix.shape[1] != self.n_features_in_:
            raise ValueError(f"{matrix.shape[1]} columns, fitted on {self.n_features_in_}")
        return self.start_ + forest_scores(matrix[:, self.used_], self._forest()[0])

    def _contributions(self, matrix: Matrix) -> Matrix:
        trees, covers = self._forest()
        parts = np.zeros((self.n_features_in_, len(matrix)))
        used = np.flatnonzero(self.used_)
        for column, values in forest_contributions(matrix[:, self.used_], trees, covers):
            parts[used[column]] += values
        return parts.T


def staged_scores(grown: HistGradientBoostingClassifier, matrix: Matrix, every: int) -> Iterator[tuple[int, Vector]]:
    """Rounds and raw scores after every so many rounds: what fewer rounds would have said."""
    for done, raw in enumerate(grown.staged_decision_function(matrix), start=1):
        if done % every == 0:
            yield done, np.asarray(raw).ravel().copy()


def _varies(column: Vector) -> bool:
    present = column[~np.isnan(column)]
    return len(present) > 0 and (float(present.min()) < float(present.max()) or 0 < len(present) < len(column))


def _joined(parts: list[Any], kind: Any) -> Any:
    return np.concatenate(parts).astype(kind) if parts else np.empty(0, dtype=kind)
