"""The Dagster instance of a data home: its settings, where its storage lies, runs that died.

Belongs here: what Dagster is told about the home. Which jobs there are is in ``definitions``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import dagster as dg
import sqlalchemy as sa

from ingestion.database import Address, address_of, driver_url, postgresql
from orchestration.home.settings import DataHome

IN_PROCESS_TAG = {"zhaoren/in_process": "true"}
# Jobs that bring the tables and lists up to date wait for each other in the queue.
TURN_TAG = {"zhaoren/turn": "warehouse"}
STORAGE_VARIABLE = "ZHAOREN_DAGSTER_STORAGE"
"""Dagster's own URL of its storage, password included: made at start, never written to a file."""

# Dagster's own settings of a data home: no telemetry, no invitations, one place in the pool around the warehouse file,
# a few runs at once (deliveries do not depend on each other), of those that need their turn one.
DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    granularity: op
    default_limit: 1
  runs:
    max_concurrent_runs: {runs_at_once}
    tag_concurrency_limits:
      - key: zhaoren/turn
        value: warehouse
        limit: 1
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 60
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
"""
STORAGE_YAML = f"""\
storage:
  postgres:
    postgres_url:
      env: {STORAGE_VARIABLE}
"""


@contextlib.contextmanager
def instance_of(home: DataHome) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the data home; its settings are written anew each time."""
    os.environ.update(prepared_storage(home))
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        yield instance


def prepared_storage(home: DataHome) -> dict[str, str]:
    """Write Dagster's settings, make its schema where its storage lies in a database; the environment that it needs."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    address = address_of(home.root)
    text = DAGSTER_YAML.format(runs_at_once=home.settings().limits.runs_at_once)
    pending = home.dagster / f".dagster.yaml.{os.getpid()}"
    pending.write_text(text + (STORAGE_YAML if address else ""), encoding="utf-8")
    pending.replace(home.dagster / "dagster.yaml")
    if address is None:
        return {}
    schema = storage_schema(address)
    with postgresql(address).begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
    return {STORAGE_VARIABLE: driver_url(address, schema)}


def storage_schema(address: Address) -> str:
    """Dagster's tables have a schema of their own beside that of the records."""
    return f"{address.schema}_dagster"


def clear_dead_runs(instance: dg.DagsterInstance) -> None:
    """End runs of this process's kind that were killed, and give back their places in the pools.

    Only to be called while the lock of the data home is held: then none of them can still be alive.
    """
    alive = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING], tags=IN_PROCESS_TAG)
    for run in instance.get_runs(filters=alive):
        instance.report_run_failed(run, "the process ended without a word")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
