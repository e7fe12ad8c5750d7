"""Columns of equal length that grow by appending: the shape in which the city keeps its people and things.

Belongs here: storage. Does not belong here: what the columns mean (``city``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self, cast

import numpy as np
import polars as pl


def column(dtype: type[np.generic], fill: float | bool) -> Any:
    """A numeric column and the value that it has where nothing is said."""
    return field(metadata={"dtype": dtype, "fill": fill})


def text() -> Any:
    """A text column, kept as a Polars series since millions of short strings are gathered from it."""
    return field(metadata={"dtype": None, "fill": ""})


@dataclass
class Table:
    """Base of the city's tables; a subclass declares its columns with ``column`` and ``text``."""

    @classmethod
    def empty(cls) -> Self:
        columns: dict[str, Any] = {}
        for item in fields(cls):
            dtype = item.metadata["dtype"]
            columns[item.name] = pl.Series([], dtype=pl.String) if dtype is None else np.empty(0, dtype=dtype)
        return cls(**columns)

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def append(self, count: int, **values: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Append ``count`` rows; columns that are not named get their fill value. Returns the new positions."""
        start = len(self)
        for item in fields(self):
            value = values.pop(item.name, item.metadata["fill"])
            setattr(self, item.name, _grown(getattr(self, item.name), value, count, item.metadata["dtype"]))
        if values:
            raise KeyError(f"{type(self).__name__} has no column {', '.join(values)}")
        return cast("np.ndarray[Any, np.dtype[np.int64]]", np.arange(start, start + count))


def _grown(old: Any, value: Any, count: int, dtype: Any) -> Any:
    if dtype is None:
        series = value if isinstance(value, pl.Series) else pl.Series([value] * count, dtype=pl.String)
        return pl.concat([old.rename(""), series.rename("")])
    new = np.empty(count, dtype=dtype)
    new[:] = value
    return np.concatenate([old, new])
