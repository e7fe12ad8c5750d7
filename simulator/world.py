"""The true state of every household and month, recorded for tests and for judging a model; never delivered.

Belongs here: ``households.parquet`` and ``members.parquet``. Does not belong here: single cases (``planted``).
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from simulator.city import City
from simulator.feeds.frame import days
from simulator.months import NEVER, first_date

LAYERS = np.array(["none", "destitute", "dibao", "marginal", "rigid_expenditure"])


class Recorder:
    """Appends one month after the other to two Parquet files.

    ``households``: month, household (position), village_code, members, income_pc (yuan a month), need (layer),
    need_since, programme (0 none), is_silent, left_register_this_month. ``members``: month, household, id_number.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def record(self, city: City) -> None:
        households, people = city.households, city.persons
        size = city.count(city.at_home)
        lived = np.flatnonzero(size > 0)
        month = first_date(city.month)
        since = np.where(households.need_since[lived] == NEVER, NEVER, city.month - households.need_since[lived])
        frame = pl.DataFrame(
            {
                "household": lived.astype(np.int32),
                "village_code": city.places.code.gather(households.village[lived].astype(np.uint32)),
                "members": size[lived].astype(np.int16),
                "income_pc": households.income_pc[lived],
                "need": pl.Series(LAYERS[households.need[lived]]),
                "months_in_need": pl.Series(since.astype(np.int32)).replace(NEVER, None),
                "programme": households.programme[lived].astype(np.int16),
                "is_silent": households.is_silent[lived],
                "left_register": households.left_register[lived] == city.month,
                "approved_on": days(households.approved[lived]),
            }
        ).with_columns(pl.lit(month).alias("month"))
        self._append("households", frame)
        home = np.flatnonzero(city.at_home)
        members = pl.DataFrame(
            {"household": people.household[home], "id_number": people.id_number.gather(home.astype(np.uint32))}
        )
        self._append("members", members.with_columns(pl.lit(month).alias("month")))

    def _append(self, name: str, frame: pl.DataFrame) -> None:
        table = frame.to_arrow()
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", table.schema, compression="zstd")
        self._writers[name].write_table(table.cast(self._writers[name].schema))
