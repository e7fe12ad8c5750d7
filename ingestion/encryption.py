"""Encrypted Parquet: data keys made by the writer, wrapped with AES-GCM under the vault key.

Belongs here: Parquet Modular Encryption and its key wrapping. Does not belong here: what is written
(``vault``, ``quarantine``).
"""

from __future__ import annotations

import base64
import hashlib
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
_ID_LETTERS = 8


class VaultLockedError(RuntimeError):
    """An encrypted file that does not open with the vault key at hand."""


class TamperedError(VaultLockedError):
    """An encrypted file that is not as it was written."""


class _OtherKeyError(Exception):
    """The file names another key than the one at hand; carries the id of that one."""


def key_id_of(key: bytes) -> str:
    """The name of a key: letters that say which key it is and nothing else about it."""
    digest = hashlib.sha256(b"zhaoren key id\0" + key).digest()
    return "".join(chr(97 + nibble) for byte in digest for nibble in (byte >> 4, byte & 15))[:_ID_LETTERS]


class _LocalKms(pe.KmsClient):  # type: ignore[misc]
    """Wraps data keys with the vault key; nothing leaves the process."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._cipher = AESGCM(key)
        self._own = _master_of(key)

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, key_bytes, master_key_identifier.encode()))

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        # Files of before keys had ids name the bare master.
        if master_key_identifier not in (self._own, _MASTER):
            raise _OtherKeyError(master_key_identifier.removeprefix(f"{_MASTER}."))
        sealed = base64.b64decode(wrapped_key)
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], master_key_identifier.encode())


def _master_of(key: bytes) -> str:
    """Under which name data keys are wrapped: it stands in each file and says with which key it was written."""
    return f"{_MASTER}.{key_id_of(key)}"


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
            footer_key=_master_of(key),
            uniform_encryption=True,
            encryption_algorithm="AES_GCM_V1",
            data_key_length_bits=256,
        )

    def write(self, frame: pl.DataFrame, path: Path, row_group_rows: int | None = None) -> None:
        """Write atomically: aside, synced, renamed. Smaller row groups are for files of which little is read."""
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        properties = self._factory.file_encryption_properties(self._connection, self._writing)

        def write(temporary: Path) -> None:
            pq.write_table(
                table,
                temporary,
                row_group_size=row_group_rows,
                encryption_properties=properties,
                compression="zstd",
            )

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

    def read(self, path: Path, columns: list[str] | None = None) -> pl.DataFrame:
        """The whole file, or those columns of it.

        ``VaultLockedError`` where the key does not fit, ``TamperedError`` where the file is not as it was written;
        both name the file and nothing in it.
        """
        with _opening(path):
            return pl.DataFrame(pl.from_arrow(self._file(path).read(columns)))

    def read_between(self, path: Path, column: str, values: pl.Series) -> pl.DataFrame:
        """Those row groups of a file sorted by a text column in which any of the (sorted) values may stand."""
        with _opening(path):
            file = self._file(path)
            position = file.schema_arrow.get_field_index(column)
            groups = [at for at in range(file.num_row_groups) if _may_hold(file.metadata, at, position, values)]
            return pl.DataFrame(pl.from_arrow(file.read_row_groups(groups)))

    def key_id(self, path: Path) -> str | None:
        """With which key a file was written: its id, None for this key."""
        try:
            self._file(path)
        except _OtherKeyError as error:
            return str(error)
        except _UNREADABLE:
            return None
        return None

    def _file(self, path: Path) -> pq.ParquetFile:
        properties = self._factory.file_decryption_properties(self._connection)
        return pq.ParquetFile(path, decryption_properties=properties)


_UNREADABLE = (InvalidTag, OSError, ValueError, pa.ArrowException)


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    try:
        yield
    except _OtherKeyError as error:
        raise VaultLockedError(f"{path.name} was written with the vault key {error}, which is not at hand") from None
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        kind = type(error).__name__
        raise TamperedError(
            f"{path.name} is damaged, was tampered with, or was written with another vault key ({kind})"
        ) from None


def _may_hold(metadata: pq.FileMetaData, group: int, position: int, values: pl.Series) -> bool:
    statistics = metadata.row_group(group).column(position).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    first = values.search_sorted(statistics.min, side="left")
    return bool(first < len(values) and values[first] <= statistics.max)
