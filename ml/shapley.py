"""Exact Shapley values of boosted trees (path dependent), for many rows at once.

A row's contribution from one tree depends only on where each of the tree's few features lies among the tree's own
thresholds: one small whole number, its key. So each tree becomes a table from keys to contributions, and a row is a
few look-ups a tree, however many leaves there are.
Belongs here: trees as plain arrays, their keys and tables. Not here: growing trees (`ml.boosted`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.columns import Matrix

Vector = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Codes = list[npt.NDArray[Any]]
MOST_LEAVES = 32
DEEPEST = 8  # features on the way to a leaf; a leaf's game has two to that power lines
DENSE = 4_096  # up to so many keys a table holds all of them, seen or not
SORTED = 1 << 22  # above so many keys those that occur are found by sorting


@dataclass(frozen=True)
class Leaf:
    """The way to a leaf: (inner node, goes left) pairs, and what the leaf adds to the score."""

    steps: tuple[tuple[int, bool], ...]
    value: float


@dataclass(frozen=True)
class Tree:
    """Inner nodes (feature, threshold, where missing goes) and leaves."""

    feature: Whole
    threshold: Vector
    missing_left: npt.NDArray[np.bool_]
    leaves: tuple[Leaf, ...]


@dataclass(frozen=True)
class Axis:
    """One feature of a tree: its place in the key, which way each of its levels goes, and the level of each code."""

    feature: int
    stride: int
    left: npt.NDArray[np.bool_]  # (levels, nodes of the tree); only this feature's nodes are filled
    step: npt.NDArray[Any]  # level times stride, for each code of the forest

    @property
    def levels(self) -> int:
        return len(self.left)


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


def cuts_of(trees: Sequence[Tree], width: int) -> list[Vector]:
    """The thresholds of each column anywhere in the forest, ascending."""
    feature = np.concatenate([tree.feature for tree in trees]) if trees else np.empty(0, dtype=np.int64)
    threshold = np.concatenate([tree.threshold for tree in trees]) if trees else np.empty(0)
    return [np.unique(threshold[feature == place]) for place in range(width)]


def codes_of(matrix: Matrix, cuts: Sequence[Vector]) -> Codes:
    """Each column as its place among the forest's thresholds, missing last: small whole numbers, coded once."""
    codes: Codes = []
    for place, edges in enumerate(cuts):
        kind = np.uint8 if len(edges) < 255 else np.uint16
        column = matrix[:, place]
        # searchsorted puts NaN after every threshold already
        code = np.searchsorted(edges, column, side="left").astype(kind) if len(edges) else np.empty(0, dtype=kind)
        if len(edges):
            code[np.isnan(column)] = len(edges) + 1
        codes.append(code)
    return codes


def axes_of(tree: Tree, cuts: Sequence[Vector]) -> list[Axis]:
    """The features of a tree with their levels; the key of a row is the sum of its steps."""
    axes, stride = [], 1
    for feature in np.unique(tree.feature):
        nodes = np.flatnonzero(tree.feature == feature)
        at = np.searchsorted(cuts[feature], tree.threshold[nodes])
        own = np.unique(at)
        left = np.zeros((len(own) + 1, len(tree.feature)), dtype=bool)
        left[:, nodes] = np.arange(len(own) + 1)[:, None] <= np.searchsorted(own, at)
        missing = tree.missing_left[nodes]
        same = np.flatnonzero((left[:, nodes] == missing).all(axis=1))
        if not len(same):  # missing goes a way that no value goes
            left = np.vstack([left, np.zeros(len(tree.feature), dtype=bool)])
            left[-1, nodes] = missing
        level = np.searchsorted(own, np.arange(len(cuts[feature]) + 2), side="left")
        level[-1] = same[0] if len(same) else len(left) - 1
        axes.append(Axis(int(feature), stride, left, (level * stride).astype(np.int64)))
        stride *= len(left)
    return axes


def keys_of(axes: Sequence[Axis], codes: Codes) -> Whole:
    """One whole number a row: where each feature of the tree lies among the tree's thresholds."""
    small = _size(axes) <= 1 << 31
    key: Any = 0
    for axis in axes:
        step = axis.step.astype(np.int32) if small else axis.step
        key = key + np.take(step, codes[axis.feature])
    return np.asarray(key)


def _size(axes: Sequence[Axis]) -> int:
    return axes[-1].stride * axes[-1].levels if axes else 1


def seen_keys(axes: Sequence[Axis], key: Whole) -> tuple[Whole, Whole]:
    """The keys to put into a table, and each row's place among them."""
    size = _size(axes)
    if size <= DENSE:
        return np.arange(size), key
    if size > SORTED:
        seen, place = np.unique(key, return_inverse=True)
        return seen.astype(np.int64), place
    seen = np.flatnonzero(np.bincount(key, minlength=size))
    place_of = np.zeros(size, dtype=np.int32)
    place_of[seen] = np.arange(len(seen), dtype=np.int32)
    return seen, np.take(place_of, key)


@dataclass(frozen=True)
class _Way:
    """A leaf as a game: its features (places among the axes) and, for each, which levels keep to the way."""

    axes: list[int]
    holds: list[npt.NDArray[np.bool_]]
    steps: list[list[tuple[int, bool]]]


def _ways(tree: Tree, axes: Sequence[Axis]) -> list[_Way]:
    axis_of = {axis.feature: place for place, axis in enumerate(axes)}
    of_node = [axis_of[int(feature)] for feature in tree.feature]
    ways = []
    for leaf in tree.leaves:
        own: dict[int, list[tuple[int, bool]]] = {}
        for node, left in leaf.steps:
            own.setdefault(of_node[node], []).append((node, left))
        holds = []
        for place, steps in own.items():
            nodes, wanted = [node for node, _ in steps], [left for _, left in steps]
            holds.append((axes[place].left[:, nodes] == wanted).all(axis=1))
        ways.append(_Way(list(own), holds, list(own.values())))
    return ways


def _patterns(ways: Sequence[_Way], axes: Sequence[Axis], keys: Whole) -> list[Whole]:
    """For each leaf and key: one bit a feature of the leaf, set where the key keeps to the leaf's way."""
    levels = [keys // axis.stride % axis.levels for axis in axes]
    found = []
    for way in ways:
        pattern = np.zeros(len(keys), dtype=np.int64)
        for bit, (place, holds) in enumerate(zip(way.axes, way.holds, strict=True)):
            pattern |= np.take(holds.astype(np.int64) << bit, levels[place])
        found.append(pattern)
    return found


def leaves_of(tree: Tree, axes: Sequence[Axis], keys: Whole) -> Whole:
    """The leaf that each key leads to."""
    ways = _ways(tree, axes)
    found = np.zeros(len(keys), dtype=np.int64)
    for number, (way, pattern) in enumerate(zip(ways, _patterns(ways, axes, keys), strict=True)):
        found[pattern == (1 << len(way.axes)) - 1] = number
    return found


def covers_of(tree: Tree, axes: Sequence[Axis], key: Whole, weights: Vector) -> Vector:
    """The weight of the training rows that end in each leaf."""
    seen, place = seen_keys(axes, key)
    weight = np.bincount(place, weights=weights, minlength=len(seen))
    covers = np.bincount(leaves_of(tree, axes, seen), weights=weight, minlength=len(tree.leaves))
    return np.asarray(covers, dtype=np.float64)


def expected(tree: Tree, covers: Vector) -> float:
    """The tree's mean over the rows the covers come from."""
    total = covers.sum()
    values = np.array([leaf.value for leaf in tree.leaves])
    return float(values @ covers / total) if total else float(values.mean())


def contribution_table(tree: Tree, axes: Sequence[Axis], covers: Vector, keys: Whole) -> Matrix:
    """For each key the Shapley values of the axes, (axes, keys); they sum to leaf value - expected."""
    table = np.zeros((len(axes), len(keys)))
    shares = _left_shares(tree, covers)
    ways = _ways(tree, axes)
    games = _games([[_share(shares, steps) for steps in way.steps] for way in ways])
    for way, leaf, game, pattern in zip(ways, tree.leaves, games, _patterns(ways, axes, keys), strict=True):
        for player, place in enumerate(way.axes):
            table[place] += np.take(leaf.value * game[:, player], pattern)
    return table


def _share(shares: Vector, steps: Sequence[tuple[int, bool]]) -> float:
    share = 1.0
    for node, left in steps:
        share *= shares[node] if left else 1.0 - shares[node]
    return float(share)


def _left_shares(tree: Tree, covers: Vector) -> Vector:
    """Of the training weight that reaches an inner node, the share that goes left."""
    left, total = np.zeros(len(tree.feature)), np.zeros(len(tree.feature))
    for leaf, weight in zip(tree.leaves, covers, strict=True):
        for node, goes_left in leaf.steps:
            total[node] += weight
            left[node] += weight if goes_left else 0.0
    return np.where(total > 0, left / np.where(total > 0, total, 1.0), 0.5)


def _games(hidden: Sequence[Sequence[float]]) -> list[Matrix]:
    """The game of every leaf; those of one number of features are solved together."""
    games: list[Matrix] = [np.empty((1, 0))] * len(hidden)
    for players in {len(own) for own in hidden}:
        same = [place for place, own in enumerate(hidden) if len(own) == players]
        solved = _game(np.array([hidden[place] for place in same]))
        for place, game in zip(same, solved, strict=True):
            games[place] = game
    return games


def _game(hidden: Matrix) -> npt.NDArray[np.float64]:
    """Shapley values of leaves of value 1 for every pattern of held conditions, (leaves, 2^m, m).

    A player that is present multiplies by 1 or 0 (its condition holds or not), an absent one by its share `hidden`.
    """
    leaves, players = hidden.shape
    held = ((np.arange(1 << players)[:, None] >> np.arange(players)) & 1).astype(np.float64)
    chance = [factorial(size) * factorial(players - 1 - size) / factorial(players) for size in range(players)]
    values = np.empty((leaves, 1 << players, players))
    for player in range(players):
        # Coefficient of t^s: the sum over all coalitions of s others of what they multiply by.
        by_size = np.zeros((players, leaves, 1 << players))
        by_size[0] = 1.0
        for other in range(players):
            if other != player:
                by_size[1:] = by_size[1:] * hidden[:, other, None] + by_size[:-1] * held[:, other]
                by_size[0] *= hidden[:, other, None]
        inside = np.tensordot(np.array(chance), by_size, axes=1)
        values[:, :, player] = (held[:, player] - hidden[:, player, None]) * inside
    return values


def forest_contributions(
    codes: Codes, trees: Sequence[Tree], cuts: Sequence[Vector], covers: Sequence[Vector]
) -> Iterator[tuple[int, Vector]]:
    """Pairs of column and contributions of all rows to be added to it, tree by tree."""
    for tree, weight in zip(trees, covers, strict=True):
        axes = axes_of(tree, cuts)
        seen, place = seen_keys(axes, keys_of(axes, codes))
        for axis, values in zip(axes, contribution_table(tree, axes, weight, seen), strict=True):
            yield axis.feature, np.take(values, place)


def forest_scores(codes: Codes, trees: Sequence[Tree], cuts: Sequence[Vector], rows: int) -> Vector:
    """The sum of the leaves each row ends in."""
    score = np.zeros(rows)
    for tree in trees:
        axes = axes_of(tree, cuts)
        seen, place = seen_keys(axes, keys_of(axes, codes))
        values = np.array([leaf.value for leaf in tree.leaves])
        score += np.take(values[leaves_of(tree, axes, seen)], place)
    return score
