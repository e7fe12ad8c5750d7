"""What every independent reading of the catalogue needs: which rules are read, the numbers that several use, homes.

Belongs here: what both sides share. Does not belong here: a rule (``indicator_need``, ``indicator_exit``).
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from benchmarks.indicator_city import LakeCity

ON_REGISTER = ["dibao", "destitute", "marginal", "rigid_expenditure"]
MONITORED = [*ON_REGISTER, "relapse_risk"]
DIBAO = {"urban": 750, "rural": 590}
MARGINAL = {"urban": 1125, "rural": 885}
MEDICAL = {"destitute": 1000, "dibao": 5000, "marginal": 10000, "rigid_expenditure": 10000, "relapse_risk": 10000}
Rule = Callable[[LakeCity], pl.DataFrame]
RULES: dict[str, tuple[str, Rule]] = {}


def rule(indicator: str, grain: str = "household_id") -> Callable[[Rule], Rule]:
    """Register a reading that returns month and ``grain``."""

    def keep(function: Rule) -> Rule:
        RULES[indicator] = (grain, function)
        return function

    return keep


def in_homes(city: LakeCity, persons: pl.DataFrame, counted: bool = True) -> pl.DataFrame:
    """Rows with month and person_key, with the household of that month."""
    return persons.join(city.counted() if counted else city.home_of(), on=["month", "person_key"])


def with_layer(city: LakeCity, rows: pl.DataFrame) -> pl.DataFrame:
    place = city.households.select("month", "household_id", "register_layer", "assistance_layer", "area_type")
    return rows.join(place, on=["month", "household_id"])
