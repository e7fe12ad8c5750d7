"""The lists of the statistics as reference tables, so that SQL counts what the lists say.

Belongs here: one function per published table. ``models.publish`` writes them.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from models.labels import load_labels
from models.statistics.catalogue import load_checks, load_figures, load_outlier_measures


def statistics_tables() -> dict[str, Callable[[], pl.DataFrame]]:
    """The published tables by name, each as the function that makes it."""
    return {
        "figure": figure_table,
        "statistics_check": statistics_check_table,
        "statistics_reason": statistics_reason_table,
        "outlier_measure": outlier_measure_table,
    }


def figure_table() -> pl.DataFrame:
    """One row per figure of the statistics: what it counts, in words and as SQL."""
    rows = [
        figure.__dict__ | {"checks": ",".join(figure.checks), "people": ",".join(figure.people)}
        for figure in load_figures().values()
    ]
    return pl.DataFrame(rows, infer_schema_length=None).rename({"by": "split"})


def statistics_check_table() -> pl.DataFrame:
    """One row per check of the statistics."""
    rows = [check.__dict__ | {"reasons": ",".join(check.reasons)} for check in load_checks().values()]
    return pl.DataFrame(rows).rename({"check": "check_id"})


def statistics_reason_table() -> pl.DataFrame:
    """One row per check and reason that may explain a difference: check_id, reason, zh, en, sort_order."""
    rows = [
        (check.check, reason, load_labels()[f"statistics.reason.{reason}"], at)
        for check in load_checks().values()
        for at, reason in enumerate(check.reasons, start=1)
    ]
    return pl.DataFrame(
        [(check, reason, text.zh, text.en, at) for check, reason, text, at in rows],
        schema={"check_id": pl.String, "reason": pl.String, "zh": pl.String, "en": pl.String, "sort_order": pl.Int64},
        orient="row",
    )


def outlier_measure_table() -> pl.DataFrame:
    """One row per measure by which townships are compared."""
    return pl.DataFrame([measure.__dict__ for measure in load_outlier_measures().values()])
