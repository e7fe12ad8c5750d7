"""Frames of social security, tax, housing fund, education, housing and market regulation.

Belongs here: contributions, pensions, joblessness, tax, fund, school, homes, firms. Does not belong here: assistance.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.city import FORMAL, INFORMAL, SELF, City
from simulator.feeds.frame import build, codes, days, ids, month_text, names, village_codes
from simulator.months import NEVER
from simulator.randomness import Bools, Ints
from simulator.work import UNEMPLOYMENT_BENEFIT, is_student

FIRST_TAXED = 5_000.0
_STAGE_ENDS = (6, 12, 15, 18)


def _employed(city: City) -> Bools:
    return np.asarray(city.at_home & (city.persons.job == FORMAL) & (city.persons.employer >= 0))


def social_insurance(city: City) -> pl.DataFrame:
    """Old-age and unemployment insurance of employees; residents pay their yearly contribution in December."""
    people, rng = city.persons, city.rng("contributions")
    employed = np.flatnonzero(_employed(city))
    residents = np.empty(0, dtype=np.int64)
    if city.month % 12 == 11:
        adult = city.at_home & (city.age >= 20) & (city.age < 60) & ~_employed(city) & (people.job != 7)
        residents = np.flatnonzero(adult & (rng.random(len(people)) < 0.7))
    who = np.concatenate([employed, employed, residents])
    insurance = np.repeat([1, 3, 2], [len(employed), len(employed), len(residents)])
    has_firm = insurance != 2
    firm = np.where(has_firm, people.employer[who], 0).astype(np.uint32)
    base = np.where(has_firm, np.round(people.wage[who], -1), 300.0)
    return build(
        "social_insurance", city, who, id_number=ids(city, who), name=names(city, who), insurance=codes(insurance),
        contribution_month=month_text(city, len(who)), employer_uscc=_where(has_firm, city.employers.uscc.gather(firm)),
        employer_name=_where(has_firm, city.employers.name.gather(firm)), base=pl.Series(base.astype(np.float64)),
        status=codes(np.where(rng.random(len(who)) < 0.985, 1, 2)),
    )  # fmt: skip


def _where(mask: Bools, series: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.lit(pl.Series(mask))).then(pl.lit(series))).to_series()


def pension_payment(city: City) -> pl.DataFrame:
    """Pensions paid; they stop once the death is known, and now and then though the person lives."""
    people, rng = city.persons, city.rng("pensions")
    unknown_dead = (people.died != NEVER) & (people.death_known >= city.month)
    paid = (people.pension_type > 0) & (city.alive | unknown_dead) & (people.moved_out == NEVER)
    who = np.flatnonzero(paid & (rng.random(len(people)) > 0.0008))
    return build(
        "pension_payment", city, who, id_number=ids(city, who), name=names(city, who),
        pension_type=codes(people.pension_type[who]), pension_month=month_text(city, len(who)),
        amount=pl.Series(people.pension[who].astype(np.float64).round(2)),
    )  # fmt: skip


def unemployment_register(city: City) -> pl.DataFrame:
    people = city.persons
    ended = people.jobless_ended != NEVER
    listed = (people.registered_jobless > city.today - 600) & city.alive & (people.moved_out == NEVER)
    who = np.flatnonzero(listed & (~ended | (people.jobless_ended >= city.month - 3)))
    paid = people.jobless_benefit[who] & ~ended[who] & (people.registered_jobless[who] > city.today - 365)
    return build(
        "unemployment_register", city, who, id_number=ids(city, who), name=names(city, who),
        unemployed_on=days(people.registered_jobless[who]), cause=codes(people.jobless_cause[who]),
        monthly_benefit=pl.Series(np.where(paid, UNEMPLOYMENT_BENEFIT, 0.0)),
        status=codes(np.where(ended[who], 2, 1)),
    )  # fmt: skip


def income_tax(city: City) -> pl.DataFrame:
    """Wages of employees, some fees of casual workers, quarterly profits of traders."""
    people, rng = city.persons, city.rng("tax")
    wage = np.flatnonzero(_employed(city))
    fee = np.flatnonzero(city.at_home & (people.job == INFORMAL) & (rng.random(len(people)) < 0.05))
    profit = np.flatnonzero(city.at_home & (people.job == SELF)) if city.month % 3 == 2 else np.empty(0, dtype=np.int64)
    who = np.concatenate([wage, fee, profit])
    kind = np.repeat([1, 2, 3], [len(wage), len(fee), len(profit)])
    times = np.repeat([1.0, 0.5, 1.5], [len(wage), len(fee), len(profit)])
    amount = (people.wage[who] * times * np.exp(rng.normal(0, 0.05, len(who)))).astype(np.float64).round(2)
    firm = np.where(kind == 1, people.employer[who], 0).astype(np.uint32)
    return build(
        "income_tax", city, who, id_number=ids(city, who), name=names(city, who),
        payer_uscc=_where(kind == 1, city.employers.uscc.gather(firm)), income_month=month_text(city, len(who)),
        income_type=codes(kind), amount=pl.Series(amount),
        tax=pl.Series((np.maximum(amount - FIRST_TAXED, 0) * 0.03).round(2)),
    )  # fmt: skip


def housing_fund(city: City) -> pl.DataFrame:
    people = city.persons
    active = people.has_fund & _employed(city)
    who = np.flatnonzero(city.alive & (people.moved_out == NEVER) & (active | (people.fund_balance > 1)))
    working = active[who]
    base = np.round(people.wage[who] * working, -1).astype(np.float64)
    firm = np.maximum(people.employer[who], 0).astype(np.uint32)
    return build(
        "housing_fund", city, who, id_number=ids(city, who), name=names(city, who),
        employer_name=_where(working, city.employers.name.gather(firm)), base=pl.Series(base),
        monthly_deposit=pl.Series((base * 0.16).round(2)),
        balance=pl.Series(people.fund_balance[who].astype(np.float64).round(2)),
        status=codes(np.where(working, 1, 2)),
    )  # fmt: skip


def student_register(city: City) -> pl.DataFrame:
    people, rng = city.persons, city.rng("schools")
    age = np.floor(city.age).astype(np.int64)
    left = (people.left_school != NEVER) & (people.left_school > city.today - KEPT_AFTER_LEAVING)
    nursery = (age >= 3) & (age < 6)
    who = np.flatnonzero(city.alive & (people.moved_out == NEVER) & (is_student(city) | left | nursery))
    stage = _stage(age[who], people.schooling[who])
    first_age = np.array([0, 3, 6, 12, 15, 15, 18, 18])[stage]
    status = np.where(left[who], 3, np.where(people.suspended[who] > city.today - 180, 2, 1))
    fee = np.array([0, 4000, 0, 0, 1600, 1600, 5200, 6000])[stage] * np.where(people.skill[who] > 1.2, 2, 1)
    aided = (people.certificate[who] >= 0) & (rng.random(len(who)) < 0.8)
    return build(
        "student_register", city, who, id_number=ids(city, who), name=names(city, who),
        school=_school_name(stage, people.school[who]), stage=codes(stage),
        grade=pl.Series(np.clip(age[who] - first_age + 1, 1, 6)), status=codes(status),
        aided=codes(aided.astype(np.int64)), annual_tuition=pl.Series(fee.astype(np.float64)),
    )  # fmt: skip


KEPT_AFTER_LEAVING = 365


def _stage(age: Ints, schooling: Ints) -> Ints:
    """School stage by age and by how far the person will go."""
    upper = np.where(schooling >= 6, 4, np.where(schooling == 5, 5, 4))
    higher = np.where(schooling == 7, 7, 6)
    return np.select([age < 6, age < 12, age < 15, age < 18], [1, 2, 3, upper], higher)


def _school_name(stage: Ints, number: Ints) -> pl.Series:
    kinds = np.array(["", "实验幼儿园", "中心小学", "初级中学", "高级中学", "职业技术学校", "职业学院", "理工学院"])
    return "鄂州市第" + pl.Series(number).cast(pl.String) + pl.Series(kinds[stage])


def property_register(city: City) -> pl.DataFrame:
    """One row an owner: a shared home has two, with half each."""
    homes = city.homes
    shared = np.flatnonzero(homes.second_owner >= 0)
    row = np.concatenate([np.arange(len(homes)), shared])
    owner = np.concatenate([homes.owner, homes.second_owner[shared]])
    share = np.where(homes.second_owner[row] >= 0, 50.0, 100.0)
    return build(
        "property_register", city, owner, unit_no=homes.unit_no.gather(row.astype(np.uint32)),
        id_number=ids(city, owner),
        name=names(city, owner), use=codes(homes.use[row]), area=pl.Series(homes.area[row]), share=pl.Series(share),
        division=village_codes(city, homes.village[row]), registered_on=days(homes.registered[row]),
        status=codes(homes.status[row]),
    )  # fmt: skip


def business_register(city: City) -> pl.DataFrame:
    firms = city.businesses
    return build(
        "business_register", city, firms.owner, uscc=firms.uscc, business_name=firms.name,
        business_type=codes(firms.kind), id_number=ids(city, firms.owner), name=names(city, firms.owner),
        registered_capital=pl.Series(firms.capital / 10_000), founded_on=days(firms.founded),
        status=codes(firms.status),
    )  # fmt: skip
