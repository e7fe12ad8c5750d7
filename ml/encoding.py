"""Columns as the float matrix that the kinds read; missing stays missing, categories become one number each.

Belongs here: how categories are numbered. Not here: reading frames (`ml.tables`), learning, imputing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.additive import Vector
from ml.columns import Flags, Matrix
from ml.tables import Column, is_text

PRIOR_ROWS = 10.0  # a category's share of entries is drawn to the overall share by so many rows
MOST_LEVELS = 40  # with more levels a category's number is its share itself, learnt from other rows
LEAST_ROWS = 5  # and with fewer rows a level too
FOLDS = 5


class TableEncoder:
    """Numbers stay. Few levels: their place in the order of their shrunk share of entries. Many: that share's log-odds.

    A row must not find its own outcome in its category, so in training the log-odds of a row come from rows of other
    folds (`learn`), whole groups together. A level not seen in training is missing, or has the overall log-odds.
    """

    def learn(
        self, columns: Sequence[Column], labels: Vector, weights: Vector, group: npt.NDArray[Any] | None, seed: int
    ) -> Matrix:
        """Learn the categories, and give the training rows as the kinds are to see them."""
        self.text_ = [is_text(column) for column in columns]
        self.empty_ = [not isinstance(column, pl.Series) and bool(np.isnan(column).all()) for column in columns]
        self.levels_: list[dict[str, float]] = [{} for _ in columns]
        self.shares_ = [False] * len(columns)
        self.rest_ = np.full(len(columns), np.nan)
        folds: npt.NDArray[np.int64] | None = None
        overall = float(labels @ weights / weights.sum())
        for place, column in enumerate(columns):
            if not isinstance(column, pl.Series):
                continue
            known = column.n_unique() - bool(column.null_count())
            self.shares_[place] = known > MOST_LEVELS or known * LEAST_ROWS > len(column)
            share = _shares(column, labels, weights, overall)
            if self.shares_[place]:
                folds = _folds(len(labels), group, seed) if folds is None else folds
                self.rest_[place] = _log_odds(overall)
                self.levels_[place] = {level: _log_odds(own) for level, own in share.items()}
            else:
                self.levels_[place] = {level: float(number) for number, level in enumerate(share)}
        matrix = self.transform(columns)
        for place in np.flatnonzero(self.shares_).tolist():
            matrix[:, place] = _from_others(columns[place], labels, weights, overall, folds)
        return matrix

    def transform(self, columns: Sequence[Column]) -> Matrix:
        """The float matrix; a column that was text in training is read as text, one of numbers as numbers."""
        matrix = np.empty((len(columns[0]) if columns else 0, len(columns)), order="F")
        for place, (column, text) in enumerate(zip(columns, self.text_, strict=True)):
            if self.empty_[place]:  # nothing was learnt from it, whatever it holds now
                matrix[:, place] = np.nan
                continue
            matrix[:, place] = _numbered(column, self.levels_[place], self.rest_[place]) if text else _numbers(column)
            matrix[np.isinf(matrix[:, place]), place] = np.nan
        return matrix

    @property
    def few_levels(self) -> Flags:
        """Which columns are categories with a number for each level."""
        pairs = zip(self.text_, self.shares_, strict=True)
        return np.array([text and not share for text, share in pairs], dtype=np.bool_)


def _shares(column: pl.Series, labels: Vector, weights: Vector, overall: float) -> dict[str, float]:
    """Each level's share of entries, ascending, drawn to the overall share where it has few rows."""
    frame = pl.DataFrame({"level": column, "hit": labels * weights, "weight": weights})
    prior = PRIOR_ROWS * float(weights.mean())
    share = (pl.col("hit").sum() + overall * prior) / (pl.col("weight").sum() + prior)
    found = frame.drop_nulls("level").group_by("level").agg(share.alias("share")).sort("share", "level")
    return dict(zip(found["level"].to_list(), found["share"].to_list(), strict=True))


def _from_others(column: Any, labels: Vector, weights: Vector, overall: float, folds: Any) -> Vector:
    """Drawn to the share of all rows, not of the others: that of the others is high where the own fold's is low."""
    values = np.full(len(labels), _log_odds(overall))
    for fold in range(FOLDS):
        inside, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        share = _shares(column[others], labels[others], weights[others], overall)
        levels = {level: _log_odds(own) for level, own in share.items()}
        values[inside] = _numbered(column[inside], levels, _log_odds(overall))
    return values


def _folds(rows: int, group: npt.NDArray[Any] | None, seed: int) -> npt.NDArray[np.int64]:
    units = np.arange(rows) if group is None else np.unique(group, return_inverse=True)[1]
    return np.random.default_rng(seed).permutation(int(units.max()) + 1)[units] % FOLDS


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(share / (1 - share)))


def _numbered(column: Column, levels: dict[str, float], rest: float) -> Vector:
    text = column if isinstance(column, pl.Series) else pl.Series(column).fill_nan(None).cast(pl.String)
    if not levels:
        return np.full(len(text), np.nan)
    values = text.replace_strict(list(levels), list(levels.values()), default=float(rest), return_dtype=pl.Float64)
    found = values.cast(pl.Float64).to_numpy(writable=True)
    found[text.is_null().to_numpy()] = np.nan
    return np.asarray(found)


def _numbers(column: Column) -> Vector:
    if isinstance(column, pl.Series):
        if column.null_count() == len(column):
            return np.full(len(column), np.nan)
        raise ValueError("a column of numbers in training holds text now: could not convert string to float")
    return column
