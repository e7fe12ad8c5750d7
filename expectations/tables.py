"""Validation of the warehouse's published tables, from Parquet to results.

Belongs here: checks that look at a whole table or compare two. Does not belong here: what dbt tests (structure and
logic of its own models).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from expectations import store
from expectations.catalogue import resolve_table_checks
from expectations.check import FAILING_ROW_SCHEMA, Check, judged
from expectations.row_checks import check_rows
from expectations.validate import publish_checks


def validate_tables(
    tables: Mapping[str, pl.DataFrame | Path], reference: Path, results_dir: Path, as_of: datetime
) -> pl.DataFrame:
    """Check the published tables (by name; a frame or a Parquet path) and return the results.

    One that is not among ``tables`` is looked for in ``reference`` (scores are there); one that is nowhere could not
    be checked, and says so. Months are compared as YYYY-MM, whatever their type.
    """
    checks = resolve_table_checks()
    wanted = {check.subject for check in checks}
    places = {**{name: reference / f"{name}.parquet" for name in wanted}, **tables}
    frames = {
        name: frame for name in sorted(wanted) if (frame := _frame(places[name], _needed(name, checks))) is not None
    }
    counts, failing = [], [pl.DataFrame(schema=FAILING_ROW_SCHEMA)]
    for name in dict.fromkeys(check.subject for check in checks):
        own = [check for check in checks if check.subject == name]
        if name not in frames:
            counts.append(_unread(own))
            continue
        result = check_rows(f"table_{name}", _flagged(frames[name], own, frames), own, within=())
        counts.append(result.counts)
        failing.append(result.failing)
    results = judged(pl.concat(counts, how="diagonal_relaxed"), checks)
    subjects = [check.subject for check in checks]
    publish_checks(reference, checks)
    store.write_validation(results_dir, "tables", results, as_of.isoformat())
    store.merge_results(reference, results, pl.concat(failing), subjects, [])
    return results


WORD = re.compile(r"[a-z_]\w*")


def _needed(table: str, checks: Sequence[Check]) -> set[str]:
    """Columns that any check asks for: a table of ten million rows has no room for the others."""
    names: set[str] = set()
    for check in checks:
        if check.subject == table:
            names |= {*check.columns, *WORD.findall(f"{check.where} {check.options.get('rule')}")}
        if check.options.get("other") == table:
            names |= set(check.options["keys"].values())
    return names


def _frame(table: pl.DataFrame | Path, needed: set[str]) -> pl.DataFrame | None:
    if isinstance(table, Path) and not table.is_file():
        return None
    rows = pl.scan_parquet(table) if isinstance(table, Path) else table.lazy()
    schema = rows.collect_schema()
    rows = rows.select(name for name in schema if name in needed)
    dates = [name for name in ("month",) if name in needed and schema.get(name) == pl.Date]
    floats = [name for name in needed if isinstance(schema.get(name), pl.Decimal)]
    return (
        rows.with_columns(
            *(pl.col(name).dt.strftime("%Y-%m") for name in dates), *(pl.col(name).cast(pl.Float64) for name in floats)
        )
        .with_columns(row_number=pl.int_range(1, pl.len() + 1))
        .collect()
    )


def _unread(checks: Sequence[Check]) -> pl.DataFrame:
    nothing = pl.lit(None, pl.Int64)
    return pl.DataFrame({"check_id": [check.check_id for check in checks]}).with_columns(
        numerator=nothing, denominator=nothing
    )


def _flagged(frame: pl.DataFrame, checks: Sequence[Check], frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The table with a boolean column for each condition; one that cannot be prepared is left out and could not run."""
    for check in checks:
        try:
            if check.kind == "row_rule":
                flag = pl.sql_expr(check.options["rule"])
            elif check.kind == "exists_in":
                flag = _exists(frame, frames[check.options["other"]], check.options["keys"])
            else:
                continue
            applies = pl.sql_expr(check.where) if check.where else pl.lit(True)
            frame = frame.with_columns(pl.when(applies).then(flag).alias(check.check_id))
        except (pl.exceptions.PolarsError, KeyError):
            continue
    return frame


def _exists(frame: pl.DataFrame, other: pl.DataFrame, keys: Mapping[str, str]) -> pl.Series:
    there = other.select(pl.col(name).alias(key) for key, name in keys.items()).unique()
    known = there.with_columns(known=pl.lit(True))
    return frame.join(known, on=list(keys), how="left", maintain_order="left")["known"].fill_null(False)
