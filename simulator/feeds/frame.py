"""How a frame of a feed is put together from the city's arrays.

Belongs here: helpers shared by the departments. Does not belong here: rows of a particular feed.
A frame has the contract's columns (text, ``Date``, ``Float64``, ``Int64``), plus ``_spared`` (its people never get a
defective row) and ``_county`` (whose district part the row belongs to).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from models.contract import load_feeds
from simulator.city import City
from simulator.months import NEVER, first_date
from simulator.randomness import Ints


def days(values: Ints) -> pl.Series:
    """Day numbers as dates; ``NEVER`` becomes null."""
    return pl.Series(values.astype(np.int32)).replace(NEVER, None).cast(pl.Date)


def codes(values: Ints, width: int = 1, empty: int | None = None) -> pl.Series:
    """Numbers as codes of a fixed width; ``empty`` becomes null."""
    series = pl.Series(values.astype(np.int64))
    if empty is not None:
        series = series.replace(empty, None)
    return series.cast(pl.String).str.zfill(width)


def ids(city: City, persons: Ints) -> pl.Series:
    """ID numbers; nobody (-1) is null."""
    return _gathered(city.persons.id_number, persons)


def names(city: City, persons: Ints) -> pl.Series:
    return _gathered(city.persons.name, persons)


def phones(city: City, persons: Ints) -> pl.Series:
    return _gathered(city.persons.phone, persons)


def _gathered(series: pl.Series, positions: Ints) -> pl.Series:
    wanted = pl.Series(positions.astype(np.int64)).replace(-1, None)
    return series.gather(wanted.cast(pl.UInt32))


def addresses(city: City, households: Ints) -> pl.Series:
    place = city.places.label.gather(city.households.village[households].astype(np.uint32))
    return place + pl.Series(city.households.house[households]).cast(pl.String) + "号"


def village_codes(city: City, villages: Ints) -> pl.Series:
    return city.places.code.gather(villages.astype(np.uint32))


def month_text(city: City, count: int) -> pl.Series:
    month = first_date(city.month)
    return pl.Series([f"{month:%Y%m}"], dtype=pl.String).new_from_index(0, count)


def build(feed: str, city: City, persons: Ints, households: Ints | None = None, **columns: Any) -> pl.DataFrame:
    """The frame of a feed; ``persons`` are whom the rows are about (-1 nobody)."""
    contract = load_feeds()[feed]
    count = len(persons)
    homes = city.persons.household[persons] if households is None else households
    county = city.places.county[city.households.village[homes]] if count else np.empty(0, dtype=np.int64)
    missing = pl.Series([None], dtype=pl.String).new_from_index(0, count)
    frame = {column.name: columns.pop(column.name, missing) for column in contract.columns}
    if columns:
        raise KeyError(f"{feed} has no column {', '.join(columns)}")
    spared = city.persons.spared[persons] if count else np.empty(0, dtype=bool)
    return pl.DataFrame({**frame, "_spared": pl.Series(spared), "_county": pl.Series(county.astype(np.int64))})


def events(city: City, feed: str) -> dict[str, Any]:
    """This month's rows of an event feed, joined over everything that reported some; empty where nothing did."""
    batches = [batch for batch in city.events.get(feed, []) if len(next(iter(batch.values())))]
    if not batches:
        return {}
    keys = {key for batch in batches for key in batch}
    joined: dict[str, Any] = {}
    for key in sorted(keys):
        parts = [batch.get(key, _nothing(batch)) for batch in batches]
        if any(isinstance(part, pl.Series) for part in parts):
            joined[key] = pl.concat([pl.Series(part, dtype=pl.String).rename("") for part in parts])
        else:
            joined[key] = np.concatenate(parts)
    return joined


def _nothing(batch: dict[str, Any]) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, len(next(iter(batch.values()))))


def arranged(frame: pl.DataFrame, city: City, feed: str) -> pl.DataFrame:
    """Rows in an order that says nothing: drawn anew for each feed and month."""
    order = city.rng(f"order {feed}").permutation(frame.height)
    return frame[order]
