"""The public estimator and its kinds: exact reasons for every row, scikit-learn's manners, splits that do not cheat."""

from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
import skops.io
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator

from ml.additive import AdditiveModel
from ml.blend import BlendRiskClassifier
from ml.boosted import BoostedRiskClassifier
from ml.choosing import sampled
from ml.contest import judge, simplest, splits_of
from ml.estimator import RiskClassifier
from ml.registry import TRUSTED
from ml.shapley import axes_of, codes_of, contribution_table, covers_of, cuts_of, expected, keys_of, leaves_of
from ml.spline import SplineRiskClassifier

Matrix = npt.NDArray[np.float64]
SIGNS = [1, 0, -1, 0]


def table(rows: int = 1500, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Four columns, the second and fourth acting only together, the last missing at times."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 4))
    raw = -0.5 + matrix[:, 0] - 0.5 * matrix[:, 2] + 2.0 * matrix[:, 1] * matrix[:, 3]
    label = (rng.random(rows) < 1 / (1 + np.exp(-raw))).astype(float)
    matrix[rng.random(rows) < 0.15, 3] = np.nan
    return matrix, label


MATRIX, LABEL = table()
WEIGHT = np.where(LABEL == 1, 1.0, 3.0)
KINDS: list[AdditiveModel] = [
    SplineRiskClassifier(directions=SIGNS),
    BoostedRiskClassifier(directions=SIGNS, max_iter=15, max_leaf_nodes=16),
    BoostedRiskClassifier(directions=SIGNS, max_iter=15, pairwise=True),
    BlendRiskClassifier([SplineRiskClassifier(), BoostedRiskClassifier(max_iter=10)]),
]
FITTED = [clone(kind).fit(MATRIX, LABEL, sample_weight=WEIGHT) for kind in KINDS]
IDS = ["spline", "boosted", "pairwise", "blend"]


@pytest.mark.parametrize("model", FITTED, ids=IDS)
def test_contributions_sum_to_the_score_on_any_row(model: AdditiveModel) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3000, 4)) * 10.0 ** rng.integers(-2, 6, (3000, 4))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    parts = model.explain(rows)
    assert np.abs(model.baseline_ + parts.sum(axis=1) - model.decision_function(rows)).max() < 1e-9


@pytest.mark.parametrize("model", FITTED[:3], ids=IDS[:3])
def test_the_score_moves_only_in_the_declared_direction(model: AdditiveModel) -> None:
    for place in (0, 2):
        probe = np.zeros((200, 4))
        probe[:, place] = np.linspace(-6, 6, 200)
        assert (np.diff(model.decision_function(probe)) * SIGNS[place] >= -1e-9).all()


def test_shapley_values_are_those_of_the_definition() -> None:
    """Against all subsets of features, each valued by walking the tree and averaging where a feature is unknown."""
    trees, covers = BoostedRiskClassifier(max_iter=3, max_leaf_nodes=10).fit(MATRIX, LABEL, WEIGHT)._forest()
    cuts = cuts_of(trees, 4)
    rows = MATRIX[:25]
    for tree, cover in zip(trees, covers, strict=True):
        axes = axes_of(tree, cuts)
        keys = keys_of(axes, codes_of(rows, cuts))
        values = contribution_table(tree, axes, cover, keys)
        for row, ways in enumerate(ways_of(tree, rows)):
            for axis, value in zip(axes, values[:, row], strict=True):
                assert value == pytest.approx(by_definition(tree, cover, ways, axis.feature), abs=1e-9)
        leaves = np.array([leaf.value for leaf in tree.leaves])[leaves_of(tree, axes, keys)]
        assert values.sum(axis=0) + expected(tree, cover) == pytest.approx(leaves)
        assert covers_of(tree, axes, keys_of(axes, codes_of(MATRIX, cuts)), WEIGHT) == pytest.approx(cover)


def ways_of(tree: Any, rows: Matrix) -> Any:
    """For each row and inner node: does it go left?"""
    values = rows[:, tree.feature]
    return np.where(np.isnan(values), tree.missing_left, values <= tree.threshold)


def by_definition(tree: Any, cover: Matrix, ways: Any, feature: int) -> float:
    others = [int(one) for one in np.unique(tree.feature) if one != feature]
    count, total = len(others) + 1, 0.0
    for size in range(count):
        share = factorial(size) * factorial(count - 1 - size) / factorial(count)
        for known in combinations(others, size):
            gain = value_of(tree, cover, ways, {*known, feature}) - value_of(tree, cover, ways, set(known))
            total += share * gain
    return total


def value_of(tree: Any, cover: Matrix, ways: Any, known: set[int]) -> float:
    """Mean of the leaves, following the row where the feature is known and the training rows where it is not."""

    def walk(leaves: list[int], depth: int) -> float:
        if len(leaves) == 1 and len(tree.leaves[leaves[0]].steps) == depth:
            return float(tree.leaves[leaves[0]].value)
        node = tree.leaves[leaves[0]].steps[depth][0]
        sides = {side: [leaf for leaf in leaves if tree.leaves[leaf].steps[depth][1] == side] for side in (True, False)}
        if int(tree.feature[node]) in known:
            return walk(sides[bool(ways[node])], depth + 1)
        weight = {side: cover[own].sum() for side, own in sides.items()}
        return sum(weight[side] * walk(own, depth + 1) for side, own in sides.items()) / sum(weight.values())

    return walk(list(range(len(tree.leaves))), 0)


@pytest.mark.parametrize("model", FITTED[:3], ids=IDS[:3])
def test_a_saved_model_scores_and_explains_with_the_same_bits(model: AdditiveModel) -> None:
    again = skops.io.loads(skops.io.dumps(model), trusted=list(TRUSTED))
    assert np.array_equal(again.explain(MATRIX), model.explain(MATRIX))


def test_trees_are_chosen_where_columns_act_together_and_a_line_where_they_do_not() -> None:
    matrix, label = table(1000, seed=3)
    found = RiskClassifier(kinds=("linear", "additive", "blend"), max_rounds=40).fit(matrix, label)
    assert found.kind_ in ("additive", "blend")
    parts = found.explain(matrix)
    assert np.abs(found.baseline_ + parts.sum(axis=1) - found.decision_function(matrix)).max() < 1e-9
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(600, 5))
    straight = (rng.random(600) < 1 / (1 + np.exp(-plain @ [1, -1, 0.5, 0, 0]))).astype(int)
    assert RiskClassifier(kinds=("linear", "additive"), max_rounds=20).fit(plain, straight).kind_ == "linear"


def test_frames_with_categories_and_missing_values_in_a_pipeline() -> None:
    rng = np.random.default_rng(2)
    town = rng.choice(["north", "south", "west"], 800)
    age = rng.normal(50, 10, 800)
    label = np.where(rng.random(800) < np.where(town == "west", 0.6, 0.15), "yes", "no")
    polars = pl.DataFrame({"town": town, "age": age}).with_columns(
        pl.when(pl.int_range(800) % 7 == 0).then(None).otherwise(pl.col("town")).alias("town")
    )
    pandas = pd.DataFrame({"town": polars["town"].to_list(), "age": age})
    model = RiskClassifier(kinds=("linear", "spline"))
    fitted = clone(model).fit(polars, pl.Series(label))
    assert list(fitted.classes_) == ["no", "yes"]
    assert fitted.get_params()["max_rounds"] == 600
    assert roc_auc_score(label == "yes", fitted.predict_proba(polars)[:, 1]) > 0.65
    same = make_pipeline(FunctionTransformer(), clone(model)).fit(pandas, label)
    assert same.predict_proba(pandas) == pytest.approx(fitted.predict_proba(polars))
    unseen = polars.with_columns(town=pl.lit("nowhere"))
    assert np.isfinite(fitted.decision_function(unseen)).all()
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(polars.select("age", "town"))


def test_later_months_and_other_groups_judge() -> None:
    month, group = np.repeat(np.arange(10), 60), np.tile(np.arange(60), 10)
    label = (np.arange(600) // 7 % 3 == 0).astype(float)
    for learn, judged in splits_of(label, month, None, 0):
        assert month[learn].max() < month[judged].min()
    for learn, judged in splits_of(label, None, group, 0):
        assert not set(group[learn]) & set(group[judged])
    both = splits_of(label, month, group, 0)
    assert both
    for learn, judged in both:
        assert month[learn].max() < month[judged].min()
        assert not set(group[learn]) & set(group[judged])


def test_the_simpler_one_speaks_within_its_standard_errors_and_not_beyond() -> None:
    rng = np.random.default_rng(0)
    label = (rng.random(2000) < 0.2).astype(float)
    good = label + rng.normal(size=2000)
    alike, worse = good + rng.normal(0, 0.05, 2000), rng.normal(size=2000)
    assert simplest(judge(["alike", "good"], [[alike], [good]], [label])).name == "alike"
    assert simplest(judge(["worse", "good"], [[worse], [good]], [label])).name == "good"
    near = good + rng.normal(0, 0.3, 2000)
    pair = judge(["near", "good"], [[near], [good]], [label])
    assert simplest(pair, pair[0].gap / pair[0].error * 1.01).name == "near"
    assert simplest(pair, pair[0].gap / pair[0].error * 0.99).name == "good"
    judged = judge(["good"], [[good]], [label])[0]
    assert judged.auc == pytest.approx(roc_auc_score(label, good))


def test_sampling_keeps_the_weight_of_each_class() -> None:
    label = (np.arange(10_000) % 200 == 0).astype(float)
    kept, weight = sampled(label, np.full(10_000, 2.0), 2_000, 0)
    assert len(kept) <= 2_000
    assert label[kept].sum() == 50
    assert weight[label[kept] == 1].sum() == pytest.approx(100.0)
    assert weight[label[kept] == 0].sum() == pytest.approx(2 * 9_950)


# Chosen by held-out rows and laid out by quantiles of rows: a row twice is not a row of weight two.
NOT_MEANT = {
    "check_sample_weight_equivalence_on_dense_data": "splits and knots count rows, not weights",
    "check_array_api_input": "numpy only",
}


@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_finds_the_estimator_well_behaved() -> None:
    checks = list(estimator_checks_generator(RiskClassifier(kinds=("linear",))))
    assert len(checks) > 40
    failed = []
    for estimator, check in checks:
        name = check.func.__name__
        if name in NOT_MEANT:
            continue
        try:
            check(estimator)
        except Exception as error:
            failed.append(f"{name}: {error}"[:200])
    assert not failed, failed
