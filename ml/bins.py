"""Numbers as the number of their bin, so that trees grow on a few hundred values a column.

Belongs here: edges and codes. Not here: trees. scikit-learn would lay its own bins, but with sample weights it needs
minutes for what takes seconds (a weighted percentile for each of 255 edges of each column, 20 s at 20,000 x 100).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from ml.columns import Matrix

Vector = npt.NDArray[np.float64]
MOST_BINS = 250
ROWS_FOR_EDGES = 100_000


@dataclass(frozen=True)
class Bins:
    """A table as bin numbers (float, missing stays NaN), with the edges: code <= c holds where value <= edges[c]."""

    edges: Sequence[Vector] = field(repr=False)
    codes: Matrix = field(repr=False)

    @classmethod
    def of(cls, matrix: Matrix) -> Self:
        """Lay bins over a table."""
        every = max(1, len(matrix) // ROWS_FOR_EDGES)
        edges = [_edges(matrix[::every, place]) for place in range(matrix.shape[1])]
        return cls(edges, coded(matrix, edges))

    def like(self, matrix: Matrix) -> Self:
        """Other rows in the same bins."""
        return type(self)(self.edges, coded(matrix, self.edges))

    def threshold(self, column: int, code: float) -> float:
        """The value at which a split between codes lies."""
        edges = self.edges[column]
        return float(edges[int(code)]) if np.isfinite(code) and int(code) < len(edges) else np.inf


def coded(matrix: Matrix, edges: Sequence[Vector]) -> Matrix:
    """The bin number of every value."""
    codes = np.empty(matrix.shape, order="F")
    for place, own in enumerate(edges):
        column = matrix[:, place]
        codes[:, place] = np.searchsorted(own, column, side="left")
        codes[np.isnan(column), place] = np.nan
    return codes


def _edges(column: Vector) -> Vector:
    """All values while they are few; else three quarters of the edges by rank of rows, the rest by rank of values.

    A heap of zeros must not leave the tail without edges.
    """
    present = np.sort(column[~np.isnan(column)])
    values = np.unique(present)
    if len(values) <= MOST_BINS:
        return values[:-1]
    by_rows = present[np.linspace(0, len(present) - 1, MOST_BINS * 3 // 4).astype(int)]
    by_value = values[np.linspace(0, len(values) - 1, MOST_BINS // 4).astype(int)]
    return np.unique(np.concatenate([by_rows, by_value]))[:-1]
