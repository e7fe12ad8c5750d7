"""Who is at risk in a month and what became of them: cohort and label, as known at an as-of month.

Belongs here: household-months and entry events. Not here: features, models. Nothing observed after the as-of month
is read; that is what makes a model trained for a past month honest.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ml.experiment import Experiment
from ml.months import month_expression, month_number

Source = Path | pl.DataFrame | pl.LazyFrame

KEY = ("household_id", "month")
DEPARTED = "departed"
EVENT_COLUMNS = ("household_id", "event", "event_month", "observed_month")


@dataclass(frozen=True)
class Delay:
    """How late entries reach the warehouse: the quantile asked for, in months, and on how many entries it rests."""

    months: int
    entries: int


def lazy(source: Source) -> pl.LazyFrame:
    """A Parquet file or a frame as a lazy frame."""
    return pl.scan_parquet(source) if isinstance(source, Path) else source.lazy()


def cohort(features: Source, experiment: Experiment, until: date | None = None) -> pl.DataFrame:
    """Household-months not on assistance, up to and including `until`: household_id, month, township_code, capacity.

    capacity is what the township can visit in the month: the experiment's share of its cohort, and no more than its
    workers can (visit_capacity_count, a policy parameter resolved by the warehouse). Sorted by month and household, so
    that every later random draw is repeatable.
    """
    source = lazy(features)
    rows = source.filter(~pl.col("is_on_assistance"))
    if until is not None:
        rows = rows.filter(pl.col("month") <= until)
    share = (pl.len().over("month", "township_code") * experiment.validation.capacity_share).ceil().cast(pl.Int64)
    known = "visit_capacity_count" in source.collect_schema().names()
    workers = pl.col("visit_capacity_count") if known else pl.lit(None, pl.Int64)
    return (
        rows.select(*KEY, "township_code", pl.min_horizontal(share, workers).alias("capacity"))
        .sort("month", "household_id")
        .collect()
    )


def known_events(events: Source, as_of_month: date) -> pl.DataFrame:
    """The label events that had reached the warehouse by the as-of month."""
    return lazy(events).select(EVENT_COLUMNS).filter(pl.col("observed_month") <= as_of_month).collect()


def reporting_delay(events: pl.DataFrame, experiment: Experiment) -> Delay:
    """Months between an entry and its arrival, at the experiment's quantile, within its shortest and longest embargo.

    Entries older than the first month observed came with the first delivery and say nothing about delay.
    """
    entries = _entries(events, experiment)
    first = entries["observed_month"].min()
    seen = entries.filter(pl.col("event_month") >= first) if first is not None else entries
    if seen.is_empty():
        return Delay(experiment.embargo_months, 0)
    late = seen.select(month_expression("observed_month") - month_expression("event_month")).to_series()
    quantile = late.quantile(experiment.embargo_quantile, "higher")
    months = int(quantile) if quantile is not None else 0
    return Delay(min(max(months, experiment.embargo_months), experiment.embargo_longest_months), seen.height)


def label(
    rows: pl.DataFrame, events: pl.DataFrame, experiment: Experiment, as_of_month: date, embargo_months: int
) -> pl.DataFrame:
    """Add `outcome` to cohort rows: entered, stayed, censored, pending or unmatured; and `label` 1, 0 or null.

    entered: an entry event in (month, month + horizon]. stayed: none, and the household still there. censored: it died
    out or moved away within the horizon without an entry. pending: an entry dated up to the month had not arrived yet
    (the office knew, the data did not). unmatured: horizon and embargo reach beyond the as-of month.
    """
    horizon = experiment.horizon_months
    known = events.filter(pl.col("observed_month") <= as_of_month)
    entries = _numbered(_entries(known, experiment))
    departures = _numbered(known.filter(pl.col("event") == DEPARTED))
    at = rows.with_columns(month_expression("month").alias("at"))
    at = _next(at, entries, "entry_at")
    at = _next(at, departures, "departure_at")
    at = at.join(_pending(at, known, experiment), on=list(KEY), how="left", maintain_order="left")
    last = month_number(as_of_month) - horizon - embargo_months
    outcome = (
        pl.when(pl.col("at") > last)
        .then(pl.lit("unmatured"))
        .when(pl.col("is_pending").fill_null(value=False))
        .then(pl.lit("pending"))
        .when(pl.col("entry_at") <= pl.col("at") + horizon)
        .then(pl.lit("entered"))
        .when(pl.col("departure_at") <= pl.col("at") + horizon)
        .then(pl.lit("censored"))
        .otherwise(pl.lit("stayed"))
    )
    value = pl.when(outcome == "entered").then(1).when(outcome == "stayed").then(0).otherwise(None).cast(pl.Int8)
    return at.select(*rows.columns, outcome.alias("outcome"), value.alias("label"))


def _entries(events: pl.DataFrame, experiment: Experiment) -> pl.DataFrame:
    return events.filter(pl.col("event").is_in(list(experiment.entry_events)))


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    return events.select("household_id", month_expression("event_month").alias("then")).unique().sort("then")


def _next(at: pl.DataFrame, events: pl.DataFrame, name: str) -> pl.DataFrame:
    """The first event of the household after the month, as a month number in the column `name`."""
    found = at.sort("at").join_asof(
        events.with_columns(pl.col("then").alias(name)),
        left_on="at",
        right_on="then",
        by="household_id",
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    return found.drop("then", strict=False).sort("at", "household_id")


def _pending(at: pl.DataFrame, events: pl.DataFrame, experiment: Experiment) -> pl.DataFrame:
    """Cohort rows whose entry was dated up to their month but observed only later; a delay longer than the longest
    embargo is an old case found again, not a pending one."""
    entries = _entries(events, experiment).select(
        "household_id",
        month_expression("event_month").alias("then"),
        month_expression("observed_month").alias("seen"),
    )
    late = entries.filter(pl.col("seen") > pl.col("then"))
    rows = at.select(*KEY, "at").join(late, on="household_id", how="inner")
    held = rows.filter(
        (pl.col("then") <= pl.col("at"))
        & (pl.col("seen") > pl.col("at"))
        & (pl.col("at") - pl.col("then") <= experiment.embargo_longest_months)
    )
    return held.select(KEY).unique().with_columns(pl.lit(value=True).alias("is_pending"))
