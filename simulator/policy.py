"""The rules that decide who is entitled in the city, taken from the policy parameters.

Belongs here: which parameters the simulator needs. Does not belong here: their values (``models.policy``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from models.codes import city_code
from models.policy import parameter_value
from simulator.randomness import Floats, Ints

AREAS = ("rural", "urban")


@dataclass(frozen=True)
class Standards:
    """Amounts in yuan. Arrays of two are by area: rural first, urban second."""

    dibao: Floats
    marginal: Floats
    destitute: Floats
    disposable_year: Floats
    rigid_share: float
    work_cost_ratio: float
    living_allowance: float
    care_allowance: Floats
    severe_grade: Ints
    age_allowance: tuple[tuple[int, float], ...]
    old_age: float
    orphan: float
    unattended: float
    review_months: Ints
    cpi_trigger: float
    food_trigger: float
    price_subsidy: float
    medical_line: dict[str, float]
    compulsory_age: tuple[int, int]
    capital_limit: float
    deposit_months: float
    car_price: float


@cache
def standards_on(day: date) -> Standards:
    """What holds in the city on a day; raises where a parameter has no value for it."""
    region = city_code()[:6]

    def value(name: str, key: str | None = None) -> float:
        return float(parameter_value(name, region, day, key))

    def by_area(name: str) -> Floats:
        return np.array([value(name, area) for area in AREAS])

    return Standards(
        dibao=by_area("dibao_standard"),
        marginal=by_area("marginal_line"),
        destitute=by_area("destitute_standard"),
        disposable_year=by_area("disposable_income_pc"),
        rigid_share=value("rigid_spending_share"),
        work_cost_ratio=value("work_cost_deduction_ratio"),
        living_allowance=value("living_allowance"),
        care_allowance=np.array([0.0, *(value("care_allowance", grade) for grade in "123"), 0.0]),
        severe_grade=np.array([0, *(int(value("severe_disability_grade", kind)) for kind in "1234567")]),
        age_allowance=tuple((age, value("old_age_allowance", str(age))) for age in (80, 90, 100)),
        old_age=value("old_age"),
        orphan=value("orphan_allowance", "2"),
        unattended=value("unattended_child_allowance"),
        review_months=np.array([0, *(int(value("review_months", name)) for name in "ABC")]),
        cpi_trigger=value("price_trigger_cpi"),
        food_trigger=value("price_trigger_food"),
        price_subsidy=value("price_subsidy_amount", "dibao"),
        medical_line={layer: value("n01_medical_line", layer) for layer in ("none", "dibao", "destitute")},
        compulsory_age=(int(value("compulsory_school_age", "first")), int(value("compulsory_school_age", "last"))),
        capital_limit=value("business_capital_limit"),
        deposit_months=value("deposit_limit_multiple"),
        car_price=value("car_price_limit"),
    )
