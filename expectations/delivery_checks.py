"""Checks that judge one number of a delivery: punctuality, shares, reconciliation, and its feed's own past.

Belongs here: the numbers with their bounds, one row for each check and delivery; Great Expectations then compares
them in one validation. Does not belong here: counting rows (``measures``).
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl

from expectations.check import Check
from expectations.suite import Expected, run_suite
from models.contract import Feed

NUMBER_SCHEMA: dict[str, pl.DataType] = {
    "check_id": pl.String(),
    "delivery_id": pl.String(),
    "period": pl.String(),
    "observed": pl.Float64(),
    "expected_low": pl.Float64(),
    "expected_high": pl.Float64(),
    "numerator": pl.Int64(),
    "denominator": pl.Int64(),
    "holds": pl.Boolean(),
}
STEADY_KINDS = ("row_count_steady", "total_steady", "filled_share_steady", "code_mix_steady", "lateness_steady")


def numbers_frame(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One frame of all numbers to be judged, in the order of check and delivery."""
    shaped = []
    for part in parts:
        missing = [pl.lit(None, dtype).alias(name) for name, dtype in NUMBER_SCHEMA.items() if name not in part.columns]
        shaped.append(
            part.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in NUMBER_SCHEMA.items())
        )
    return pl.concat([pl.DataFrame(schema=NUMBER_SCHEMA), *shaped]).sort("check_id", "period", "delivery_id")


def compare(name: str, numbers: pl.DataFrame) -> pl.DataFrame:
    """Let Great Expectations compare observed with its bounds: adds ``outside``, null where it could not."""
    if numbers.is_empty():
        return numbers.with_columns(outside=pl.lit(None, pl.Boolean))
    pair = {"or_equal": True, "ignore_row_if": "either_value_is_missing"}
    not_below = {"column_A": "observed", "column_B": "expected_low", **pair}
    not_above = {"column_A": "expected_high", "column_B": "observed", **pair}
    frame = numbers.select("observed", "expected_low", "expected_high")
    outcomes = run_suite(
        name,
        frame,
        {
            "low": Expected("ExpectColumnPairValuesAToBeGreaterThanB", not_below),
            "high": Expected("ExpectColumnPairValuesAToBeGreaterThanB", not_above),
        },
    )
    could_run = all(outcome.could_run for outcome in outcomes.values())
    failing = pl.concat([outcome.failing for outcome in outcomes.values()])
    outside = pl.int_range(pl.len(), dtype=pl.UInt32).is_in(failing.unique().implode())
    return numbers.with_columns(outside=pl.when(pl.lit(could_run)).then(outside))


def counts_of(compared: pl.DataFrame) -> pl.DataFrame:
    """Numerator and denominator: those given, else 1 of 1 where outside; nothing to compare with is 0 of 0."""
    comparable = pl.col("observed").is_not_null() & pl.any_horizontal(
        pl.col("expected_low", "expected_high").is_not_null()
    )
    ran = pl.col("outside").is_not_null()
    numerator = pl.coalesce("numerator", pl.col("outside").cast(pl.Int64))
    denominator = pl.when(comparable).then(pl.coalesce("denominator", pl.lit(1))).otherwise(0)
    return compared.with_columns(
        numerator=pl.when(ran).then(pl.when(comparable).then(numerator).otherwise(0)),
        denominator=pl.when(ran).then(denominator),
    ).drop("outside")


def by_kind(checks: Sequence[Check], kind: str) -> pl.DataFrame:
    """feed, column, check_id, threshold of the checks of one kind, to be joined with deliveries."""
    chosen = [check for check in checks if check.kind == kind]
    return pl.DataFrame(
        {
            "feed": [check.subject for check in chosen],
            "column": [check.columns[0] if check.columns else "" for check in chosen],
            "check_id": [check.check_id for check in chosen],
            "threshold": [check.threshold for check in chosen],
        },
        schema={"feed": pl.String, "column": pl.String, "check_id": pl.String, "threshold": pl.Float64},
    )


def ledger_numbers(deliveries: pl.DataFrame, checks: Sequence[Check], feeds: Mapping[str, Feed]) -> list[pl.DataFrame]:
    """What the ledger alone says: punctuality, shares of quarantined rows and nulled cells, rows in = rows out."""
    due = pl.DataFrame({"feed": list(feeds), "due_day": [feed.due_day for feed in feeds.values()]})
    month = (pl.col("period") + "-01").str.to_date()
    following = month.dt.offset_by("1mo")
    due_on = pl.min_horizontal(following.dt.offset_by("1mo"), following + pl.duration(days=pl.col("due_day") - 1))
    known = deliveries.join(due, on="feed").with_columns(
        late=(pl.col("received_at").dt.date() - due_on).dt.total_days(),
        defects=pl.col("cell_defects_by_reason").map_elements(_total, return_dtype=pl.Int64),
        got=pl.col("rows_accepted") + pl.col("rows_quarantined"),
    )
    accepted = known.filter(pl.col("status") == "accepted")
    return [
        _punctuality(accepted, checks),
        _share(accepted, by_kind(checks, "quarantined_share"), "rows_quarantined", "rows_data"),
        _share(accepted, by_kind(checks, "cell_defect_share"), "defects", "rows_accepted"),
        _balance(known, by_kind(checks, "rows_balance"), pl.col("got"), pl.col("rows_data")),
    ]


def _punctuality(accepted: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """Days after the due day. Many months received in one day are a backlog, which is not judged."""
    most = {check.subject: check.options["backlog_months"] for check in checks if check.kind == "on_time"}
    together = pl.col("period").n_unique().over("feed", pl.col("received_at").dt.date())
    backlog = together >= pl.col("feed").replace_strict(most, default=None, return_dtype=pl.Int64)
    return accepted.join(by_kind(checks, "on_time"), on="feed").with_columns(
        observed=pl.when(~backlog).then("late"), expected_high=pl.lit(0)
    )


def _share(deliveries: pl.DataFrame, checks: pl.DataFrame, part: str, whole: str) -> pl.DataFrame:
    some = pl.col(whole) > 0
    return deliveries.join(checks, on="feed").with_columns(
        numerator=part,
        denominator=whole,
        observed=pl.when(some).then(pl.col(part) / pl.col(whole)),
        expected_high="threshold",
    )


def _balance(deliveries: pl.DataFrame, checks: pl.DataFrame, found: pl.Expr, stated: pl.Expr) -> pl.DataFrame:
    """Two counts that must be equal. A quiet month compares 0 with 0, and that is a check too."""
    return deliveries.join(checks, on="feed").with_columns(
        numerator=(found.fill_null(0) - stated).abs(),
        denominator=pl.max_horizontal(stated, 1),
        observed=found.fill_null(0),
        expected_low=stated,
        expected_high=stated,
    )


def _total(text: str) -> int:
    return sum(json.loads(text or "{}").values())


def lake_numbers(accepted: pl.DataFrame, checks: Sequence[Check], measures: pl.DataFrame) -> list[pl.DataFrame]:
    """What the lake says: rows against the ledger, rows dated outside of the month, columns that never change."""
    plain = measures.filter(pl.col("code").is_null())
    rows = plain.filter(pl.col("measure") == "rows").select("delivery_id", rows=pl.col("value").cast(pl.Int64))
    sized = accepted.join(rows, on="delivery_id", how="left")
    equal = _balance(sized, by_kind(checks, "lake_equals_ledger"), pl.col("rows"), pl.col("rows_accepted"))
    in_period, constant = by_kind(checks, "in_period"), by_kind(checks, "not_constant")
    dated = _measured(_measured(sized.join(in_period, on="feed"), plain, "outside"), plain, "dated")
    same = _measured(sized.join(constant, on="feed"), plain, "commonest")
    # Few rows of one person are no fault: such a delivery is not judged.
    floor = {check.check_id: check.options.get("min_rows", 1) for check in checks if check.kind == "not_constant"}
    enough = pl.col("rows") >= pl.col("check_id").replace_strict(floor, default=1, return_dtype=pl.Int64)
    return [
        equal,
        _rate(dated, "outside", "dated"),
        _rate(same.filter(enough), "commonest", "rows"),
        _unjudged(same.filter(~enough)),
    ]


def _measured(deliveries: pl.DataFrame, measures: pl.DataFrame, what: str) -> pl.DataFrame:
    values = measures.filter(pl.col("measure").str.starts_with(f"{what}:")).select(
        "delivery_id", pl.col("measure").str.strip_prefix(f"{what}:").alias("column"), pl.col("value").alias(what)
    )
    return deliveries.join(values, on=["delivery_id", "column"], how="left").with_columns(pl.col(what).fill_null(0))


def _rate(deliveries: pl.DataFrame, part: str, whole: str) -> pl.DataFrame:
    return deliveries.with_columns(
        numerator=pl.col(part).cast(pl.Int64),
        denominator=pl.col(whole).cast(pl.Int64),
        observed=pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole)),
        expected_high="threshold",
    )


def _unjudged(deliveries: pl.DataFrame) -> pl.DataFrame:
    return deliveries.select("check_id", "delivery_id", "period")


def quarantine_numbers(deliveries: pl.DataFrame, checks: Sequence[Check], kept: pl.DataFrame | None) -> pl.DataFrame:
    """Quarantined rows by rule, as Great Expectations counts them, against the ledger's.

    ``kept``: delivery_id, rule, stated, found; the numerator is the sum of all differences. None: could not run.
    """
    known = deliveries.join(by_kind(checks, "quarantine_equals_ledger"), on="feed")
    if kept is None:
        return known.with_columns(observed=pl.lit(None))
    differences = kept.group_by("delivery_id").agg(difference=(pl.col("stated") - pl.col("found")).abs().sum())
    return known.join(differences, on="delivery_id", how="left").with_columns(
        numerator=pl.col("difference").fill_null(0),
        denominator=pl.max_horizontal("rows_quarantined", 1),
        observed=pl.col("difference").fill_null(0),
        expected_high=pl.lit(0),
    )


def arrivals(
    deliveries: pl.DataFrame, checks: Sequence[Check], feeds: Mapping[str, Feed], as_of: datetime
) -> pl.DataFrame:
    """For each feed and month: is data in force? A quarterly feed must have come within three months.

    Not applicable before the due day. Months run from the first to the last of the ledger.
    """
    periods = deliveries["period"].drop_nulls()
    ids = {check.subject: check.check_id for check in checks if check.kind == "arrived"}
    if periods.is_empty():
        return numbers_frame([])
    months = _months(str(periods.min()), str(periods.max()))
    accepted = deliveries.filter(pl.col("status") == "accepted")
    present = set(accepted.select("feed", "period").iter_rows())
    rows = []
    for name, check_id in ids.items():
        span = 1 if feeds[name].frequency == "monthly" else 3
        for position, month in enumerate(months):
            here = any((name, past) in present for past in months[max(0, position - span + 1) : position + 1])
            due = _due_on(month, feeds[name].due_day) <= as_of.date()
            observed = float(here) if here or due else None
            rows.append({"check_id": check_id, "period": month, "observed": observed, "expected_low": 1.0})
    return pl.DataFrame(
        rows, schema={"check_id": pl.String, "period": pl.String, "observed": pl.Float64, "expected_low": pl.Float64}
    )


def _months(first: str, last: str) -> list[str]:
    start, end = date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-01")
    return pl.date_range(start, end, "1mo", eager=True).dt.strftime("%Y-%m").to_list()


def _due_on(month: str, due_day: int) -> date:
    year, number = int(month[:4]), int(month[5:])
    year, number = (year + 1, 1) if number == 12 else (year, number + 1)
    return date(year, number, min(due_day, calendar.monthrange(year, number)[1]))
