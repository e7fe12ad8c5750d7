"""The two secrets of ingestion: the pseudonym key and the vault key.

Belongs here: where keys come from (environment, else a key file with mode 0600 made at first use), which of them a
data home is written with, new ones. Does not belong here: what they are used for (``pseudonym``, ``encryption``).

A home says in ``vault/keys.json`` by their ids with which keys it is written. A key that was exchanged for another,
or mistyped, is thereby found out before it makes pseudonyms that meet nobody.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ingestion.atomic import replace_file
from ingestion.encryption import key_id_of

PSEUDONYM_VARIABLE = "ZHAOREN_PSEUDONYM_KEY"
VAULT_VARIABLE = "ZHAOREN_VAULT_KEY"
NEXT = "_NEXT"
"""Ending of the variable that names the key to which a rotation goes, where keys come from the environment."""
VARIABLES = {"pseudonym": PSEUDONYM_VARIABLE, "vault": VAULT_VARIABLE}
Kind = Literal["pseudonym", "vault"]
_MIN_LENGTH = 16


class SecretError(RuntimeError):
    """A key that cannot be used; says which and why, never its value."""


@dataclass(frozen=True)
class Keys:
    """32 bytes each; never shown."""

    pseudonym: bytes = field(repr=False)
    vault: bytes = field(repr=False)

    def key_id(self, kind: Kind) -> str:
        """The name of one of the keys, which says nothing about it."""
        return key_id_of(self.pseudonym if kind == "pseudonym" else self.vault)


@dataclass(frozen=True)
class KeyState:
    """What may be said of a key: its id, where it comes from, since when the home is written with it."""

    kind: Kind
    key_id: str
    source: Literal["environment", "file"]
    since: str | None


def load_keys(
    key_file: Path, environment: Mapping[str, str] | None = None, key_ids: Mapping[str, str] | None = None
) -> Keys:
    """Keys from the environment, else from the key file, which is made where it is missing.

    ``key_ids`` are those that the home is written with. Raises ``SecretError`` where a key is too short, the file
    may be read by others, or no key at hand is the one that the home is written with.
    """
    variables = os.environ if environment is None else environment
    chosen = {kind: _choose(kind, key_file, variables, (key_ids or {}).get(kind))[0] for kind in VARIABLES}
    return Keys(**chosen)


def key_states(home: Path, key_file: Path, environment: Mapping[str, str] | None = None) -> list[KeyState]:
    """Which keys the home is written with and where they are; nothing is made."""
    variables = os.environ if environment is None else environment
    written = written_with(home)
    states = []
    for kind in VARIABLES:
        known = written.get(kind, {})
        if not key_file.exists() and not variables.get(VARIABLES[kind]):
            continue
        key, source = _choose(kind, key_file, variables, known.get("key_id"))
        states.append(KeyState(_kind(kind), key_id_of(key), source, known.get("since")))
    return states


def _kind(name: str) -> Kind:
    return "vault" if name == "vault" else "pseudonym"


def _choose(
    kind: str, key_file: Path, variables: Mapping[str, str], key_id: str | None
) -> tuple[bytes, Literal["environment", "file"]]:
    """The key of that id; without an id the first there is."""
    name = VARIABLES[kind]
    given = [variables[item] for item in (name, name + NEXT) if variables.get(item)]
    candidates: list[tuple[bytes, Literal["environment", "file"]]] = [
        (_bytes_of(name, text), "environment") for text in given
    ]
    fitting = [item for item in candidates if key_id in (None, key_id_of(item[0]))]
    if not fitting and (key_file.exists() or not candidates):
        candidates.append((_bytes_of(name, _read_or_create(key_file)[name]), "file"))
        fitting = [item for item in candidates if key_id in (None, key_id_of(item[0]))]
    if not fitting:
        raise SecretError(
            f"this data home is written with the {kind} key {key_id}; given is {key_id_of(candidates[0][0])}: "
            f"set {name} (or the key file) to the right one"
        )
    return fitting[0]


def _bytes_of(name: str, text: str) -> bytes:
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
    fresh = {name: secrets.token_hex(32) for name in VARIABLES.values()}
    try:
        _write_private(key_file, fresh)
    except FileExistsError:
        return


def _write_private(path: Path, content: Mapping[str, Any]) -> None:
    """A new file that from its first byte on is its owner's alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())


@dataclass(frozen=True)
class NextKey:
    """The key to which a rotation goes; ``text`` goes into the key file, None where the environment keeps it."""

    kind: Kind
    key: bytes = field(repr=False)
    text: str | None = field(repr=False)


def next_key(kind: Kind, key_file: Path, current: Keys, environment: Mapping[str, str] | None = None) -> NextKey:
    """The key named by ``…_NEXT``, else a new random one where the key file holds the current one.

    Raises ``SecretError`` where the current key comes from the environment and no next one is named there, or the
    next one is the current one.
    """
    variables = os.environ if environment is None else environment
    name = VARIABLES[kind]
    old = current.vault if kind == "vault" else current.pseudonym
    given = variables.get(name + NEXT, "")
    in_file = key_file.exists() and _bytes_of(name, _read_or_create(key_file)[name]) == old
    if not given and not in_file:
        raise SecretError(f"the {kind} key comes from {name}: name the new one in {name}{NEXT} and run again")
    text = given or secrets.token_hex(32)
    key = _bytes_of(name + NEXT, text)
    if key == old:
        raise SecretError(f"{name}{NEXT} is the key in use; give a new random one of 64 hexadecimal digits")
    return NextKey(kind, key, text if in_file and not given else None)


def write_key_file(path: Path, key_file: Path, fresh: NextKey) -> None:
    """The key file with the next key in place of the old one, written to ``path`` with mode 0600."""
    stored = _read_or_create(key_file)
    path.unlink(missing_ok=True)
    _write_private(path, {**stored, VARIABLES[fresh.kind]: fresh.text})


def marker_of(home: Path) -> Path:
    """The file in which a home says with which keys it is written."""
    return home / "vault" / "keys.json"


def written_with(home: Path) -> dict[str, dict[str, str]]:
    """By kind: ``key_id`` and ``since``; empty before the first use."""
    path = marker_of(home)
    if not path.exists():
        return {}
    marker: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return marker


def check_algorithm(home: Path, algorithm: str) -> None:
    """Raise ``SecretError`` where the home's pseudonyms were made by another hash than is set now."""
    known = written_with(home).get("pseudonym", {}).get("algorithm", algorithm)
    if known != algorithm:
        raise SecretError(
            f"the pseudonyms of this data home were made with {known}; pseudonym_algorithm says {algorithm}"
        )


def write_marker(path: Path, keys: Keys, algorithm: str, before: Mapping[str, Mapping[str, str]] | None = None) -> None:
    """Say with which keys and which hash a home is written; keys that stay the same keep their day."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    marker = {}
    for kind in VARIABLES:
        key_id = keys.key_id(_kind(kind))
        known = (before or {}).get(kind, {})
        since = known["since"] if known.get("key_id") == key_id else now
        marker[kind] = {"key_id": key_id, "since": since}
    marker["pseudonym"]["algorithm"] = algorithm
    text = json.dumps(marker, indent=1)
    replace_file(path, lambda pending: pending.write_text(text, encoding="utf-8"))
