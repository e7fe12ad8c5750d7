"""The estimators: exact contributions, directions kept, dead and missing columns, scikit-learn's manners."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from ml.additive import AdditiveModel
from ml.estimator import AdditiveRiskClassifier, LogisticRiskClassifier, RuleListClassifier

Matrix = npt.NDArray[np.float64]
WIDTH = 5
DIRECTIONS = [1, -1, 0, 0, 1]


def table(rows: int = 3000, seed: int = 0) -> tuple[Matrix, Matrix]:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, WIDTH))
    matrix[:, 3] = rng.integers(0, 3, rows)
    raw = -2 + matrix[:, 0] - 0.7 * matrix[:, 1] + 0.5 * matrix[:, 2] ** 2 - 0.4 * matrix[:, 4]
    label = (rng.random(rows) < 1 / (1 + np.exp(-raw))).astype(float)
    matrix[rng.random(rows) < 0.15, 2] = np.nan
    return matrix, label


RULES = [{"feature": "a", "at_least": 0.5, "points": 2}, {"feature": "b", "at_most": 0.0, "points": -1}]
MODELS = [
    RuleListClassifier(rules=RULES, feature_names=list("abcde")),
    LogisticRiskClassifier(directions=DIRECTIONS, log_scale=[True] * WIDTH),
    AdditiveRiskClassifier(directions=DIRECTIONS, max_iter=40, max_bins=24),
]
MATRIX, LABEL = table()
FITTED = [clone(model).fit(MATRIX, LABEL, sample_weight=np.where(LABEL == 1, 1.0, 3.0)) for model in MODELS]
LEARNT = FITTED[1:]


@pytest.mark.parametrize("model", FITTED, ids=lambda model: type(model).__name__)
@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(
        st.lists(
            st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.just(float("inf"))),
            min_size=WIDTH,
            max_size=WIDTH,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_contributions_sum_to_the_score_on_any_row(model: AdditiveModel, values: list[list[float]]) -> None:
    parts = model.explain(values)
    assert np.isfinite(parts).all()
    assert np.abs(model.baseline_ + parts.sum(axis=1) - model.decision_function(values)).max() < 1e-9


@pytest.mark.parametrize("model", LEARNT, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("place", [place for place, sign in enumerate(DIRECTIONS) if sign])
def test_the_score_moves_only_in_the_declared_direction(model: AdditiveModel, place: int) -> None:
    # The last column truly lowers the risk and is declared to raise it: the declaration must hold.
    probe = np.zeros((400, WIDTH))
    probe[:, place] = np.linspace(-8, 8, 400)
    assert (np.diff(model.decision_function(probe)) * DIRECTIONS[place] >= -1e-12).all()


def test_an_undeclared_direction_is_learnt_from_the_data() -> None:
    free = AdditiveRiskClassifier(max_iter=40).fit(MATRIX, LABEL)
    probe = np.zeros((2, WIDTH))
    probe[:, 4] = [-2, 2]
    assert np.diff(free.decision_function(probe))[0] < 0


def test_the_step_functions_are_the_trees() -> None:
    model = clone(MODELS[2]).fit(MATRIX, LABEL)
    codes = model._codes(MATRIX)
    trees = model._trees().fit(codes, LABEL, sample_weight=np.ones(len(LABEL)))
    assert np.abs(trees.decision_function(codes) - model.decision_function(MATRIX)).max() < 1e-9


@pytest.mark.parametrize("model", LEARNT, ids=lambda model: type(model).__name__)
def test_contributions_are_centred_on_the_training_rows(model: AdditiveModel) -> None:
    weights = np.where(LABEL == 1, 1.0, 3.0)
    mean = (model.explain(MATRIX) * weights[:, None]).sum(axis=0) / weights.sum()
    tolerance = 1e-9 if isinstance(model, AdditiveRiskClassifier) else 0.02  # the logistic one limits far values
    assert np.abs(mean).max() < tolerance


@pytest.mark.parametrize("model", MODELS[1:], ids=lambda model: type(model).__name__)
def test_a_column_dead_in_training_is_ignored(model: AdditiveModel) -> None:
    dead = MATRIX.copy()
    dead[:, 0] = np.nan
    fitted = clone(model).fit(dead, LABEL)
    assert np.abs(fitted.explain(MATRIX)[:, 0]).max() == 0.0


@pytest.mark.parametrize("model", LEARNT, ids=lambda model: type(model).__name__)
def test_a_value_never_missing_in_training_is_neutral_when_missing(model: AdditiveModel) -> None:
    row = MATRIX[:1].copy()
    row[0, 0] = np.nan
    assert model.explain(row)[0, 0] == 0.0
    assert model.explain(MATRIX, dead=np.array([False, False, True, False, False]))[:, 2].max() == 0.0


@pytest.mark.parametrize("model", LEARNT, ids=lambda model: type(model).__name__)
def test_frames_and_arrays_score_alike(model: AdditiveModel) -> None:
    names = list("abcde")
    polars_frame = pl.DataFrame(MATRIX, schema=names, orient="row").fill_nan(None)
    expected = model.decision_function(MATRIX)
    assert (model.decision_function(polars_frame) == expected).all()
    assert (model.decision_function(pd.DataFrame(MATRIX, columns=names)) == expected).all()
    assert model.predict_proba(MATRIX).sum(axis=1) == pytest.approx(1.0)
    assert set(model.predict(MATRIX)) <= {0, 1}


@pytest.mark.parametrize("model", MODELS[1:], ids=lambda model: type(model).__name__)
def test_fitting_twice_gives_the_same_bits_and_leaves_the_input_alone(model: AdditiveModel) -> None:
    before = MATRIX.copy()
    first, second = (clone(model).fit(MATRIX, LABEL).decision_function(MATRIX) for _ in range(2))
    assert (first == second).all()
    assert np.array_equal(before, MATRIX, equal_nan=True)


def test_both_models_find_the_signal() -> None:
    for model in LEARNT:
        score = model.decision_function(MATRIX)
        assert score[LABEL == 1].mean() > score[LABEL == 0].mean() + 0.5


def test_one_class_and_wrong_width_are_errors() -> None:
    with pytest.raises(ValueError, match="one class"):
        AdditiveRiskClassifier().fit(MATRIX, np.zeros(len(LABEL)))
    with pytest.raises(ValueError, match="columns"):
        FITTED[1].explain(MATRIX[:, :3])
    with pytest.raises(ValueError, match="two dimensions"):
        FITTED[1].explain([1.0, 2.0])


def test_rules_give_their_points() -> None:
    score = FITTED[0].decision_function([[0.5, 1, 0, 0, 0], [0.4, 0.0, 0, 0, 0], [np.nan, np.nan, 0, 0, 0]])
    assert score.tolist() == [2.0, -1.0, 0.0]
