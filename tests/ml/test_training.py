"""Training as a whole: what it learns, what it refuses to learn, and that it never looks ahead."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ml import TrainingResult, score, train
from ml.experiment import Experiment, stored_experiment
from ml.registry import list_models, promote
from tests.ml.synthetic import Panel, panel

Trained = tuple[TrainingResult, Path]
DAY = date(2023, 12, 1)


def scores_at(city: Panel, experiment: Experiment, registry: Path, month: date) -> pl.DataFrame:
    result = train(city.features, city.events, registry, month, experiment)
    return score(city.features, registry, [month], experiment, model_version=result.model_version)


def test_too_little_history_means_rules_alone_and_says_so(city: Panel, quick: Experiment, tmp_path: Path) -> None:
    month = date(2023, 8, 1)
    result = train(city.features, city.events, tmp_path, month, quick)
    assert (result.basis, result.kind) == ("rules", "rules")
    assert "8 months of history, 9 are needed" in result.message
    scores = score(city.features, tmp_path, [month], quick, model_version=result.model_version)
    assert scores["basis"].unique().to_list() == ["rules"]
    assert scores["probability"].null_count() == scores.height > 0
    assert "8" in (result.directory / "card.zh.md").read_text(encoding="utf-8")


def test_nine_months_are_enough_where_entries_are(city: Panel, quick: Experiment, tmp_path: Path) -> None:
    result = train(city.features, city.events, tmp_path, date(2023, 9, 1), replace(quick, min_positive_households=5))
    assert "metrics" in result.metrics


def test_too_few_entries_mean_rules_alone(city: Panel, quick: Experiment, tmp_path: Path) -> None:
    few = city.events.filter(pl.col("household_id").is_in(city.events["household_id"].unique().sort()[:10]))
    result = train(city.features, few, tmp_path, city.last, quick)
    assert result.basis == "rules"
    assert "are needed" in result.message


def test_signal_is_found_and_beats_chance(trained: Trained) -> None:
    metrics = trained[0].metrics["metrics"]
    assert trained[0].kind == "additive"
    assert metrics["additive"]["pr_auc"]["value"] > 1.5 * metrics["random"]["pr_auc"]["value"]


def test_without_signal_the_simplest_candidate_speaks(quick: Experiment, tmp_path: Path) -> None:
    null = panel(strength=0.0, seed=5)
    result = train(null.features, null.events, tmp_path, null.last, quick)
    lift = result.metrics["metrics"][result.kind]["lift_at_capacity"]
    assert lift["low"] < 1.0 < lift["high"]


def test_every_household_not_on_assistance_is_scored_and_ranked(
    city: Panel, trained: Trained, only_additive: Experiment
) -> None:
    scores = score(city.features, trained[1], experiment=only_additive)
    expected = city.features.filter(~pl.col("is_on_assistance"))
    assert (
        scores.select("month", "household_id")
        .sort("month", "household_id")
        .equals(expected.select("month", "household_id").sort("month", "household_id"))
    )
    ranked = scores.join(city.features.select("month", "household_id", "township_code"), on=["month", "household_id"])
    for (_, _), group in ranked.group_by("month", "township_code"):
        ordered = group.sort("rank_in_township")
        assert ordered["rank_in_township"].to_list() == list(range(1, group.height + 1))
        assert ordered["score"].is_sorted(descending=True)


def test_each_month_is_scored_by_what_was_known_then(city: Panel, trained: Trained, only_additive: Experiment) -> None:
    scores = score(city.features, trained[1], experiment=only_additive)
    versions = scores.group_by("month").agg(pl.col("model_version").unique()).sort("month")
    assert versions["model_version"].list.len().max() == 1
    for month, (version,) in versions.iter_rows():
        stamp = version.split("-")[1]
        assert not stamp.isdigit() or stamp <= f"{month:%Y%m}"
    assert scores.filter(pl.col("month") < date(2023, 9, 1))["basis"].unique().to_list() == ["rules"]
    assert scores.filter(pl.col("month") == city.last)["basis"].unique().to_list() == ["model"]


# No shrinking: each example is two trainings.
@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 1000))
def test_nothing_dated_after_the_scoring_month_changes_a_score(
    city: Panel, only_additive: Experiment, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    expected = scores_at(city, only_additive, tmp_path_factory.mktemp("before"), DAY)
    changed = scores_at(changed_after(city, DAY, seed), only_additive, tmp_path_factory.mktemp("after"), DAY)
    assert changed.equals(expected)
    assert expected["basis"].unique().to_list() == ["model"]


def test_the_property_sees_a_change_before_the_scoring_month(
    city: Panel, only_additive: Experiment, tmp_path: Path
) -> None:
    expected = scores_at(city, only_additive, tmp_path / "before", DAY)
    changed = scores_at(changed_after(city, date(2023, 3, 1), 1), only_additive, tmp_path / "after", DAY)
    assert not changed.equals(expected)


def changed_after(city: Panel, day: date, seed: int) -> Panel:
    """The panel with every number after a day redrawn, rows dropped, and events observed after it replaced."""
    rng = np.random.default_rng(seed)
    later = pl.col("month") > day
    numbers = [name for name, kind in city.features.schema.items() if kind == pl.Float64]
    noise = pl.DataFrame({name: rng.normal(size=city.features.height) * 50 for name in numbers})
    features = city.features.with_columns(
        pl.when(later).then(noise[name]).otherwise(pl.col(name)).alias(name) for name in numbers
    ).filter(~later | pl.Series(rng.random(city.features.height) < 0.7))
    known = city.events.filter(pl.col("observed_month") <= day)
    invented = pl.DataFrame(
        {
            "household_id": city.features["household_id"].unique().sort().sample(200, seed=seed),
            "event": ["register"] * 200,
            "event_month": [day] * 200,
            "observed_month": [city.last] * 200,
        }
    )
    return Panel(features, pl.concat([known, invented]), city.last)


def test_the_same_input_gives_the_same_version_figures_and_scores(
    city: Panel, quick: Experiment, tmp_path: Path
) -> None:
    shuffled = Panel(city.features.sample(fraction=1.0, shuffle=True, seed=3), city.events.reverse(), city.last)
    first = train(city.features, city.events, tmp_path / "a", city.last, quick)
    second = train(shuffled.features, shuffled.events, tmp_path / "b", city.last, quick)
    assert first.model_version == second.model_version
    assert first.metrics == second.metrics
    other = train(city.features, city.events, tmp_path / "c", city.last, replace(quick, seed=1))
    assert other.model_version != first.model_version


def test_a_planted_leak_is_named_and_left_out(city: Panel, only_additive: Experiment, tmp_path: Path) -> None:
    entries = city.events.filter(pl.col("event") == "register").select("household_id", "event_month")
    soon = pl.col("event_month").is_between(pl.col("month"), pl.col("month").dt.offset_by("3mo"), closed="right")
    leaking = (
        city.features.join(entries, on="household_id", how="left")
        .with_columns(soon.fill_null(value=False).cast(pl.Float64).alias("home_count"))
        .drop("event_month")
    )
    result = train(leaking, city.events, tmp_path, city.last, only_additive)
    assert any("home_count" in warning for warning in result.warnings)
    assert result.metrics["reasons"]["property"] < 0.5
    clean = train(city.features, city.events, tmp_path / "clean", city.last, only_additive)
    assert not any("leak" in warning for warning in clean.warnings)
    recalls = [one.metrics["metrics"]["additive"]["recall_at_capacity"]["value"] for one in (result, clean)]
    assert abs(recalls[0] - recalls[1]) < 0.15


@pytest.mark.parametrize("column", ["income_standard_ratio", "medical_standard_ratio", "report_12m_count"])
def test_a_dead_column_never_stops_scoring(
    city: Panel, trained: Trained, only_additive: Experiment, column: str
) -> None:
    dead = city.features.with_columns(
        pl.when(pl.col("month") < city.last).then(pl.col(column)).otherwise(None).alias(column)
    )
    scores = score(dead, trained[1], [city.last], only_additive)
    usual = score(city.features, trained[1], [city.last], only_additive)
    assert scores.height == usual.height
    assert scores["score"].is_finite().all()
    assert scores["score"].n_unique() > 1
    absent = score(city.features.drop(column), trained[1], [city.last], only_additive)
    assert absent.drop("reason_codes").equals(scores.drop("reason_codes"))


def test_a_column_dead_in_all_of_training_never_stops_it(city: Panel, quick: Experiment, tmp_path: Path) -> None:
    dead = city.features.with_columns(income_standard_ratio=pl.lit(None, pl.Float64))
    result = train(dead, city.events, tmp_path, city.last, quick)
    assert "metrics" in result.metrics
    assert any("income_standard_ratio" in warning for warning in result.warnings)


def test_parquet_files_and_frames_give_the_same(city: Panel, quick: Experiment, tmp_path: Path) -> None:
    city.features.write_parquet(tmp_path / "features.parquet")
    city.events.write_parquet(tmp_path / "events.parquet")
    paths = tmp_path / "features.parquet", tmp_path / "events.parquet"
    from_files = train(*paths, tmp_path / "a", city.last, quick)
    assert from_files.model_version == train(city.features, city.events, tmp_path / "b", city.last, quick).model_version


def test_a_later_champion_leaves_earlier_months_alone(city: Panel, only_additive: Experiment, tmp_path: Path) -> None:
    early = train(city.features, city.events, tmp_path, DAY, only_additive)
    promote(tmp_path, early.model_version)
    before = score(city.features, tmp_path, experiment=only_additive).filter(pl.col("month") < city.last)
    late = train(city.features, city.events, tmp_path, city.last, only_additive)
    promote(tmp_path, late.model_version)
    after = score(city.features, tmp_path, experiment=only_additive)
    assert after.filter(pl.col("month") < city.last).equals(before)
    assert after.filter(pl.col("month") == city.last)["model_version"].unique().to_list() == [late.model_version]
    assert [entry.is_champion for entry in list_models(tmp_path)] == [False, True]


def test_a_champion_is_scored_by_the_features_it_was_trained_with(
    city: Panel, trained: Trained, only_additive: Experiment
) -> None:
    narrower = replace(only_additive, features=only_additive.features[5:])
    late = score(city.features, trained[1], [city.last], narrower)
    assert late.equals(score(city.features, trained[1], [city.last], only_additive))
    assert stored_experiment(trained[0].directory / "experiment.yaml").hash == only_additive.hash


def test_an_empty_city_is_scored_with_no_rows(city: Panel, only_additive: Experiment, tmp_path: Path) -> None:
    empty = city.features.clear()
    assert train(empty, city.events, tmp_path, city.last, only_additive).basis == "rules"
    assert score(empty, tmp_path, experiment=only_additive).is_empty()
