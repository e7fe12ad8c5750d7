"""Other worlds for a model that is fitted already, made from a city's own tables, and the null world.

Belongs here: drift, other noise, other take-up, a feed that died, by changing what the model reads or what came of it.
Does not belong here: worlds that differ in how people live; these would have to be simulated anew.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from ml.experiment import load_experiment

Generator = np.random.Generator
Change = Callable[[pl.DataFrame, pl.DataFrame, Generator], tuple[pl.DataFrame, pl.DataFrame]]


def as_it_is(features: pl.DataFrame, events: pl.DataFrame, _: Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    return features, events


def incomes_rise(features: pl.DataFrame, events: pl.DataFrame, _: Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Drift: all that is measured in standards of income is a quarter more, use of electricity a tenth."""
    money = [name for name in features.columns if name.startswith("income_") and name.endswith("standard_ratio")]
    use = [name for name in features.columns if name.startswith("kwh_")]
    return features.with_columns(pl.col(money) * 1.25, pl.col(use) * 1.1), events


def noisy_money(features: pl.DataFrame, events: pl.DataFrame, rng: Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Other noise: every ratio is off by a factor of its own, a third either way."""
    ratios = [name for name in features.columns if name.endswith("_ratio")]
    noise = [pl.Series(name, np.exp(rng.normal(0, 0.3, features.height))) for name in ratios]
    return features.with_columns(pl.col(one.name) * one for one in noise), events


def one_cell_in_five_missing(
    features: pl.DataFrame, events: pl.DataFrame, rng: Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    names = [name for name in load_experiment().feature_names if name in features.columns]
    kept = [pl.Series(name, rng.random(features.height) >= 0.2) for name in names]
    return features.with_columns(
        pl.when(one).then(pl.col(one.name)).otherwise(None).alias(one.name) for one in kept
    ), events


def no_electricity(features: pl.DataFrame, events: pl.DataFrame, _: Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The feed that tells most of informal income is dead."""
    names = [name for name in features.columns if "kwh" in name or "arrears" in name]
    return features.with_columns(pl.lit(None, features[name].dtype).alias(name) for name in names), events


def informed_come_forward(
    features: pl.DataFrame, events: pl.DataFrame, rng: Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Other take-up: of the households that feeds know least of, only every other entry happens."""
    known = features.group_by("household_id").agg(pl.col("known_source_count").mean())
    middle = known["known_source_count"].median()
    little = known.filter(pl.col("known_source_count") < middle).sort("household_id")
    lost = little.filter(pl.Series(rng.random(little.height) < 0.5))
    return features, events.filter(~pl.col("household_id").is_in(lost["household_id"].implode()) | _departs())


WORLDS: dict[str, Change] = {
    "as it is": as_it_is,
    "incomes rise": incomes_rise,
    "noisy money": noisy_money,
    "one cell in five missing": one_cell_in_five_missing,
    "no electricity": no_electricity,
    "other take-up": informed_come_forward,
}


def null_events(features: pl.DataFrame, events: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The entries of the city, each household's given to another drawn by lot; who departs stays who departed."""
    households = features["household_id"].unique().sort()
    drawn = households.sample(fraction=1.0, shuffle=True, seed=seed)
    lot = pl.DataFrame({"household_id": households, "other": drawn})
    entries = events.filter(~_departs()).join(lot, on="household_id")
    moved = entries.with_columns(pl.col("other").alias("household_id")).select(events.columns)
    return pl.concat([moved, events.filter(_departs())]).sort(events.columns)


def _departs() -> pl.Expr:
    return pl.col("event") == "departed"
