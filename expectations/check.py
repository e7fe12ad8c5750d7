"""What a check and its result are: the words of this room, and the columns under which results are kept.

Belongs here: types and schemas. Does not belong here: which checks there are (``catalogue``) or how they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from models.quality.vocabulary import CheckClass, Dimension

# numerator: rows that fail; denominator: rows that were checked; threshold: the share of failing rows still allowed.
# observed and expected_*: the number judged, where a check judges one number of a delivery instead of its rows.
RESULT_SCHEMA: dict[str, pl.DataType] = {
    "check_id": pl.String(),
    "feed_or_table": pl.String(),
    "delivery_id": pl.String(),
    "period": pl.String(),
    "dimension": pl.String(),
    "class": pl.String(),
    "state": pl.String(),
    "numerator": pl.Int64(),
    "denominator": pl.Int64(),
    "threshold": pl.Float64(),
    "observed": pl.Float64(),
    "expected_low": pl.Float64(),
    "expected_high": pl.Float64(),
    "holds": pl.Boolean(),
    "note": pl.String(),
    "fingerprint": pl.String(),
}
FAILING_ROW_SCHEMA: dict[str, pl.DataType] = {
    "check_id": pl.String(),
    "feed_or_table": pl.String(),
    "delivery_id": pl.String(),
    "row_number": pl.Int64(),
}
# Waivers in force and explanations recorded, as of a run; the months are of data, both included.
WAIVER_SCHEMA: dict[str, pl.DataType] = {
    "waiver_id": pl.String(),
    "check_id": pl.String(),
    "feed": pl.String(),
    "division": pl.String(),
    "month_from": pl.Date(),
    "month_to": pl.Date(),
    "valid_until": pl.Date(),
    "reason": pl.String(),
    "given_by": pl.String(),
    "given_at": pl.Datetime("us"),
}
EXPLANATION_SCHEMA: dict[str, pl.DataType] = {
    "explanation_id": pl.String(),
    "check_id": pl.String(),
    "feed": pl.String(),
    "month": pl.Date(),
    "explanation": pl.String(),
    "given_by": pl.String(),
    "given_at": pl.Datetime("us"),
}
CHECK_SCHEMA: dict[str, pl.DataType] = {
    "check_id": pl.String(),
    "kind": pl.String(),
    "feed_or_table": pl.String(),
    "columns": pl.String(),
    "dimension": pl.String(),
    "class": pl.String(),
    "threshold": pl.Float64(),
    "hold_above": pl.Float64(),
    "owner": pl.String(),
    "title_zh": pl.String(),
    "title_en": pl.String(),
    "reason_zh": pl.String(),
    "reason_en": pl.String(),
}


@dataclass(frozen=True)
class Check:
    """One check of one feed or table.

    ``where`` says which rows it applies to (SQL expression; null means all), ``hold_above`` the share of failing
    rows above which a delivery of at least ``hold_min_rows`` checked rows is held. ``options`` are the kind's own.
    """

    check_id: str
    kind: str
    subject: str
    columns: tuple[str, ...]
    dimension: Dimension
    check_class: CheckClass
    threshold: float
    owner: str
    title_zh: str
    title_en: str
    reason_zh: str
    reason_en: str
    where: str | None = None
    hold_above: float | None = None
    hold_min_rows: int = 1
    whole_table: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        """The check as a row of the published catalogue (``CHECK_SCHEMA``)."""
        row = asdict(self)
        row |= {"feed_or_table": self.subject, "class": self.check_class, "columns": ", ".join(self.columns)}
        return {name: row[name] for name in CHECK_SCHEMA}


def checks_frame(checks: list[Check] | tuple[Check, ...]) -> pl.DataFrame:
    """The catalogue as a table, in the order given."""
    return pl.DataFrame([check.as_row() for check in checks], schema=CHECK_SCHEMA, orient="row")


def judged(counts: pl.DataFrame, checks: list[Check] | tuple[Check, ...]) -> pl.DataFrame:
    """Add state and hold to counted results: nothing checked is never passed.

    ``counts`` has check_id, delivery_id, period, numerator, denominator (null: could not run) and, where a single
    number is judged, observed, expected_low, expected_high and note.
    """
    rules = pl.DataFrame(
        [{**check.as_row(), "hold_min_rows": check.hold_min_rows} for check in checks],
        schema={**CHECK_SCHEMA, "hold_min_rows": pl.Int64()},
    ).select("check_id", "feed_or_table", "dimension", "class", "threshold", "hold_above", "hold_min_rows")
    share = pl.col("numerator") / pl.col("denominator")
    state = (
        pl.when(pl.col("denominator").is_null() | pl.col("numerator").is_null())
        .then(pl.lit("could_not_run"))
        .when(pl.col("denominator") == 0)
        .then(pl.lit("not_applicable"))
        .when(share > pl.col("threshold"))
        .then(pl.lit("failed"))
        .otherwise(pl.lit("passed"))
    )
    grave = (pl.col("denominator") >= pl.col("hold_min_rows")) & (share > pl.col("hold_above"))
    given = counts.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in RESULT_SCHEMA.items() if name not in counts.columns
    ).drop("feed_or_table", "dimension", "class", "threshold")
    known = pl.coalesce(pl.col("holds"), grave, pl.lit(False))
    return (
        given.join(rules, on="check_id", how="inner", maintain_order="left")
        .with_columns(state=state, holds=known)
        .with_columns(holds=pl.col("holds") & (pl.col("state") == "failed"))
        .select(pl.col(name).cast(dtype) for name, dtype in RESULT_SCHEMA.items())
    )
