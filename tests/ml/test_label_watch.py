"""A group whose entries were taken away is named; one that is merely small or calm is not."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from ml.cohort import cohort, label
from ml.experiment import Experiment
from ml.label_watch import calibration_line, lost_labels, mature_calibration, reliability
from ml.watching import load_watch
from tests.ml.synthetic import Panel


def world(seed: int = 5, rows: int = 40_000, scale: float = 1.0) -> pl.DataFrame:
    """Households with a true probability, told `scale` times too high, in eight townships and two areas."""
    rng = np.random.default_rng(seed)
    chance = rng.beta(0.5, 12, rows)
    township = rng.integers(0, 8, rows)
    return pl.DataFrame(
        {
            "household_id": [f"h{number}" for number in range(rows)],
            "township_code": [f"t{number}" for number in township],
            "area_type": np.where(township < 3, "urban", "rural"),
            "label": (rng.random(rows) < chance).astype(int),
            "probability": np.minimum(chance * scale, 1.0),
        }
    )


def without_labels(rows: pl.DataFrame, township: str, share: float) -> pl.DataFrame:
    """A share of the entries of a township never came."""
    drawn = np.random.default_rng(9).random(rows.height) < share
    gone = (pl.col("township_code") == township) & pl.Series(drawn)
    return rows.with_columns(pl.when(gone).then(0).otherwise("label").alias("label"))


def test_forty_per_cent_removed_in_a_group_is_named() -> None:
    found = lost_labels(without_labels(world(), "t5", 0.4), ("township_code", "area_type"))
    assert [(one.group, one.value) for one in found] == [("township_code", "t5")]
    assert found[0].ratio == pytest.approx(0.6, abs=0.1)


def test_a_small_area_of_one_of_two_groups_is_named_too() -> None:
    rows = world()
    drawn = np.random.default_rng(9).random(rows.height) < 0.4
    urban = rows.with_columns(
        pl.when((pl.col("area_type") == "urban") & pl.Series(drawn)).then(0).otherwise("label").alias("label")
    )
    assert ("area_type", "urban") in [(one.group, one.value) for one in lost_labels(urban, ("area_type",))]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_chance_and_a_model_that_says_too_much_accuse_nobody(seed: int, scale: float) -> None:
    assert lost_labels(world(seed, 12_000, scale), ("township_code", "area_type")) == []


def test_a_group_with_few_expected_entries_says_nothing() -> None:
    rows = world(rows=5_000)
    told = rows.filter(pl.col("township_code") == "t5")["probability"].sum()
    strict = replace(load_watch().labels, least_expected=told * 2)
    assert lost_labels(without_labels(rows, "t5", 1.0), ("township_code",), strict) == []
    assert lost_labels(without_labels(rows, "t5", 1.0), ("township_code",), replace(strict, least_expected=1))


def test_one_household_entering_in_many_months_counts_once() -> None:
    """Twenty rows of the same household prove nothing about a township."""
    rows = world(rows=2_000)
    fewer = without_labels(rows, "t5", 0.3)
    assert lost_labels(fewer, ("township_code",)) == []
    assert lost_labels(pl.concat([fewer] * 20), ("township_code",)) == []
    others = [fewer.with_columns(pl.col("household_id") + str(number)) for number in range(20)]
    assert lost_labels(pl.concat(others), ("township_code",))


def test_reliability_and_line_of_a_right_probability() -> None:
    rows = world().with_columns(month=pl.lit(1))
    bins = reliability(rows)
    assert len(bins) == 10
    assert all(abs(one["told"] - one["came"]) < 0.03 for one in bins)
    ratio, slope = calibration_line(rows["label"].to_numpy().astype(float), rows["probability"].to_numpy())
    assert ratio == pytest.approx(1.0, abs=0.1)
    assert slope == pytest.approx(1.0, abs=0.1)
    twice, _ = calibration_line(rows["label"].to_numpy().astype(float), rows["probability"].to_numpy() / 2)
    assert twice == pytest.approx(2.0, abs=0.2)


def told_of(city: Panel, experiment: Experiment, factor: float) -> pl.DataFrame:
    """Every household told the share that truly enters of those with or without reports, times a factor."""
    rows = label(cohort(city.features, experiment), city.events, experiment, city.last, 1)
    reported = rows.join(city.features, on=["household_id", "month"], how="left")
    share = pl.col("label").mean().over("report_12m_count")
    return reported.select("household_id", "month", (share * factor).alias("probability"))


def test_probabilities_are_judged_once_their_outcome_is_known(city: Panel, experiment: Experiment) -> None:
    judged = mature_calibration(told_of(city, experiment, 1.0), city.features, city.events, experiment, city.last)
    assert judged.entries > load_watch().calibration.least_entries
    thrice = mature_calibration(told_of(city, experiment, 3.0), city.features, city.events, experiment, city.last)
    assert thrice.rows == judged.rows
    assert thrice.ratio == pytest.approx(judged.ratio / 3)
    assert judged.is_right()
    assert not thrice.is_right()


def test_without_matured_probabilities_nothing_is_wrong(city: Panel, experiment: Experiment) -> None:
    scores = told_of(city, experiment, 3.0)
    newest = scores.filter(pl.col("month") == city.last)
    rules = scores.with_columns(pl.lit(None, pl.Float64).alias("probability"))
    for told in (newest, rules):
        found = mature_calibration(told, city.features, city.events, experiment, city.last)
        assert found.entries == 0
        assert found.is_right()
