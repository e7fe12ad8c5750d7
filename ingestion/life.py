"""The life of a delivery: the states it can be in and the only ways from one to another.

Belongs here: the table of transitions, and the state and history of an entry as the whole ledger shows them. Does
not belong here: who may decide what, and what happens to the rows (``review``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from ingestion.delivery import KEPT, Delivery, Status
from ingestion.in_force import Validity, covers, first_day, overlap, received_by, said, validity_rows

State = Literal["received", "accepted", "held", "released", "rejected", "duplicate", "superseded"]
Event = Literal["accept", "hold", "reject", "skip", "release", "supersede", "restore"]

TRANSITIONS: dict[State, dict[Event, State]] = {
    "received": {"accept": "accepted", "hold": "held", "reject": "rejected", "skip": "duplicate"},
    # A check or a person may hold what was accepted; a correction supersedes it.
    "accepted": {"hold": "held", "supersede": "superseded"},
    "held": {"release": "released", "reject": "rejected"},
    "released": {"hold": "held", "supersede": "superseded"},
    # What superseded it may itself be held: then it speaks again, as what it was before.
    "superseded": {"restore": "accepted", "hold": "held"},
    "rejected": {},
    "duplicate": {},
}
"""Nothing else happens to a delivery. ``rejected`` and ``duplicate`` are final."""

STATUS: dict[State, Status] = {
    "accepted": "accepted",
    "released": "accepted",
    "superseded": "accepted",
    "held": "held",
    "rejected": "rejected",
    "duplicate": "duplicate",
}
"""What the ledger states of a delivery in that state; what was only received has no entry yet."""

_BY_INGESTION = "ingestion"
RESUBMITTED = "resubmitted"
"""What the ledger notes of a person who sends mended rows back: no change of state."""


class TransitionError(ValueError):
    """A wish that the state of the delivery does not allow."""


@dataclass(frozen=True)
class Moment:
    """One step in the life of a delivery: into which state, when, by whom and why."""

    state: State
    at: datetime
    by: str
    why: str | None


def next_state(state: State, event: Event) -> State:
    """Where an event leads; ``TransitionError`` where the state does not allow it."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise TransitionError(f"a delivery that is {state} cannot take the step '{event}'") from None


def states_of(
    deliveries: Sequence[Delivery], decisions: Iterable[Mapping[str, Any]], moment: datetime | None = None
) -> dict[str, State]:
    """The state of each delivery as the whole ledger shows it (as of a moment)."""
    released = released_ids(decisions)
    speaking = speaking_for_own_month(validity_rows(deliveries, moment), deliveries)
    return {item.delivery_id: _state(item, released, speaking) for item in deliveries}


def _state(item: Delivery, released: frozenset[str], speaking: frozenset[str]) -> State:
    if item.status != "accepted":
        return item.status
    # A supplement of a held delivery waits with it; it is superseded together with it.
    if item.period is not None and item.delivery_id not in speaking:
        return "superseded"
    return "released" if item.delivery_id in released else "accepted"


def released_ids(decisions: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Deliveries whose last decision let them in."""
    last = {str(one["delivery_id"]): one["status"] for one in decisions if one["status"] != RESUBMITTED}
    return frozenset(delivery_id for delivery_id, status in last.items() if status == "accepted")


def known_at(
    deliveries: Iterable[Delivery], decisions: Iterable[Mapping[str, Any]], moment: datetime | None
) -> list[Delivery]:
    """Deliveries as they were at a moment: those received by then; what was released only later still held.

    What has been rejected since, or is held now, is gone from the lake and does not come back here for an earlier
    day; ``past`` lays a store out as it was, with the rows that are kept apart.
    """
    if moment is None:
        return list(deliveries)
    by_delivery: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in decisions:
        if one["status"] != RESUBMITTED:
            by_delivery[str(one["delivery_id"])].append(one)
    return [_known_at(item, by_delivery[item.delivery_id], moment) for item in received_by(deliveries, moment)]


def _known_at(item: Delivery, decisions: Sequence[Mapping[str, Any]], moment: datetime) -> Delivery:
    if item.status != "accepted" or not decisions:
        return item
    past = [one for one in decisions if one["decided_at"] <= moment]
    was_held = (past[-1]["status"] if past else _taken_as(item, decisions)) == "held"
    return replace(item, status="held", reason=decisions[-1]["reason_before"]) if was_held else item


def speaking_for_own_month(rows: Iterable[Validity], deliveries: Iterable[Delivery]) -> frozenset[str]:
    """Deliveries that are in force in the month that they were sent for."""
    months = {item.delivery_id: first_day(item.period) for item in deliveries if item.period is not None}
    return frozenset(row.delivery_id for row in rows if row.valid_from == months.get(row.delivery_id))


def superseding(item: Delivery, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """What took the place of (part of) a delivery in its own month, in the order in which it did.

    Of a held one: what has been accepted in its place meanwhile.
    """
    base = item.supplements or item.delivery_id
    spoken = said(together_with(item, deliveries), KEPT)
    last = max((at for at, other in enumerate(spoken) if other.delivery_id == base), default=None)
    if last is None:
        return []
    later = {
        other.delivery_id: other
        for other in spoken[last + 1 :]
        if other.status == "accepted" and other.delivery_id != base and overlap(other.division, item.division)
    }
    return list(later.values())


def together_with(item: Delivery, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Deliveries of the same feed, month and sender: those that may supersede each other."""
    return [other for other in deliveries if _group(other) == _group(item)]


def by_month(deliveries: Iterable[Delivery]) -> list[list[Delivery]]:
    """All deliveries, each with those that may supersede it."""
    groups: dict[tuple[str, str | None, str | None], list[Delivery]] = defaultdict(list)
    for item in deliveries:
        groups[_group(item)].append(item)
    return list(groups.values())


def _group(item: Delivery) -> tuple[str, str | None, str | None]:
    return item.feed, item.period, item.sender


def history_of(item: Delivery, deliveries: Sequence[Delivery], decisions: Iterable[Mapping[str, Any]]) -> list[Moment]:
    """How a delivery came to be what it is, oldest first: who, when and why."""
    all_own = [decision for decision in decisions if decision["delivery_id"] == item.delivery_id]
    own = [decision for decision in all_own if decision["status"] != RESUBMITTED]
    sent = next(((str(one["decided_by"]), str(one["reason"])) for one in all_own if one not in own), None)
    who, why = sent or (item.sender or "department", item.file_name)
    steps = [Moment("received", item.received_at, who, why)]
    steps.append(Moment(_taken_as(item, own), item.ingested_at, _BY_INGESTION, _first_reason(item, own)))
    steps += [
        Moment(_decided(str(decision["status"])), decision["decided_at"], decision["decided_by"], decision["reason"])
        for decision in own
    ]
    if item.status == "accepted":
        steps += [
            Moment("superseded", max(other.received_at, item.received_at), _BY_INGESTION, _taken_over(item, other))
            for other in superseding(item, deliveries)
        ]
    return steps


def _decided(status: str) -> State:
    return "released" if status == "accepted" else "rejected" if status == "rejected" else "held"


def _taken_as(item: Delivery, decisions: Sequence[Mapping[str, Any]]) -> State:
    """The state at intake: what the first decision changed, else what it still is."""
    if not decisions:
        return item.status
    return "accepted" if decisions[0]["status"] == "held" else "held"


def _first_reason(item: Delivery, decisions: Sequence[Mapping[str, Any]]) -> str | None:
    if decisions:
        return str(decisions[0]["reason_before"] or "") or None
    return ": ".join(part for part in (item.reason, item.detail) if part) or None


def _taken_over(item: Delivery, other: Delivery) -> str:
    part = "" if covers(other.division, item.division) else f" for {other.division}"
    return f"by {other.delivery_id}{part}"
