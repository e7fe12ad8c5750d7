"""Layers by rule with other values of policy: the same models, in a scratch warehouse, for one month.

Belongs here: which parameters and tables go into the scratch warehouse. Does not belong here: reading the wish
(``models.policy.change``), comparing (``workbench.what_if``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from models.codes import load_divisions
from models.policy import load_parameters
from models.policy.change import Change, changed_parameters, resting_on
from models.publish import parameter_month_table
from orchestration.home.published import read_published
from orchestration.home.settings import DataHome
from orchestration.questions.scratch import scratch_warehouse
from workbench.what_if import compared

TARGET = "household_layer_month"
PARAMETERS = "parameter_month"
# Tables by month that the target looks at, back to where phase-out can begin.
OF_SOME_MONTHS = (
    "household_month",
    "household_member_month",
    "household_month_means",
    "benefit_member_month",
    "benefit_household_month",
    "person_month_income_window",
    "person_month_rigid_spending",
    "person_month_spending",
)


class NoEffectError(ValueError):
    """The change leaves everything as it is, or nothing of what it changes bears on layers."""


def counties_of(region: str | None) -> list[str]:
    """The counties of a region: a county itself, those of a city; of the whole city where none is named."""
    counties = sorted({place.county_code for place in load_divisions() if place.county_code})
    wanted = (region or "").ljust(6, "0")[:6] if region else ""
    stem = wanted[:4] if wanted.endswith("00") else wanted
    return [county for county in counties if county.startswith(stem)]


def what_if(home: DataHome, changes: Sequence[Change], month: date, counties: Sequence[str]) -> pl.DataFrame:
    """Before and after by area and layer, as ``workbench.what_if.compared``; ``NoEffectError`` where nothing moves."""
    before = read_published(home, TARGET).filter(pl.col("month") == month)
    places = read_published(home, "household_month").filter(pl.col("month") == month)
    names = resting_on(change.parameter for change in changes)
    policy, other = _policies(home, changes, month, counties, names)
    if other.equals(policy):
        raise NoEffectError("the values are the same as today")
    limit = f"month >= date '{_first_month(month, other)}' and month <= date '{month}'"
    try:
        with scratch_warehouse(
            home,
            [TARGET],
            reference={PARAMETERS: other},
            parameters=names,
            rows=dict.fromkeys(OF_SOME_MONTHS, limit),
        ) as scratch:
            after = scratch.read("monitoring", TARGET, f"month = date '{month}'")
    except LookupError as error:
        raise NoEffectError("no rule of layers asks for that parameter") from error
    wanted = places.filter(pl.col("county_code").is_in(counties)).select("household_id", "county_code", "township_code")
    return compared(before.join(wanted, on="household_id", how="semi"), after, wanted)


def _policies(
    home: DataHome, changes: Sequence[Change], month: date, counties: Sequence[str], names: frozenset[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Policy as it stands and with the changes, sorted alike; only what the changes touch is resolved anew."""
    policy = pl.read_parquet(home.reference / f"{PARAMETERS}.parquet")
    months = policy["month"].unique().sort()
    known = {**load_parameters(), **changed_parameters(changes, counties, month)}
    resolved = parameter_month_table(months[0], months[-1], known, names).cast(policy.schema)
    # Months before are as they were: what the files say of them now may be other than what the tables were made with.
    anew = resolved.filter(pl.col("month") >= month)
    kept = policy.filter(~pl.col("parameter").is_in(list(names)) | (pl.col("month") < month))
    order = ["county_code", "month", "parameter", "dimension_key"]
    return policy.sort(order), pl.concat([kept, anew]).sort(order)


def _first_month(month: date, policy: pl.DataFrame) -> date:
    """The month from which on the target has to look, so that a phase-out of today is told from one that has ended."""
    values = policy.filter(pl.col("parameter") == "phase_out_months")["value"]
    back = max((int(value) for value in values), default=0) + 1
    years, ordinal = divmod(month.year * 12 + month.month - 1 - back, 12)
    return date(years, ordinal + 1, 1)
