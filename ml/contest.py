"""Which kind suits a table: fitted on one part, judged on another (later months, other groups), the simpler in doubt.

Belongs here: splits, judging by AUC, one standard error. Not here: the kinds; recall at township capacity, which needs
a city (`ml.selection`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, StratifiedKFold

from ml.additive import Vector

Rows = npt.NDArray[np.int64]
Split = tuple[Rows, Rows]
FEW_ROWS, MANY_ROWS = 3_000, 50_000
CLOSE = 0.5
LATEST_SHARE = 0.3  # of the months, by which a panel is judged


@dataclass(frozen=True)
class Judged:
    """Mean AUC over the folds and, against the best, the gap and its standard error."""

    name: str
    auc: float
    gap: float
    error: float


def splits_of(labels: Vector, month: npt.NDArray[Any] | None, group: npt.NDArray[Any] | None, seed: int) -> list[Split]:
    """Learning and judging rows: later months if months are given, other groups if groups are, both if both."""
    folds = 5 if len(labels) < FEW_ROWS else 3 if len(labels) < MANY_ROWS else 2
    if month is not None:
        parts = list(_by_month(month, group, 3 if len(labels) < MANY_ROWS else 2))
    elif group is not None:
        count = min(folds, len(np.unique(group)))
        parts = list(GroupKFold(count).split(labels, groups=group)) if count > 1 else []
    else:
        count = int(min(folds, labels.sum(), len(labels) - labels.sum()))
        shuffled = StratifiedKFold(count, shuffle=True, random_state=seed) if count > 1 else None
        parts = list(shuffled.split(labels, labels)) if shuffled is not None else []
        if len(labels) >= MANY_ROWS:
            parts = parts[:1]
    return [(learn, judge) for learn, judge in parts if _two_classes(labels[learn]) and _two_classes(labels[judge])]


def _by_month(month: npt.NDArray[Any], group: npt.NDArray[Any] | None, folds: int) -> Iterator[Split]:
    months = np.unique(month)
    late = months[-max(1, int(np.ceil(len(months) * LATEST_SHARE))) :] if len(months) > 1 else months[:0]
    if group is None:
        blocks = np.array_split(late, min(2, len(late))) if len(late) else []
        for block in blocks:
            yield np.flatnonzero(month < block[0]), np.flatnonzero(np.isin(month, block))
        return
    fold_of = np.unique(group, return_inverse=True)[1] % folds
    if len(late):
        for fold in range(folds):
            yield (
                np.flatnonzero((month < late[0]) & (fold_of != fold)),
                np.flatnonzero((month >= late[0]) & (fold_of == fold)),
            )


def _two_classes(labels: Vector) -> bool:
    return len(labels) > 0 and 0 < labels.sum() < len(labels)


def judge(names: Sequence[str], scores: Sequence[Sequence[Vector]], labels: Sequence[Vector]) -> list[Judged]:
    """Each competitor's mean AUC, and how sure its gap to the best is; `scores[competitor][fold]`.

    The error is that of a difference on the same rows (DeLong), so it is small where two rank alike.
    """
    placed = [[_placements(score, label) for score, label in zip(own, labels, strict=True)] for own in scores]
    areas = [float(np.mean([up.mean() for up, _ in own])) for own in placed]
    best = int(np.argmax(areas))
    return [
        Judged(name, area, areas[best] - area, _error(placed[best], own))
        for name, area, own in zip(names, areas, placed, strict=True)
    ]


def simplest(judged: Sequence[Judged], close: float = CLOSE) -> Judged:
    """The first (simplest) competitor within so many standard errors of the best.

    A whole one cost up to 0.008 AUC on real panels with hundreds of entries; half of one is too little for dozens.
    """
    return next(one for one in judged if one.gap <= close * one.error)


def _placements(score: Vector, label: Vector) -> tuple[Vector, Vector]:
    """For each entry the share of others it outranks, for each other the share of entries above it; ties count half."""
    up, down = np.sort(score[label == 0]), np.sort(score[label == 1])
    positive, negative = score[label == 1], score[label == 0]
    above = (np.searchsorted(up, positive, "left") + np.searchsorted(up, positive, "right")) / 2 / len(up)
    below = 1 - (np.searchsorted(down, negative, "left") + np.searchsorted(down, negative, "right")) / 2 / len(down)
    return above, below


def _error(first: Sequence[tuple[Vector, Vector]], second: Sequence[tuple[Vector, Vector]]) -> float:
    total = 0.0
    for (above, below), (other_above, other_below) in zip(first, second, strict=True):
        one, two = above - other_above, below - other_below
        total += float(one.var() / len(one) + two.var() / len(two))
    return float(np.sqrt(total) / len(first))


def best_rounds(staged: Sequence[dict[int, Vector]], labels: Sequence[Vector]) -> tuple[int, list[Vector]]:
    """The number of rounds with the highest mean AUC over the folds, and the scores then; the fewest in a tie.

    A fold that stopped growing earlier speaks with its last round.
    """
    looks = sorted({done for own in staged for done in own})
    scores = [[own[max(done for done in own if done <= look or done == min(own))] for own in staged] for look in looks]
    areas = [
        np.mean([_placements(one, label)[0].mean() for one, label in zip(own, labels, strict=True)]) for own in scores
    ]
    best = int(np.argmax(areas))
    return looks[best], scores[best]
