"""Where results are kept: Parquet beside the reference tables, written aside and renamed.

Belongs here: reading, merging and writing results. Does not belong here: what they say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from expectations.check import (
    CHECK_SCHEMA,
    EXPLANATION_SCHEMA,
    FAILING_ROW_SCHEMA,
    RESULT_SCHEMA,
    WAIVER_SCHEMA,
)
from expectations.measures import MEASURE_SCHEMA
from expectations.reconciliation import RULE_COUNT_SCHEMA

RESULT_FILE = "check_result.parquet"
CHECK_FILE = "check.parquet"
FAILING_ROW_FILE = "check_failing_row.parquet"
MEASURE_FILE = "measure.parquet"
WAIVER_FILE = "check_waiver.parquet"
RULE_COUNT_FILE = "rule_count.parquet"
EXPLANATION_FILE = "check_explanation.parquet"


def read_table(path: Path, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The table, or one without rows where there is none yet."""
    if not path.is_file():
        return pl.DataFrame(schema=dict(schema))
    table = pl.read_parquet(path)
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in table.columns]
    return table.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write aside, then rename: readers see the old table or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    table.write_parquet(aside)
    aside.replace(path)


def merge_results(
    reference: Path, results: pl.DataFrame, failing: pl.DataFrame, subjects: Sequence[str], delivery_ids: Sequence[str]
) -> pl.DataFrame:
    """Replace what is kept for these deliveries (and, without delivery, for these feeds or tables); return all."""
    kept = _others(read_table(reference / RESULT_FILE, RESULT_SCHEMA), subjects, delivery_ids)
    rows = _others(read_table(reference / FAILING_ROW_FILE, FAILING_ROW_SCHEMA), subjects, delivery_ids)
    order = ["feed_or_table", "period", "delivery_id", "check_id"]
    merged = pl.concat([kept, results]).sort(order, nulls_last=False)
    located = pl.concat([rows, failing]).sort("feed_or_table", "delivery_id", "check_id", "row_number")
    write_table(located, reference / FAILING_ROW_FILE)
    write_table(merged, reference / RESULT_FILE)
    return merged


def _others(table: pl.DataFrame, subjects: Sequence[str], delivery_ids: Sequence[str]) -> pl.DataFrame:
    without_delivery = pl.col("delivery_id").is_null() & pl.col("feed_or_table").is_in(list(subjects))
    return table.filter(~(without_delivery | pl.col("delivery_id").is_in(list(delivery_ids)).fill_null(False)))


def lay_results(reference: Path, results_dir: Path, past: tuple[Path, Path], delivery_ids: Sequence[str]) -> None:
    """Hand what was found in these deliveries on to another place (its reference and results folder).

    Whatever a result rests on is in its fingerprint: where that differs there, the delivery is checked anew.
    """
    to_reference, to_results = past
    known = pl.col("delivery_id").is_in(list(delivery_ids))
    for source, schema, target in (
        (reference / RESULT_FILE, RESULT_SCHEMA, to_reference / RESULT_FILE),
        (reference / FAILING_ROW_FILE, FAILING_ROW_SCHEMA, to_reference / FAILING_ROW_FILE),
        (results_dir / MEASURE_FILE, MEASURE_SCHEMA, to_results / MEASURE_FILE),
    ):
        write_table(read_table(source, schema).filter(known), target)


def write_validation(results_dir: Path, name: str, results: pl.DataFrame, as_of: str) -> None:
    """Keep what a validation found as JSON: counts and states by check and delivery, never a value."""
    results_dir.mkdir(parents=True, exist_ok=True)
    document = {"validated": name, "as_of": as_of, "results": results.drop("fingerprint").to_dicts()}
    text = json.dumps(document, ensure_ascii=False, indent=1)
    aside = results_dir / f".{name}.json.part"
    aside.write_text(text, encoding="utf-8")
    aside.replace(results_dir / f"{name}.json")


def ensure_tables(reference: Path) -> None:
    """Write the result tables without rows where they are missing, so that readers always find them."""
    for name, schema in (
        (RESULT_FILE, RESULT_SCHEMA),
        (FAILING_ROW_FILE, FAILING_ROW_SCHEMA),
        (CHECK_FILE, CHECK_SCHEMA),
        (RULE_COUNT_FILE, RULE_COUNT_SCHEMA),
        (WAIVER_FILE, WAIVER_SCHEMA),
        (EXPLANATION_FILE, EXPLANATION_SCHEMA),
    ):
        if not (reference / name).is_file():
            write_table(pl.DataFrame(schema=schema), reference / name)
