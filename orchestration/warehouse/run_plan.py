"""Which months a run brings up to date, as of when; handed to dbt and to every later step as ``run.parquet``.

Belongs here: the choice of months. When a run starts belongs to ``automation``; what happens in it to ``assets``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from models.calendar import months_between
from orchestration.home.generation import Rebuild

LONGEST_HISTORY_YEARS = 10


class NothingToRunError(Exception):
    """There is no accepted delivery yet (or none by the as-of time), so there is no month to bring up to date."""


@dataclass(frozen=True)
class Wish:
    """What somebody asked to be brought up to date: one month or all open ones, as of when, all months anew or not."""

    month: date | None
    as_of: datetime
    full: bool = False

    @property
    def config(self) -> dict[str, object]:
        """As Dagster configuration; an empty text means every open month."""
        month = f"{self.month:%Y-%m}" if self.month else ""
        return {"month": month, "as_of": self.as_of.isoformat(), "full": self.full}


@dataclass(frozen=True)
class RunPlan:
    """Tables hold ``first_month`` to ``last_month``; lists and reports are written for ``months``.

    Tables are built anew from ``rebuild_from`` on, for the reasons in ``why``; what they say of earlier months stands.
    What follows from facts goes back to ``facts_from`` where the generation before knew events otherwise, and what
    follows from scores to ``scores_from`` where months past were scored anew. Alerts go back to ``decisions_from``, the
    first month of what people decided since. Without ``facts_from`` it cannot be said, and all layers after identity
    are built anew.
    """

    first_month: date
    last_month: date
    months: tuple[date, ...]
    as_of: datetime
    rebuild_from: date
    why: tuple[str, ...] = ()
    facts_from: date | None = None
    scores_from: date | None = None
    decisions_from: date | None = None

    @property
    def is_full(self) -> bool:
        """Whether all months are built anew."""
        return self.rebuild_from <= self.first_month


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
    return RunPlan(first, last, (month,) if month else open_months or (last,), as_of, first)


def with_rebuild(plan: RunPlan, rebuild: Rebuild, month: date | None) -> RunPlan:
    """The plan with what is built anew. Months that other data now speaks for get their lists again, done or not,
    unless one ``month`` was asked for."""
    touched = months_between(rebuild.data_since, plan.last_month) if rebuild.data_since else ()
    months = plan.months if month else tuple(sorted({*plan.months, *touched}))
    return replace(plan, months=months, rebuild_from=rebuild.since, why=rebuild.reasons, facts_from=rebuild.facts_since)


def write_plan(plan: RunPlan, policy_version: str, code_version: str, path: Path) -> None:
    """Write ``run.parquet``: one row with the months, what is built anew, the as-of time and the versions used."""
    frame = pl.DataFrame(
        {
            "first_month": [plan.first_month],
            "last_month": [plan.last_month],
            "as_of": [plan.as_of.astimezone(UTC).replace(tzinfo=None)],
            "months": [list(plan.months)],
            "rebuild_from": [plan.rebuild_from],
            "facts_from": pl.Series([plan.facts_from], dtype=pl.Date),
            "scores_from": pl.Series([plan.scores_from], dtype=pl.Date),
            "decisions_from": pl.Series([plan.decisions_from], dtype=pl.Date),
            "why": pl.Series([list(plan.why)], dtype=pl.List(pl.String)),
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
    moment = row["as_of"].replace(tzinfo=UTC)
    # A file of an earlier version does not say what it built anew: it built everything.
    since, why = row.get("rebuild_from", row["first_month"]), tuple(row.get("why", ()))
    further = (row.get(name) for name in ("facts_from", "scores_from", "decisions_from"))
    return RunPlan(row["first_month"], row["last_month"], tuple(row["months"]), moment, since, why, *further)
