"""The checks over time of one feed, put together: measures, past, bounds and what holds a delivery.

Belongs here: joining numbers with the checks that judge them. Does not belong here: the arithmetic (``over_time``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from expectations.check import Check
from expectations.delivery_checks import STEADY_KINDS, by_kind
from expectations.over_time import judged_mixes, judged_numbers, numbers_of


def steady_numbers(
    subjects: pl.DataFrame,
    measures: pl.DataFrame,
    pairs: pl.DataFrame,
    checks: Sequence[Check],
    settings: Mapping[str, Any],
) -> list[pl.DataFrame]:
    """Numbers with bounds for all *_steady checks of the ``subjects`` (delivery_id, feed, period).

    ``measures`` holds those of the subjects and of their past, ``pairs`` who is whose past.
    """
    numbers = numbers_of(measures, settings["min_rows"])
    own = numbers.join(subjects.select("delivery_id"), on="delivery_id", how="semi")
    bounded = judged_numbers(own, numbers, pairs, settings)
    mixes = judged_mixes(measures, subjects, pairs, settings)
    judged = pl.concat(
        [bounded.select(sorted(bounded.columns)), mixes.select(sorted(bounded.columns))], how="vertical_relaxed"
    )
    wanted = pl.concat([by_kind(checks, kind).with_columns(kind=pl.lit(kind)) for kind in STEADY_KINDS])
    # Every check answers for every delivery, if only by saying that there was nothing to judge.
    every = subjects.select("delivery_id", "feed", "period").join(wanted, on="feed")
    return [_held(every.join(judged, on=["kind", "column", "delivery_id"], how="left"), checks)]


def _held(numbers: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """A total many times its median, or as small a part of it, is a wrong unit: that holds the delivery."""
    factors = {
        check.check_id: float(check.options["hold_factor"]) for check in checks if "hold_factor" in check.options
    }
    factor = pl.col("check_id").replace_strict(factors, default=None, return_dtype=pl.Float64)
    observed, median = pl.col("observed").abs(), pl.col("median").abs()
    wrong_unit = (median > 0) & (observed > 0) & ((observed >= factor * median) | (observed * factor <= median))
    return numbers.with_columns(holds=wrong_unit & pl.col("expected_low").is_not_null())
