"""What a rebuild takes and refuses: the models of that day, whole and readable; files against the log.

That lists come back byte for byte is shown over the sample city (``tests/end_to_end/test_rebuild.py``).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from ml.candidate import estimator_of
from ml.experiment import load_experiment
from ml.registry import champion_line, promote, save_model
from ml.scorer import Scorer
from orchestration.console import CommandError
from orchestration.home.settings import DataHome
from orchestration.trail.archive import MODELS, KeptRun
from orchestration.trail.rebuild import Rebuilt, compare, lay_models
from orchestration.warehouse.run_plan import RunPlan
from tests.ml.test_registry import minimal_figures

JANUARY = date(2024, 1, 1)
NOW = datetime(2024, 2, 12, tzinfo=UTC)
PLAN = RunPlan(JANUARY, JANUARY, (JANUARY,), NOW, JANUARY)


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    """A home in whose registry an old model stood, and now a newer one stands."""
    home, experiment = DataHome(tmp_path / "home").create(), load_experiment()
    matrix = np.random.default_rng(0).normal(size=(400, len(experiment.features)))
    estimator = estimator_of(experiment.candidates[0], experiment).fit(matrix, (matrix[:, 0] > 0.5).astype(float))
    for version in ("old", "newer"):
        save_model(home.registry, [Scorer(version, "model", "2024-01-01", estimator)], experiment, minimal_figures())
        promote(home.registry, version, "chief", "test", "2024-01-02")
    return home


def run_with(home: DataHome, *champions: str) -> KeptRun:
    folder = home.root / "archive" / "run" / "then"
    folder.mkdir(parents=True)
    (folder / MODELS).write_text(json.dumps({"champions": list(champions)}))
    return KeptRun(folder, PLAN, NOW, "policy", "program-of-then")


def test_the_model_that_stood_then_stands_in_the_scratch_home(home: DataHome, tmp_path: Path) -> None:
    assert champion_line(home.registry) == ["old", "newer"]
    scratch = DataHome(tmp_path / "scratch").create()
    lay_models(home, scratch, run_with(home, "old"))
    assert champion_line(scratch.registry) == ["old"]
    assert not (scratch.registry / "newer").exists()


def taken_away(folder: Path) -> None:
    shutil.rmtree(folder)


def altered(folder: Path) -> None:
    (folder / "metrics.json").write_text("{}", encoding="utf-8")


def of_another_program(folder: Path) -> None:
    """Its manifest is right, and what it was written as is unknown today."""
    from ml.manifest import MANIFEST

    (folder / "model.skops").write_bytes(b"no archive")
    stated = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    from hashlib import sha256

    stated["files"]["model.skops"] = sha256(b"no archive").hexdigest()
    (folder / MANIFEST).write_text(json.dumps(stated), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said", "what_next"),
    [
        (taken_away, "no longer in the registry", "backup"),
        (altered, "not as it was registered: metrics.json", "program-of-then"),
        (of_another_program, "cannot be used", "program-of-then"),
    ],
)
def test_a_model_that_cannot_be_used_is_said_in_words(
    home: DataHome, tmp_path: Path, spoil: Callable[[Path], None], said: str, what_next: str
) -> None:
    spoil(home.registry / "old")
    with pytest.raises(CommandError, match=said) as error:
        lay_models(home, DataHome(tmp_path / "scratch").create(), run_with(home, "old"))
    assert what_next in error.value.next_step


def test_each_file_is_held_against_the_log_and_a_missing_one_is_named(tmp_path: Path) -> None:
    from hashlib import sha256

    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    logged = {"a": sha256(b"a").hexdigest(), "b": sha256(b"else").hexdigest(), "d": "gone"}
    compared = compare(tmp_path, logged)
    assert compared == {"a": "same", "b": "different", "c": "not in the log", "d": "not made"}
    run = KeptRun(tmp_path, PLAN, NOW, "policy", "code")
    for state, is_same in (("same", True), ("different", False), ("not in the log", False), ("not made", False)):
        assert Rebuilt(run, tmp_path, {"a": state}, (), same_code=True).is_same is is_same
