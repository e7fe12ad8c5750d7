"""A number of a delivery against the same feed's and division's last ones, by median and MAD.

Belongs here: which deliveries are the past and the bounds that follow from it. Does not belong here: the settings
(``catalogue.yaml``, with reasons).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

# Makes the median absolute deviation comparable with a standard deviation of normal data.
MAD_SCALE = 1.4826

# Where each kind *_steady finds its measure; shares are of all rows.
SOURCES = {
    "row_count_steady": "rows",
    "total_steady": "total",
    "filled_share_steady": "filled",
    "lateness_steady": "days",
}
# Sooner than ever is no fault.
ABOVE_ALONE = ("lateness_steady",)


def pairs_with_past(subjects: pl.DataFrame, accepted: pl.DataFrame, history: int) -> pl.DataFrame:
    """delivery_id, past_id: the last ``history`` months before each subject, the newest delivery of each month.

    Both frames: delivery_id, feed, division, period, received_at.
    """
    newest = accepted.sort("received_at", "delivery_id").unique(
        ["feed", "division", "period"], keep="last", maintain_order=True
    )
    past = newest.select("feed", "division", past_period="period", past_id="delivery_id")
    pairs = subjects.join(past, on=["feed", "division"], how="inner", nulls_equal=True)
    earlier = pairs.filter(pl.col("past_period") < pl.col("period"))
    rank = pl.col("past_period").rank("ordinal", descending=True).over("delivery_id")
    return earlier.filter(rank <= history).select("delivery_id", "past_id").sort("delivery_id", "past_id")


def judged_numbers(
    numbers: pl.DataFrame, past_numbers: pl.DataFrame, pairs: pl.DataFrame, settings: Mapping[str, Any]
) -> pl.DataFrame:
    """Bounds for each number: kind, column, delivery_id, observed, expected_low, expected_high, median.

    Both number frames: kind, column, delivery_id, observed. Bounds are null with too little history.
    """
    past = past_numbers.select("kind", "column", past_id="delivery_id", past="observed")
    joined = (
        numbers.select("kind", "column", "delivery_id")
        .join(pairs, on="delivery_id")
        .join(past, on=["kind", "column", "past_id"])
    )
    keys = ["kind", "column", "delivery_id"]
    centred = joined.with_columns(median=pl.col("past").median().over(keys))
    spread = centred.group_by(keys).agg(
        pl.col("median").first(),
        mad=(pl.col("past") - pl.col("median")).abs().median(),
        known=pl.len(),
    )
    floors = pl.DataFrame(
        [{"kind": kind, **floor} for kind, floor in settings["floors"].items()],
        schema={"kind": pl.String, "share": pl.Float64, "absolute": pl.Float64},
    )
    width = pl.max_horizontal(
        settings["deviations"] * MAD_SCALE * pl.col("mad"),
        pl.col("share") * pl.col("median").abs(),
        pl.col("absolute"),
    )
    bounds = spread.filter(pl.col("known") >= settings["min_history"]).join(floors, on="kind")
    bounds = bounds.select(
        *keys, "median", expected_low=pl.col("median") - width, expected_high=pl.col("median") + width
    )
    low = pl.when(~pl.col("kind").is_in(ABOVE_ALONE)).then("expected_low")
    return numbers.join(bounds, on=keys, how="left").with_columns(expected_low=low)


def arrival_days(deliveries: pl.DataFrame, backlog_months: int) -> pl.DataFrame:
    """How long each month took to come, as measures: days from its end to the first accepted delivery.

    ``deliveries``: delivery_id, feed, division, period, received_at (of the city) of one feed's accepted ones. So many
    months in one day are a backlog, of which nothing is said; a correction is as old as what it corrects.
    """
    month_end = (pl.col("period") + "-01").str.to_date().dt.offset_by("1mo")
    day = deliveries.with_columns(day=pl.col("received_at").dt.date())
    together = pl.col("period").n_unique().over("day")
    counted = day.with_columns(day=pl.when(together < backlog_months).then("day"))
    first = pl.col("day").min().over("division", "period")
    return (
        counted.with_columns(value=(first - month_end).dt.total_days().cast(pl.Float64))
        .filter(pl.col("value").is_not_null())
        .select("delivery_id", measure=pl.lit("days"), code=pl.lit(None, pl.String), value="value")
    )


def numbers_of(measures: pl.DataFrame, min_rows: int) -> pl.DataFrame:
    """Row counts, totals and filled shares of deliveries as numbers to be judged: kind, column, delivery_id, observed.

    Shares of deliveries with fewer than ``min_rows`` rows are chance and left out.
    """
    rows = measures.filter(pl.col("measure") == "rows").select("delivery_id", rows="value")
    parts = measures.filter(pl.col("code").is_null()).with_columns(
        what=pl.col("measure").str.split(":").list.get(0),
        column=pl.col("measure").str.split(":").list.get(1, null_on_oob=True).fill_null(""),
    )
    kinds = pl.DataFrame({"what": list(SOURCES.values()), "kind": list(SOURCES)})
    joined = parts.join(kinds, on="what").join(rows, on="delivery_id")
    is_share = pl.col("what") == "filled"
    observed = pl.when(is_share).then(pl.col("value") / pl.col("rows")).otherwise(pl.col("value"))
    enough = ~is_share | (pl.col("rows") >= min_rows)
    return joined.filter(enough).select("kind", "column", "delivery_id", observed=observed)


def judged_mixes(
    measures: pl.DataFrame, subjects: pl.DataFrame, pairs: pl.DataFrame, settings: Mapping[str, Any]
) -> pl.DataFrame:
    """Distance of each delivery's code mix to the median mix of its past, with the distance still expected.

    The distance is half the sum of absolute differences of shares: the share of rows that would have to change.
    """
    shares = _shares(measures, settings["min_rows"])
    past = pairs.join(shares.rename({"delivery_id": "past_id"}), on="past_id")
    keys = ["delivery_id", "measure"]
    known = past.group_by(keys).agg(known=pl.col("past_id").n_unique(), codes=pl.col("code").n_unique())
    # A code that a delivery of the past did not have had the share 0 there.
    grid = (
        past.select(*keys, "code")
        .unique()
        .join(past.select(*keys, "past_id").unique(), on=keys)
        .join(past.select(*keys, "past_id", "code", "share"), on=[*keys, "past_id", "code"], how="left")
        .with_columns(pl.col("share").fill_null(0.0))
    )
    median = grid.group_by(*keys, "code").agg(median=pl.col("share").median())
    before = grid.join(median, on=[*keys, "code"]).group_by(*keys, "past_id").agg(distance=_distance())
    usual = before.group_by(keys).agg(
        centre=pl.col("distance").median(),
        mad=(pl.col("distance") - pl.col("distance").median()).abs().median(),
    )
    own = shares.join(subjects.select("delivery_id"), on="delivery_id", how="semi")
    now = (
        own.join(median, on=[*keys, "code"], how="full", coalesce=True)
        .with_columns(pl.col("share", "median").fill_null(0.0))
        .group_by(keys)
        .agg(observed=_distance(), rows=pl.col("rows").max())
    )
    floor = settings["floors"]["code_mix_steady"]["absolute"]
    sampling = (pl.col("codes") / pl.col("rows")).sqrt()
    reach = settings["deviations"] * MAD_SCALE * pl.col("mad")
    high = pl.max_horizontal(pl.col("centre") + reach, floor + sampling)
    enough = pl.col("known") >= settings["min_history"]
    return (
        now.filter(pl.col("rows").is_not_null())
        .join(known, on=keys, how="left")
        .join(usual, on=keys, how="left")
        .select(
            kind=pl.lit("code_mix_steady"),
            column=pl.col("measure").str.strip_prefix("code:"),
            delivery_id="delivery_id",
            observed=pl.when(enough).then("observed"),
            median=pl.lit(None, pl.Float64),
            expected_low=pl.lit(None, pl.Float64),
            expected_high=pl.when(enough).then(high),
        )
    )


def _shares(measures: pl.DataFrame, min_rows: int) -> pl.DataFrame:
    codes = measures.filter(pl.col("code").is_not_null())
    sized = codes.with_columns(rows=pl.col("value").sum().over("delivery_id", "measure"))
    return sized.filter(pl.col("rows") >= min_rows).with_columns(share=pl.col("value") / pl.col("rows")).drop("value")


def _distance() -> pl.Expr:
    return (pl.col("share") - pl.col("median")).abs().sum() / 2
