"""Encrypted Parquet: data keys made by the writer, wrapped with AES-GCM under the vault key.

Belongs here: Parquet Modular Encryption and its key wrapping. Does not belong here: what is written
(``vault``, ``quarantine``).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingestion.atomic import aside, replace_file

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


class EncryptedWriter:
    """Chunks of one encrypted file."""

    def __init__(self, path: Path, properties: Any) -> None:
        self._path = path
        self._properties = properties
        self._writer: pq.ParquetWriter | None = None

    @property
    def has_rows(self) -> bool:
        """Whether anything was written."""
        return self._writer is not None

    def write(self, frame: pl.DataFrame) -> None:
        """Write one chunk as a row group; all chunks have the columns of the first."""
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._path, table.schema, encryption_properties=self._properties, compression="zstd"
            )
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


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

    @contextmanager
    def writer(self, path: Path) -> Iterator[EncryptedWriter]:
        """A file written chunk by chunk: there wholly when the block ends well, else not at all.

        Without any chunk there is no file. What is aside meanwhile is encrypted too.
        """
        with aside(path) as pending:
            properties = self._factory.file_encryption_properties(self._connection, self._writing)
            writer = EncryptedWriter(pending.path, properties)
            try:
                yield writer
            finally:
                writer.close()
            if writer.has_rows:
                pending.put_in_place()

    def read(self, path: Path) -> pl.DataFrame:
        """The whole file; ``VaultLockedError`` where the key does not fit."""
        try:
            properties = self._factory.file_decryption_properties(self._connection)
            table = pq.ParquetFile(path, decryption_properties=properties).read()
        except (InvalidTag, OSError, pa.ArrowException) as error:
            raise VaultLockedError(f"{path.name} does not open with this vault key ({type(error).__name__})") from None
        return pl.DataFrame(pl.from_arrow(table))
