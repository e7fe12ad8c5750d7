"""From any table, numeric or categorical, frame or array, to columns: floats where they are numbers, else text.

Belongs here: reading frames and arrays. Not here: categories as numbers (`ml.encoding`), learning, the warehouse's own
columns (`ml.columns`).
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import issparse

Column = npt.NDArray[np.float64] | pl.Series


def is_text(column: Column) -> bool:
    """Whether a column holds categories."""
    return isinstance(column, pl.Series)


def part_of(columns: Sequence[Column], rows: npt.NDArray[np.int64]) -> list[Column]:
    """Some rows of every column."""
    return [column[rows] for column in columns]


def columns_of(table: Any) -> list[Column]:
    """The columns of a polars or pandas frame or array: float where they are numbers, else text.

    Dates and times become days since 1970.
    """
    if issparse(table):
        raise TypeError("Sparse data was passed, but dense data is required; use '.toarray()'")
    if isinstance(table, pl.DataFrame):
        return [_column_of_polars(table[name]) for name in table.columns]
    if hasattr(table, "iloc"):
        return [_column_of_pandas(table.iloc[:, place]) for place in range(table.shape[1])]
    array = np.asarray(table)
    if np.iscomplexobj(array):
        raise ValueError("Complex data not supported")
    if array.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead. Reshape your data using array.reshape(-1, 1)"
        )
    if array.dtype.kind in "fiub":
        return list(array.astype(np.float64).T)
    return [_column_of_objects(array[:, place]) for place in range(array.shape[1])]


def names_of(table: Any) -> npt.NDArray[Any] | None:
    """The column names of a frame whose names are all text, else None."""
    names = getattr(table, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.asarray(list(names), dtype=object)


def _column_of_polars(column: pl.Series) -> Column:
    if column.dtype == pl.Duration:
        return column.dt.total_milliseconds().cast(pl.Float64).to_numpy() / 86_400_000.0
    if column.dtype == pl.Date:
        return column.cast(pl.Int32).cast(pl.Float64).to_numpy()
    if column.dtype == pl.Datetime:
        return column.dt.timestamp("ms").cast(pl.Float64).to_numpy() / 86_400_000.0
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        return column.cast(pl.Float64).to_numpy()
    if column.dtype == pl.Object:
        return _column_of_objects(np.array(column.to_list(), dtype=object))
    return column.cast(pl.String)


def _column_of_pandas(column: Any) -> Column:
    kind = getattr(column.dtype, "kind", "O")
    if kind in "fiub":
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    missing = column.isna().to_numpy()
    if kind in "mM":
        naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if getattr(column.dtype, "tz", None) else column
        unit = naive.to_numpy().astype("datetime64[ms]" if kind == "M" else "timedelta64[ms]")
        return np.where(missing, np.nan, unit.astype(np.int64) / 86_400_000.0)
    values = column.astype(object).to_numpy(copy=True)
    values[missing] = None
    if str(column.dtype) == "category":
        return _text(values)
    return _column_of_objects(values)


def _column_of_objects(column: npt.NDArray[Any]) -> Column:
    """Numbers and dates kept as objects are numbers; everything else is text."""
    values = [None if value is None or value != value else value for value in column]
    if any(isinstance(value, dict | list | set) for value in values):
        raise TypeError("argument must be a string or a number")
    if all(value is None or isinstance(value, date) for value in values) and any(value is not None for value in values):
        return np.array([np.nan if value is None else _days(value) for value in values])
    if all(value is None or not isinstance(value, str) for value in values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return _text(values)


def _text(values: Any) -> pl.Series:
    return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)


def _days(value: date) -> float:
    start = datetime(1970, 1, 1, tzinfo=value.tzinfo) if isinstance(value, datetime) else date(1970, 1, 1)
    return float((value - start).total_seconds()) / 86_400.0
