"""The kinds that compete for a table, with their few settings, and the contest among them.

Belongs here: what `ml.estimator.RiskClassifier` tries. Not here: splits and the verdict's arithmetic (`ml.contest`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.additive import AdditiveModel, Vector
from ml.blend import BlendRiskClassifier
from ml.boosted import BoostedRiskClassifier, staged_scores
from ml.contest import Judged, Rows, best_rounds, judge, simplest, splits_of
from ml.spline import SplineRiskClassifier
from ml.tables import TableEncoder, text_columns

Settings = dict[str, Any]
FEW_ENTRIES = 60  # under so many rows of the rarer class, trees only learn noise
FEWEST_OTHERS_PER_ENTRY = 30
EVERY = 25  # rounds between two looks at how boosting does
SPLINE_GRID: tuple[Settings, ...] = ({"l2": 1.0, "bend": 4.0}, {"l2": 8.0, "bend": 4.0}, {"l2": 60.0, "bend": 2.0})
LINEAR: Settings = {"l2": 1.0, "knots": 0}
TREES: Settings = {"learning_rate": 0.06, "max_leaf_nodes": 16}
SLOW_TREES: Settings = {"learning_rate": 0.03, "max_leaf_nodes": 8, "min_samples_leaf": 30, "l2": 20.0}


@dataclass(frozen=True)
class Plan:
    """A table to learn from and what every kind is told about it."""

    columns: Sequence[npt.NDArray[Any]] = field(repr=False)
    labels: Vector = field(repr=False)
    weights: Vector = field(repr=False)
    directions: Sequence[int]
    seed: int
    most_rounds: int

    def build(self, kind: str, settings: Settings, encoder: TableEncoder) -> AdditiveModel:
        """An unfitted model of a kind."""
        if kind in ("linear", "spline"):
            return SplineRiskClassifier(
                directions=self.directions, categorical=text_columns(encoder).tolist(), **settings
            )
        if kind == "blend":
            members = [self.build(name, own, encoder) for name, own in settings.items()]
            return BlendRiskClassifier(members)
        return BoostedRiskClassifier(directions=self.directions, random_state=self.seed, **settings)


@dataclass(frozen=True)
class Chosen:
    """The kind that won, its settings, and how all were judged."""

    kind: str
    settings: Settings
    judged: list[Judged]


@dataclass
class _Tried:
    kind: str
    settings: Settings
    scores: list[Vector]


def contest(plan: Plan, kinds: Sequence[str], month: Any, group: Any, most_rows: int) -> Chosen:
    """Let the kinds compete on splits of the table; the linear one speaks where nothing can be judged."""
    kept, weights = sampled(plan.labels, plan.weights, most_rows, plan.seed)
    small = Plan(
        [column[kept] for column in plan.columns],
        plan.labels[kept],
        weights,
        plan.directions,
        plan.seed,
        plan.most_rounds,
    )
    when, who = (None if given is None else given[kept] for given in (month, group))
    splits = splits_of(small.labels, when, who, plan.seed)
    if not splits:
        return Chosen(kinds[0] if kinds[0] != "blend" else "linear", dict(LINEAR), [])
    tried = _tried(small, kinds, splits)
    labels = [small.labels[rows] for _, rows in splits]
    judged = judge([one.kind for one in tried], [one.scores for one in tried], labels)
    winner = simplest(judged)
    best = next(one for one in tried if one.kind == winner.name)
    return Chosen(best.kind, best.settings, judged)


def _tried(plan: Plan, kinds: Sequence[str], splits: Sequence[tuple[Rows, Rows]]) -> list[_Tried]:
    """Each kind with the best of its settings, simplest kind first."""
    parts = [_matrices(plan, learn, judged) for learn, judged in splits]
    rare = min(plan.labels.sum(), len(plan.labels) - plan.labels.sum())
    found: dict[str, _Tried] = {}
    if "linear" in kinds:
        found["linear"] = _smooth(plan, "linear", [LINEAR], parts)
    if "spline" in kinds and rare >= FEW_ENTRIES / 3:
        found["spline"] = _smooth(plan, "spline", SPLINE_GRID if len(plan.labels) < 50_000 else SPLINE_GRID[:2], parts)
    if "additive" in kinds and rare >= FEW_ENTRIES:
        found["additive"] = _grown(plan, "additive", [{"pairwise": True, "learning_rate": 0.1}], parts)
    if "boosted" in kinds and rare >= FEW_ENTRIES:
        grid = [SLOW_TREES, TREES] if len(plan.labels) < 50_000 else [TREES]
        found["boosted"] = _grown(plan, "boosted", grid, parts)
    if "blend" in kinds and {"spline", "boosted"} <= set(found):
        found["blend"] = _blended(found)
    return list(found.values())


@dataclass(frozen=True)
class _Part:
    encoder: TableEncoder
    learn: npt.NDArray[np.float64]
    labels: Vector
    weights: Vector
    held: npt.NDArray[np.float64]
    held_labels: Vector


def _matrices(plan: Plan, learn: Rows, judged: Rows) -> _Part:
    """The order of categories is learnt anew in each part: it rests on labels."""
    labels, weights = plan.labels[learn], plan.weights[learn]
    columns = [column[learn] for column in plan.columns]
    encoder = TableEncoder().fit(columns, labels, weights)
    held = encoder.transform([column[judged] for column in plan.columns])
    return _Part(encoder, encoder.transform(columns), labels, weights, held, plan.labels[judged])


def _smooth(plan: Plan, kind: str, grid: Sequence[Settings], parts: Sequence[_Part]) -> _Tried:
    tried = []
    for settings in grid:
        scores = [
            plan.build(kind, settings, part.encoder)
            .fit(part.learn, part.labels, sample_weight=part.weights)
            .decision_function(part.held)
            for part in parts
        ]
        tried.append(_Tried(kind, dict(settings), scores))
    return _best(tried, parts)


def _grown(plan: Plan, kind: str, grid: Sequence[Settings], parts: Sequence[_Part]) -> _Tried:
    """Boosting with each setting, stopped where it did best on the held-out rows."""
    tried = []
    for settings in grid:
        staged = []
        for part in parts:
            model = plan.build(kind, settings | {"max_iter": plan.most_rounds}, part.encoder)
            assert isinstance(model, BoostedRiskClassifier)
            grown = model.grow(part.learn, part.labels, part.weights)
            staged.append(dict(staged_scores(grown, part.held[:, model.used_], EVERY)))
        rounds = best_rounds(staged, [part.held_labels for part in parts])
        tried.append(_Tried(kind, settings | {"max_iter": rounds}, [one[rounds] for one in staged]))
    return _best(tried, parts)


def _blended(found: dict[str, _Tried]) -> _Tried:
    members = [found["spline"], found["boosted"]]
    scores = [np.mean(pair, axis=0) for pair in zip(*(one.scores for one in members), strict=True)]
    return _Tried("blend", {one.kind: one.settings for one in members}, scores)


def _best(tried: Sequence[_Tried], parts: Sequence[_Part]) -> _Tried:
    judged = judge(
        [str(place) for place in range(len(tried))], [one.scores for one in tried], [part.held_labels for part in parts]
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
