"""Which code and which policy made a result; kept with every run."""

from __future__ import annotations

import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path

from ingestion.keys import written_with
from models.policy import policy_version
from orchestration.home.settings import DataHome

ROOT = Path(__file__).parents[2]
# What decides how tables are made of deliveries; a change of any other room leaves them as they are.
TABLE_ROOMS = ("models", "ingestion", "dbt_project")
ROOMS = ("models", "ingestion", "expectations", "dbt_project", "ml", "workbench", "orchestration")


@cache
def code_version() -> str:
    """The distribution's version and a hash over its files, so that an altered checkout shows."""
    return f"{importlib.metadata.version('zhaoren')}+{_fingerprint(ROOMS)[:12]}"


@cache
def _fingerprint(rooms: tuple[str, ...]) -> str:
    """SHA-256 over names and contents of the files of some rooms."""
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in {".py", ".sql", ".yaml", ".yml", ".csv"}:
                digest.update(str(path.relative_to(ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def basis_versions(home: DataHome) -> dict[str, str]:
    """What tables are made with, apart from deliveries; where one differs, all months are built anew."""
    pseudonyms = written_with(home.root).get("pseudonym", {}).get("key_id", "")
    return {
        "code": _fingerprint(TABLE_ROOMS),
        "policy": current_policy_version(),
        "pseudonym key": f"{pseudonyms} {home.settings().pseudonym_algorithm}",
    }


def current_policy_version() -> str:
    """Hash over parameters, indicators and benefits."""
    return policy_version()
