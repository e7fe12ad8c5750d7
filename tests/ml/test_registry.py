"""What is kept of a training: bitwise reload, refused types, cards in two languages, the champion pointer."""

import json
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import StandardScaler

from ml import TrainingResult, score, write_scores
from ml.candidate import estimator_of
from ml.columns import feature_matrix
from ml.experiment import Experiment
from ml.registry import RegistryError, adopt, champion_version, list_models, load_scorers, promote, save_model
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


@pytest.mark.parametrize("kind", [0, 1, 2])
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

    (tmp_path / "bad").mkdir()
    skops.io.dump({"scorers": [Foreign()]}, tmp_path / "bad" / "model.skops")
    with pytest.raises(RegistryError, match="not allowed"):
        load_scorers(tmp_path, "bad")


def test_the_directory_holds_what_a_reader_needs(trained: Trained, only_additive: Experiment) -> None:
    directory = trained[0].directory
    names = {path.name for path in directory.iterdir()}
    assert names == {"model.skops", "experiment.yaml", "metrics.json", "card.md", "card.zh.md"}
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
