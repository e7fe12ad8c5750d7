"""The life of an alert as a machine of states, read from ``policy/alert_life.yaml``.

Belongs here: which states there are, which event leads from which to which, and who may bring it about. Does not
belong here: which event happened to an alert (dbt, from data; the command line, from people).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.documents import read_document
from models.policy.catalogue import POLICY_DIRECTORY

LIFE_FILE = POLICY_DIRECTORY / "alert_life.yaml"
FIRST_STATE = "new"
ROLES = ("rule", "village", "township", "county", "city")
# Who may act by a command; the others act by data.
OFFICES = ("township", "county", "city")
# What a person decides by a command.
DECISIONS = ("assign", "transfer", "return", "close", "reopen")
_SAME = "same"


class TransitionRefusedError(ValueError):
    """The table does not allow it; the text says what it allows instead."""


@dataclass(frozen=True)
class Transition:
    """One way from one state to another: the event, who may bring it about, what it needs."""

    event: str
    from_state: str
    to_state: str
    by: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True)
class AlertLife:
    """All states, in order, with whether somebody still has to act in them; and all transitions."""

    states: dict[str, bool]
    transitions: tuple[Transition, ...]

    def open_states(self) -> tuple[str, ...]:
        """States in which somebody still has to act."""
        return tuple(state for state, is_open in self.states.items() if is_open)

    def ended_states(self) -> tuple[str, ...]:
        """States in which nobody has to act."""
        return tuple(state for state, is_open in self.states.items() if not is_open)

    def ways_from(self, state: str, role: str | None = None) -> tuple[Transition, ...]:
        """What may happen in a state, by anybody or by one role."""
        return tuple(way for way in self.transitions if way.from_state == state and (role is None or role in way.by))

    def way(self, state: str, event: str, role: str) -> Transition:
        """The transition of an event; ``TransitionRefusedError`` where the table has none for that state and role."""
        if state not in self.states:
            raise TransitionRefusedError(f"{state} is no state of an alert")
        found = [way for way in self.ways_from(state) if way.event == event]
        if not found:
            possible = sorted({way.event for way in self.ways_from(state) if way.event in DECISIONS})
            allowed = f"it allows {', '.join(possible)}" if possible else "it is an end"
            raise TransitionRefusedError(f"an alert that is {state} cannot be treated by `{event}`; {allowed}")
        if role not in found[0].by:
            offices = ", ".join(found[0].by)
            raise TransitionRefusedError(f"`{event}` of an alert that is {state} is for {offices}, not for {role}")
        return found[0]

    def after(self, state: str, event: str, role: str) -> str:
        """The state after an event; ``TransitionRefusedError`` where there is no such way."""
        return self.way(state, event, role).to_state


@cache
def load_life(path: Path = LIFE_FILE) -> AlertLife:
    """The table as written; ``ValueError`` where it names a state twice, none, or a way twice."""
    content = read_document(path.read_text(encoding="utf-8"))
    states = {item["state"]: bool(item["is_open"]) for item in content["states"]}
    if len(states) != len(content["states"]):
        raise ValueError(f"{path.name}: a state stands twice")
    ways = tuple(way for item in content["transitions"] for way in _ways(item))
    _check(states, ways, path.name)
    return AlertLife(states, ways)


def _ways(item: dict[str, Any]) -> Iterator[Transition]:
    for state in item["from"]:
        after = state if item["to"] == _SAME else item["to"]
        yield Transition(item["event"], state, after, tuple(item["by"]), tuple(item["needs"]))


def _check(states: dict[str, bool], ways: tuple[Transition, ...], name: str) -> None:
    keys = [(way.event, way.from_state) for way in ways]
    unknown = {state for way in ways for state in (way.from_state, way.to_state)} - states.keys()
    roles = {role for way in ways for role in way.by} - set(ROLES)
    if unknown or roles or len(set(keys)) != len(keys):
        twice = sorted({f"{event} from {state}" for event, state in keys if keys.count((event, state)) > 1})
        raise ValueError(f"{name}: {', '.join([*sorted(unknown), *sorted(roles), *twice])} unknown or twice")
