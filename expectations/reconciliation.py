"""Rule by rule: what Great Expectations counts against what ingestion set aside; a difference stops publication.

For each delivery and rule (reason of quarantine) three numbers must agree: the rows that the ledger says were set
aside, the rows that Great Expectations finds among those kept in quarantine, and with them the rows that it finds
violating the same rule among those accepted, which must be none. Belongs here: these counts. Does not belong here:
what is done about a difference (``orchestration``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from expectations.check import Check
from expectations.suite import Expected, run_suite

RULE_COUNT_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "feed": pl.String(),
    "rule": pl.String(),
    "ledger_count": pl.Int64(),
    "quarantine_count": pl.Int64(),
    "accepted_count": pl.Int64(),
    "difference": pl.Int64(),
}
# Which rule of quarantine stands for a kind of check on accepted rows.
KIND_RULES = {
    "not_null": "required_missing",
    "unique": "duplicate_key",
    "in_set": "code_unknown",
    "between": "out_of_range",
    "matches": "division_unknown",
    "not_after_received": "date_invalid",
}


def kept_by_rule(deliveries: pl.DataFrame, quarantined: pl.DataFrame) -> pl.DataFrame | None:
    """delivery_id, rule, stated (ledger), found (Great Expectations on the rows kept); None where it could not run.

    ``quarantined``: delivery_id, row_number, reason, a row's first reason first; the ledger counts a row once.
    """
    first = quarantined.unique(["delivery_id", "row_number"], keep="first", maintain_order=True)
    kept = first.join(deliveries, on="delivery_id", how="semi").select("delivery_id", rule="reason")
    rules = kept["rule"].unique().sort().to_list()
    expected = {
        rule: Expected("ExpectColumnValuesToNotBeInSet", {"column": "rule", "value_set": [rule]}) for rule in rules
    }
    outcomes = run_suite("quarantine", kept.select("rule"), expected)
    if not all(outcome.could_run and outcome.evaluated == kept.height for outcome in outcomes.values()):
        return None
    empty = pl.DataFrame(schema={"delivery_id": pl.String, "rule": pl.String})
    found = [kept[outcome.failing.to_list()] for outcome in outcomes.values()]
    counted = pl.concat([empty, *found]).group_by("delivery_id", "rule").agg(found=pl.len().cast(pl.Int64))
    both = _stated(deliveries).join(counted, on=["delivery_id", "rule"], how="full", coalesce=True)
    return both.with_columns(pl.col("stated", "found").fill_null(0)).sort("delivery_id", "rule")


def _stated(deliveries: pl.DataFrame) -> pl.DataFrame:
    rows = [
        (row["delivery_id"], rule, count)
        for row in deliveries.select("delivery_id", "quarantined_by_reason").iter_rows(named=True)
        for rule, count in json.loads(row["quarantined_by_reason"] or "{}").items()
    ]
    return pl.DataFrame(rows, schema={"delivery_id": pl.String, "rule": pl.String, "stated": pl.Int64}, orient="row")


def rule_counts(kept: pl.DataFrame, results: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """The three numbers of every delivery and rule that has any (``RULE_COUNT_SCHEMA``).

    ``kept`` comes from ``kept_by_rule``, ``results`` are those of the same deliveries' checks.
    """
    rules = {check.check_id: KIND_RULES[check.kind] for check in checks if check.kind in KIND_RULES}
    known = pl.DataFrame({"check_id": list(rules), "rule": list(rules.values())}, schema_overrides={"rule": pl.String})
    accepted = (
        results.join(known, on="check_id")
        .filter(pl.col("numerator") > 0)
        .group_by("delivery_id", "rule")
        .agg(accepted_count=pl.col("numerator").sum())
    )
    both = kept.join(accepted, on=["delivery_id", "rule"], how="full", coalesce=True).with_columns(
        pl.col("stated", "found", "accepted_count").fill_null(0)
    )
    return (
        both.with_columns(
            feed=pl.col("delivery_id").str.split(".").list.first(),
            ledger_count="stated",
            quarantine_count="found",
            difference=(pl.col("found") + pl.col("accepted_count") - pl.col("stated")),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in RULE_COUNT_SCHEMA.items())
        .sort("delivery_id", "rule")
    )


def unreconciled(counts: pl.DataFrame, deliveries: pl.DataFrame) -> pl.DataFrame:
    """The counts that differ, of accepted deliveries: as long as there is one, nothing may be published."""
    accepted = deliveries.filter(pl.col("status") == "accepted").select("delivery_id")
    return counts.filter(pl.col("difference") != 0).join(accepted, on="delivery_id", how="semi")
