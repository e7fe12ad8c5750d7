"""The data home for those whose turn it is: one run at a time brings tables and lists up to date, whoever starts it.

Belongs here: the lock and the record of a run that Dagster's daemon started. A run of the command line holds the lock
and keeps the record already (``flow``); taking deliveries in needs no turn (``resources.HomeResource``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg

from ingestion.lock import alone, is_held_here
from orchestration.automation import MONTH_JOB
from orchestration.home.lock import RUN_LOCK
from orchestration.home.versions import code_version, current_policy_version
from orchestration.resources import HomeResource


class HomeInTurn(HomeResource):
    """The data home of a run that has its turn: waits for another one before its first step.

    All steps of a run share one process (``definitions``), so that the turn lasts until the run ends.
    """

    @contextmanager
    def yield_for_execution(  # type: ignore[override]
        self, context: dg.InitResourceContext
    ) -> Iterator[HomeInTurn]:
        """The lock of the home, unless the one who called holds it."""
        lock = self.home.root / RUN_LOCK
        if is_held_here(lock):
            yield self
            return
        say = context.log.info if context.log else None
        with alone(lock, self.settings.limits.run_wait_seconds, say), self._recorded(context):
            yield self

    @contextmanager
    def _recorded(self, context: dg.InitResourceContext) -> Iterator[None]:
        """What was run when, and which months are done: as ``flow`` keeps it."""
        if context.run is None or context.instance is None or context.run.job_name != MONTH_JOB:
            yield
            return
        started = datetime.now(UTC)
        number = self.operations.begin((), started, current_policy_version(), code_version())
        failed: str | None = "interrupted"
        try:
            yield
            failed = failed_step(context.instance, context.run.run_id)
        finally:
            months = () if failed else self.plan.months
            self.operations.finish(number, failed, months)


def failed_step(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """The first step of a run that failed, None where all that began ended well."""
    failed = [
        stats.step_key
        for stats in instance.get_run_step_stats(run_id)
        if stats.status is not None and stats.status.value == "FAILURE"
    ]
    return min(failed, default=None)
