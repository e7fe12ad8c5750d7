"""The whole way in one process: take deliveries in, bring the months up to date, say what is left to do.

Belongs here: the order of the jobs and the record of the run. What a job contains is in ``definitions``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import dagster as dg
import polars as pl

from models.contract import load_feeds
from orchestration.assets.feeds import FIRST_MONTH
from orchestration.definitions import build_definitions
from orchestration.feeds.deliveries import ledger_frame, problems_of, seen_feeds, take_in_unknown
from orchestration.feeds.intake import take_in_side_by_side
from orchestration.feeds.sources import fetch_sources, landed_feeds, problems_of_sources, take_in_unusual
from orchestration.home.lock import locked
from orchestration.home.operations import Operations
from orchestration.home.settings import DataHome
from orchestration.home.versions import code_version, current_policy_version
from orchestration.instance import clear_dead_runs, instance_of
from orchestration.runner import JobOutcome, Listener, run_job
from orchestration.warehouse.run_plan import NothingToRunError, RunPlan, Wish, plan_run, read_plan

Build = Callable[[], dg.Definitions]
# The step of `bring_up_to_date` that makes the plan.
PLAN_STEP = "reference__deliveries"


@dataclass(frozen=True)
class WholeRun:
    """How the whole way ended; ``problems`` are the deliveries that a person must look at."""

    plan: RunPlan | None
    why_no_plan: str | None
    outcome: JobOutcome
    problems: pl.DataFrame
    new_deliveries: int
    unread_sources: Sequence[Mapping[str, str | None]] = ()


def run_whole_way(home: DataHome, inbox: Path, wish: Wish, listener: Listener) -> WholeRun:
    """Ingest what lies in ``inbox`` and bring the month (or all open ones) up to its lists.

    A bad delivery stops nothing. Raises ``BusyError`` where another run is at work.
    """
    with locked(home), instance_of(home) as instance:
        clear_dead_runs(instance)
        before = ledger_frame(home).height
        unread = problems_of_sources(fetch_sources(home))
        taken = take_in_side_by_side(home, inbox, listener)
        # Not built before there is something to do: reading the dbt project takes seconds.
        definitions = cache(lambda: build_definitions(home, inbox, taken))
        outcome = _ingest(definitions, home, inbox, instance, listener)
        if outcome.failed_step is None:
            run = _bring_up_to_date(definitions, home, instance, listener, wish, before, outcome)
        else:
            run = WholeRun(None, None, outcome, problems_of(home, before), ledger_frame(home).height - before)
        return replace(run, unread_sources=unread)


def _ingest(
    definitions: Build, home: DataHome, inbox: Path, instance: dg.DagsterInstance, listener: Listener
) -> JobOutcome:
    take_in_unknown(home, inbox)
    take_in_unusual(home)
    feeds = [feed for feed in load_feeds() if feed in seen_feeds(inbox) | landed_feeds(home)]
    if not feeds:
        return JobOutcome(None, None, ())
    job = definitions().resolve_job_def("ingest_deliveries")
    months = (date.fromisoformat(FIRST_MONTH), date.fromisoformat(FIRST_MONTH))
    return run_job(job, home, instance, listener, months=months)


def _bring_up_to_date(
    definitions: Build,
    home: DataHome,
    instance: dg.DagsterInstance,
    listener: Listener,
    wish: Wish,
    before: int,
    ingested: JobOutcome,
) -> WholeRun:
    operations = Operations(home.operations)
    ledger = ledger_frame(home)
    new = ledger.height - before
    try:
        plan = plan_run(ledger, operations.months_done(), wish.month, wish.as_of)
    except NothingToRunError as error:
        return WholeRun(None, str(error), ingested, problems_of(home, before), new)
    number = operations.begin(plan.months, wish.as_of, current_policy_version(), code_version())
    job = definitions().resolve_job_def("bring_up_to_date")
    outcome = run_job(job, home, instance, listener, run_config={"ops": {PLAN_STEP: {"config": wish.config}}})
    if outcome.failed_step is None:
        # The checks may have held deliveries, and corrections bring months back: what was planned then counts.
        plan = read_plan(home.plan_file)
    operations.finish(number, outcome.failed_step, plan.months)
    checks = (*ingested.failed_checks, *outcome.failed_checks)
    return WholeRun(plan, None, JobOutcome(outcome.failed_step, outcome.error, checks), problems_of(home, before), new)
