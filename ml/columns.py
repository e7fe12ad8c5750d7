"""From any table to the float matrix the estimators read; no learning, no imputing: missing stays missing (NaN)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def matrix_of(table: Any) -> Matrix:
    """A polars or pandas frame or an array as an (n, p) float matrix; nulls and infinities become NaN.

    A float array without infinities is handed back as it is: nobody writes into it, and a copy may be a gigabyte.
    """
    matrix = np.asarray(table.to_numpy() if hasattr(table, "to_numpy") else table, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"expected a table of two dimensions, got {matrix.ndim}")
    endless = np.isinf(matrix)
    return np.where(endless, np.nan, matrix) if endless.any() else matrix


def feature_matrix(frame: pl.DataFrame, names: Sequence[str]) -> Matrix:
    """The named feature columns of a frame, in that order; a column the frame does not have is entirely missing."""
    columns = [
        pl.col(name).cast(pl.Float64) if name in frame.columns else pl.lit(None, pl.Float64).alias(name)
        for name in names
    ]
    return matrix_of(frame.select(columns))


def dead_columns(matrix: Matrix) -> Flags:
    """Which columns are entirely missing: their source did not deliver."""
    return np.asarray(np.isnan(matrix).all(axis=0))


def signed_log(matrix: Matrix) -> Matrix:
    """log(1 + |x|) with the sign of x: order kept, long tails shortened."""
    return np.asarray(np.sign(matrix) * np.log1p(np.abs(matrix)))
