"""The identity vault: who stands behind a person key, encrypted.

Belongs here: names, ID numbers, phones and addresses of accepted deliveries; their look-up, deletion and the change
of their keys. Does not belong here: who may look (``orchestration``), how pseudonyms are made (``pseudonym``).
"""

from ingestion.vault.lookup import Vault
from ingestion.vault.rows import IDENTITY_COLUMNS, PERSON_COLUMNS, VaultWriter, identity_rows

__all__ = ["IDENTITY_COLUMNS", "PERSON_COLUMNS", "Vault", "VaultWriter", "identity_rows"]
