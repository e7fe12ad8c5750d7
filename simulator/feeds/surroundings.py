"""Frames of agriculture, emergency management, the power company and statistics.

Belongs here: rural monitoring, disasters, electricity, prices. Does not belong here: health, work, assistance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from simulator.city import City
from simulator.feeds.frame import build, codes, days, events, ids, month_text, names, village_codes
from simulator.months import NEVER
from simulator.need import poor_in_income
from simulator.randomness import stream

SEASON = (1.35, 1.2, 0.95, 0.85, 0.85, 1.05, 1.4, 1.45, 1.1, 0.85, 0.9, 1.2)


@dataclass(frozen=True)
class Prices:
    """Price indices of a month (same month of the year before = 100)."""

    overall: float
    food: float
    low_income: float
    triggered: bool


def prices(city: City) -> Prices:
    """The month's indices; in one month a year food is dear enough to trigger the price subsidy."""
    rng = stream(city.seed, "prices", city.month)
    dear = city.month % 12 == 1
    overall = 100 + rng.normal(0.6, 0.5) + 0.8 * dear
    food = 100 + (7.2 if dear else rng.normal(1.2, 1.4))
    food = food if dear else min(food, 100 + city.standards.food_trigger - 0.5)
    overall = min(overall, 100 + city.standards.cpi_trigger - 0.3)
    rules = city.standards
    triggered = overall - 100 >= rules.cpi_trigger or food - 100 >= rules.food_trigger
    return Prices(round(overall, 2), round(food, 2), round(overall + 0.3, 2), triggered)


def price_index(city: City) -> pl.DataFrame:
    found = prices(city)
    frame = build(
        "price_index", city, np.zeros(1, dtype=np.int64), month=month_text(city, 1), cpi_yoy=pl.Series([found.overall]),
        food_yoy=pl.Series([found.food]), low_income_yoy=pl.Series([found.low_income]),
    )  # fmt: skip
    return frame.with_columns(_spared=pl.lit(True))


def rural_monitoring(city: City) -> pl.DataFrame:
    people, households = city.persons, city.households
    cleared = households.rural_cleared
    listed = (households.rural_category > 0) & ((cleared == NEVER) | (cleared > city.today - 365))
    who = np.flatnonzero(city.at_home & listed[people.household])
    home = people.household[who]
    return build(
        "rural_monitoring", city, who, household_no=households.rural_no.gather(home.astype(np.uint32)),
        id_number=ids(city, who), name=names(city, who), category=codes(households.rural_category[home]),
        risk=codes(households.rural_risk[home]), identified_on=days(households.rural_since[home]),
        cleared_on=days(cleared[home]),
    )  # fmt: skip


def disaster_event(city: City) -> pl.DataFrame:
    rows = events(city, "disaster_event")
    if not rows:
        return build("disaster_event", city, np.empty(0, np.int64))
    who = rows["person"]
    return build(
        "disaster_event", city, who, report_no=rows["report_no"], id_number=ids(city, who), name=names(city, who),
        disaster_type=codes(rows["disaster_type"]), occurred_on=days(rows["occurred_on"]),
        division=village_codes(city, rows["village"]), house_damage=codes(rows["house_damage"]),
        loss=pl.Series(rows["loss"]), casualties=pl.Series(rows["casualties"]),
    )  # fmt: skip


def utility_usage(city: City) -> pl.DataFrame:
    """One account a household; use goes by people, season and means."""
    rng, households = city.rng("electricity"), city.households
    reference = city.reference_person(city.at_home)
    size = city.count(city.at_home)
    draw = rng.normal(0, 0.22, len(households))
    means = np.clip(0.75 + households.income_pc / 9_000, 0.75, 1.5)
    kwh = (45 + 42 * size) * SEASON[city.month % 12] * means * np.exp(draw)
    silent = (households.silent_meter >= city.month) | (households.vacant_until == city.month)
    kwh = np.where(silent, rng.uniform(0, 2.4, len(households)), kwh).round(2)
    behind = rng.random(len(households)) < 0.012 + 0.03 * poor_in_income(city)
    arrears = np.where(behind, (kwh * 0.56).round(2), 0.0)
    home = np.flatnonzero(reference >= 0)
    known = np.where(households.order[home] < 0.92, reference[home], -1)
    return build(
        "utility_usage", city, reference[home], households=home,
        account_no=households.account_no.gather(home.astype(np.uint32)), id_number=ids(city, known),
        name=names(city, reference[home]), division=village_codes(city, households.village[home]),
        usage_month=month_text(city, len(home)), kwh=pl.Series(kwh[home]), arrears=pl.Series(arrears[home]),
    )  # fmt: skip
