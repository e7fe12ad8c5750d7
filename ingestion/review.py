"""Decisions about deliveries after the fact: release or reject what is held, hold what was accepted.

Belongs here: the changes of status that a person or a check makes, with their reason. Does not belong here: the
decision at intake (``decision``).
"""

from __future__ import annotations

from datetime import datetime

from ingestion.atomic import move_file
from ingestion.decision import superseded_by
from ingestion.delivery import Delivery
from ingestion.ledger import DeliveryNotFoundError, Ledger
from ingestion.store import Store
from ingestion.vault import Vault


def release(store: Store, delivery_id: str, reason: str, decided_by: str, now: datetime) -> Delivery:
    """Let a held delivery into the warehouse after all."""
    ledger = Ledger(store.ledger_file)
    item = _in_state(ledger, delivery_id, "held")
    # Rows first: should this be cut short, rows without a ledger entry that accepts them do not count.
    move_file(store.held_file(item.feed, delivery_id), store.lake_file(item.feed, str(item.period), delivery_id))
    others = [other for other in ledger.deliveries(feed=item.feed) if other.delivery_id != delivery_id]
    earlier = superseded_by(others, item.period, item.division, item.received_at)
    supersedes = earlier.delivery_id if earlier else None
    ledger.change(delivery_id, "accepted", reason, decided_by, now, reason_code=None, supersedes=supersedes)
    return ledger.delivery(delivery_id)


def reject(store: Store, delivery_id: str, reason: str, decided_by: str, now: datetime) -> Delivery:
    """Reject a held delivery for good; its rows and identities are deleted, what was quarantined is kept."""
    ledger = Ledger(store.ledger_file)
    item = _in_state(ledger, delivery_id, "held")
    ledger.change(
        delivery_id,
        "rejected",
        reason,
        decided_by,
        now,
        reason_code=item.reason,
        rows_accepted=0,
        rows_quarantined=0,
        quarantined_by_reason={},
        cell_defects_by_reason={},
    )
    store.held_file(item.feed, delivery_id).unlink(missing_ok=True)
    Vault(store).file(item.feed, delivery_id).unlink(missing_ok=True)
    return ledger.delivery(delivery_id)


def hold(store: Store, delivery_id: str, reason: str, decided_by: str, now: datetime) -> Delivery:
    """Take an accepted delivery out of the warehouse (a critical check failed); the month keeps its last good one."""
    ledger = Ledger(store.ledger_file)
    item = _in_state(ledger, delivery_id, "accepted")
    ledger.change(delivery_id, "held", reason, decided_by, now, reason_code=reason, supersedes=None)
    lake = store.lake_file(item.feed, str(item.period), delivery_id)
    if lake.exists():
        move_file(lake, store.held_file(item.feed, delivery_id))
    return ledger.delivery(delivery_id)


def _in_state(ledger: Ledger, delivery_id: str, status: str) -> Delivery:
    item = ledger.delivery(delivery_id)
    if item.status != status:
        raise DeliveryNotFoundError(f"delivery {delivery_id} is {item.status}, not {status}")
    return item
