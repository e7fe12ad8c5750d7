"""Numbers of one delivery: rows, totals, filled cells, mix of codes, dates outside of the month.

Belongs here: counting, once for each delivery (kept, since accepted rows never change). Does not belong here:
whether a number is good (``delivery_checks``, ``over_time``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from expectations.check import Check

MEASURE_SCHEMA: dict[str, pl.DataType] = {
    "delivery_id": pl.String(),
    "measure": pl.String(),
    "code": pl.String(),
    "value": pl.Float64(),
}
MEASURED_KINDS = ("not_constant", "in_period", "total_steady", "filled_share_steady", "code_mix_steady")
# An event may be reported with the month before or after its own.
MONTHS_AROUND = 1


def measure_deliveries(rows: pl.DataFrame, checks: Sequence[Check], delivery_ids: Iterable[str]) -> pl.DataFrame:
    """All measures of these deliveries that the checks need: delivery_id, measure, code (of a mix), value.

    A measure is named ``rows`` or ``<what>:<column>``. Deliveries without rows have ``rows`` 0 and no other.
    """
    wanted = {(check.kind, check.columns[0]) for check in checks if check.kind in MEASURED_KINDS}
    sums = _sums(sorted(wanted))
    grouped = rows.group_by("delivery_id").agg(sums)
    long = grouped.unpivot(index="delivery_id", variable_name="measure", value_name="value")
    every = pl.DataFrame({"delivery_id": list(delivery_ids)}, schema={"delivery_id": pl.String})
    empty = every.join(grouped, on="delivery_id", how="anti").with_columns(measure=pl.lit("rows"), value=pl.lit(0.0))
    mixes = [_mix(rows, column) for kind, column in sorted(wanted) if kind == "code_mix_steady"]
    return pl.concat([_shaped(part) for part in (long, empty, *mixes)])


def _shaped(part: pl.DataFrame) -> pl.DataFrame:
    if "code" not in part.columns:
        part = part.with_columns(code=pl.lit(None, pl.String))
    return part.select(pl.col(name).cast(dtype) for name, dtype in MEASURE_SCHEMA.items())


def _sums(wanted: Iterable[tuple[str, str]]) -> list[pl.Expr]:
    sums = [pl.len().cast(pl.Float64).alias("rows")]
    for kind, column in wanted:
        value = pl.col(column)
        if kind == "not_constant":
            sums.append(value.drop_nulls().value_counts().struct.field("count").max().alias(f"commonest:{column}"))
        elif kind == "total_steady":
            sums.append(value.sum().alias(f"total:{column}"))
        elif kind == "filled_share_steady":
            sums.append(value.count().alias(f"filled:{column}"))
        elif kind == "in_period":
            sums.append(value.count().alias(f"dated:{column}"))
            sums.append(_outside(value).sum().alias(f"outside:{column}"))
    return [expression.cast(pl.Float64) for expression in sums]


def _outside(value: pl.Expr) -> pl.Expr:
    month = (pl.col("period") + "-01").str.to_date()
    early = value < month.dt.offset_by(f"-{MONTHS_AROUND}mo")
    return early | (value >= month.dt.offset_by(f"{MONTHS_AROUND + 1}mo"))


def _mix(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    counted = (
        rows.filter(pl.col(column).is_not_null()).group_by("delivery_id", pl.col(column).alias("code")).len("value")
    )
    return counted.with_columns(measure=pl.lit(f"code:{column}"))
