"""Groups at the list: what is told of them, what is kept silent, what a quota costs, nothing learnt from them."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from ml.experiment import Experiment
from ml.fairness import GROUPS, age_band, group_metrics, quota_list, quota_price, unequal, with_groups

MONTH = date(2024, 1, 1)


def judged(rows: int = 6_000, seed: int = 2) -> pl.DataFrame:
    """A cohort in two groups; the score ranks one well and the other not at all."""
    rng = np.random.default_rng(seed)
    urban = rng.random(rows) < 0.5
    label = (rng.random(rows) < 0.05).astype(int)
    score = rng.normal(size=rows) + np.where(urban, 4.0 * label, 0.0)
    frame = pl.DataFrame(
        {
            "household_id": [f"h{number}" for number in range(rows)],
            "month": [MONTH] * rows,
            "township_code": [f"t{number % 3}" for number in range(rows)],
            "area_type": np.where(urban, "urban", "rural"),
            "capacity": [100] * rows,
            "label": label,
            "score": score,
            "probability": [0.05] * rows,
        }
    )
    return frame.with_columns(pl.Series("listed", quota_list(frame, "area_type", "rural", 0.0)))


def test_a_group_that_is_found_less_is_told_with_intervals() -> None:
    metrics = group_metrics(judged(), 50, 1, ("area_type",))
    recall = {one["value"]: one["recall"] for one in metrics}
    assert recall["urban"]["value"] > 2 * recall["rural"]["value"]
    assert recall["urban"]["low"] <= recall["urban"]["value"] <= recall["urban"]["high"]
    assert unequal(metrics) == [("area_type", "rural", "urban")]
    assert metrics[0]["calibration"]["value"] == pytest.approx(1.0, abs=0.25)


def test_recall_of_a_group_is_that_of_its_rows_alone() -> None:
    rows = judged()
    urban = rows.filter(pl.col("area_type") == "urban")
    expected = (urban["label"] * urban["listed"]).sum() / urban["label"].sum()
    told = next(one for one in group_metrics(rows, 10, 1, ("area_type",)) if one["value"] == "urban")
    assert told["recall"]["value"] == pytest.approx(expected)


def test_small_groups_are_suppressed() -> None:
    rows = judged().with_columns(
        area_type=pl.when(pl.col("household_id") < "h101").then(pl.lit("tiny")).otherwise("area_type"),
    )
    tiny = next(one for one in group_metrics(rows, 10, 1, ("area_type",)) if one["value"] == "tiny")
    assert tiny == {"group": "area_type", "value": "tiny", "is_small": True}
    few = judged().with_columns(label=pl.when(pl.col("area_type") == "urban").then(0).otherwise("label"))
    urban = next(one for one in group_metrics(few, 10, 1, ("area_type",)) if one["value"] == "urban")
    assert urban["has_few_entries"]
    assert urban["entries"] is None
    assert "recall" not in urban


def test_a_quota_keeps_capacity_and_its_price_is_told() -> None:
    rows = judged()
    plain, bound = quota_list(rows, "area_type", "rural", 0.0), quota_list(rows, "area_type", "rural", 0.8)
    assert plain.sum() == bound.sum() == 300
    rural = (rows["area_type"] == "rural").to_numpy()
    assert bound[rural].sum() >= 240 > plain[rural].sum()
    price = quota_price(rows, "area_type", "rural", 0.8)
    assert price["price"] == pytest.approx(price["all_without"] - price["all_with"])
    assert price["price"] > 0
    assert price["group_with"] > price["group_without"]


def test_groups_come_from_their_own_table_and_unknown_is_a_group() -> None:
    rows = pl.DataFrame({"household_id": ["a", "b"], "month": [MONTH] * 2, "township_code": ["t", "t"]})
    groups = pl.DataFrame(
        {
            "household_id": ["a"],
            "month": [MONTH],
            "area_type": ["urban"],
            "head_age_years": [61],
            "head_sex": ["2"],
            "has_disabled_member": [True],
            "is_single_parent": [False],
        }
    )
    joined = with_groups(rows, groups)
    assert joined.row(0, named=True) == {
        "household_id": "a",
        "month": MONTH,
        "township_code": "t",
        "area_type": "urban",
        "head_age": "60-74",
        "head_sex": "2",
        "has_disabled_member": "yes",
        "is_single_parent": "no",
    }
    assert {joined.row(1, named=True)[name] for name in GROUPS if name != "township_code"} == {"unknown"}


def test_bands_of_age_begin_where_they_say() -> None:
    ages = pl.DataFrame({"age": [0, 34, 35, 59, 60, 74, 75, 101, None]})
    assert ages.select(age_band(pl.col("age"), (0, 35, 60, 75))).to_series().to_list() == [
        "0-34", "0-34", "35-59", "35-59", "60-74", "60-74", "75+", "75+", None,
    ]  # fmt: skip


def test_no_protected_attribute_is_a_feature(experiment: Experiment) -> None:
    # What the law makes a ground for assistance (a disabled member) is a feature under a name of its own.
    assert not set(experiment.feature_names) & {*GROUPS, *experiment.protected, "head_age_years"}
