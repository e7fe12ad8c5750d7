"""What is watched and from where on something is said (watch.yaml), and which feed makes which feature.

Belongs here: settings as typed objects. Does not belong here: any measuring; that is drift, fairness and exploration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from models.documents import read_document

HERE = Path(__file__).parent
T = TypeVar("T")


class WatchError(ValueError):
    """A key of watch.yaml or feature_source.yaml is unknown or missing; the message names it."""


@dataclass(frozen=True)
class Drift:
    """When a column counts as moved, and what a change of unit looks like; see watch.yaml."""

    reference_months: int
    usual_months: int
    usual_factor: float
    most_rows: int
    bins: int
    psi: float
    calm_psi: float
    missing_rise: float
    least_rows: int
    least_values: int
    unit_powers: tuple[int, ...]
    unit_tolerance: float
    unit_share: float
    population_feeds: int


@dataclass(frozen=True)
class Labels:
    """When a group has fewer entries than others and the score lead one to expect."""

    ratio: float
    significance: float
    least_expected: float


@dataclass(frozen=True)
class CalibrationWatch:
    """Into how many bins probabilities are put beside what came, and how far off they may be once that is known."""

    bins: int
    least_entries: int
    ratio_most: float
    slope_least: float
    slope_most: float


@dataclass(frozen=True)
class Fairness:
    """Least sizes of a group that is told, and the bands of age."""

    least_households: int
    least_entries: int
    age_bands: tuple[int, ...]


@dataclass(frozen=True)
class Exploration:
    """How much a visit may weigh at most."""

    weight_cap: float


@dataclass(frozen=True)
class Watch:
    """All of watch.yaml."""

    drift: Drift
    labels: Labels
    calibration: CalibrationWatch
    fairness: Fairness
    exploration: Exploration


@cache
def load_watch() -> Watch:
    """The settings shipped with the project."""
    stated = _mapping("watch.yaml")
    kinds: dict[str, type[Any]] = {
        "drift": Drift,
        "labels": Labels,
        "calibration": CalibrationWatch,
        "fairness": Fairness,
        "exploration": Exploration,
    }
    if set(stated) != set(kinds):
        raise WatchError(f"watch.yaml: keys are {sorted(kinds)}, found {sorted(stated)}")
    return Watch(**{name: _typed(kind, stated[name]) for name, kind in kinds.items()})


@cache
def feature_sources() -> Mapping[str, Mapping[str, str]]:
    """Feature -> feed -> column of the feed."""
    found: dict[str, dict[str, str]] = {}
    for feed, columns in _mapping("feature_source.yaml").items():
        for feature, column in columns.items():
            found.setdefault(feature, {})[feed] = column
    return found


def _mapping(name: str) -> dict[str, Any]:
    content = read_document((HERE / name).read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise WatchError(f"{name} is not a mapping")
    return content


def _typed(kind: type[T], stated: Mapping[str, Any]) -> T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if set(stated) != known:
        raise WatchError(f"{kind.__name__}: keys are {sorted(known)}, found {sorted(stated)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in stated.items()})
