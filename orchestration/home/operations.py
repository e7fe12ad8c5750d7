"""What was run when, and what was decided about alerts: ``operations.db`` of the data home, or the
database in its place.

Belongs here: runs of the whole way, decisions about alerts. Who looked at identities is in ``audit``; deliveries are
the business of the ledger (``ingestion``); Dagster keeps the steps of each run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from ingestion.database import Text, in_order, open_database

METADATA = sa.MetaData()
RUN = sa.Table(
    "run",
    METADATA,
    sa.Column("run_id", sa.Integer, primary_key=True),
    sa.Column("started_at", Text, nullable=False),
    sa.Column("finished_at", Text),
    sa.Column("as_of", Text, nullable=False),
    sa.Column("months", Text, nullable=False),
    sa.Column("status", Text, nullable=False),
    sa.Column("failed_step", Text),
    sa.Column("policy_version", Text, nullable=False),
    sa.Column("code_version", Text, nullable=False),
)
MONTH_DONE = sa.Table(
    "month_done",
    METADATA,
    sa.Column("month", Text, primary_key=True),
    sa.Column("run_id", sa.Integer, nullable=False),
    sa.Column("as_of", Text, nullable=False),
)
# What people decided about alerts, in the order in which they did; never changed, never taken out.
ALERT_TRANSITION = sa.Table(
    "alert_transition",
    METADATA,
    sa.Column("transition_id", sa.Integer, primary_key=True),
    sa.Column("alert_id", Text, nullable=False, index=True),
    sa.Column("side", Text, nullable=False),
    sa.Column("household_id", Text, nullable=False),
    sa.Column("event", Text, nullable=False),
    sa.Column("from_state", Text, nullable=False),
    sa.Column("to_state", Text, nullable=False),
    sa.Column("role", Text, nullable=False),
    sa.Column("who", Text, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("month", Text, nullable=False),
    sa.Column("township_code", Text),
    sa.Column("village_code", Text),
    sa.Column("worker", Text),
    sa.Column("decided_at", Text, nullable=False),
)


@dataclass(frozen=True)
class RunRecord:
    """One run of the whole way; ``status`` is running, done or failed."""

    run_id: int
    started_at: str
    finished_at: str | None
    as_of: str
    months: tuple[str, ...]
    status: str
    failed_step: str | None
    policy_version: str
    code_version: str


class Operations:
    """The record of runs; opened by path, made at first use."""

    def __init__(self, path: Path) -> None:
        self._engine = open_database(path, METADATA)

    def begin(self, months: tuple[date, ...], as_of: datetime, policy_version: str, code_version: str) -> int:
        """Note that a run begins; returns its number."""
        row = {
            "started_at": _stamp(datetime.now(UTC)),
            "as_of": _stamp(as_of),
            "months": json.dumps([_month(month) for month in months]),
            "status": "running",
            "policy_version": policy_version,
            "code_version": code_version,
        }
        with self._engine.begin() as connection:
            key = connection.execute(RUN.insert().values(**row)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def finish(self, run_id: int, failed_step: str | None = None, months: tuple[date, ...] | None = None) -> None:
        """Note how a run ended; its months are done only where no step failed.

        ``months`` are those it wrote in the end, where they became other than those it began with.
        """
        ended = {
            "finished_at": _stamp(datetime.now(UTC)),
            "status": "failed" if failed_step else "done",
            "failed_step": failed_step,
        }
        if months is not None:
            ended["months"] = json.dumps([_month(month) for month in months])
        with self._engine.begin() as connection:
            connection.execute(RUN.update().where(RUN.c.run_id == run_id).values(**ended))
            if failed_step is None:
                self._mark_months(connection, run_id)

    def _mark_months(self, connection: sa.Connection, run_id: int) -> None:
        run = connection.execute(sa.select(RUN).where(RUN.c.run_id == run_id)).one()
        for month in json.loads(run.months):
            connection.execute(MONTH_DONE.delete().where(MONTH_DONE.c.month == month))
            connection.execute(MONTH_DONE.insert().values(month=month, run_id=run_id, as_of=run.as_of))

    def months_done(self) -> frozenset[date]:
        """Months whose lists stand."""
        with self._engine.connect() as connection:
            months = connection.execute(sa.select(MONTH_DONE.c.month)).scalars().all()
        return frozenset(date.fromisoformat(f"{month}-01") for month in months)

    def reopen(self, since: date) -> None:
        """Months from ``since`` on are no longer done: other data speaks for them now."""
        with self._engine.begin() as connection:
            connection.execute(MONTH_DONE.delete().where(MONTH_DONE.c.month >= _month(since)))

    def last_runs(self, count: int = 5) -> list[RunRecord]:
        """The newest runs, newest first."""
        query = sa.select(RUN).order_by(RUN.c.run_id.desc()).limit(count)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [RunRecord(**{**row, "months": tuple(json.loads(row["months"]))}) for row in rows]

    def record_alert_transition(self, row: Mapping[str, str | None]) -> int:
        """Note a decision about an alert, with all columns but its number; returns the number."""
        with self._engine.begin() as connection:
            in_order(connection, ALERT_TRANSITION)
            key = connection.execute(ALERT_TRANSITION.insert().values(**row)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def alert_transitions(self, alert_id: str | None = None) -> list[dict[str, object]]:
        """Decisions about alerts in their order, of one alert or of all; months and moments as such."""
        query = sa.select(ALERT_TRANSITION).order_by(ALERT_TRANSITION.c.transition_id)
        if alert_id is not None:
            query = query.where(ALERT_TRANSITION.c.alert_id == alert_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            {
                **row,
                "month": date.fromisoformat(f"{row['month']}-01"),
                "decided_at": datetime.fromisoformat(row["decided_at"]).astimezone(UTC).replace(tzinfo=None),
            }
            for row in rows
        ]


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _month(month: date) -> str:
    return f"{month:%Y-%m}"
