"""The declared experiment and the catalogue of features, as typed objects with one hash; no data and no learning."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from models.documents import read_document

HERE = Path(__file__).parent
KINDS = ("rules", "logistic", "spline", "additive", "boosted")
T = TypeVar("T")


class ExperimentError(ValueError):
    """The experiment or the feature catalogue says something that cannot be meant; the message names the key."""


@dataclass(frozen=True)
class Validation:
    """How candidates are judged: as-of months, capacity as a share of a township's cohort, bootstrap size."""

    origins: int
    min_training_months: int
    capacity_share: float
    bootstrap_replicates: int
    calibration_bins: int


@dataclass(frozen=True)
class Sampling:
    """Case-control sampling of household-months without entry; weights are the inverse of the rate kept."""

    negatives_per_positive: int
    least_rows: int
    most_rows: int


@dataclass(frozen=True)
class Calibration:
    """Which matured slices make the probability, and from how many entries on steps replace two parameters."""

    slices: int
    isotonic_min_positives: int


@dataclass(frozen=True)
class Leak:
    """When a single feature ranks entries too well to be honest."""

    auc: float
    min_positives: int


@dataclass(frozen=True)
class Reasons:
    """How many reasons a household gets, and how small a contribution (log-odds or points) still counts."""

    top: int
    least_contribution: float


@dataclass(frozen=True)
class Feature:
    """One input column: the reason it speaks for, the direction the risk may move, linear or log scale."""

    name: str
    reason: str
    direction: int
    scale: str


@dataclass(frozen=True)
class Candidate:
    """One competitor: its kind and what its file entry says beyond that."""

    kind: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """The whole declaration; `hash` identifies it together with the features."""

    experiment: str
    version: int
    seed: int
    horizon_months: int
    embargo_months: int
    embargo_quantile: float
    embargo_longest_months: int
    min_history_months: int
    min_positive_households: int
    entry_events: tuple[str, ...]
    validation: Validation
    sampling: Sampling
    calibration: Calibration
    leak: Leak
    reasons: Reasons
    candidates: tuple[Candidate, ...]
    features: tuple[Feature, ...]
    protected: tuple[str, ...]

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @cached_property
    def reason_codes(self) -> tuple[str, ...]:
        """The reasons in the order of the catalogue."""
        return tuple(dict.fromkeys(feature.reason for feature in self.features))

    @cached_property
    def hash(self) -> str:
        return letters(json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode(), 16)


def letters(content: bytes, length: int) -> str:
    """A digest of lower-case letters only, so that no key of ours can ever look like an ID number."""
    number = int.from_bytes(hashlib.sha256(content).digest(), "big")
    found = []
    for _ in range(length):
        number, digit = divmod(number, 26)
        found.append(chr(ord("a") + digit))
    return "".join(found)


def load_experiment(path: Path | None = None, features: Path | None = None) -> Experiment:
    """Read the experiment (default: the one shipped) and the feature catalogue.

    Raises ExperimentError for an unknown, missing or impossible key.
    """
    stated = _mapping(path or HERE / "experiment.yaml")
    catalogue = _mapping(features or HERE / "features.yaml")
    return experiment_of(stated, catalogue)


def experiment_of(stated: dict[str, Any], catalogue: dict[str, Any]) -> Experiment:
    """The typed experiment of two parsed files; see load_experiment."""
    stated = {
        **stated,
        "entry_events": tuple(stated.get("entry_events", ())),
        "validation": _typed(Validation, stated.get("validation")),
        "sampling": _typed(Sampling, stated.get("sampling")),
        "calibration": _typed(Calibration, stated.get("calibration")),
        "leak": _typed(Leak, stated.get("leak")),
        "reasons": _typed(Reasons, stated.get("reasons")),
        "candidates": tuple(_candidate(entry) for entry in stated.get("candidates", ())),
        "features": tuple(_features(catalogue)),
        "protected": tuple(catalogue["protected"]),
    }
    experiment = _typed(Experiment, stated)
    _check(experiment)
    return experiment


def stored_experiment(path: Path) -> Experiment:
    """The experiment of a registered model, as it was when the model was trained."""
    stored = _mapping(path)
    parts = {
        "validation": Validation,
        "sampling": Sampling,
        "calibration": Calibration,
        "leak": Leak,
        "reasons": Reasons,
    }
    stored |= {name: _typed(kind, stored[name]) for name, kind in parts.items()}
    stored["candidates"] = tuple(_typed(Candidate, entry) for entry in stored["candidates"])
    stored["features"] = tuple(_typed(Feature, entry) for entry in stored["features"])
    stored |= {name: tuple(stored[name]) for name in ("entry_events", "protected")}
    return _typed(Experiment, stored)


def _mapping(path: Path) -> dict[str, Any]:
    content = read_document(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ExperimentError(f"{path.name} is not a mapping")
    return content


def _typed(kind: type[T], stated: Any) -> T:
    """Build a dataclass and refuse unknown and missing keys by name."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    given = set(stated or ())
    if given != known:
        raise ExperimentError(f"{kind.__name__}: unknown {sorted(given - known)}, missing {sorted(known - given)}")
    return kind(**stated)


def _candidate(entry: dict[str, Any]) -> Candidate:
    options = dict(entry)
    kind = options.pop("kind", None)
    if kind not in KINDS:
        raise ExperimentError(f"candidate kind {kind!r} is none of {KINDS}")
    return Candidate(kind, options)


def _features(catalogue: dict[str, Any]) -> list[Feature]:
    return [
        Feature(name, reason, int(stated["direction"]), stated.get("scale", "linear"))
        for reason, columns in catalogue["features"].items()
        for name, stated in columns.items()
    ]


def _check(experiment: Experiment) -> None:
    names = experiment.feature_names
    if len(set(names)) != len(names):
        raise ExperimentError("a feature is declared twice")
    if forbidden := set(names) & set(experiment.protected):
        raise ExperimentError(f"protected attributes among the features: {sorted(forbidden)}")
    for feature in experiment.features:
        if feature.direction not in (-1, 0, 1) or feature.scale not in ("linear", "log"):
            raise ExperimentError(f"feature {feature.name}: direction or scale unknown")
    if not experiment.candidates or experiment.candidates[0].kind != "rules":
        raise ExperimentError("the first candidate must be the rules: they are what remains without history")
    ruled = {rule["feature"] for rule in experiment.candidates[0].options["rules"]}
    if unknown := ruled - set(names):
        raise ExperimentError(f"rules on unknown features: {sorted(unknown)}")
    if experiment.horizon_months < 1 or experiment.embargo_months < 0:
        raise ExperimentError("horizon_months must be 1 or more, embargo_months 0 or more")
