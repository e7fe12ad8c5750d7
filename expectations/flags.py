"""Conditions that Great Expectations cannot state, prepared as one boolean column for each check.

True: as it should be; false: fails; null: the check does not apply to the row. A column that cannot be prepared is
left out, and the check then shows as one that could not run. Belongs here: conditions within a row and across feeds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from expectations.check import Check
from expectations.lake import InForce
from models.contract import Feed

FLAG_KINDS = ("row_rule", "exists_in", "no_match")
OTHER_WORDS = re.compile(r"\bother_(\w+)")
PERSON_WORDS = re.compile(r"\b(age|person_born_on|person_sex)\b")


@dataclass(frozen=True)
class Reference:
    """What conditions may look up: the other feeds in force, and what an ID number says of its person."""

    feeds: Mapping[str, Feed]
    in_force: InForce | None
    persons: pl.DataFrame | None


def prepared(rows: pl.DataFrame, checks: Sequence[Check], reference: Reference) -> pl.DataFrame:
    """``rows`` with a boolean column named by its check id for each check of a kind in ``FLAG_KINDS``."""
    wanted = [check for check in checks if check.kind in FLAG_KINDS]
    if not wanted:
        return rows
    working = _with_helpers(rows, wanted, reference)
    for check in wanted:
        flag = _flag(working, check, reference)
        if flag is not None:
            rows = rows.with_columns(flag.alias(check.check_id))
    return rows


def _with_helpers(rows: pl.DataFrame, checks: Sequence[Check], reference: Reference) -> pl.DataFrame:
    """Add period_start, period_end and, where a condition asks for them, age and sex by ID number."""
    start = (pl.col("period") + "-01").str.to_date()
    working = rows.with_row_index("position").with_columns(period_start=start, period_end=start.dt.month_end())
    texts = " ".join(f"{check.where} {check.options.get('rule')}" for check in checks)
    if reference.persons is None or "person_key" not in rows.columns or not PERSON_WORDS.search(texts):
        return working
    persons = reference.persons.select("person_key", person_born_on="born_on", person_sex="sex").unique("person_key")
    joined = working.join(persons, on="person_key", how="left", maintain_order="left")
    born, end = pl.col("person_born_on"), pl.col("period_end")
    years = end.dt.year() - born.dt.year() - (_day_of_year(end) < _day_of_year(born)).cast(pl.Int32)
    return joined.with_columns(age=years)


def _day_of_year(day: pl.Expr) -> pl.Expr:
    """Month and day as one number that can be compared; months come in 8 bits."""
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day().cast(pl.Int32)


def _flag(working: pl.DataFrame, check: Check, reference: Reference) -> pl.Series | None:
    try:
        judge = _row_rule if check.kind == "row_rule" else _across
        flag = judge(working, check, reference)
        if flag is None or check.where is None:
            return flag
        applies = working.select(pl.sql_expr(check.where).alias("applies"))["applies"]
        return pl.select(pl.when(applies).then(flag)).to_series()
    except (pl.exceptions.PolarsError, KeyError, OSError):
        return None


def _row_rule(working: pl.DataFrame, check: Check, _: Reference) -> pl.Series | None:
    if group := check.options.get("group"):
        total = pl.col(check.options.get("group_sum", "row_number")).sum()
        over = ["delivery_id", *group]
        working = working.with_columns(group_rows=pl.len().over(over), group_total=total.over(over))
    return working.select(pl.sql_expr(check.options["rule"]).alias("rule"))["rule"]


def _across(working: pl.DataFrame, check: Check, reference: Reference) -> pl.Series | None:
    """True where the other feed says nothing against the row; null where it has nothing in force or the key is null."""
    if reference.in_force is None:
        return None
    other = reference.feeds[check.options["other"]]
    keys: dict[str, str] = check.options["keys"]
    # An own condition keeps strangers to the check out of the join.
    asked = working if check.where is None else working.filter(pl.sql_expr(check.where))
    known = reference.in_force.deliveries(other, asked["period"].unique().to_list(), _same_month(check))
    if other.name == check.subject:
        # Parts of one month only, and only those in force: a file is no contradiction to its own correction.
        known = _same_period(known)
        asked = asked.join(known, on=["delivery_id", "period"], how="semi")
    wanted = asked.select(pl.col(here).alias(there) for here, there in keys.items()).unique()
    named = OTHER_WORDS.findall(check.options.get("contradiction", ""))
    found = reference.in_force.rows(other, known, wanted, check.options.get("other_where"), named)
    hits = _hits(asked, found, check, keys)
    contradicted = working["position"].is_in(hits.implode())
    good = contradicted if check.kind == "exists_in" else ~contradicted
    judgeable = pl.col("period").is_in(known["period"].unique().implode())
    for key in keys:
        judgeable &= pl.col(key).is_not_null()
    return working.select(pl.when(judgeable).then(good).alias("flag"))["flag"]


def _same_month(check: Check) -> bool:
    return bool(check.options.get("same_month", False))


def _same_period(known: pl.DataFrame) -> pl.DataFrame:
    """Parts of one month only: a district's state carried on from earlier is not its report of this month."""
    return known.filter(pl.col("delivery_id").str.split(".").list.get(1) == pl.col("period"))


def _hits(asked: pl.DataFrame, found: pl.DataFrame, check: Check, keys: dict[str, str]) -> pl.Series:
    """Positions of rows that have a row in ``found`` with their keys (and that fulfils the contradiction, if any)."""
    here = ["period", *keys]
    there = ["period", *(f"other_{key}" for key in keys.values())]
    contradiction = check.options.get("contradiction")
    if contradiction is None:
        return asked.join(found.select(there), left_on=here, right_on=there, how="semi")["position"]
    pairs = asked.join(found, left_on=here, right_on=there, how="inner", coalesce=True)
    return pairs.filter(pl.sql_expr(contradiction))["position"].unique()
