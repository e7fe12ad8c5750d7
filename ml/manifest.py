"""What a registered version was made of and the fingerprint of each of its files.

Belongs here: writing and verifying manifest.json. No time stands in it: the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
# Whose version may change a score.
PACKAGES = ("numpy", "polars", "scikit-learn", "scipy", "skops")


def manifest_of(directory: Path, experiment_hash: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """SHA-256 of every file of a version's directory, and versions of experiment, data, policy, code and packages."""
    files = {path.name: file_hash(path) for path in sorted(directory.iterdir()) if path.is_file()}
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "experiment": experiment_hash,
        "files": files,
        "packages": packages,
        "versions": dict(sorted(versions.items())),
    }


def read_manifest(directory: Path) -> dict[str, Any] | None:
    """The manifest; None where a version has none."""
    path = directory / MANIFEST
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def altered_files(directory: Path) -> list[str]:
    """Files of the manifest that are gone or other ones than were registered; the manifest itself where it is gone."""
    stated = read_manifest(directory)
    if stated is None:
        return [MANIFEST]
    return [
        name
        for name, known in stated["files"].items()
        if not (directory / name).is_file() or file_hash(directory / name) != known
    ]


def file_hash(path: Path) -> str:
    """SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
