"""Rows in the cheapest form in which Great Expectations still gives the same answer.

pandas holds a text of every cell as an object, and Great Expectations copies the whole frame for each expectation: a
million rows of a register cost gigabytes. So a column goes there as what its checks ask of it (codes as categories,
keys as numbers, presence alone where nothing else is asked), and a large frame goes column by column. Belongs here:
that form. Does not belong here: what is asked (``row_checks``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from expectations.suite import Expected, Outcome, run_suite

# Below, one validation of the whole frame is cheaper; above, one for each set of columns.
WHOLE_FRAME_ROWS = 200_000
# A text column with more different values than this share of its rows gains nothing by being made categories.
CATEGORY_SHARE = 0.1

UNIQUE = "ExpectColumnValuesToBeUnique"
PRESENCE = "ExpectColumnValuesToNotBeNull"
COLUMN_ARGUMENTS = ("column", "column_A", "column_B")


def run_encoded(name: str, rows: pl.DataFrame, expected: Mapping[str, Expected]) -> dict[str, Outcome]:
    """``run_suite`` on ``rows``, encoded: a small frame at once, a large one column by column."""
    outcomes: dict[str, Outcome] = {}
    for group in _groups(expected, whole=rows.height <= WHOLE_FRAME_ROWS):
        outcomes |= run_suite(name, _encoded(rows, list(group.values())), group)
    return outcomes


def key_column(check_id: str) -> str:
    """The column under which the key of a uniqueness check goes to Great Expectations."""
    return f"key:{check_id}"


def with_keys(rows: pl.DataFrame, keys: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """``rows`` with one number for each different key (by check id), null where a part of it is missing.

    The number is the first position at which the key stands: exact, unlike a hash.
    """
    numbered = rows.with_row_index("position")
    keyed = numbered.with_columns(
        pl.when(pl.all_horizontal(pl.col(name).is_not_null() for name in columns))
        .then(pl.col("position").first().over(columns))
        .cast(pl.Float64)
        .alias(key_column(check_id))
        for check_id, columns in keys.items()
        if set(columns) <= set(rows.columns)
    )
    return keyed.drop("position")


def _groups(expected: Mapping[str, Expected], *, whole: bool) -> Iterable[dict[str, Expected]]:
    if whole:
        return [dict(expected)] if expected else []
    groups: dict[tuple[str, ...], dict[str, Expected]] = {}
    for check_id, item in expected.items():
        groups.setdefault(_columns(item), {})[check_id] = item
    return groups.values()


def _columns(item: Expected) -> tuple[str, ...]:
    return tuple(sorted(str(item.arguments[name]) for name in COLUMN_ARGUMENTS if name in item.arguments))


def _encoded(rows: pl.DataFrame, expected: Sequence[Expected]) -> pl.DataFrame:
    asked: dict[str, set[str]] = {}
    for item in expected:
        for column in _columns(item):
            asked.setdefault(column, set()).add(item.type)
    return rows.select(_cheapest(rows[name], types) for name, types in asked.items() if name in rows.columns)


def _cheapest(values: pl.Series, types: set[str]) -> pl.Series:
    if types == {PRESENCE}:
        return pl.select(pl.when(values.is_not_null()).then(pl.lit(1, pl.Float32)).alias(values.name)).to_series()
    if values.dtype == pl.Boolean:
        return values.cast(pl.Float32)
    if values.dtype == pl.String and types <= {PRESENCE, "ExpectColumnValuesToBeInSet"}:
        few = values.n_unique() <= max(values.len() * CATEGORY_SHARE, 1)
        return values.cast(pl.Categorical) if few else values
    return values
