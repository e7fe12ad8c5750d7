"""The true risk of households of a synthetic city, for a ceiling that no model can pass.

Belongs here: the chance, by the simulator's own rules, that a household is taken in within the horizon, and on which
household of the warehouse it lies. Does not belong here: models. An application or a visit that is still open is not
looked at, as no model looks at it: those households have asked or were found.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from orchestration.home.settings import DataHome
from orchestration.home.stores import vault_of
from simulator.assistance import (
    ASKS_WITHOUT_NEED,
    GRANTED_IN_NEED,
    GRANTED_WITHOUT_NEED,
    chance_of_asking,
    hardly_in_need,
)
from simulator.city import City
from simulator.course import months_of
from simulator.months import first_date
from simulator.outreach import REPORTS_ANSWERED, TAKEN_IN, chance_of_report, chance_of_round
from simulator.randomness import Floats

MEMBERS = "select month, household_id, person_key from identity.household_member_month where is_counted"
# After leaving the register nobody applies for so many months (``simulator.assistance``).
MONTHS_AFTER_LEAVING = 3


def monthly_chance(city: City) -> Floats:
    """How likely each household is taken in within a month, by what the simulator knows of it."""
    households = city.households
    needy = households.need > 0
    may = (households.programme == 0) & (households.left_register < city.month - MONTHS_AFTER_LEAVING)
    asks = needy * ~households.is_silent * chance_of_asking(city) * GRANTED_IN_NEED
    tries = hardly_in_need(city) * ASKS_WITHOUT_NEED * GRANTED_WITHOUT_NEED
    found = needy * (chance_of_report(city) * REPORTS_ANSWERED + chance_of_round(city)) * TAKEN_IN
    return np.asarray(1.0 - (1.0 - may * (asks + tries)) * (1.0 - found))


def true_risk(seed: int, households: int, months: int, horizon: int, first: date) -> pl.DataFrame:
    """month, household (position) and risk, of the city that these arguments simulate."""
    parts = []
    for city in months_of(seed, households, months, first):
        lived = np.flatnonzero(city.count(city.at_home) > 0)
        risk = 1.0 - (1.0 - monthly_chance(city)[lived]) ** horizon
        frame = pl.DataFrame({"household": lived.astype(np.int32), "risk": risk})
        parts.append(frame.with_columns(pl.lit(first_date(city.month)).alias("month")))
    return pl.concat(parts)


def told_risk(city: Path, home: Path, risk: pl.DataFrame) -> pl.DataFrame:
    """month, household_id and risk: that of the true household which holds most of its members."""
    members = pl.read_parquet(city / "truth" / "members.parquet")
    keys = vault_of(DataHome(home)).person_keys_of(members["id_number"].unique().to_list())
    true = members.join(keys, on="id_number").select("month", "household", "person_key")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        told = warehouse.execute(MEMBERS).pl()
    shared = told.join(true, on=["month", "person_key"]).group_by("month", "household_id", "household").len()
    most = shared.sort("len", "household", descending=[True, False]).unique(["month", "household_id"], keep="first")
    return (
        most.join(risk, on=["month", "household"]).select("month", "household_id", "risk").sort("month", "household_id")
    )


def first_month_of(city: Path) -> date:
    """The first month of a simulated city."""
    first: date = pl.scan_parquet(city / "truth" / "households.parquet").select(pl.col("month").min()).collect().item()
    return first
