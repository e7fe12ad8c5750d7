"""Is the list as good for one group as for another: recall, precision and calibration by group, with intervals.

Belongs here: measuring on matured outcomes, and a quota within capacity with its price. Does not belong here: features;
nothing of household_month_group is ever learnt from (a test holds that).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.cohort import Source, lazy
from ml.label_watch import calibration_line
from ml.metrics import estimate, household_weights, precision_recall
from ml.watching import Fairness, load_watch

Vector = npt.NDArray[np.float64]
GROUPS = ("area_type", "head_age", "head_sex", "has_disabled_member", "is_single_parent", "township_code")
UNKNOWN = "unknown"


def with_groups(rows: pl.DataFrame, groups: Source, watch: Fairness | None = None) -> pl.DataFrame:
    """Rows (household_id, month, township_code) with the attributes of GROUPS as words; unknown where not known."""
    watch = watch or load_watch().fairness
    attributes = lazy(groups).select(
        "household_id",
        "month",
        "area_type",
        age_band(pl.col("head_age_years"), watch.age_bands).alias("head_age"),
        pl.col("head_sex"),
        _yes_no("has_disabled_member"),
        _yes_no("is_single_parent"),
    )
    taken = [name for name in rows.columns if name in GROUPS and name != "township_code"]
    joined = rows.drop(taken).lazy().join(attributes, on=["household_id", "month"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(GROUPS).fill_null(UNKNOWN)).collect()


def age_band(age: pl.Expr, bands: Sequence[int]) -> pl.Expr:
    """The band of an age as words: 0-34, 35-59, 75+."""
    named: pl.Expr = pl.lit(None, pl.String)
    for low, high in zip(bands, [*bands[1:], None], strict=True):
        name = f"{low}+" if high is None else f"{low}-{high - 1}"
        named = pl.when(age >= low).then(pl.lit(name)).otherwise(named)
    return named


def _yes_no(name: str) -> pl.Expr:
    return pl.when(pl.col(name)).then(pl.lit("yes")).when(~pl.col(name)).then(pl.lit("no")).alias(name)


def group_metrics(
    rows: pl.DataFrame, replicates: int, seed: int, groups: Sequence[str] = GROUPS, watch: Fairness | None = None
) -> list[dict[str, Any]]:
    """One entry a group and value: households, entries, recall, precision, calibration ratio and slope, intervals.

    rows: household_id, month, label, listed, probability (may be null) and the groups. A group with few households is
    told by its name alone, one with few entries without recall and calibration (`is_small`, `has_few_entries`).
    """
    watch = watch or load_watch().fairness
    weights = household_weights(rows, replicates, seed)
    found = []
    for group in groups:
        for value in rows[group].unique().sort().to_list():
            inside = (rows[group] == value).to_numpy()
            found.append(_one(rows.filter(inside), weights[:, inside], group, str(value), watch))
    return found


def _one(rows: pl.DataFrame, weights: npt.NDArray[np.int8], group: str, value: str, watch: Fairness) -> dict[str, Any]:
    households = rows["household_id"].n_unique()
    entered = rows.filter(pl.col("label") == 1)["household_id"].n_unique()
    stated: dict[str, Any] = {"group": group, "value": value, "is_small": households < watch.least_households}
    if stated["is_small"]:
        return stated
    # Few entries are a small count about people too: they are not told.
    few = entered < watch.least_entries
    stated |= {"households": households, "has_few_entries": few, "entries": None if few else entered}
    return stated if few else stated | _measured(rows, weights)


def _measured(rows: pl.DataFrame, weights: npt.NDArray[np.int8]) -> dict[str, Any]:
    label, listed = _floats(rows, "label"), _floats(rows, "listed")
    precision, recall = precision_recall(label, listed, np.ones(len(label)))
    drawn = np.array([precision_recall(label, listed, weight.astype(float)) for weight in weights]).reshape(-1, 2)
    figures = {"precision": estimate(precision, drawn[:, 0]), "recall": estimate(recall, drawn[:, 1])}
    known = rows["probability"].is_not_null().to_numpy()
    label, told = label[known], _floats(rows.filter(known), "probability")
    ratio, slope = calibration_line(label, told)
    ratios = [_ratio(weight[known], label, told) for weight in weights]
    figures["calibration"] = estimate(ratio, np.array(ratios))
    figures["slope"] = estimate(slope, np.empty(0))
    return {name: asdict(one) for name, one in figures.items()}


def _ratio(weight: npt.NDArray[np.int8], label: Vector, told: Vector) -> float:
    expected = float((weight * told).sum())
    return float((weight * label).sum()) / expected if expected else float("nan")


def unequal(metrics: Sequence[dict[str, Any]], figure: str = "recall") -> list[tuple[str, str, str]]:
    """Pairs of values of a group whose intervals do not meet: group, the lower value, the higher value."""
    told = [one for one in metrics if figure in one and one[figure]["low"] is not None]
    return [
        (low["group"], low["value"], high["value"])
        for low in told
        for high in told
        if low["group"] == high["group"] and low[figure]["high"] < high[figure]["low"]
    ]


def quota_list(rows: pl.DataFrame, group: str, value: str, share: float) -> Vector:
    """The list with at least `share` of each township's places for a group, its best first; capacity stays the same.

    rows: a whole cohort with household_id, month, township_code, capacity, score and the group. Where fewer of the
    group live, the others keep the places.
    """
    place = pl.struct(-pl.col("score"), "household_id").rank("ordinal")
    over = ("month", "township_code")
    member = pl.col(group) == value
    kept = (pl.col("capacity") * share).ceil()
    ranked = rows.with_columns(
        member.alias("is_member"),
        place.over(*over).alias("place"),
        pl.struct(-pl.col("score"), "household_id").rank("ordinal").over(*over, member).alias("own_place"),
    ).with_columns(is_kept=pl.col("is_member") & (pl.col("own_place") <= kept))
    order = pl.struct(~pl.col("is_kept"), "place").rank("ordinal").over(*over)
    return ranked.select((order <= pl.col("capacity")).cast(pl.Float64)).to_series().to_numpy()


def quota_price(rows: pl.DataFrame, group: str, value: str, share: float) -> dict[str, float]:
    """What a quota costs: recall of all and of the group without and with it; rows as in quota_list, with label."""
    known = rows["label"].is_not_null().to_numpy()
    label = rows["label"].cast(pl.Float64).fill_null(0.0).to_numpy()
    member = (rows[group] == value).to_numpy()
    plain, bound = quota_list(rows, group, value, 0.0), quota_list(rows, group, value, share)
    found = {}
    for name, inside in (("all", known), ("group", known & member)):
        for kind, listed in (("without", plain), ("with", bound)):
            _, recall = precision_recall(label[inside], listed[inside], np.ones(int(inside.sum())))
            found[f"{name}_{kind}"] = recall
    return {**found, "price": found["all_without"] - found["all_with"]}


def _floats(rows: pl.DataFrame, column: str) -> Vector:
    return rows[column].cast(pl.Float64).to_numpy()
