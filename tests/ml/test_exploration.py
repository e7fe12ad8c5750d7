"""Visits by chance: what the two arms say, and that logged probabilities give back the truth."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from ml.cohort import EVENT_COLUMNS
from ml.experiment import Experiment
from ml.exploration import arm_metrics, helps, training_weights, visited_rows


def visits(seed: int, households: int = 30_000) -> tuple[pl.DataFrame, int, int]:
    """A city whose model chose 1,500, and 500 drawn from the rest; how many were in need, and how many it found."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(0.6, 10, households)
    label = (rng.random(households) < risk).astype(int)
    order = np.argsort(-(risk + rng.normal(0, 0.05, households)))
    ranked, rest = order[:1_500], order[1_500:]
    drawn = rng.choice(rest, 500, replace=False)
    rows = pl.DataFrame(
        {
            "household_id": [f"h{number}" for number in (*ranked, *drawn)],
            "selection_arm": ["ranked"] * 1_500 + ["random"] * 500,
            "selection_probability": [1.0] * 1_500 + [500 / len(rest)] * 500,
            "label": label[[*ranked, *drawn]],
        }
    )
    return rows, int(label.sum()), int(label[ranked].sum())


def test_inverse_propensity_gives_back_how_many_were_in_need() -> None:
    """Over twenty draws the mean lies within two per cent of the truth, and most intervals hold it."""
    needed, held = [], 0
    for seed in range(20):
        rows, truth, found = visits(seed)
        told = arm_metrics(rows, 60, seed)
        needed.append(told["needed"]["value"] / truth)
        held += told["needed"]["low"] <= truth <= told["needed"]["high"]
        assert told["ranked_precision"]["value"] == pytest.approx(found / 1_500)
    assert np.mean(needed) == pytest.approx(1.0, abs=0.03)
    assert held >= 16


def test_the_arms_are_told_side_by_side() -> None:
    rows, _, _ = visits(1)
    told = arm_metrics(rows, 30, 1)
    assert told["visits"] == {"ranked": 1_500, "random": 500}
    assert told["random_precision"]["value"] < told["ranked_precision"]["value"]


def test_without_a_random_arm_nothing_is_said_about_those_passed_over() -> None:
    rows, _, _ = visits(1)
    told = arm_metrics(rows.filter(pl.col("selection_arm") == "ranked"), 10, 1)
    assert told["needed"]["value"] is None
    assert told["recall"]["value"] is None
    assert told["ranked_precision"]["value"] is not None


def test_only_matured_rows_of_the_models_part_of_the_list_count(experiment: Experiment) -> None:
    months = [date(2024, number, 1) for number in (1, 2, 9)]
    listed = pl.DataFrame(
        {
            "household_id": ["a", "b", "c", "d"],
            "month": [months[0], months[0], months[1], months[2]],
            "township_code": ["t"] * 4,
            "selection_arm": ["ranked", None, "random", "random"],
            "selection_probability": [1.0, None, 0.1, 0.1],
        }
    )
    entry = ("c", "register", date(2024, 3, 1), date(2024, 9, 1))
    events = pl.DataFrame([entry], schema=list(EVENT_COLUMNS), orient="row")
    rows = visited_rows(listed, events, experiment, 1)
    assert rows.select("household_id", "label").rows() == [("a", 0), ("c", 1)]


def test_weights_are_capped_and_only_taken_where_they_help() -> None:
    weight = training_weights(np.array([1.0, 0.5, 0.001]), cap=5.0)
    assert weight.max() / weight.min() == pytest.approx(5.0)
    assert weight.mean() == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    plain = rng.normal(0.5, 0.05, 200)
    assert helps(plain, plain + 0.05 + rng.normal(0, 0.01, 200))
    assert not helps(plain, plain + 0.001 + rng.normal(0, 0.01, 200))
