"""Files of departments to typed, checked, pseudonymised Parquet, plus quarantine, vault and ledger.

Belongs here: everything between the inbox and the lake; knows no scheduler and no warehouse. Does not belong
here: what a feed is (``models``), whether its data are fit for use (``expectations``).
"""

from ingestion.arrival import Ignored, ignored
from ingestion.delivery import Delivery
from ingestion.keys import SecretError
from ingestion.ledger import DeliveryNotFoundError, Ledger
from ingestion.life import TransitionError
from ingestion.lock import BusyError, exclusive
from ingestion.parallel import FeedsLostError
from ingestion.pipeline import ingest, is_much_to_take_in
from ingestion.publish import publish
from ingestion.quarantine import Quarantine
from ingestion.review import hold, reject, release
from ingestion.store import Store
from ingestion.vault import Vault

__all__ = [
    "BusyError",
    "Delivery",
    "DeliveryNotFoundError",
    "FeedsLostError",
    "Ignored",
    "Ledger",
    "Quarantine",
    "SecretError",
    "Store",
    "TransitionError",
    "Vault",
    "exclusive",
    "hold",
    "ignored",
    "ingest",
    "is_much_to_take_in",
    "publish",
    "reject",
    "release",
]
