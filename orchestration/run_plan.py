"""Which months a run brings up to date, as of when; handed to dbt and to every later step as ``run.parquet``.

Belongs here: the choice of months. When a run starts belongs to ``automation``; what happens in it to ``assets``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from models.calendar import months_between

LONGEST_HISTORY_YEARS = 10


class NothingToRunError(Exception):
    """There is no accepted delivery yet (or none by the as-of time), so there is no month to bring up to date."""


@dataclass(frozen=True)
class RunPlan:
    """``first_month`` to ``last_month`` are computed; lists and reports are written for ``months``."""

    first_month: date
    last_month: date
    months: tuple[date, ...]
    as_of: datetime


def parse_month(text: str) -> date:
    """``YYYY-MM`` as the first day of that month; ``ValueError`` otherwise."""
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()


def plan_run(ledger: pl.DataFrame, done: frozenset[date], month: date | None, as_of: datetime) -> RunPlan:
    """Choose the months: the one asked for, else all not yet done, else the newest one again.

    ``ledger`` has ``status``, ``period`` (YYYY-MM) and ``received_at``; only accepted deliveries received by
    ``as_of`` count. Raises ``NothingToRunError`` where none does.
    """
    accepted = ledger.filter(pl.col("status") == "accepted", pl.col("received_at") <= as_of)
    if accepted.is_empty():
        raise NothingToRunError(f"no accepted delivery by {as_of:%Y-%m-%d %H:%M}")
    months = (parse_month(period) for period in accepted["period"].unique())
    # A month that is not over cannot be right, nor one of decades ago: a slip in a file name must not stretch the run.
    periods = sorted(item for item in months if item <= as_of.date())
    periods = [item for item in periods if (periods[-1].year - item.year) <= LONGEST_HISTORY_YEARS]
    if not periods:
        raise NothingToRunError("all accepted deliveries are of months to come; is the clock right?")
    first, wanted = periods[0], month or periods[-1]
    if wanted < first:
        raise NothingToRunError(f"the first accepted delivery is of {first:%Y-%m}, after {wanted:%Y-%m}")
    # Going back to an earlier month must not take the later ones away from those who read the published tables.
    last = max([wanted, *done])
    open_months = tuple(item for item in months_between(first, last) if item not in done)
    return RunPlan(first, last, (month,) if month else open_months or (last,), as_of)


def write_plan(plan: RunPlan, policy_version: str, code_version: str, path: Path) -> None:
    """Write ``run.parquet``: one row with the months, the as-of time and the versions used."""
    frame = pl.DataFrame(
        {
            "first_month": [plan.first_month],
            "last_month": [plan.last_month],
            "as_of": [plan.as_of.astimezone(UTC).replace(tzinfo=None)],
            "months": [list(plan.months)],
            "policy_version": [policy_version],
            "code_version": [code_version],
        }
    )
    aside = path.with_suffix(".aside")
    frame.write_parquet(aside)
    aside.replace(path)


def read_plan(path: Path) -> RunPlan:
    """The plan that ``write_plan`` wrote; ``FileNotFoundError`` before the first run."""
    row = pl.read_parquet(path).row(0, named=True)
    return RunPlan(row["first_month"], row["last_month"], tuple(row["months"]), row["as_of"].replace(tzinfo=UTC))
