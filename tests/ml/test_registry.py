"""What is kept of a training: bitwise reload, refused types, cards in two languages, the champion pointer."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import StandardScaler

from ml import TrainingResult, score, train, write_scores
from ml.candidate import estimator_of
from ml.columns import feature_matrix
from ml.experiment import Experiment
from ml.model_file import ModelFileError, load_model
from ml.registry import (
    TRUSTED,
    RegistryError,
    adopt,
    champion_line,
    champion_version,
    decisions,
    list_models,
    load_scorers,
    promote,
    roll_back,
    save_model,
)
from ml.scorer import SCORE_SCHEMA, Scorer
from tests.ml.synthetic import Panel

Trained = tuple[TrainingResult, Path]


def test_a_reloaded_model_gives_bitwise_equal_scores(trained: Trained, city: Panel, experiment: Experiment) -> None:
    result, registry = trained
    final = load_scorers(registry, result.model_version)[-1]
    matrix = feature_matrix(city.features, experiment.feature_names)
    skops.io.dump(final, registry / "again.skops")
    again = skops.io.load(registry / "again.skops", trusted=skops.io.get_untrusted_types(file=registry / "again.skops"))
    assert np.array_equal(final.estimator.decision_function(matrix), again.estimator.decision_function(matrix))
    assert (final.model_version, final.basis) == (result.model_version, "model")


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_every_kind_survives_the_file(experiment: Experiment, tmp_path: Path, kind: int) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(400, len(experiment.features)))
    estimator = estimator_of(experiment.candidates[kind], experiment).fit(matrix, (matrix[:, 0] > 0.5).astype(float))
    save_model(tmp_path, [Scorer("one", "model", "2024-01-01", estimator)], experiment, minimal_figures())
    loaded = load_scorers(tmp_path, "one")[-1].estimator
    assert np.array_equal(loaded.decision_function(matrix), estimator.decision_function(matrix))


def minimal_figures() -> dict[str, object]:
    data = {
        "first_month": "2023-01-01",
        "as_of_month": "2024-01-01",
        "history_months": 8,
        "households": 1,
        "household_months": 1,
        "positive_households": 0,
        "base_rate": 0.0,
        "horizon_months": 3,
        "embargo_months": 1,
        "delay_entries": 0,
    }
    message = {"key": "no_origin", "places": {}}
    return {"kind": "rules", "basis": "rules", "message": message, "warnings": [], "data": data}


def test_a_foreign_type_is_refused(experiment: Experiment, tmp_path: Path) -> None:
    class Foreign(StandardScaler):
        """Not on the list."""

    skops.io.dump({"scorers": [Foreign()]}, tmp_path / "bad.skops")
    with pytest.raises(ModelFileError, match=r"not allowed: .*Foreign"):
        load_model(tmp_path / "bad.skops", TRUSTED)


def test_a_pickle_is_refused_before_it_runs(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.mkdir, (tmp_path / "it ran",))  # type: ignore[return-value]

    (tmp_path / "model.skops").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelFileError, match="pickle"):
        load_model(tmp_path / "model.skops", TRUSTED)
    assert not (tmp_path / "it ran").exists()


def registered(registry: Path, experiment: Experiment, version: str, basis: str = "model") -> Path:
    """A version whose scorer is the rules."""
    estimator = estimator_of(experiment.candidates[0], experiment).fit(np.zeros((1, len(experiment.features))), [0])
    versions = {"data": "d", "policy": "p"}
    return save_model(
        registry, [Scorer(version, basis, "2024-01-01", estimator)], experiment, minimal_figures(), versions
    )


def test_a_file_changed_after_registration_is_refused(experiment: Experiment, tmp_path: Path) -> None:
    directory = registered(tmp_path, experiment, "one")
    assert load_scorers(tmp_path, "one")
    (directory / "metrics.json").write_text((directory / "metrics.json").read_text(encoding="utf-8") + " ")
    for refused in (lambda: load_scorers(tmp_path, "one"), lambda: promote(tmp_path, "one")):
        with pytest.raises(RegistryError, match=r"metrics\.json"):
            refused()
    (directory / "manifest.json").unlink()
    with pytest.raises(RegistryError, match=r"manifest\.json"):
        load_scorers(tmp_path, "one")


def test_a_champion_without_a_manifest_no_longer_speaks(experiment: Experiment, tmp_path: Path) -> None:
    """One that a release before manifests registered: the next training is adopted as if nothing had spoken."""
    registered(tmp_path, experiment, "old", "model")
    promote(tmp_path, "old")
    registered(tmp_path, experiment, "new", "model")
    assert not adopt(tmp_path, "new"), "a whole champion stays until a person decides"
    (tmp_path / "old" / "manifest.json").unlink()
    assert champion_version(tmp_path) is None
    assert adopt(tmp_path, "new")
    assert champion_line(tmp_path) == ["new"]


def test_the_manifest_says_what_a_version_was_made_of(experiment: Experiment, tmp_path: Path) -> None:
    stated = json.loads((registered(tmp_path, experiment, "one") / "manifest.json").read_text(encoding="utf-8"))
    assert stated["experiment"] == experiment.hash
    assert stated["versions"] == {"data": "d", "policy": "p"}
    assert {"scikit-learn", "skops", "polars"} <= set(stated["packages"])
    assert set(stated["files"]) == {"model.skops", "experiment.yaml", "metrics.json", "card.md", "card.zh.md"}


def test_the_same_model_has_the_same_bytes(
    trained: Trained, city: Panel, only_additive: Experiment, tmp_path: Path
) -> None:
    """Trained anew in another registry: every file of the version is the same, byte for byte."""
    again = train(city.features, city.events, tmp_path, city.last, only_additive)
    names = sorted(path.name for path in trained[0].directory.iterdir())
    for name in names:
        assert (trained[0].directory / name).read_bytes() == (again.directory / name).read_bytes(), name


def test_a_promotion_is_a_persons_and_can_be_taken_back(experiment: Experiment, tmp_path: Path) -> None:
    for version in ("first", "second"):
        registered(tmp_path, experiment, version)
    adopt(tmp_path, "first")
    with pytest.raises(RegistryError, match="no earlier champion"):
        roll_back(tmp_path, "Li", "because", "2024-02-01")
    promote(tmp_path, "second", "Li", "better recall", "2024-02-01")
    assert champion_version(tmp_path) == "second"
    assert roll_back(tmp_path, "Wang", "calibration", "2024-03-01") == "first"
    assert champion_line(tmp_path) == ["first"]
    told = [(one.kind, one.model_version, one.by, one.reason, one.at) for one in decisions(tmp_path)]
    assert told == [
        ("adopted", "first", "", "", ""),
        ("promoted", "second", "Li", "better recall", "2024-02-01"),
        ("rolled_back", "first", "Wang", "calibration", "2024-03-01"),
    ]


def test_the_directory_holds_what_a_reader_needs(trained: Trained, only_additive: Experiment) -> None:
    directory = trained[0].directory
    names = {path.name for path in directory.iterdir()}
    assert names == {"model.skops", "experiment.yaml", "metrics.json", "card.md", "card.zh.md", "manifest.json"}
    stated = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    assert stated["experiment_hash"] == only_additive.hash
    for card, words in (("card.md", "must not be used"), ("card.zh.md", "不得据此拒绝")):
        text = (directory / card).read_text(encoding="utf-8")
        assert words in text
        assert trained[0].model_version in text
        recall = stated["metrics"]["additive"]["recall_at_capacity"]["value"]
        assert f"{recall:.3f}" in text


def test_saving_twice_changes_nothing_and_leaves_no_pieces(experiment: Experiment, tmp_path: Path) -> None:
    estimator = estimator_of(experiment.candidates[0], experiment).fit(np.zeros((1, len(experiment.features))), [0])
    scorers = [Scorer("one", "rules", "2024-01-01", estimator)]
    first = save_model(tmp_path, scorers, experiment, minimal_figures())
    stamp = (first / "metrics.json").stat().st_mtime_ns
    assert save_model(tmp_path, scorers, experiment, minimal_figures()) == first
    assert (first / "metrics.json").stat().st_mtime_ns == stamp
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_the_first_version_is_adopted_and_a_model_is_only_replaced_by_a_person(
    experiment: Experiment, tmp_path: Path
) -> None:
    estimator = estimator_of(experiment.candidates[0], experiment).fit(np.zeros((1, len(experiment.features))), [0])
    for version, basis in (("early", "rules"), ("first", "model"), ("second", "model")):
        save_model(tmp_path, [Scorer(version, basis, "2024-01-01", estimator)], experiment, minimal_figures())
    assert champion_version(tmp_path) is None
    assert adopt(tmp_path, "early")
    assert adopt(tmp_path, "first")
    assert not adopt(tmp_path, "second")
    promote(tmp_path, "second")
    assert champion_version(tmp_path) == "second"
    assert {entry.model_version for entry in list_models(tmp_path)} == {"early", "first", "second"}
    with pytest.raises(RegistryError, match="not in the registry"):
        promote(tmp_path, "third")


def test_scores_are_written_whole(trained: Trained, city: Panel, only_additive: Experiment, tmp_path: Path) -> None:
    import polars as pl

    scores = score(city.features, trained[1], [city.last], only_additive)
    write_scores(scores, tmp_path / "reference" / "household_score.parquet")
    read = pl.read_parquet(tmp_path / "reference" / "household_score.parquet")
    assert read.schema == pl.Schema(SCORE_SCHEMA)
    assert read.equals(scores)
    assert [path.name for path in (tmp_path / "reference").iterdir()] == ["household_score.parquet"]
