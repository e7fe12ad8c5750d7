"""Passwords and keys of sources: from environment variables or from files that only their owner may read.

Belongs here: finding a secret and refusing one that lies open. A secret is never kept, logged or shown.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from ingestion.source.problem import SourceError


def secret_of(name: str, variable: str | None, file: Path | None, home: Path) -> str | None:
    """The secret called ``name``: from that environment variable, else from the secrets file; None without either.

    Raises ``SourceError`` where it was to be there and is not.
    """
    if variable is not None:
        value = os.environ.get(variable)
        if not value:
            raise SourceError(f"environment variable {variable} is not set", f"set {variable} where zhaoren runs")
        return value
    if file is None:
        return None
    stored = _read(closed_file(file, home)).get(name)
    return None if stored is None else str(stored)


def closed_file(file: Path, home: Path) -> Path:
    """The path (relative ones are taken from the data home) of a file that nobody else may read."""
    path = readable_file(file, home)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise SourceError(f"{path.name} may be read by others (mode {mode:o})", f"chmod 600 {path}")
    return path


def readable_file(file: Path, home: Path) -> Path:
    """The path of a file that is there; ``SourceError`` where it is not."""
    path = home / file
    if not path.is_file() or not os.access(path, os.R_OK):
        raise SourceError(f"{path} cannot be read", "put the file there, or correct its path in zhaoren.toml")
    return path


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise SourceError(f"{path.name} is no TOML", 'write one line for each secret: password = "…"') from None
