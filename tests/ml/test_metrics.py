"""Metrics by figures worked out by hand."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from ml.metrics import (
    average_precision,
    calibration_error,
    estimate,
    household_weights,
    list_metrics,
    random_list,
    within_capacity,
)

ROWS = pl.DataFrame(
    {
        "household_id": list("abcdef"),
        "month": [date(2023, 6, 1)] * 6,
        "township_code": ["x", "x", "x", "x", "y", "y"],
        "capacity": [2, 2, 2, 2, 1, 1],
        "score": [3.0, 1.0, 1.0, 0.0, -5.0, -6.0],
    }
)
LABEL = np.array([1.0, 0, 1, 0, 0, 1])


def test_each_township_lists_its_own_best_and_ties_go_by_household() -> None:
    assert within_capacity(ROWS, "score").tolist() == [1, 1, 0, 0, 1, 0]


def test_precision_recall_and_lift() -> None:
    listed = within_capacity(ROWS, "score")
    weights = household_weights(ROWS, 50, 1)
    found = list_metrics(LABEL, ROWS["score"].to_numpy(), listed, weights)
    assert found["precision_at_capacity"].value == pytest.approx(1 / 3)
    assert found["recall_at_capacity"].value == pytest.approx(1 / 3)
    assert found["lift_at_capacity"].value == pytest.approx(2 / 3)
    assert 0.0 <= (found["recall_at_capacity"].low or 0.0) <= (found["recall_at_capacity"].high or 0.0) <= 1.0


def test_average_precision_by_hand() -> None:
    order = np.array([0, 1, 2])
    assert average_precision(np.array([1.0, 0, 1]), order, np.ones(3)) == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(average_precision(np.zeros(3), order, np.ones(3)))


def test_a_random_list_finds_its_share() -> None:
    precision, recall = random_list(LABEL, np.full(6, 0.5))
    assert precision == pytest.approx(0.5)
    assert recall == pytest.approx(0.5)


def test_calibration_error_is_nought_where_shares_agree() -> None:
    label = np.array([0.0, 1, 0, 1])
    assert calibration_error(label, np.full(4, 0.5), 1) == 0.0
    assert calibration_error(label, np.full(4, 0.9), 1) == pytest.approx(0.4)


def test_the_bootstrap_draws_households_not_rows() -> None:
    doubled = pl.concat([ROWS, ROWS])
    weights = household_weights(doubled, 20, 7)
    assert (weights[:, :6] == weights[:, 6:]).all()


def test_what_cannot_be_measured_is_none() -> None:
    nothing = estimate(float("nan"), np.empty(0))
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)
