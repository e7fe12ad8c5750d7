"""The desk at which people decide about alerts: the state of now, what may be done, and the noting of what is done.

Belongs here: the newest published alerts with the decisions taken since. Which decision is allowed is
``models.alert_life``; what follows from it for the lists is ``dbt_project/models/alerts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Self

import polars as pl

from models.alert_life import DECISIONS, OFFICES, TransitionRefusedError, load_life
from orchestration.home.operations import Operations
from orchestration.home.published import read_published
from orchestration.home.settings import DataHome

_SHOWN = (
    "alert_id",
    "month",
    "side",
    "level",
    "status",
    "reasons",
    "due_on",
    "household_id",
    "into_alert_id",
    "is_standing",
)


@dataclass(frozen=True)
class Named:
    """The place and worker that a decision names; a village brings its township along."""

    township: str | None = None
    village: str | None = None
    worker: str | None = None


@dataclass(frozen=True)
class Decision:
    """What a person decides: event, office, who, why, when, and the place or worker named."""

    event: str
    role: str
    who: str
    reason: str
    at: datetime
    named: Named = field(default_factory=Named)


class AlertDesk:
    """Alerts of the newest generation and the decisions about them."""

    def __init__(self, alerts: pl.DataFrame, steps: pl.DataFrame, operations: Operations, counted: int) -> None:
        """``counted`` is the number of the last decision that the published tables have taken into account."""
        self._alerts, self._steps, self._operations, self._counted = alerts, steps, operations, counted
        self._newest: date | None = alerts["month"].max()  # type: ignore[assignment]

    @classmethod
    def open(cls, home: DataHome) -> Self:
        """The desk over a data home; ``NotPublishedError`` before the first complete run."""
        alerts, steps = read_published(home, "alert"), read_published(home, "alert_transition")
        counted = steps["transition_id"].max()
        return cls(alerts, steps, Operations(home.operations), int(counted or 0))  # type: ignore[arg-type]

    def alerts(self) -> pl.DataFrame:
        """Alerts of the newest month, one row each, with state, place and worker of now."""
        newest = self._alerts.filter(pl.col("month") == self._newest)
        told: dict[str, list[dict[str, Any]]] = {}
        for item in self._operations.alert_transitions():
            told.setdefault(str(item["alert_id"]), []).append(item)
        order = ["weight", "due_on", "alert_id"]
        rows = [
            self._now(row, told.get(row["alert_id"], []))
            for row in newest.sort(order, descending=[True, False, False]).to_dicts()
        ]
        schema = {"township_code": pl.String, "village_code": pl.String, "worker": pl.String}
        return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)

    def alert(self, alert_id: str) -> dict[str, Any]:
        """The newest row of an alert with its state of now; ``LookupError`` where none has that number."""
        rows = self._alerts.filter(pl.col("alert_id") == alert_id).sort("month").to_dicts()
        if not rows:
            raise LookupError(f"there is no alert {alert_id}")
        return self._now(rows[-1], self._operations.alert_transitions(alert_id))

    def steps(self, alert_id: str) -> list[dict[str, Any]]:
        """Every step of an alert's life: what data brought, and what people decided, with who and why."""
        by_rule = self._steps.filter(pl.col("alert_id") == alert_id, pl.col("transition_id") == 0)
        steps = [{**row, "who": None, "reason": None} for row in by_rule.sort("month", "step").to_dicts()]
        told = self._operations.alert_transitions(alert_id)
        steps += [{**row, "by_role": row["role"]} for row in told]
        # Of one month, data come first: a decision is taken by somebody who has seen them.
        return sorted(steps, key=lambda row: (row["month"], row.get("transition_id") or 0, row.get("step") or 0))

    def possible(self, alert_id: str) -> dict[str, list[str]]:
        """What people may do with an alert as it is now: event and offices."""
        ways = load_life().ways_from(self.alert(alert_id)["status"])
        offices = {way.event: [role for role in way.by if role in OFFICES] for way in ways if way.event in DECISIONS}
        return {event: roles for event, roles in offices.items() if roles}

    def decide(self, alert_id: str, decision: Decision) -> tuple[str, str]:
        """Note a decision; the states before and after. ``TransitionRefusedError`` where the table forbids it."""
        alert = self.alert(alert_id)
        before = alert["status"]
        if alert["month"] != self._newest or not alert["is_standing"]:
            raise TransitionRefusedError(f"no reason of this alert stands since {alert['month']:%Y-%m}; it is {before}")
        way = load_life().way(before, decision.event, decision.role)
        _check_needs(way.needs, decision)
        self._operations.record_alert_transition(
            {
                "alert_id": alert_id,
                "side": alert["side"],
                "household_id": alert["household_id"],
                "event": decision.event,
                "from_state": before,
                "to_state": way.to_state,
                "role": decision.role,
                "who": decision.who,
                "reason": decision.reason,
                # Who decides has seen everything published until now; what comes later is newer.
                "month": f"{self._newest:%Y-%m}",
                "township_code": decision.named.township,
                "village_code": decision.named.village,
                "worker": decision.named.worker,
                "decided_at": decision.at.astimezone(UTC).isoformat(timespec="microseconds"),
            }
        )
        return before, way.to_state

    def _now(self, row: dict[str, Any], own: list[dict[str, Any]]) -> dict[str, Any]:
        """The published row of an alert with its decisions that were taken since it was built."""
        shown = {name: row[name] for name in _SHOWN} | {
            "township_code": row["charged_township_code"],
            "village_code": row["charged_village_code"],
            "worker": next((item["worker"] for item in reversed(own) if item["worker"]), None),
        }
        for item in own:
            if item["transition_id"] > self._counted:
                shown["status"] = item["to_state"]
                if item["township_code"]:
                    shown |= {"township_code": item["township_code"], "village_code": item["village_code"]}
        return shown


def _check_needs(needs: tuple[str, ...], decision: Decision) -> None:
    named = decision.named
    if "place" in needs and not named.township:
        raise TransitionRefusedError(f"`{decision.event}` needs a township or village")
    if "place_or_worker" in needs and not (named.township or named.worker):
        raise TransitionRefusedError(f"`{decision.event}` needs a township, a village or a worker")
