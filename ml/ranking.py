"""How good a ranking is, and how steady: recall at a share of all households, NDCG, bounds by ties, overlap of lists.

Belongs here: measures of order that intervals of ``metrics`` are put around. Does not belong here: probabilities, and
what was listed for whom.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.metrics import Estimate, Vector, estimate, precision_recall

# Shares of a month's households of the whole city, best first, at which recall is told beside that at capacity.
TOP_SHARES = {"recall_top_1": 0.01, "recall_top_5": 0.05}


@dataclass(frozen=True)
class Bounds:
    """Recall were ties at the end of each list broken against and for those who entered; None without an entry."""

    worst: float | None
    best: float | None


def among_best(rows: pl.DataFrame, score: str, share: float) -> Vector:
    """1.0 for the best share of each month's rows, whatever the township; ties by household_id."""
    place = pl.struct(-pl.col(score), "household_id").rank("ordinal").over("month")
    return rows.select((place <= share * pl.len().over("month")).cast(pl.Float64)).to_series().to_numpy()


def ranking_metrics(rows: pl.DataFrame, score: str, weights: npt.NDArray[np.int8]) -> dict[str, Estimate]:
    """Recall among the best 1 % and 5 % of all households, NDCG at capacity and bounds by ties, of labelled rows.

    rows: household_id, month, township_code, capacity, label and the score. The bounds are figures without interval.
    """
    label = rows["label"].cast(pl.Float64).to_numpy()
    found: dict[str, Estimate] = {}
    for name, share in TOP_SHARES.items():
        listed = among_best(rows, score, share)
        drawn = [precision_recall(label, listed, weight.astype(float))[1] for weight in weights]
        found[name] = estimate(precision_recall(label, listed, np.ones(len(label)))[1], np.array(drawn))
    gain, ideal = _gains(rows, score)
    drawn = [_ratio(float(weight @ gain), float(weight @ ideal)) for weight in weights]
    found["ndcg_at_capacity"] = estimate(_ratio(float(gain.sum()), float(ideal.sum())), np.array(drawn))
    bounds = tie_bounds(rows, score)
    nothing: Vector = np.empty(0)
    for name, value in (("recall_ties_worst", bounds.worst), ("recall_ties_best", bounds.best)):
        found[name] = estimate(float("nan") if value is None else value, nothing)
    return found


def _gains(rows: pl.DataFrame, score: str) -> tuple[Vector, Vector]:
    """For each row what it adds to the gain of its list, and its part of what the best order would have gained."""
    lists = ["month", "township_code"]
    placed = rows.select(
        pl.col("label").cast(pl.Float64),
        pl.col("capacity").cast(pl.Float64),
        pl.struct(-pl.col(score), "household_id").rank("ordinal").over(lists).cast(pl.Float64).alias("place"),
        pl.col("label").cast(pl.Float64).sum().over(lists).alias("entries"),
    )
    label, capacity, place, entries = (placed[name].to_numpy() for name in placed.columns)
    gain = label * (place <= capacity) / np.log2(place + 1.0)
    reach = np.minimum(entries, capacity).astype(np.int64)
    discounts = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(1, reach.max(initial=0) + 1) + 1.0))])
    return gain, label * discounts[reach] / np.maximum(entries, 1.0)


def tie_bounds(rows: pl.DataFrame, score: str) -> Bounds:
    """Recall at township capacity with the ties at the end of each list broken the worst and the best way."""
    entries = rows["label"].sum()
    if not entries:
        return Bounds(None, None)
    lists = ["month", "township_code"]
    last = pl.col(score).sort(descending=True).get(pl.min_horizontal("capacity", pl.len()).first() - 1)
    cut = rows.group_by(lists, maintain_order=True).agg(last.alias("cut"))
    label = pl.col("label").cast(pl.Int64)
    tied = pl.col(score) == pl.col("cut")
    sums = (
        rows.join(cut, on=lists)
        .group_by(lists)
        .agg(
            label.filter(pl.col(score) > pl.col("cut")).sum().alias("above"),
            (pl.col("capacity").first() - (pl.col(score) > pl.col("cut")).sum()).cast(pl.Int64).alias("places"),
            label.filter(tied).sum().alias("entered"),
            (1 - label).filter(tied).sum().alias("others"),
        )
    )
    best = sums.select((pl.col("above") + pl.min_horizontal("places", "entered")).sum()).item()
    worst = sums.select((pl.col("above") + pl.max_horizontal(pl.col("places") - pl.col("others"), 0)).sum()).item()
    return Bounds(worst / entries, best / entries)


def overlap(earlier: pl.DataFrame, later: pl.DataFrame) -> float | None:
    """Share of one month's list that stands on the next month's too, of those who could; None where nobody could.

    Both: household_id and listed, of all households scored in their month.
    """
    before = earlier.filter(pl.col("listed") > 0).select("household_id")
    again = before.join(later.select("household_id", "listed"), on="household_id")["listed"]
    return float((again > 0).mean()) if len(again) else None  # type: ignore[arg-type]


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
