"""From any table, numeric or categorical, frame or array, to the float matrix the kinds read; missing stays missing.

Belongs here: columns and categories. Not here: learning, imputing, the warehouse's own columns (`ml.columns`).
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import issparse

from ml.additive import Vector
from ml.columns import Flags, Matrix

PRIOR_ROWS = 10.0  # a category's share of entries is drawn to the overall share by so many rows


class TableEncoder:
    """Numbers stay; categories become their place in the order of their (shrunk) share of entries in training.

    A category not seen in training is missing. Plain attributes only, so that it can be saved as data.
    """

    def fit(self, columns: Sequence[Vector], labels: Vector, weights: Vector) -> Self:
        """Learn the order of the categories; `columns` as `columns_of` gives them."""
        overall = float(labels @ weights / weights.sum())
        self.categorical_ = [column.dtype == object for column in columns]
        self.orders_ = [
            _order(column, labels, weights, overall) if text else []
            for column, text in zip(columns, self.categorical_, strict=True)
        ]
        return self

    def transform(self, columns: Sequence[Vector]) -> Matrix:
        """The float matrix; a column that was text in training is read as text, one of numbers as numbers."""
        matrix = np.empty((len(columns[0]) if columns else 0, len(columns)))
        for place, (column, text, order) in enumerate(zip(columns, self.categorical_, self.orders_, strict=True)):
            matrix[:, place] = _codes(column, order) if text else _numbers(column)
        matrix[~np.isfinite(matrix)] = np.nan
        return matrix


def columns_of(table: Any) -> list[npt.NDArray[Any]]:
    """The columns of a polars or pandas frame or array: float where they are numbers, else objects (str or None)."""
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
        numbers = array.astype(np.float64)
        if np.isinf(numbers).any():
            raise ValueError("Input X contains infinity or a value too large for dtype('float64').")
        return list(numbers.T)
    return [_column_of_objects(array[:, place]) for place in range(array.shape[1])]


def names_of(table: Any) -> npt.NDArray[Any] | None:
    """The column names of a frame whose names are all text, else None."""
    names = getattr(table, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.asarray(list(names), dtype=object)


def _column_of_polars(column: pl.Series) -> npt.NDArray[Any]:
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64).to_numpy()
    if column.dtype.is_temporal():
        raise ValueError(f"column {column.name} holds dates or times; give a number, such as months since")
    return np.array(column.cast(pl.String).to_list(), dtype=object)


def _column_of_pandas(column: Any) -> npt.NDArray[Any]:
    kind = getattr(column.dtype, "kind", "O")
    if kind == "M" or kind == "m":
        raise ValueError(f"column {column.name} holds dates or times; give a number, such as months since")
    if kind in "fiub":
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    missing = column.isna().to_numpy()
    values = column.astype(object).to_numpy(copy=True)
    values[missing] = None
    return _column_of_objects(values)


def _column_of_objects(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers kept as objects are numbers; everything else is text."""
    values = [None if value is None or value != value else value for value in column]
    if any(isinstance(value, dict | list | set) for value in values):
        raise TypeError("argument must be a string or a number")
    if all(value is None or not isinstance(value, str) for value in values):
        return np.array([np.nan if value is None else float(value) for value in values])
    return np.array([None if value is None else str(value) for value in values], dtype=object)


def _order(column: npt.NDArray[Any], labels: Vector, weights: Vector, overall: float) -> list[str]:
    frame = pl.DataFrame(
        {"value": pl.Series(column.tolist(), dtype=pl.String), "hit": labels * weights, "weight": weights}
    )
    mean_weight = float(weights.mean())
    share = (pl.col("hit").sum() + overall * PRIOR_ROWS * mean_weight) / (
        pl.col("weight").sum() + PRIOR_ROWS * mean_weight
    )
    found = frame.drop_nulls("value").group_by("value").agg(share.alias("share")).sort("share", "value")
    return found["value"].to_list()


def _codes(column: npt.NDArray[Any], order: Sequence[str]) -> Vector:
    places = {value: float(place) for place, value in enumerate(order)}
    return np.array([places.get(str(value), np.nan) if value is not None else np.nan for value in column])


def _numbers(column: npt.NDArray[Any]) -> Vector:
    if column.dtype == object:
        raise ValueError("a column of numbers in training holds text now: could not convert string to float")
    return np.asarray(column, dtype=np.float64)


def text_columns(encoder: TableEncoder) -> Flags:
    """Which columns are categories."""
    return np.asarray(encoder.categorical_, dtype=bool)
