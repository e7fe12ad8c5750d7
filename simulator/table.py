"""Columns of equal length that grow by appending: the shape in which the city keeps its people and things.

Belongs here: storage. Does not belong here: what the columns mean (``city``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, get_type_hints

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(frozen=True)
class Column:
    """Storage type of a column and the value that it has where nothing is said; no type means text."""

    dtype: type[np.generic] | None
    fill: float | bool | str


# Text is kept as a Polars series, since millions of short strings are gathered from it.
TEXT = Column(None, "")


class Table:
    """Base of the city's tables: dataclasses whose fields are ``Annotated`` with a ``Column``."""

    @classmethod
    def empty(cls) -> Self:
        columns = {
            name: pl.Series([], dtype=pl.String) if column.dtype is None else np.empty(0, dtype=column.dtype)
            for name, column in _columns(cls).items()
        }
        return cls(**columns)

    def __len__(self) -> int:
        return len(getattr(self, next(iter(_columns(type(self))))))

    def append(self, count: int, **values: Any) -> npt.NDArray[np.int64]:
        """Append ``count`` rows; columns that are not named get their fill value. Returns the new positions."""
        start = len(self)
        for name, column in _columns(type(self)).items():
            value = values.pop(name, column.fill)
            setattr(self, name, _grown(getattr(self, name), value, count, column))
        if values:
            raise KeyError(f"{type(self).__name__} has no column {', '.join(values)}")
        return np.arange(start, start + count)


_KNOWN: dict[str, dict[str, Column]] = {}


def _columns(table: type[Table]) -> dict[str, Column]:
    """Columns by name; resolved once a class, since resolving annotations is slow."""
    if table.__name__ not in _KNOWN:
        hints = get_type_hints(table, include_extras=True)
        _KNOWN[table.__name__] = {name: hint.__metadata__[0] for name, hint in hints.items()}
    return _KNOWN[table.__name__]


def _grown(old: Any, value: Any, count: int, column: Column) -> Any:
    if column.dtype is None:
        series = value if isinstance(value, pl.Series) else pl.Series([value] * count, dtype=pl.String)
        return pl.concat([old.rename(""), series.rename("")])
    new = np.empty(count, dtype=column.dtype)
    new[:] = value
    return np.concatenate([old, new])
