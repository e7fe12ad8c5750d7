"""Where ingestion keeps things in a data home, and the secrets it needs for that.

Belongs here: paths and keys, as one object that is passed around. Does not belong here: reading or writing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ingestion.change import finish_change
from ingestion.encryption import EncryptedParquet
from ingestion.keys import Keys, check_algorithm, load_keys, marker_of, write_marker, written_with
from ingestion.pseudonym import Algorithm


@dataclass(frozen=True)
class Store:
    """The folders of one data home that ingestion writes, with the keys to them."""

    home: Path
    keys: Keys = field(repr=False)
    algorithm: Algorithm = "sha256"
    key_file: Path | None = None

    @staticmethod
    def open(home: Path, key_file: Path | None = None, algorithm: Algorithm = "sha256") -> Store:
        """A store in that home; keys from the environment, else the key file (default ``keys.json`` there).

        A change of many files that was cut short is finished first. ``SecretError`` where the keys at hand are not
        those that the home is written with.
        """
        finish_change(home)
        written = written_with(home)
        path = key_file or home / "keys.json"
        keys = load_keys(path, key_ids={kind: item["key_id"] for kind, item in written.items()})
        if not written:
            write_marker(marker_of(home), keys, algorithm)
        check_algorithm(home, algorithm)
        return Store(home, keys, algorithm, path)

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def held(self) -> Path:
        """Typed rows of held deliveries, out of reach of the warehouse."""
        return self.home / "held"

    @property
    def vault(self) -> Path:
        return self.home / "vault"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"

    @property
    def faults(self) -> Path:
        """Row number, column and reason of each fault, without any value."""
        return self.home / "faults"

    @property
    def reference(self) -> Path:
        return self.home / "reference"

    @property
    def ledger_file(self) -> Path:
        return self.home / "ledger.db"

    @cached_property
    def encrypted(self) -> EncryptedParquet:
        return EncryptedParquet(self.keys.vault)

    def lake_file(self, feed: str, period: str, delivery_id: str) -> Path:
        return self.lake / feed / f"period={period}" / f"{delivery_id}.parquet"

    def held_file(self, feed: str, delivery_id: str) -> Path:
        return self.held / feed / f"{delivery_id}.parquet"
