"""The two secrets of ingestion: the pseudonym key and the vault key.

Belongs here: where keys come from (environment, else a key file with mode 0600 made at first use). Does not
belong here: what they are used for (``pseudonym``, ``encryption``).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PSEUDONYM_VARIABLE = "ZHAOREN_PSEUDONYM_KEY"
VAULT_VARIABLE = "ZHAOREN_VAULT_KEY"
_MIN_LENGTH = 16


class SecretError(RuntimeError):
    """A key that cannot be used; says which and why, never its value."""


@dataclass(frozen=True)
class Keys:
    """32 bytes each; never shown."""

    pseudonym: bytes = field(repr=False)
    vault: bytes = field(repr=False)


def load_keys(key_file: Path, environment: Mapping[str, str] | None = None) -> Keys:
    """Keys from the environment, else from the key file, which is made where it is missing.

    Raises ``SecretError`` where a key is too short or the file may be read by others.
    """
    variables = os.environ if environment is None else environment
    given = {name: variables.get(name, "") for name in (PSEUDONYM_VARIABLE, VAULT_VARIABLE)}
    if not all(given.values()):
        stored = _read_or_create(key_file)
        given = {name: value or stored[name] for name, value in given.items()}
    return Keys(_bytes_of(PSEUDONYM_VARIABLE, given), _bytes_of(VAULT_VARIABLE, given))


def _bytes_of(name: str, given: Mapping[str, str]) -> bytes:
    text = given[name]
    if len(text) < _MIN_LENGTH:
        raise SecretError(
            f"{name} is shorter than {_MIN_LENGTH} characters; give a random one of 64 hexadecimal digits"
        )
    return hashlib.sha256(text.encode()).digest()


def _read_or_create(key_file: Path) -> dict[str, str]:
    if not key_file.exists():
        _create(key_file)
    if key_file.stat().st_mode & 0o077:
        raise SecretError(f"{key_file.name} may be read by others; set its mode to 0600")
    stored: dict[str, str] = json.loads(key_file.read_text(encoding="utf-8"))
    return stored


def _create(key_file: Path) -> None:
    key_file.parent.mkdir(parents=True, exist_ok=True)
    fresh = {name: secrets.token_hex(32) for name in (PSEUDONYM_VARIABLE, VAULT_VARIABLE)}
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(fresh, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
