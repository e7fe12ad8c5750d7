"""Planted faults of deliveries and planted changes of people: each is named, and neither is taken for the other."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from ml.drift import (
    BROKEN,
    DEAD_COLUMN,
    DEAD_FEED,
    FAULTS,
    MISSING,
    POPULATION,
    UNIT,
    WORLD,
    Finding,
    drift_figures,
    month_drift,
    score_drift,
    stability_index,
)
from ml.experiment import Experiment, load_experiment
from ml.watching import feature_sources, load_watch
from models.contract import load_feeds

MONTHS = [date(2024, number, 1) for number in range(1, 7)]
LAST = MONTHS[-1]
CARS = ["car_count", "car_value_standard_ratio"]


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    """Every feature of the catalogue, drawn anew each month around what the household is used to."""
    rng = np.random.default_rng(3)
    names = load_experiment().feature_names
    households = 800
    level = {name: rng.normal(0, 0.6, households) for name in names}
    keys = [f"h{number}" for number in range(households)]
    frames = []
    for month in MONTHS:
        values = {name: np.exp(level[name] + rng.normal(0, 0.2, households)) for name in names}
        frames.append(pl.DataFrame({"household_id": keys, "month": [month] * households, **values}))
    return pl.concat(frames)


def changed(panel: pl.DataFrame, features: list[str], change: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """The panel with a change of some features in its last month."""
    now = pl.col("month") == LAST
    return panel.with_columns(
        pl.when(now).then(change(pl.col(one))).otherwise(pl.col(one)).alias(one) for one in features
    )


def emptied(column: pl.Expr) -> pl.Expr:
    return pl.when(column.is_null()).then(column)


def found(panel: pl.DataFrame) -> tuple[Finding, ...]:
    return month_drift(panel, load_experiment(), LAST).findings


def named(panel: pl.DataFrame) -> list[tuple[str, str, str]]:
    return [(one.kind, one.feed, one.column) for one in found(panel)]


def features_of(feed: str) -> list[str]:
    return [name for name, feeds in feature_sources().items() if feed in feeds]


def test_a_month_like_the_others_says_nothing(panel: pl.DataFrame) -> None:
    assert found(panel) == ()


@pytest.mark.parametrize("feed", ["pension_payment", "income_tax", "medical_settlement", "vehicle_register"])
def test_a_dead_feed_is_named_though_features_share_it(panel: pl.DataFrame, feed: str) -> None:
    dead = changed(panel, features_of(feed), emptied)
    assert named(dead) == [(DEAD_FEED, feed, "")]


def test_a_dead_column_of_a_living_feed_is_named(panel: pl.DataFrame) -> None:
    dead = changed(panel, ["car_value_standard_ratio"], emptied)
    assert named(dead) == [(DEAD_COLUMN, "vehicle_register", "price")]


def test_a_rare_event_that_did_not_happen_is_no_dead_feed(panel: pl.DataFrame) -> None:
    rare = panel.with_columns(
        pl.when(pl.col("household_id") < "h11").then(pl.col("months_since_death")).alias("months_since_death")
    )
    assert found(changed(rare, ["months_since_death"], emptied)) == ()


@pytest.mark.parametrize(("factor", "power"), [(1e-4, -4), (1e4, 4), (1e-2, -2)])
def test_a_unit_change_is_named_with_its_power(panel: pl.DataFrame, factor: float, power: int) -> None:
    other = changed(panel, ["fund_balance_standard_ratio"], lambda column: column * factor)
    assert named(other) == [(UNIT, "housing_fund", "balance")]
    moved = month_drift(other, load_experiment(), LAST).moved
    assert next(one for one in moved if one.feature == "fund_balance_standard_ratio").unit_power == power


def test_a_unit_change_of_half_the_households_is_one_too(panel: pl.DataFrame) -> None:
    half = pl.col("household_id").hash() % 2 == 0
    other = changed(
        panel, ["car_value_standard_ratio"], lambda column: column * pl.when(half).then(1e-4).otherwise(1.0)
    )
    assert named(other) == [(UNIT, "vehicle_register", "price")]


def test_a_rise_of_money_is_no_unit_change(panel: pl.DataFrame) -> None:
    raised = changed(panel, ["fund_balance_standard_ratio"], lambda column: column * 3)
    assert UNIT not in {one.kind for one in found(raised)}


def test_more_missing_is_told_from_dead(panel: pl.DataFrame) -> None:
    part = pl.col("household_id").hash() % 10 < 4
    other = changed(panel, CARS, lambda column: pl.when(part).then(None).otherwise(column))
    assert [one.kind for one in found(other)] == [MISSING, MISSING]
    assert {one.feed for one in found(other)} == {"vehicle_register"}


def test_one_feed_that_moves_for_those_who_stayed_is_broken(panel: pl.DataFrame) -> None:
    assert named(changed(panel, ["kwh_pc"], lambda column: column + 4)) == [(BROKEN, "utility_usage", "kwh")]


def test_other_people_are_a_changed_population_and_no_fault(panel: pl.DataFrame) -> None:
    """Half of the households leave, and others come who have more: those who stayed stand where they stood."""
    new = pl.col("household_id").hash() % 2 == 0
    came = panel.filter(pl.col("month") == LAST, new).with_columns(
        pl.col("household_id") + "new", *(pl.col(name) * 4 for name in ["kwh_pc", "member_count", *CARS])
    )
    other = pl.concat([panel.filter((pl.col("month") < LAST) | ~new), came])
    assert {one.kind for one in found(other)} == {POPULATION}
    assert not any(one.is_fault for one in found(other))


def test_many_feeds_that_move_together_are_the_world(panel: pl.DataFrame) -> None:
    several = ["kwh_pc", "member_count", "contributor_count", "car_count", "home_area_pc"]
    kinds = {one.kind for one in found(changed(panel, several, lambda column: column * 3))}
    assert kinds == {WORLD}
    assert not kinds & set(FAULTS)


def test_a_column_that_always_moves_is_not_told(panel: pl.DataFrame) -> None:
    """Electricity in summer: as far as it moved before, it may move again."""
    season = pl.col("month").dt.month() % 2
    restless = panel.with_columns((pl.col("kwh_pc") * pl.when(season == 0).then(3.0).otherwise(1.0)).alias("kwh_pc"))
    assert found(restless) == ()
    figures = drift_figures(restless, None, load_experiment(), LAST)
    assert figures["features"]["kwh_pc"]["psi"] > load_watch().drift.psi
    assert figures["feeds"]["utility_usage"] < 1, "the card's bar stays below what is told from"


def test_the_card_shows_a_broken_feed_beyond_the_line_and_the_others_below(panel: pl.DataFrame) -> None:
    feeds = drift_figures(changed(panel, ["kwh_pc"], lambda column: column + 4), None, load_experiment(), LAST)["feeds"]
    assert [feed for feed, share in feeds.items() if share >= 1] == ["utility_usage"]


def test_too_little_to_compare_says_nothing(panel: pl.DataFrame) -> None:
    dead = changed(panel, CARS, emptied)
    assert found(dead.filter(pl.col("month") >= MONTHS[-3])) == ()
    assert found(dead.filter(pl.col("household_id") < "h2")) == ()


def test_the_index_is_nought_for_the_same_and_counts_missing() -> None:
    values = np.arange(1000.0)
    assert stability_index(values, values, 10) == pytest.approx(0.0)
    gone = np.where(values % 2 == 0, np.nan, values)
    assert stability_index(values, gone, 10) > 0.25


def test_scores_are_compared_with_those_of_the_same_model() -> None:
    rng = np.random.default_rng(1)
    rows = [pl.DataFrame({"month": month, "score": rng.normal(size=400), "model_version": "one"}) for month in MONTHS]
    scores = pl.concat(rows)
    calm = score_drift(scores, LAST)
    assert calm is not None
    assert calm < 0.1
    other = scores.with_columns(
        pl.when(pl.col("month") == LAST).then(pl.lit("two")).otherwise("model_version").alias("model_version")
    )
    assert score_drift(other, LAST) is None


def test_every_feature_has_a_feed_and_every_column_exists(experiment: Experiment) -> None:
    """A feature without a line in feature_source.yaml could break without anybody being told where."""
    assert set(experiment.feature_names) == set(feature_sources())
    known = {(feed, column.name) for feed, contract in load_feeds().items() for column in contract.columns}
    assert {pair for feeds in feature_sources().values() for pair in feeds.items()} <= known
