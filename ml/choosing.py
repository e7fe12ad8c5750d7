"""The kinds that compete for a table, with their few settings, the contest among them, and the winner on all rows.

Belongs here: what `ml.estimator.RiskClassifier` tries. Not here: splits and the verdict's arithmetic (`ml.contest`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.additive import AdditiveModel, Vector
from ml.bins import Bins
from ml.blend import BlendRiskClassifier
from ml.boosted import BoostedRiskClassifier, Held, anything_varies, staged_scores
from ml.columns import Matrix
from ml.contest import CLOSE, Judged, Rows, best_rounds, judge, simplest, splits_of
from ml.encoding import TableEncoder
from ml.spline import SplineRiskClassifier
from ml.tables import Column, part_of

Settings = dict[str, Any]
KINDS = ("linear", "spline", "additive", "boosted", "blend")  # simplest first
FEW_ENTRIES = 60  # under so many rows of the rarer class, trees only learn noise
SURE_ENTRIES = 200  # under so many a kind must win by two standard errors: the line has the word in doubt
CLOSE_OF_FEW = 2.0
FEWEST_OTHERS_PER_ENTRY = 30
SMALL, LARGE = 20_000, 50_000  # rows: more settings below the one, fewer above the other
SMOOTH_ROWS = 40_000  # a few hundred coefficients are known well enough from so many
EVERY = 20  # rounds between two looks at how boosting does
SEEDS = 4  # forests grown with other columns drawn, whose mean speaks for a small table
SHARES = (0.2, 0.35, 0.5, 0.65, 0.8)  # of the trees in a blend
GROWTH = 0.2  # rounds grow with the rows to this power from the contest to all rows
LINEAR_GRID: tuple[Settings, ...] = ({"l2": 1.0, "knots": 0}, {"l2": 30.0, "knots": 0})
SPLINE_GRID: tuple[Settings, ...] = ({"l2": 8.0, "bend": 4.0}, {"l2": 60.0, "bend": 2.0}, {"l2": 300.0, "bend": 2.0})
PAIRS: Settings = {"pairwise": True, "learning_rate": 0.1}
CAREFUL: Settings = {"learning_rate": 0.05, "max_leaf_nodes": 6, "min_samples_leaf": 30, "l2": 20.0}
PLAIN: Settings = {"learning_rate": 0.08, "max_leaf_nodes": 16, "min_samples_leaf": 20, "l2": 5.0}
DEEP: Settings = {"learning_rate": 0.08, "max_leaf_nodes": 31, "max_depth": 8, "min_samples_leaf": 40, "l2": 5.0}


@dataclass(frozen=True)
class Plan:
    """A table to learn from and what every kind is told about it."""

    columns: Sequence[Column] = field(repr=False)
    labels: Vector = field(repr=False)
    weights: Vector = field(repr=False)
    group: npt.NDArray[Any] | None = field(repr=False)
    directions: Sequence[int]
    seed: int
    most_rounds: int

    def part(self, rows: Rows) -> "Plan":
        """The same plan for some of the rows."""
        group = None if self.group is None else self.group[rows]
        return replace(
            self,
            columns=part_of(self.columns, rows),
            labels=self.labels[rows],
            weights=self.weights[rows],
            group=group,
        )

    def smooth(self, settings: Settings, encoder: TableEncoder) -> SplineRiskClassifier:
        """An unfitted line or spline."""
        return SplineRiskClassifier(directions=self.directions, categorical=encoder.few_levels.tolist(), **settings)

    def trees(self, settings: Settings, seed: int = 0) -> BoostedRiskClassifier:
        """Unfitted boosted trees."""
        return BoostedRiskClassifier(directions=self.directions, random_state=self.seed + seed, **settings)


@dataclass(frozen=True)
class Chosen:
    """The kind that won, the settings of its members, the share of the trees, rows judged on, and how all did."""

    kind: str
    members: dict[str, Settings]
    share: float
    rows: int
    judged: list[Judged]


@dataclass(frozen=True)
class _Tried:
    kind: str
    members: dict[str, Settings]
    share: float
    scores: list[Vector] = field(repr=False)


def contest(plan: Plan, kinds: Sequence[str], month: Any, most_rows: int) -> Chosen:
    """Let the kinds compete on splits of the table; the linear one speaks where nothing can be judged."""
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(f"unknown kinds {', '.join(unknown)}; known are {', '.join(KINDS)}")
    kept, weights = sampled(plan.labels, plan.weights, most_rows, plan.seed)
    small = replace(plan.part(kept), weights=weights)
    when = None if month is None else month[kept]
    splits = splits_of(small.labels, when, small.group, plan.seed)
    if not splits:
        return Chosen("linear", {"linear": dict(LINEAR_GRID[0])}, 0.0, len(kept), [])
    parts = [_part(small, learn, judged) for learn, judged in splits]
    tried = _tried(small, kinds, parts)
    judged = judge([one.kind for one in tried], [one.scores for one in tried], [part.held.labels for part in parts])
    rare = min(small.labels.sum(), len(small.labels) - small.labels.sum())
    close = CLOSE if rare >= SURE_ENTRIES else CLOSE_OF_FEW
    winner = next(one for one in tried if one.kind == simplest(judged, close).name)
    learnt = round(float(np.mean([len(part.labels) for part in parts])))
    return Chosen(winner.kind, winner.members, winner.share, learnt, judged)


def fit_chosen(plan: Plan, chosen: Chosen, encoder: TableEncoder) -> AdditiveModel:
    """The chosen kind learnt from all rows of the plan; a small table gets the mean of several forests."""
    matrix = encoder.learn(plan.columns, plan.labels, plan.weights, plan.group, plan.seed)
    members: list[AdditiveModel] = []
    shares: list[float] = []
    for kind, settings in chosen.members.items():
        if kind in ("linear", "spline"):
            members.append(_fit_smooth(plan, plan.smooth(settings, encoder), matrix))
            shares.append(1.0 - chosen.share)
        else:
            grown = _fit_trees(plan, settings, matrix, chosen.rows)
            members += grown
            shares += [chosen.share / len(grown)] * len(grown)
    return members[0] if len(members) == 1 else BlendRiskClassifier(shares=shares).of(members)


def _fit_smooth(plan: Plan, model: AdditiveModel, matrix: Matrix) -> AdditiveModel:
    kept, weights = sampled(plan.labels, plan.weights, SMOOTH_ROWS, plan.seed)
    return model.fit(matrix[kept], plan.labels[kept], sample_weight=weights)


def _fit_trees(plan: Plan, settings: Settings, matrix: Matrix, judged_on: int) -> list[AdditiveModel]:
    more = max(1.0, (len(matrix) / max(judged_on, 1)) ** GROWTH)
    settings = settings | {"max_iter": min(plan.most_rounds, round(settings["max_iter"] * more))}
    bins = Bins.of(matrix)
    grown: list[AdditiveModel] = []
    for seed in range(SEEDS if len(matrix) < SMALL else 1):
        model = plan.trees(settings, seed)
        grown.append(model.keep(model.grow(bins, plan.labels, plan.weights), bins, matrix, plan.weights))
    return grown


@dataclass(frozen=True)
class _Part:
    encoder: TableEncoder
    learn: Matrix
    labels: Vector
    weights: Vector
    judged: Matrix
    bins: Bins
    held: Held


def _part(plan: Plan, learn: Rows, judged: Rows) -> _Part:
    """Categories are learnt anew in each part: their numbers rest on labels."""
    own, other = plan.part(learn), plan.part(judged)
    encoder = TableEncoder()
    matrix = encoder.learn(own.columns, own.labels, own.weights, own.group, plan.seed)
    held, bins = encoder.transform(other.columns), Bins.of(matrix)
    return _Part(
        encoder, matrix, own.labels, own.weights, held, bins, Held(bins.like(held), other.labels, other.weights)
    )


def _tried(plan: Plan, kinds: Sequence[str], parts: Sequence[_Part]) -> list[_Tried]:
    """Each kind with the best of its settings, simplest kind first."""
    rows = len(plan.labels)
    rare = min(plan.labels.sum(), rows - plan.labels.sum())
    found: dict[str, _Tried] = {}
    if not all(anything_varies(part.bins) for part in parts):
        rare = 0  # no trees without anything to split
    if "linear" in kinds or rare < FEW_ENTRIES / 3:
        found["linear"] = _smooth(plan, "linear", LINEAR_GRID, parts)
    if "spline" in kinds and rare >= FEW_ENTRIES / 3:
        found["spline"] = _smooth(plan, "spline", SPLINE_GRID if rows < LARGE else SPLINE_GRID[1:2], parts)
    if "additive" in kinds and rare >= FEW_ENTRIES:
        found["additive"] = _grown(plan, "additive", [PAIRS], parts)
    if "boosted" in kinds and rare >= FEW_ENTRIES:
        grid = [CAREFUL, PLAIN] if rows < SMALL else [PLAIN, DEEP]
        found["boosted"] = _grown(plan, "boosted", grid, parts)
    if "blend" in kinds:
        blended = _blended(list(found.values()), parts)
        if blended is not None:
            found["blend"] = blended
    return list(found.values()) or [_smooth(plan, "linear", LINEAR_GRID, parts)]


def _smooth(plan: Plan, kind: str, grid: Sequence[Settings], parts: Sequence[_Part]) -> _Tried:
    tried = []
    for settings in grid:
        scores = []
        for part in parts:
            kept, weights = sampled(part.labels, part.weights, SMOOTH_ROWS, plan.seed)
            model = plan.smooth(settings, part.encoder).fit(part.learn[kept], part.labels[kept], sample_weight=weights)
            scores.append(model.decision_function(part.judged))
        tried.append(_Tried(kind, {kind: dict(settings)}, 0.0, scores))
    return _best(tried, parts)


def _grown(plan: Plan, kind: str, grid: Sequence[Settings], parts: Sequence[_Part]) -> _Tried:
    """Boosting with each setting, stopped where it did best on the held-out rows."""
    tried = []
    for settings in grid:
        staged = []
        for part in parts:
            model = plan.trees(settings | {"max_iter": plan.most_rounds})
            grown = model.grow(part.bins, part.labels, part.weights, part.held)
            staged.append(dict(staged_scores(grown, model.inside(part.held.bins.codes), EVERY)))
        rounds, scores = best_rounds(staged, [part.held.labels for part in parts])
        tried.append(_Tried(kind, {kind: settings | {"max_iter": rounds}}, 1.0, scores))
    return _best(tried, parts)


def _blended(found: Sequence[_Tried], parts: Sequence[_Part]) -> _Tried | None:
    """The best smooth kind and the best trees, mixed in the best proportion."""
    smooth = [one for one in found if one.share == 0.0]
    trees = [one for one in found if one.share == 1.0]
    if not smooth or not trees:
        return None
    line, steps = _best(smooth, parts), _best(trees, parts)
    mixed = [
        _Tried(
            "blend",
            line.members | steps.members,
            share,
            [(1 - share) * one + share * two for one, two in zip(line.scores, steps.scores, strict=True)],
        )
        for share in SHARES
    ]
    return _best(mixed, parts)


def _best(tried: Sequence[_Tried], parts: Sequence[_Part]) -> _Tried:
    judged = judge(
        [str(place) for place in range(len(tried))], [one.scores for one in tried], [part.held.labels for part in parts]
    )
    return tried[int(np.argmax([one.auc for one in judged]))]


def sampled(labels: Vector, weights: Vector, most: int, seed: int) -> tuple[Rows, Vector]:
    """Rows to learn from and their weights: where there are more than `most`, the frequent class is drawn from.

    The rarer class stays whole up to half of the places; each class keeps its total weight.
    """
    if len(labels) <= most:
        return np.arange(len(labels)), weights
    generator = np.random.default_rng(seed)
    rows = [np.flatnonzero(labels == value) for value in (0.0, 1.0)]
    rare = min(len(rows[0]), len(rows[1]))
    few = min(rare, most // 2)
    many = min(most - few, max(FEWEST_OTHERS_PER_ENTRY * few, most // 3))
    kept, drawn = [], weights.copy()
    for own in rows:
        count = min(len(own), few if len(own) == rare else many)
        chosen = np.sort(generator.choice(own, count, replace=False))
        drawn[chosen] *= weights[own].sum() / max(weights[chosen].sum(), 1e-12)
        kept.append(chosen)
    both = np.sort(np.concatenate(kept))
    return both, drawn[both]
