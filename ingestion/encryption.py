"""Encrypted Parquet: data keys made by the writer, wrapped with AES-GCM under the vault key.

Belongs here: Parquet Modular Encryption and its key wrapping. Does not belong here: what is written
(``vault``, ``quarantine``).
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingestion.atomic import replace_file

_MASTER = "vault"
_NONCE_BYTES = 12


class VaultLockedError(RuntimeError):
    """An encrypted file that does not open with the vault key at hand."""


class _LocalKms(pe.KmsClient):  # type: ignore[misc]
    """Wraps data keys with the vault key; nothing leaves the process."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._cipher = AESGCM(key)

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, key_bytes, master_key_identifier.encode()))

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        sealed = base64.b64decode(wrapped_key)
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], master_key_identifier.encode())


class EncryptedParquet:
    """Writes and reads Parquet files that are encrypted throughout, footer included."""

    def __init__(self, key: bytes) -> None:
        self._factory = pe.CryptoFactory(lambda _: _LocalKms(key))
        self._connection = pe.KmsConnectionConfig()
        self._writing = pe.EncryptionConfiguration(
            footer_key=_MASTER, uniform_encryption=True, encryption_algorithm="AES_GCM_V1", data_key_length_bits=256
        )

    def write(self, frame: pl.DataFrame, path: Path) -> None:
        """Write atomically: aside, synced, renamed."""
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        properties = self._factory.file_encryption_properties(self._connection, self._writing)

        def write(temporary: Path) -> None:
            pq.write_table(table, temporary, encryption_properties=properties, compression="zstd")

        replace_file(path, write)

    def read(self, path: Path) -> pl.DataFrame:
        """The whole file; ``VaultLockedError`` where the key does not fit."""
        try:
            properties = self._factory.file_decryption_properties(self._connection)
            table = pq.ParquetFile(path, decryption_properties=properties).read()
        except (InvalidTag, OSError, pa.ArrowException) as error:
            raise VaultLockedError(f"{path.name} does not open with this vault key ({type(error).__name__})") from None
        return pl.DataFrame(pl.from_arrow(table))
