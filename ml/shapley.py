"""Exact Shapley values of boosted trees (path dependent), for many rows at once.

A row's contribution from one tree depends only on which way it goes at each inner node: at most 15 yes-or-no answers,
one small whole number. So each tree becomes a table from that number to contributions, and a row is one look-up a tree.
Belongs here: trees as plain arrays, their keys and tables. Not here: growing trees (`ml.boosted`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.columns import Matrix

Vector = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
MOST_NODES = 15  # inner nodes of a tree: its key then fits 16 bits
MISSING_HIGH = np.uint16(65535)


@dataclass(frozen=True)
class Leaf:
    """The way to a leaf: (inner node, goes left) pairs, and what the leaf adds to the score."""

    steps: tuple[tuple[int, bool], ...]
    value: float


@dataclass(frozen=True)
class Tree:
    """Inner nodes (feature, threshold, where missing goes, rows that passed and went left) and leaves."""

    feature: Whole
    threshold: Vector
    missing_left: npt.NDArray[np.bool_]
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Codes:
    """Each column as its place among the forest's thresholds, with missing lowest and with missing highest."""

    low: list[npt.NDArray[np.uint16]]
    high: list[npt.NDArray[np.uint16]]
    cuts: list[Vector]


def tree_of(nodes: Any) -> Tree:
    """A tree of scikit-learn's histogram boosting (its array of nodes) in plain arrays; numeric splits only."""
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    place = {int(node): number for number, node in enumerate(inner)}
    leaves: list[Leaf] = []
    waiting: list[tuple[int, tuple[tuple[int, bool], ...]]] = [(0, ())]
    while waiting:
        node, steps = waiting.pop()
        if nodes["is_leaf"][node]:
            leaves.append(Leaf(steps, float(nodes["value"][node])))
            continue
        waiting.append((int(nodes["left"][node]), (*steps, (place[node], True))))
        waiting.append((int(nodes["right"][node]), (*steps, (place[node], False))))
    return Tree(
        nodes["feature_idx"][inner].astype(np.int64),
        nodes["num_threshold"][inner].astype(np.float64),
        nodes["missing_go_to_left"][inner].astype(bool),
        tuple(leaves),
    )


def codes_of(matrix: Matrix, trees: list[Tree]) -> Codes:
    """Code the columns once, so that every answer of every tree is one comparison of small whole numbers."""
    empty = np.empty(0)
    per_column: list[list[Vector]] = [[] for _ in range(matrix.shape[1])]
    for tree in trees:
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
            per_column[feature].append(threshold)
    cuts = [np.unique(np.asarray(found, dtype=float)) if found else empty for found in per_column]
    low, high = [], []
    for place, edges in enumerate(cuts):
        column = matrix[:, place]
        missing = np.isnan(column)
        code = np.searchsorted(edges, column, side="left").astype(np.uint16) if len(edges) else None
        if code is None:
            code = np.zeros(0, dtype=np.uint16)
            low.append(code)
            high.append(code)
        elif missing.any():
            low.append(np.where(missing, np.uint16(0), code))
            high.append(np.where(missing, MISSING_HIGH, code))
        else:
            low.append(code)
            high.append(code)
    return Codes(low, high, cuts)


def key_of(tree: Tree, codes: Codes) -> npt.NDArray[np.uint16]:
    """One whole number a row: bit j is set where the row goes left at inner node j."""
    rows = max((len(codes.low[feature]) for feature in tree.feature), default=0)
    key = np.zeros(rows, dtype=np.uint16)
    for bit, (feature, threshold, left) in enumerate(zip(tree.feature, tree.threshold, tree.missing_left, strict=True)):
        column = codes.low[feature] if left else codes.high[feature]
        cut = np.uint16(np.searchsorted(codes.cuts[feature], threshold))
        key |= (column <= cut).astype(np.uint16) << np.uint16(bit)
    return key


def seen_keys(tree: Tree, key: npt.NDArray[np.uint16]) -> tuple[Whole, npt.NDArray[np.uint16]]:
    """The keys that occur, and each row's place among them."""
    size = 1 << len(tree.feature)
    seen = np.flatnonzero(np.bincount(key, minlength=size))
    place = np.zeros(size, dtype=np.uint16)
    place[seen] = np.arange(len(seen), dtype=np.uint16)
    return seen, place[key]


def leaf_of(tree: Tree, keys: Whole) -> Whole:
    """The leaf that each key leads to."""
    found = np.zeros(len(keys), dtype=np.int64)
    for number, leaf in enumerate(tree.leaves):
        mask = sum(1 << node for node, _ in leaf.steps)
        wanted = sum(1 << node for node, left in leaf.steps if left)
        found[(keys & mask) == wanted] = number
    return found


def covers_of(tree: Tree, key: npt.NDArray[np.uint16], weights: Vector) -> Vector:
    """The weight of the training rows that end in each leaf."""
    seen, place = seen_keys(tree, key)
    leaf = leaf_of(tree, seen)
    return np.asarray(np.bincount(leaf[place], weights=weights, minlength=len(tree.leaves)), dtype=np.float64)


def expected(tree: Tree, covers: Vector) -> float:
    """The tree's mean over the rows the covers come from."""
    total = covers.sum()
    values = np.array([leaf.value for leaf in tree.leaves])
    return float(values @ covers / total) if total else float(values.mean())


def contribution_table(tree: Tree, covers: Vector, keys: Whole) -> tuple[Whole, Matrix]:
    """The features of the tree, and for each key its Shapley values over them; rows sum to leaf value - expected."""
    features = np.unique(tree.feature)
    table = np.zeros((len(keys), len(features)))
    shares = _left_shares(tree, covers)
    for leaf in tree.leaves:
        own = _by_feature(tree, leaf)
        held = np.column_stack([_holds(keys, steps) for steps in own.values()])
        pattern = held @ (1 << np.arange(len(own)))
        hidden = [float(np.prod([shares[n] if left else 1 - shares[n] for n, left in steps])) for steps in own.values()]
        values = leaf.value * _game(np.array(hidden))
        for column, feature in enumerate(own):
            table[:, np.searchsorted(features, feature)] += values[pattern, column]
    return features, table


def _left_shares(tree: Tree, covers: Vector) -> Vector:
    """Of the training weight that reaches an inner node, the share that goes left."""
    left, total = np.zeros(len(tree.feature)), np.zeros(len(tree.feature))
    for leaf, weight in zip(tree.leaves, covers, strict=True):
        for node, goes_left in leaf.steps:
            total[node] += weight
            left[node] += weight if goes_left else 0.0
    return np.where(total > 0, left / np.where(total > 0, total, 1.0), 0.5)


def _by_feature(tree: Tree, leaf: Leaf) -> dict[int, list[tuple[int, bool]]]:
    own: dict[int, list[tuple[int, bool]]] = {}
    for node, left in leaf.steps:
        own.setdefault(int(tree.feature[node]), []).append((node, left))
    return own


def _holds(keys: Whole, steps: list[tuple[int, bool]]) -> Whole:
    mask = sum(1 << node for node, _ in steps)
    wanted = sum(1 << node for node, left in steps if left)
    return np.asarray((keys & mask) == wanted, dtype=np.int64)


def _game(hidden: Vector) -> Matrix:
    """Shapley values of one leaf of value 1 for every pattern of held conditions, (2^m, m).

    A player that is present multiplies by 1 or 0 (its condition holds or not), an absent one by its share `hidden`.
    """
    players = len(hidden)
    held = (np.arange(1 << players)[:, None] >> np.arange(players)) & 1
    chance = [factorial(size) * factorial(players - 1 - size) / factorial(players) for size in range(players)]
    values = np.empty((1 << players, players))
    for player in range(players):
        # Coefficient of t^s: the sum over all coalitions of s others of what they multiply by.
        by_size = np.zeros((1 << players, players))
        by_size[:, 0] = 1.0
        for other in range(players):
            if other != player:
                by_size[:, 1:] = by_size[:, 1:] * hidden[other] + by_size[:, :-1] * held[:, other, None]
                by_size[:, 0] *= hidden[other]
        values[:, player] = (held[:, player] - hidden[player]) * (by_size @ np.array(chance))
    return values


def forest_contributions(matrix: Matrix, trees: list[Tree], covers: list[Vector]) -> Iterator[tuple[int, Vector]]:
    """Pairs of column and contributions of all rows to be added to it, tree by tree."""
    codes = codes_of(matrix, trees)
    for tree, weight in zip(trees, covers, strict=True):
        seen, place = seen_keys(tree, key_of(tree, codes))
        features, table = contribution_table(tree, weight, seen)
        for column, feature in enumerate(features):
            yield int(feature), table[:, column][place]


def forest_scores(matrix: Matrix, trees: list[Tree]) -> Vector:
    """The sum of the leaves each row ends in."""
    codes = codes_of(matrix, trees)
    score = np.zeros(len(matrix))
    for tree in trees:
        seen, place = seen_keys(tree, key_of(tree, codes))
        values = np.array([leaf.value for leaf in tree.leaves])
        score += values[leaf_of(tree, seen)][place]
    return score
