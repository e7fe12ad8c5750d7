"""What is measured of a trained model beside its metrics: groups, lost labels, reliability, gain, and both arms.

Belongs here: gathering these figures for metrics.json. Does not belong here: each measure (``fairness``,
``label_watch``, ``exploration``, ``drift``), and showing them (the card).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ml.cohort import Source
from ml.experiment import Experiment
from ml.exploration import arm_metrics, visited_rows
from ml.fairness import GROUPS, group_metrics, unequal, with_groups
from ml.label_watch import lost_figures, lost_labels, reliability

# Share of the households of a month, best first, at which the gain is told.
GAIN_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


def judged_rows(rows: pl.DataFrame, kind: str, shown: pl.DataFrame) -> pl.DataFrame:
    """The labelled rows of the origins for one kind: score, listed and, where it could be told then, probability."""
    told = shown.select("household_id", "month", "probability")
    kept = rows.select(
        "household_id",
        "month",
        "township_code",
        "capacity",
        "label",
        pl.col(f"score_{kind}").alias("score"),
        pl.col(f"listed_{kind}").alias("listed"),
    )
    return kept.join(told, on=["household_id", "month"], how="left", maintain_order="left")


def audit_figures(judged: pl.DataFrame, groups: Source | None, experiment: Experiment) -> dict[str, Any]:
    """Figures for metrics.json: groups with intervals, groups that lost labels, reliability bins, gain curve."""
    figures: dict[str, Any] = {"reliability": reliability(judged), "gain": gain_curve(judged)}
    if groups is None or judged.is_empty():
        return figures
    grouped = with_groups(judged, groups)
    metrics = group_metrics(grouped, experiment.validation.bootstrap_replicates, experiment.seed)
    # Without a probability every row is as likely as the next.
    base = float(judged["label"].cast(pl.Float64).to_numpy().mean())
    told = grouped.with_columns(pl.col("probability").fill_null(base))
    return {
        **figures,
        "groups": metrics,
        "unequal_recall": [list(pair) for pair in unequal(metrics)],
        "lost_labels": lost_figures(lost_labels(told, GROUPS)),
    }


def gain_curve(judged: pl.DataFrame) -> list[dict[str, float]]:
    """Share of the entries found among the best so many of each month, for a few shares; empty without entries."""
    if judged.is_empty() or not judged["label"].sum():
        return []
    place = (pl.struct(-pl.col("score"), "household_id").rank("ordinal") / pl.len()).over("month")
    share = judged.select(place).to_series().to_numpy()
    label = judged["label"].cast(pl.Float64).to_numpy()
    return [{"share": limit, "found": float(label[share <= limit].sum() / label.sum())} for limit in GAIN_SHARES]


def exploration_figures(listed: Source, events: pl.DataFrame, experiment: Experiment, embargo: int) -> dict[str, Any]:
    """Both arms of the lists sent so far, side by side."""
    rows = visited_rows(listed, events, experiment, embargo)
    if rows.is_empty():
        return {"visits": {"ranked": 0, "random": 0}}
    return arm_metrics(rows, experiment.validation.bootstrap_replicates, experiment.seed)


def finite(figures: Any) -> Any:
    """The same with None for what is no number, so that JSON stays JSON."""
    if isinstance(figures, dict):
        return {name: finite(value) for name, value in figures.items()}
    if isinstance(figures, list):
        return [finite(value) for value in figures]
    if isinstance(figures, float) and not np.isfinite(figures):
        return None
    return figures
