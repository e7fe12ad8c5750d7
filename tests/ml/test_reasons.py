"""Reasons: they sum to the score, the strongest come first, they have words, and none is a protected attribute."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from ml import TrainingResult, score
from ml.columns import feature_matrix
from ml.experiment import HERE, Experiment, ExperimentError, experiment_of
from ml.reasons import reason_codes, reason_contributions
from ml.registry import load_scorers
from models.labels import label
from tests.ml.synthetic import Panel

Trained = tuple[TrainingResult, Path]
CONTRACT = HERE.parent / "dbt_project" / "models" / "indicators" / "household_month_feature.yml"


def test_reasons_sum_to_the_score_of_every_row(trained: Trained, city: Panel, only_additive: Experiment) -> None:
    for scorer in load_scorers(trained[1], trained[0].model_version):
        matrix = feature_matrix(city.features, only_additive.feature_names)
        grouped = reason_contributions(scorer.estimator.explain(matrix), only_additive)
        raw = scorer.estimator.decision_function(matrix)
        assert np.abs(scorer.estimator.baseline_ + grouped.sum(axis=1) - raw).max() < 1e-9


def test_the_strongest_reasons_come_first_and_weak_ones_not_at_all(experiment: Experiment) -> None:
    places = {name: place for place, name in enumerate(experiment.feature_names)}
    parts = np.zeros((2, len(places)))
    parts[0, places["income_change_ratio"]] = 0.2
    parts[0, places["inpatient_12m_count"]] = 0.2
    parts[0, places["largest_stay_standard_ratio"]] = 0.1
    parts[0, places["report_12m_count"]] = 0.9
    parts[0, places["custody_count"]] = 0.05
    parts[0, places["car_count"]] = -2.0
    found = [json.loads(cell) for cell in reason_codes(parts, experiment)]
    assert found == [["report", "medical_spending", "income_drop"], []]


def test_every_reason_has_words_in_both_languages(experiment: Experiment) -> None:
    for code in experiment.reason_codes:
        assert label(f"ml.reason.{code}", "zh")
        assert label(f"ml.reason.{code}", "en")


def test_scores_carry_only_known_reasons(trained: Trained, city: Panel, only_additive: Experiment) -> None:
    scores = score(city.features, trained[1], [city.last], only_additive)
    codes = {code for cell in scores["reason_codes"] for code in json.loads(cell)}
    assert codes
    assert codes <= set(only_additive.reason_codes)
    assert not codes & set(only_additive.protected)


def test_every_feature_is_a_column_of_the_warehouse_table(experiment: Experiment) -> None:
    contract = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["models"][0]
    columns = {column["name"]: column["data_type"] for column in contract["columns"]}
    assert set(experiment.feature_names) <= set(columns)
    unread = set(columns) - set(experiment.feature_names)
    assert unread == {
        "month",
        "household_id",
        "village_code",
        "township_code",
        "county_code",
        "area_type",
        "is_on_assistance",
        "visit_capacity_count",
    }
    assert {columns[name] for name in experiment.feature_names} == {"double"}


def declared() -> tuple[dict, dict]:  # type: ignore[type-arg]
    return (
        yaml.safe_load((HERE / "experiment.yaml").read_text(encoding="utf-8")),
        yaml.safe_load((HERE / "features.yaml").read_text(encoding="utf-8")),
    )


def test_the_experiment_refuses_what_cannot_be_meant() -> None:
    stated, catalogue = declared()
    with pytest.raises(ExperimentError, match="unknown"):
        experiment_of({**stated, "sead": 1}, catalogue)
    with pytest.raises(ExperimentError, match="missing"):
        experiment_of({key: value for key, value in stated.items() if key != "seed"}, catalogue)
    guilty = {**catalogue, "features": {**catalogue["features"], "household": {"sex": {"direction": 0}}}}
    with pytest.raises(ExperimentError, match="protected"):
        experiment_of(stated, guilty)
    with pytest.raises(ExperimentError, match="rules"):
        experiment_of({**stated, "candidates": stated["candidates"][1:]}, catalogue)


def test_the_hash_follows_the_declaration(experiment: Experiment) -> None:
    stated, catalogue = declared()
    assert experiment_of(stated, catalogue).hash == experiment.hash
    assert experiment_of({**stated, "horizon_months": 4}, catalogue).hash != experiment.hash
    assert experiment.hash.isalpha()


def test_json_cells_are_valid_for_many_rows(experiment: Experiment) -> None:
    parts = np.random.default_rng(0).normal(size=(500, len(experiment.features)))
    cells = reason_codes(parts, experiment)
    assert cells.dtype == pl.String
    assert all(len(json.loads(cell)) <= experiment.reasons.top for cell in cells)
