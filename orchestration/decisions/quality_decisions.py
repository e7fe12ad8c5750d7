"""What people decide about failed checks: waivers, and explanations of verifying ones; kept in ``operations.db``.

A waiver lets one check (its id names the feed) fail, in some months of data or all, for one district or all, until a
day; from the day after it fails again. It may be ended before. Nothing is ever taken out: the record of who let what
pass, and why, stays. Belongs here: the record, and handing what is in force to dbt as of a run. Does not belong here:
what a waiver changes (``dbt_project/models/quality``, ``expectations.deliveries_to_hold``).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from expectations.check import EXPLANATION_SCHEMA, WAIVER_SCHEMA
from expectations.store import EXPLANATION_FILE, WAIVER_FILE, write_table
from ingestion.database import Moment, Text, open_database
from models.calendar import BUREAU_ZONE

METADATA = sa.MetaData()
WAIVER = sa.Table(
    "check_waiver",
    METADATA,
    sa.Column("waiver_id", Text, primary_key=True),
    sa.Column("check_id", Text, nullable=False),
    sa.Column("feed", Text, nullable=False),
    sa.Column("division", Text),
    sa.Column("month_from", sa.Date),
    sa.Column("month_to", sa.Date),
    sa.Column("valid_until", sa.Date, nullable=False),
    sa.Column("reason", Text, nullable=False),
    sa.Column("given_by", Text, nullable=False),
    sa.Column("given_at", Moment, nullable=False),
    sa.Column("ended_by", Text),
    sa.Column("ended_at", Moment),
    sa.Column("end_reason", Text),
)
EXPLANATION = sa.Table(
    "check_explanation",
    METADATA,
    sa.Column("explanation_id", Text, primary_key=True),
    sa.Column("check_id", Text, nullable=False),
    sa.Column("feed", Text, nullable=False),
    sa.Column("month", sa.Date, nullable=False),
    sa.Column("explanation", Text, nullable=False),
    sa.Column("given_by", Text, nullable=False),
    sa.Column("given_at", Moment, nullable=False),
)
LETTERS = "abcdefghjkmnpqrstuvwxyz"


class DecisionError(ValueError):
    """A decision that cannot be taken; says why."""


@dataclass(frozen=True)
class Extent:
    """What a waiver covers besides its check: months of data (both included) and a district; None is all."""

    month_from: date | None = None
    month_to: date | None = None
    division: str | None = None


class QualityDecisions:
    """Waivers and explanations of one data home."""

    def __init__(self, path: Path) -> None:
        self._engine = open_database(path, METADATA)

    def waive(
        self, check: tuple[str, str], extent: Extent, until: date, reason: str, who: str, now: datetime
    ) -> dict[str, Any]:
        """Record a waiver of ``check`` (check_id, feed); raises ``DecisionError`` where it would cover nothing."""
        if until < now.astimezone(BUREAU_ZONE).date():
            raise DecisionError(f"{until} is past")
        if extent.month_from and extent.month_to and extent.month_from > extent.month_to:
            raise DecisionError("the first month is after the last")
        row = {
            "waiver_id": _number("w"),
            "check_id": check[0],
            "feed": check[1],
            "division": extent.division,
            "month_from": extent.month_from,
            "month_to": extent.month_to,
            "valid_until": until,
            "reason": reason,
            "given_by": who,
            "given_at": now,
        }
        self._insert(WAIVER, row)
        return row

    def end(self, waiver_id: str, reason: str, who: str, now: datetime) -> None:
        """End a waiver before its day; raises ``DecisionError`` where there is none that could be ended."""
        running = (WAIVER.c.waiver_id == waiver_id) & WAIVER.c.ended_at.is_(None)
        ended = {"ended_by": who, "ended_at": now, "end_reason": reason}
        with self._engine.begin() as connection:
            if connection.execute(WAIVER.update().where(running).values(**ended)).rowcount == 0:
                raise DecisionError(f"no waiver {waiver_id} that has not been ended")

    def explain(self, check: tuple[str, str], month: date, explanation: str, who: str, now: datetime) -> dict[str, Any]:
        """Record why a verifying check failed in a month; a later explanation stands beside the earlier."""
        row = {
            "explanation_id": _number("e"),
            "check_id": check[0],
            "feed": check[1],
            "month": month,
            "explanation": explanation,
            "given_by": who,
            "given_at": now,
        }
        self._insert(EXPLANATION, row)
        return row

    def waivers(self) -> list[dict[str, Any]]:
        """All waivers ever given, in their order, with when and by whom they were ended."""
        return self._rows(sa.select(WAIVER).order_by(WAIVER.c.given_at, WAIVER.c.waiver_id))

    def explanations(self) -> list[dict[str, Any]]:
        """All explanations ever given, in their order."""
        return self._rows(sa.select(EXPLANATION).order_by(EXPLANATION.c.given_at, EXPLANATION.c.explanation_id))

    def _insert(self, table: sa.Table, row: Mapping[str, Any]) -> None:
        with self._engine.begin() as connection:
            connection.execute(table.insert().values(**row))

    def _rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def waiver_state(row: Mapping[str, Any], moment: datetime) -> str:
    """in_force, ended, expired or later (given after the moment)."""
    if row["given_at"] > moment:
        return "later"
    if row["ended_at"] is not None and row["ended_at"] <= moment:
        return "ended"
    return "in_force" if moment.astimezone(BUREAU_ZONE).date() <= row["valid_until"] else "expired"


def waivers_in_force(decisions: QualityDecisions, moment: datetime) -> pl.DataFrame:
    """The waivers that count at a moment (``WAIVER_SCHEMA``)."""
    rows = [row for row in decisions.waivers() if waiver_state(row, moment) == "in_force"]
    return _frame(rows, WAIVER_SCHEMA)


def publish_quality_decisions(path: Path, reference: Path, as_of: datetime) -> None:
    """Write what was in force and explained as of a run: decisions after it do not count."""
    decisions = QualityDecisions(path)
    told = [row for row in decisions.explanations() if row["given_at"] <= as_of]
    write_table(waivers_in_force(decisions, as_of), reference / WAIVER_FILE)
    write_table(_frame(told, EXPLANATION_SCHEMA), reference / EXPLANATION_FILE)


def _frame(rows: list[dict[str, Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    plain = [{**row, "given_at": row["given_at"].astimezone(UTC).replace(tzinfo=None)} for row in rows]
    return pl.DataFrame([{name: row[name] for name in schema} for row in plain], schema=dict(schema), orient="row")


def _number(kind: str) -> str:
    return f"{kind}-" + "".join(secrets.choice(LETTERS) for _ in range(8))
