"""Decisions about deliveries after the fact: release or reject what is held, hold what was accepted.

Belongs here: the changes of state that a person or a check makes, with their reason, and their files. Does not
belong here: the decision at intake (``decision``), which changes there are (``life``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingestion.atomic import move_file
from ingestion.delivery import Delivery
from ingestion.ledger import Ledger
from ingestion.life import STATUS, Event, State, next_state, states_of
from ingestion.lock import exclusive
from ingestion.mending.settlement import settle
from ingestion.store import Store
from ingestion.vault import Vault
from models.contract import load_feeds

CHECK_FAILED = "check_failed"
"""How the reason of a hold begins that a check gave, before anything was made of the delivery."""
# Decisions after which, or before which, a delivery was among those that count.
_AFTER_COUNTING = frozenset({STATUS["held"], STATUS["released"]})


def release(store: Store, delivery_id: str, reason: str, decided_by: str, now: datetime) -> Delivery:
    """Let a held delivery into the warehouse after all; ``life.superseding`` tells what has superseded it since."""
    with exclusive(store), Ledger(store.ledger_file) as ledger:
        item = _before(ledger, delivery_id, "release")
        # Rows first: should this be cut short, rows without a ledger entry that accepts them do not count.
        held = store.held_file(item.feed, delivery_id)
        lake = store.lake_file(item.feed, str(item.period), delivery_id)
        if held.exists() or not lake.exists():
            move_file(held, lake)
        _decide(ledger, item, "released", reason, decided_by, now)
        settle(store, ledger.deliveries(item.feed), load_feeds())
        return ledger.delivery(delivery_id)


def reject(store: Store, delivery_id: str, reason: str, decided_by: str, now: datetime) -> Delivery:
    """Reject a held delivery for good; its rows and identities are deleted, what was quarantined is kept.

    One that counted for a while keeps its rows and identities out of reach: lists of that time rest on them, and are
    rebuilt from them. They go when their retention ends (``vault.purge``), as those of any delivery.
    """
    with exclusive(store), Ledger(store.ledger_file) as ledger:
        item = _before(ledger, delivery_id, "reject")
        counts = {"rows_accepted": 0, "rows_quarantined": 0, "quarantined_by_reason": {}, "cell_defects_by_reason": {}}
        counted = any(_counted(decision) for decision in ledger.decisions(delivery_id))
        _decide(ledger, item, "rejected", reason, decided_by, now, reason_code=item.reason, **counts)
        if counted:
            return ledger.delivery(delivery_id)
        store.held_file(item.feed, delivery_id).unlink(missing_ok=True)
        Vault(store).file(item.feed, delivery_id).unlink(missing_ok=True)
        return ledger.delivery(delivery_id)


def hold(store: Store, delivery_id: str, reason: str, decided_by: str, now: datetime) -> Delivery:
    """Take an accepted delivery out of the warehouse (a critical check failed, or a person finds it wrong).

    The month keeps its last good one: what it had superseded speaks again.
    """
    with exclusive(store), Ledger(store.ledger_file) as ledger:
        item = _before(ledger, delivery_id, "hold")
        _decide(ledger, item, "held", reason, decided_by, now, reason_code=reason)
        lake = store.lake_file(item.feed, str(item.period), delivery_id)
        if lake.exists():
            move_file(lake, store.held_file(item.feed, delivery_id))
        return ledger.delivery(delivery_id)


def _counted(decision: Mapping[str, Any]) -> bool:
    """Whether a decision shows that the delivery was once in force: a person held it, or let it in."""
    return decision["status"] in _AFTER_COUNTING and not str(decision["reason"]).startswith(CHECK_FAILED)


def _before(ledger: Ledger, delivery_id: str, event: Event) -> Delivery:
    """The entry, where its state allows the event; ``DeliveryNotFoundError`` or ``TransitionError`` otherwise."""
    item = ledger.delivery(delivery_id)
    states = states_of(ledger.deliveries(item.feed), ledger.decisions())
    next_state(states[delivery_id], event)
    return item


def _decide(
    ledger: Ledger,
    item: Delivery,
    state: State,
    reason: str,
    decided_by: str,
    now: datetime,
    reason_code: str | None = None,
    **also: object,
) -> None:
    ledger.change(item.delivery_id, item.status, STATUS[state], reason, decided_by, now, reason=reason_code, **also)
