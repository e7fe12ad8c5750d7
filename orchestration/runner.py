"""Runs the jobs of the Dagster definitions in this process, one at a time, and tells somebody how it goes.

Belongs here: the steps' progress, the processes of Dagster. What a step does is in ``assets``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import dagster as dg

from orchestration.home.machine import thread_environment
from orchestration.home.settings import DataHome
from orchestration.instance import IN_PROCESS_TAG, prepared_storage
from orchestration.warehouse.dbt import dbt_environment

MODULE = "orchestration.definitions"
# Where the code is served (host:port), when server and daemon are not to load it themselves.
CODE_ADDRESS_VARIABLE = "ZHAOREN_CODE_ADDRESS"
PARTITION_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


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


def dagster_processes(home: DataHome, host: str, port: int) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The commands of Dagster's parts on this data home by their names, and the environment that all of them need.

    Server and daemon load the code themselves, or from ``code_location`` where a workspace names its address.
    """
    folder = Path(sys.executable).parent
    workspace = os.environ.get(CODE_ADDRESS_VARIABLE)
    code = ["-w", str(_workspace(home, workspace))] if workspace else ["-m", MODULE]
    commands = {
        "web": [str(folder / "dagster-webserver"), *code, "--host", host, "--port", str(port)],
        "daemon": [str(folder / "dagster-daemon"), "run", *code],
        "code": [str(folder / "dagster"), "api", "grpc", "-m", MODULE, "--host", host, "--port", str(port)],
    }
    places = {"DAGSTER_HOME": str(home.dagster), "ZHAOREN_HOME": str(home.root)}
    own = dbt_environment(home) | thread_environment(home) | prepared_storage(home) | places
    return commands, {**os.environ, **own}


def heartbeat_command() -> list[str]:
    """Asks Dagster's storage whether the daemon was at work a moment ago."""
    return [str(Path(sys.executable).parent / "dagster-daemon"), "liveness-check"]


def _workspace(home: DataHome, address: str) -> Path:
    """The file that tells Dagster where the code is served: ``host:port``."""
    host, _, port = address.rpartition(":")
    file = home.dagster / "workspace.yaml"
    server = {"host": host, "port": int(port), "location_name": "zhaoren"}
    pending = file.with_name(f".workspace.{os.getpid()}")
    pending.write_text(json.dumps({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    pending.replace(file)
    return file
