"""Runs the jobs of the Dagster definitions in this process, one at a time, and tells somebody how it goes.

Belongs here: the Dagster instance, the steps' progress. What a step does is in ``assets``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import dagster as dg

from orchestration.dbt import dbt_environment
from orchestration.settings import DataHome

IN_PROCESS_TAG = {"zhaoren/in_process": "true"}
PARTITION_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")

# Dagster's own settings of a data home: no telemetry, no invitations, one place in the pool around the warehouse file.
DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    granularity: op
    default_limit: 1
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
"""


class Listener(Protocol):
    """Told how a job goes on."""

    def begin(self, steps: int) -> None: ...

    def step(self, name: str) -> None: ...

    def done(self, name: str) -> None: ...


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended: the step that failed with its message, and the checks that did not pass."""

    failed_step: str | None
    error: str | None
    failed_checks: tuple[str, ...]


@contextlib.contextmanager
def instance_of(home: DataHome) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance that lies in the data home; its settings are written anew each time."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    (home.dagster / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        yield instance


def clear_dead_runs(instance: dg.DagsterInstance) -> None:
    """End runs of this process's kind that were killed, and give back their places in the pools.

    Only to be called while the lock of the data home is held: then none of them can still be alive.
    """
    alive = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING], tags=IN_PROCESS_TAG)
    for run in instance.get_runs(filters=alive):
        instance.report_run_failed(run, "the process ended without a word")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def run_job(
    job: dg.JobDefinition,
    home: DataHome,
    instance: dg.DagsterInstance,
    listener: Listener,
    *,
    months: tuple[date, date] | None = None,
    run_config: Mapping[str, Any] | None = None,
) -> JobOutcome:
    """Run one job here; ``months`` are the first and last partition of a partitioned job."""
    listener.begin(len(job.graph.node_defs))
    tags = dict(IN_PROCESS_TAG)
    if months:
        tags |= dict(zip(PARTITION_RANGE_TAGS, (str(month) for month in months), strict=True))
    with _environment(dbt_environment(home)), _listened(listener), _printed_to(home.dagster / "steps.log"):
        result = job.execute_in_process(
            instance=instance,
            run_config={"loggers": {"zhaoren": {}}, **(run_config or {})},
            tags=tags,
            raise_on_error=False,
        )
    return _outcome(result)


def _outcome(result: dg.ExecuteInProcessResult) -> JobOutcome:
    failures = [event for event in result.all_events if event.is_step_failure or event.is_run_failure]
    step = next((event.step_key for event in failures if event.step_key), None)
    checks = tuple(
        f"{'/'.join(check.asset_key.path)}: {check.check_name}"
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    )
    if result.success:
        return JobOutcome(None, None, checks)
    return JobOutcome(step or "start", _error_text(failures), checks)


def _error_text(failures: Sequence[dg.DagsterEvent]) -> str:
    """The innermost message of the first failed step, without its traceback."""
    for event in failures:
        error = getattr(event.event_specific_data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return str(error.message).strip()
    return "no message"


class _ListenerHandler(logging.Handler):
    """Passes the begin and end of steps on; everything else of Dagster's log stays in its storage."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self._listener = listener

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None or event.step_key is None:
            return
        if event.event_type_value == "STEP_START":
            self._listener.step(event.step_key)
        elif event.event_type_value in {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}:
            self._listener.done(event.step_key)


LOGGER_NAME = "zhaoren.steps"


def _step_logger(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.getLogger(LOGGER_NAME)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger


# The logger under which ``run_job`` listens for the begin and end of steps; prints nothing itself.
step_logger = dg.logger(_step_logger)


@contextlib.contextmanager
def _printed_to(path: Path) -> Iterator[None]:
    """dbt and libraries print; on the screen that would tear the progress bar, so it goes to a file."""
    with path.open("a", encoding="utf-8") as sink, contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        yield


@contextlib.contextmanager
def _listened(listener: Listener) -> Iterator[None]:
    handler = _ListenerHandler(listener)
    logger = logging.getLogger(LOGGER_NAME)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def dagster_processes(home: DataHome, host: str, port: int) -> tuple[list[list[str]], dict[str, str]]:
    """The commands of Dagster's web server and of its daemon on this data home, and their environment."""
    folder = Path(sys.executable).parent
    code = ["-m", "orchestration.definitions"]
    server = [str(folder / "dagster-webserver"), *code, "--host", host, "--port", str(port)]
    daemon = [str(folder / "dagster-daemon"), "run", *code]
    places = {"DAGSTER_HOME": str(home.dagster), "ZHAOREN_HOME": str(home.root)}
    return [server, daemon], {**os.environ, **dbt_environment(home), **places}
