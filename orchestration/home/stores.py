"""Opens what ingestion keeps in a data home: ledger, vault, quarantine.

Belongs here: settings of the home turned into ingestion's objects. What they do is in ``ingestion``.
"""

from __future__ import annotations

from ingestion import Ledger, Quarantine, Store, Vault
from orchestration.home.settings import DataHome


def store_of(home: DataHome) -> Store:
    """Folders and keys; the key file is made at first use."""
    return Store.open(home.root, home.keys, home.settings().pseudonym_algorithm)


def ledger_of(home: DataHome) -> Ledger:
    """Every file ever seen; needs no key."""
    return Ledger(home.ledger)


def vault_of(home: DataHome) -> Vault:
    """Identities behind person keys."""
    return Vault(store_of(home))


def quarantine_of(home: DataHome) -> Quarantine:
    """Rows that were set aside."""
    return Quarantine(store_of(home))
