"""Measures of order: what a hand can count, ties both ways, steady and unsteady lists."""

import math

import numpy as np
import polars as pl
import pytest

from ml.ranking import among_best, overlap, ranking_metrics, tie_bounds


def month_rows(scores: list[float], labels: list[int], capacity: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "household_id": [chr(ord("a") + place) for place in range(len(scores))],
            "month": ["2024-01"] * len(scores),
            "township_code": ["t"] * len(scores),
            "capacity": [capacity] * len(scores),
            "label": labels,
            "score": scores,
        }
    )


def test_the_best_share_is_of_the_whole_city_and_breaks_ties_by_household() -> None:
    rows = month_rows([1.0, 3.0, 3.0, 0.0], [0, 0, 1, 0], 2)
    assert among_best(rows, "score", 0.25).tolist() == [0, 1, 0, 0]
    assert among_best(rows, "score", 0.5).tolist() == [0, 1, 1, 0]


def test_ndcg_is_one_for_the_best_order_and_less_the_later_an_entry_stands() -> None:
    best = month_rows([4, 3, 2, 1], [1, 1, 0, 0], 2)
    second = month_rows([4, 3, 2, 1], [0, 1, 0, 0], 2)
    weights = np.ones((2, 4), dtype=np.int8)
    assert ranking_metrics(best, "score", weights)["ndcg_at_capacity"].value == pytest.approx(1.0)
    told = ranking_metrics(second, "score", weights)["ndcg_at_capacity"].value
    assert told == pytest.approx(1 / math.log2(3))


def test_an_entry_beyond_capacity_gains_nothing() -> None:
    rows = month_rows([4, 3, 2, 1], [0, 0, 1, 0], 2)
    assert ranking_metrics(rows, "score", np.ones((1, 4), dtype=np.int8))["ndcg_at_capacity"].value == 0


def test_ties_at_the_end_of_a_list_bound_the_recall() -> None:
    # One place is sure, one goes to one of three who are level, two of whom entered.
    rows = month_rows([5, 2, 2, 2, 1], [1, 0, 1, 1, 0], 2)
    bounds = tie_bounds(rows, "score")
    assert bounds.worst == pytest.approx(1 / 3)
    assert bounds.best == pytest.approx(2 / 3)


def test_without_ties_both_bounds_are_the_recall_and_without_entries_there_is_none() -> None:
    rows = month_rows([4, 3, 2, 1], [1, 0, 1, 0], 2)
    bounds = tie_bounds(rows, "score")
    assert bounds.worst == bounds.best == pytest.approx(0.5)
    assert tie_bounds(month_rows([2, 1], [0, 0], 1), "score").best is None


def test_overlap_asks_only_those_who_could_stand_there_again() -> None:
    january = pl.DataFrame({"household_id": ["a", "b", "c", "d"], "listed": [1.0, 1.0, 1.0, 0.0]})
    february = pl.DataFrame({"household_id": ["a", "b", "d"], "listed": [1.0, 0.0, 1.0]})
    assert overlap(january, february) == pytest.approx(0.5)
    assert overlap(january.head(0), february) is None
