"""Where trained models live: one directory a version, written aside and renamed; and which of them is in force."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from ml.card import card_text, message_text
from ml.experiment import Experiment
from ml.manifest import MANIFEST, altered_files, manifest_of, read_manifest
from ml.model_file import ModelFileError, dump_model, load_model
from ml.scorer import Scorer

# The only types a model file may bring to life beyond numbers, text and scikit-learn's base; a pickle is refused.
TRUSTED = (
    "ml.blend.BlendRiskClassifier",
    "ml.boosted.BoostedRiskClassifier",
    "ml.calibration.ScoreCalibrator",
    "ml.estimator.AdditiveRiskClassifier",
    "ml.estimator.LogisticRiskClassifier",
    "ml.estimator.RuleListClassifier",
    "ml.scorer.Scorer",
    "ml.spline.SplineRiskClassifier",
)
CHAMPION = "champion.json"


class RegistryError(RuntimeError):
    """A model cannot be read or is not there; the message says which and what to do."""


@dataclass(frozen=True)
class ModelEntry:
    """One registered version, as its metrics.json states it."""

    model_version: str
    kind: str
    basis: str
    as_of_month: date
    experiment_hash: str
    message: str
    is_champion: bool
    directory: Path


@dataclass(frozen=True)
class Decision:
    """Who put which version in force, when and why; `kind` is adopted (by itself), promoted or rolled_back."""

    kind: str
    model_version: str
    by: str
    reason: str
    at: str


def save_model(
    registry: Path,
    scorers: list[Scorer],
    experiment: Experiment,
    figures: dict[str, Any],
    versions: Mapping[str, str] | None = None,
) -> Path:
    """Write a version's directory (the last scorer names it) and return it; an existing one is left as it is.

    Atomic: readers see the whole directory or none. `versions`: of data, policy and code, for the manifest.
    """
    version = scorers[-1].model_version
    target = registry / version
    if target.is_dir():
        return target
    registry.mkdir(parents=True, exist_ok=True)
    aside = registry / f".{version}.part"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    stated = _stated(scorers, experiment, figures)
    (aside / "model.skops").write_bytes(dump_model({"scorers": scorers}))
    _write(aside / "experiment.yaml", yaml.safe_dump(_plain(asdict(experiment)), allow_unicode=True, sort_keys=False))
    _write(aside / "metrics.json", json.dumps(stated, ensure_ascii=False, indent=1, sort_keys=True))
    _write(aside / "card.md", card_text(stated, "en"))
    _write(aside / "card.zh.md", card_text(stated, "zh"))
    manifest = manifest_of(aside, experiment.hash, versions or {})
    _write(aside / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))
    aside.rename(target)
    return target


def list_models(registry: Path) -> list[ModelEntry]:
    """Every registered version, oldest as-of month first."""
    if not registry.is_dir():
        return []
    champion = champion_version(registry)
    entries = [_entry(path.parent, champion) for path in registry.glob("*/metrics.json") if path.parent.name[0] != "."]
    return sorted(entries, key=lambda entry: (entry.as_of_month, entry.model_version))


def promote(registry: Path, model_version: str, by: str = "", reason: str = "", at: str = "") -> None:
    """Make a registered version the champion; from its as-of month on it scores, earlier months keep their model.

    `by`, `reason` and `at` (a time as text) are kept with the decision.
    """
    check_whole(registry, model_version)
    line = [version for version in champion_line(registry) if version != model_version]
    _decide(registry, [*line, model_version], Decision("promoted", model_version, by, reason, at))


def roll_back(registry: Path, by: str, reason: str, at: str) -> str:
    """Take the champion out of force again; the one before it speaks as if it had never gone. Returns which one."""
    line = champion_line(registry)
    if len(line) < 2:
        raise RegistryError("there is no earlier champion to go back to; promote another version instead")
    check_whole(registry, line[-2])
    _decide(registry, line[:-1], Decision("rolled_back", line[-2], by, reason, at))
    return line[-2]


def check_whole(registry: Path, model_version: str) -> None:
    """Refuse a version that is not registered, or any of whose files is not the one that was registered."""
    if not (registry / model_version / "metrics.json").is_file():
        raise RegistryError(f"{model_version} is not in the registry; `zhaoren models` lists what is")
    if altered := altered_files(registry / model_version):
        raise RegistryError(f"{model_version}: not as it was registered: {', '.join(altered)}; train again")


def decisions(registry: Path) -> list[Decision]:
    """Every change of the champion, in order."""
    return [Decision(**one) for one in _champions(registry).get("decisions", [])]


def _decide(registry: Path, line: list[str], decision: Decision) -> None:
    stated = {"champions": line, "decisions": [asdict(one) for one in [*decisions(registry), decision]]}
    aside = registry / f".{CHAMPION}.part"
    _write(aside, json.dumps(stated, ensure_ascii=False, indent=1))
    aside.replace(registry / CHAMPION)


def champion_line(registry: Path) -> list[str]:
    """The versions promoted, in the order of their promotion; the last is in force.

    A version of a release that wrote no manifest cannot be proven and no longer speaks: the next run trains anew.
    """
    promoted = [str(version) for version in _champions(registry).get("champions", [])]
    return [version for version in promoted if not _without_manifest(registry / version)]


def _without_manifest(directory: Path) -> bool:
    return (directory / "metrics.json").is_file() and read_manifest(directory) is None


def _champions(registry: Path) -> dict[str, Any]:
    path = registry / CHAMPION
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def champion_version(registry: Path) -> str | None:
    """The version in force, None before the first promotion."""
    line = champion_line(registry)
    return line[-1] if line else None


def load_scorers(registry: Path, model_version: str) -> list[Scorer]:
    """The scorers of a version: rolling ones by as-of month, the final one last.

    Refuses a file that is not the one registered, and any type not in TRUSTED.
    """
    path = registry / model_version / "model.skops"
    if not path.is_file():
        raise RegistryError(f"{model_version} has no model.skops; train again or promote another version")
    check_whole(registry, model_version)
    try:
        scorers: list[Scorer] = load_model(path, TRUSTED)["scorers"]
    except ModelFileError as error:
        raise RegistryError(f"{model_version}/model.skops {error}; train again") from error
    return scorers


def model_metrics(registry: Path, model_version: str) -> dict[str, Any]:
    """metrics.json of a version."""
    found: dict[str, Any] = json.loads((registry / model_version / "metrics.json").read_text(encoding="utf-8"))
    return found


def _stated(scorers: list[Scorer], experiment: Experiment, figures: dict[str, Any]) -> dict[str, Any]:
    return {
        **figures,
        "model_version": scorers[-1].model_version,
        "as_of_month": scorers[-1].as_of_month,
        "experiment_hash": experiment.hash,
        "rolling": [{"model_version": one.model_version, "from_month": one.as_of_month} for one in scorers[:-1]],
        "candidates": [candidate.kind for candidate in experiment.candidates],
        "capacity_share": experiment.validation.capacity_share,
        "feature_count": len(experiment.features),
        "protected": list(experiment.protected),
    }


def _entry(directory: Path, champion: str | None) -> ModelEntry:
    stated = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    return ModelEntry(
        model_version=stated["model_version"],
        kind=stated["kind"],
        basis=stated["basis"],
        as_of_month=date.fromisoformat(stated["as_of_month"]),
        experiment_hash=stated["experiment_hash"],
        message=message_text(stated["message"], "en"),
        is_champion=stated["model_version"] == champion,
        directory=directory,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def adopt(registry: Path, model_version: str) -> bool:
    """Promote a version where nothing speaks yet, or only the rules for want of history; True where it did.

    Any later change of the champion is a person's decision (`promote`).
    """
    current = champion_version(registry)
    if current is not None and load_scorers(registry, current)[-1].basis != "rules":
        return False
    check_whole(registry, model_version)
    kept = [version for version in champion_line(registry) if version != model_version]
    _decide(registry, [*kept, model_version], Decision("adopted", model_version, "", "", ""))
    return True
