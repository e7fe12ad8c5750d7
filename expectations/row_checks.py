"""Checks that judge every row: contract and consistency, run by Great Expectations once over many deliveries.

Belongs here: which expectation stands for which kind, and which rows it is asked about. Does not belong here: how
flags are prepared (``flags``) or how a suite runs (``suite``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from expectations.check import FAILING_ROW_SCHEMA, Check
from expectations.encoding import UNIQUE, key_column, run_encoded, with_keys
from expectations.flags import FLAG_KINDS
from expectations.suite import Expected, Outcome
from models.codes import load_code_tables

ROW_KINDS = ("not_null", "unique", "in_set", "between", "matches", "not_after_received", *FLAG_KINDS)
# Kept for each check and delivery: enough to find the fault; the count is always complete.
MAX_FAILING_ROWS = 200


@dataclass(frozen=True)
class RowResults:
    """Counts by check and delivery, and where the failing rows are (check, delivery, row number; never a value)."""

    counts: pl.DataFrame
    failing: pl.DataFrame


def check_rows(name: str, rows: pl.DataFrame, checks: Sequence[Check], within: Sequence[str]) -> RowResults:
    """Run all checks of a row kind on prepared ``rows`` in one validation.

    ``within``: the columns that tell deliveries apart (delivery_id and period for the lake, none for a table).
    """
    wanted = [check for check in checks if check.kind in ROW_KINDS]
    keyed = with_keys(rows, {check.check_id: _key(check) for check in wanted if check.kind == "unique"})
    outcomes = run_encoded(name, keyed, {check.check_id: expected(check) for check in wanted})
    places = rows.select(*within, "row_number").with_row_index("position")
    asked = _asked(rows, wanted, within)
    failing = _failing(outcomes, places)
    counts = _counts(asked, failing, outcomes, within)
    kept = failing.filter(pl.int_range(pl.len()).over("check_id", *within) < MAX_FAILING_ROWS)
    subjects = pl.DataFrame({"check_id": [c.check_id for c in wanted], "feed_or_table": [c.subject for c in wanted]})
    located = kept.join(subjects, on="check_id", how="left")
    return RowResults(counts, _shaped(located))


def _shaped(failing: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, dtype).alias(n) for n, dtype in FAILING_ROW_SCHEMA.items() if n not in failing.columns]
    return failing.with_columns(missing).select(pl.col(n).cast(dtype) for n, dtype in FAILING_ROW_SCHEMA.items())


def _columns(check: Check) -> tuple[str, ...]:
    return (check.check_id,) if check.kind in FLAG_KINDS else check.columns


def expected(check: Check) -> Expected:
    """The expectation that stands for a check of a row kind."""
    options = check.options
    match check.kind:
        case "not_null":
            return Expected("ExpectColumnValuesToNotBeNull", {"column": check.columns[0]})
        case "in_set":
            values = options.get("values") or list(load_code_tables()[options["code_table"]].labels)
            return Expected("ExpectColumnValuesToBeInSet", {"column": check.columns[0], "value_set": list(values)})
        case "between":
            limits = {"min_value": options.get("minimum"), "max_value": options.get("maximum")}
            strict = {"strict_min": bool(options.get("exclusive", False))}
            return Expected("ExpectColumnValuesToBeBetween", {"column": check.columns[0], **limits, **strict})
        case "matches":
            arguments = {"column": check.columns[0], "regex": options["pattern"]}
            return Expected("ExpectColumnValuesToMatchRegex", arguments)
        case "unique":
            return Expected(UNIQUE, {"column": key_column(check.check_id)})
        case "not_after_received":
            pair = {"column_A": "received_on", "column_B": check.columns[0], "or_equal": True}
            return Expected(
                "ExpectColumnPairValuesAToBeGreaterThanB", {**pair, "ignore_row_if": "either_value_is_missing"}
            )
        case _:
            return Expected("ExpectColumnValuesToBeInSet", {"column": check.check_id, "value_set": [1.0]})


def _key(check: Check) -> list[str]:
    """Unique within a delivery, or in a whole table."""
    return list(check.columns) if check.whole_table else ["delivery_id", *check.columns]


def _asked(rows: pl.DataFrame, checks: Sequence[Check], within: Sequence[str]) -> pl.DataFrame:
    """How many rows each check is asked about: check_id, ``within``, denominator."""
    able = [check for check in checks if set(_columns(check)) <= set(rows.columns)]
    sizes = [_applicable(check).alias(check.check_id) for check in able]
    grouped = rows.group_by(within).agg(sizes) if within else rows.select(sizes)
    return grouped.unpivot(index=list(within), variable_name="check_id", value_name="denominator").with_columns(
        pl.col("denominator").cast(pl.Int64)
    )


def _applicable(check: Check) -> pl.Expr:
    if check.kind == "not_null":
        return pl.len()
    columns = [pl.col(name).is_not_null() for name in _columns(check)]
    return pl.all_horizontal(columns).sum()


def _failing(outcomes: dict[str, Outcome], places: pl.DataFrame) -> pl.DataFrame:
    """Where each failing row is: check_id and the columns of ``places``."""
    lists = [
        pl.DataFrame({"position": outcome.failing}).with_columns(check_id=pl.lit(check_id))
        for check_id, outcome in outcomes.items()
        if len(outcome.failing)
    ]
    empty = pl.DataFrame(schema={"position": pl.UInt32, "check_id": pl.String})
    positions = pl.concat([empty, *lists]).with_columns(pl.col("position").cast(places.schema["position"]))
    return positions.join(places, on="position", how="inner", maintain_order="left").drop("position")


def _counts(
    asked: pl.DataFrame, failing: pl.DataFrame, outcomes: dict[str, Outcome], within: Sequence[str]
) -> pl.DataFrame:
    """check_id, ``within``, numerator, denominator; both null where the check could not run.

    Great Expectations must have looked at as many rows as we asked about, else its answer is not taken.
    """
    totals = dict(asked.group_by("check_id").agg(pl.col("denominator").sum()).iter_rows())
    sound = [k for k, outcome in outcomes.items() if outcome.could_run and outcome.evaluated == totals.get(k)]
    missing = pl.DataFrame({"check_id": [k for k in outcomes if k not in totals]}, schema={"check_id": pl.String})
    groups = asked.select(within).unique() if within else pl.DataFrame({"one": [1]})
    unasked = missing.join(groups, how="cross").with_columns(denominator=pl.lit(None, pl.Int64))
    every = pl.concat([asked, unasked.select(asked.columns)])
    failed = failing.group_by("check_id", *within).agg(numerator=pl.len().cast(pl.Int64))
    joined = every.join(failed, on=["check_id", *within], how="left", nulls_equal=True)
    runs = pl.col("check_id").is_in(sound)
    return joined.with_columns(
        numerator=pl.when(runs).then(pl.col("numerator").fill_null(0)),
        denominator=pl.when(runs).then(pl.col("denominator")),
    )
