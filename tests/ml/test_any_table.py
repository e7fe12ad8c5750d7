"""The public estimator on tables as they come: types, gaps, degenerate columns, months and groups of any type."""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

import ml
from ml import boosted, shapley
from ml.bins import MOST_BINS, Bins
from ml.boosted import BoostedRiskClassifier, Held, staged_scores
from ml.contest import best_rounds
from ml.encoding import TableEncoder
from ml.estimator import RiskClassifier
from ml.tables import columns_of

Matrix = npt.NDArray[np.float64]
QUICK: dict[str, Any] = {"kinds": ("linear", "additive"), "max_rounds": 20}


def motley(rows: int = 240) -> tuple[pd.DataFrame, Matrix]:
    """A frame with every type that comes along, and an outcome that depends on two of its columns."""
    rng = np.random.default_rng(0)
    number = rng.normal(size=rows)
    town = rng.choice(["north", "south", None], rows)
    frame = pd.DataFrame(
        {
            "number": number,
            "endless": np.where(rng.random(rows) < 0.2, np.inf, rng.normal(size=rows)),
            "constant": 1.0,
            "never": [None] * rows,
            "town": town,
            "flag": rng.choice([True, False, None], rows),
            "day": [date(2024, 1, int(day)) for day in rng.integers(1, 28, rows)],
            "moment": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, rows), "h"),
            "grade": pd.Categorical(rng.choice([1, 2, 3], rows)),
            "whole": pd.array(rng.choice([1, 2, None], rows), dtype="Int64"),
            "known": pd.array(rng.choice([True, None], rows), dtype="boolean"),
            "name": [f"household {row}" for row in range(rows)],
        }
    )
    return frame, (number + (town == "south") + rng.normal(0, 0.7, rows) > 0).astype(int)


def holds_exactly(model: RiskClassifier, table: Any) -> bool:
    score = model.decision_function(table)
    gap = np.abs(model.baseline_ + model.explain(table).sum(axis=1) - score).max()
    return bool(np.isfinite(score).all() and gap < 1e-9)


def test_a_frame_of_all_types_is_learnt_from_and_explained() -> None:
    frame, label = motley()
    month = pd.Series([f"2024-{1 + row % 6:02d}" for row in range(len(frame))])
    group = pd.Series([None if row % 7 == 0 else f"g{row % 60}" for row in range(len(frame))])
    model = RiskClassifier(**QUICK).fit(frame, label, month=month, group=group)
    assert holds_exactly(model, frame)
    assert roc_auc_score(label, model.decision_function(frame)) > 0.8
    assert np.abs(model.explain(frame)[:, [2, 3]]).max() == 0.0  # constant, never filled
    later = frame.assign(town="elsewhere", never="filled now", name=None)
    assert holds_exactly(model, later)


def test_the_same_days_are_the_same_numbers_in_polars_and_pandas() -> None:
    days = [date(2024, 1, 5), None, date(2023, 12, 31)]
    frame = pl.DataFrame({"day": days, "moment": pl.Series(days).cast(pl.Datetime("us"))})
    from_polars = columns_of(frame)
    from_pandas = columns_of(frame.to_pandas().astype({"moment": "datetime64[ns]"}))
    objects = columns_of(pd.DataFrame({"day": pd.Series(days, dtype=object)}))[0]
    for column in (*from_polars, *from_pandas, objects):
        np.testing.assert_array_equal(np.asarray(column), [19727.0, np.nan, 19722.0])


@pytest.mark.parametrize(
    "table",
    [np.ones((60, 2)), np.full((60, 2), np.nan), np.repeat(np.arange(3.0), 20)[:, None], np.eye(60)],
    ids=["constant", "missing", "copies", "wide"],
)
def test_degenerate_tables_give_a_score(table: Matrix) -> None:
    label = (np.arange(60) % 3 == 0).astype(int)
    model = RiskClassifier(max_rounds=20).fit(table, label)
    assert holds_exactly(model, table)


def test_fifty_rows_and_late_months_of_one_class() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(size=(50, 3))
    assert holds_exactly(RiskClassifier().fit(table, np.arange(50) % 2), table)
    early = np.where(np.arange(50) < 25, np.arange(50) % 2, 0)
    assert RiskClassifier().fit(table, early, month=np.arange(50) // 5).judged_ == []


def test_a_line_speaks_where_trees_alone_are_asked_and_entries_are_few() -> None:
    table = np.random.default_rng(8).normal(size=(90, 2))
    assert RiskClassifier(kinds=("boosted",)).fit(table, (np.arange(90) % 3 == 0).astype(int)).kind_ == "linear"


def test_what_cannot_be_meant_is_refused_with_its_reason() -> None:
    table, label = np.random.default_rng(2).normal(size=(40, 2)), np.arange(40) % 2
    with pytest.raises(ValueError, match="month has missing values"):
        RiskClassifier().fit(table, label, month=[None, *range(39)])
    with pytest.raises(ValueError, match="inconsistent numbers of samples: group"):
        RiskClassifier().fit(table, label, group=[1, 2])
    with pytest.raises(ValueError, match="not negative"):
        RiskClassifier().fit(table, label, sample_weight=np.r_[-1.0, np.ones(39)])
    with pytest.raises(ValueError, match="unknown kinds forest"):
        RiskClassifier(kinds=("linear", "forest")).fit(table, label)
    with pytest.raises(NotFittedError):
        RiskClassifier().explain(table)


def test_rows_without_weight_are_as_if_they_were_not_there() -> None:
    frame, label = motley(160)
    frame = frame[["number", "town", "name"]]
    weight = (np.arange(160) % 4 != 0).astype(float)
    kept = np.flatnonzero(weight)
    with_zeros = RiskClassifier(**QUICK).fit(frame, label, sample_weight=weight)
    without = RiskClassifier(**QUICK).fit(frame.iloc[kept], label[kept])
    assert with_zeros.decision_function(frame) == pytest.approx(without.decision_function(frame), abs=1e-9)


def test_a_category_of_many_levels_does_not_hold_the_own_outcome() -> None:
    rng = np.random.default_rng(3)
    label = (rng.random(600) < 0.4).astype(float)
    level = pl.Series([f"v{row // 2}" for row in range(600)])
    group = np.arange(600) // 2
    encoder = TableEncoder()
    seen = encoder.learn([level], label, np.ones(600), None, 0)[:, 0]
    assert 0.35 < roc_auc_score(label, seen) < 0.65
    assert roc_auc_score(label, encoder.transform([level])[:, 0]) > 0.8  # what it would have been
    apart = TableEncoder().learn([level], label, np.ones(600), group, 0)[:, 0]
    assert len(np.unique(apart)) == 1  # whole groups in a fold: nobody else of the level, so the share of all


def test_a_useful_category_of_many_levels_ranks_new_rows() -> None:
    rng = np.random.default_rng(4)
    place = rng.integers(0, 80, 2400)
    effect = rng.normal(0, 1.5, 80)
    label = (rng.random(2400) < 1 / (1 + np.exp(-effect[place]))).astype(float)
    level = pl.Series(np.char.add("p", place.astype(str)))
    encoder = TableEncoder()
    seen = encoder.learn([level[:1800]], label[:1800], np.ones(1800), None, 0)[:, 0]
    assert roc_auc_score(label[:1800], seen) > 0.75
    assert roc_auc_score(label[1800:], encoder.transform([level[1800:]])[:, 0]) > 0.75
    assert not encoder.few_levels[0]


def test_bins_keep_order_missing_and_the_tail_beyond_a_heap_of_zeros() -> None:
    rng = np.random.default_rng(5)
    column = np.where(rng.random(20_000) < 0.95, 0.0, np.exp(rng.normal(size=20_000)))
    column[::50] = np.nan
    bins = Bins.of(column[:, None])
    assert 40 < len(bins.edges[0]) <= MOST_BINS
    order = np.argsort(column)[: int((~np.isnan(column)).sum())]
    assert (np.diff(bins.codes[order, 0]) >= 0).all()
    assert np.array_equal(np.isnan(bins.codes[:, 0]), np.isnan(column))
    held = bins.like(np.array([[0.0], [np.nan], [1e9]])).codes[:, 0]
    assert held[0] == 0
    assert np.isnan(held[1])
    assert held[2] == len(bins.edges[0])
    assert bins.threshold(0, 0.5) == 0.0
    assert bins.threshold(0, np.inf) == np.inf


def grown_table(rows: int = 700) -> tuple[Matrix, Matrix]:
    rng = np.random.default_rng(6)
    matrix = rng.normal(size=(rows, 6))
    label = (rng.random(rows) < 1 / (1 + np.exp(-matrix[:, 0] * matrix[:, 1] - matrix[:, 2]))).astype(float)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix, label


def test_growing_stops_where_held_out_rows_gain_no_more() -> None:
    rng = np.random.default_rng(7)
    noise, label = rng.normal(size=(300, 3)), (rng.random(300) < 0.5).astype(float)
    bins = Bins.of(noise[:200])
    held = Held(bins.like(noise[200:]), label[200:], np.ones(100))
    model = BoostedRiskClassifier(max_iter=300)
    grown = model.grow(bins, label[:200], np.ones(200), held)
    assert grown.n_iter_ < 100
    staged = dict(staged_scores(grown, model.inside(held.bins.codes), 20))
    assert max(staged) == grown.n_iter_


def test_a_fold_that_stopped_earlier_speaks_with_its_last_round() -> None:
    label = np.array([0.0, 1.0, 0.0, 1.0])
    good, bad = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0])
    rounds, scores = best_rounds([{20: good}, {20: bad, 40: good}], [label, label])
    assert rounds == 40
    assert (scores[0] == good).all()


def test_reasons_are_the_same_however_keys_are_found_and_rows_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, label = grown_table()
    model = BoostedRiskClassifier(max_iter=6, max_leaf_nodes=31, max_depth=8, min_samples_leaf=5).fit(matrix, label)
    expected, score = model.explain(matrix), model.decision_function(matrix)
    assert model.baseline_ + expected.sum(axis=1) == pytest.approx(score, abs=1e-9)
    for dense, most in ((0, 1 << 22), (0, 0)):
        monkeypatch.setattr(shapley, "DENSE", dense)
        monkeypatch.setattr(shapley, "SORTED", most)
        monkeypatch.setattr(boosted, "ROWS_AT_ONCE", 300)
        assert model.explain(matrix) == pytest.approx(expected, abs=1e-12)
        assert model.decision_function(matrix) == pytest.approx(score, abs=1e-12)


def test_one_thread_where_threads_would_spin_or_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert boosted._threads(10) == 1
    monkeypatch.setattr(boosted.os, "getloadavg", lambda: (99.0, 99.0, 99.0))
    monkeypatch.setattr(ml, "WAITS_PASSIVELY", False)
    assert boosted._threads(10**9) == 1
    monkeypatch.setattr(ml, "WAITS_PASSIVELY", True)
    assert boosted._threads(10**9) is None
