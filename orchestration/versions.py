"""Which code and which policy made a result; kept with every run."""

from __future__ import annotations

import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path

from models.policy import policy_version

ROOT = Path(__file__).parent.parent
ROOMS = ("models", "ingestion", "expectations", "dbt_project", "ml", "workbench", "orchestration")


@cache
def code_version() -> str:
    """The distribution's version and a hash over its files, so that an altered checkout shows."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in {".py", ".sql", ".yaml", ".yml", ".csv"}:
                digest.update(str(path.relative_to(ROOT)).encode())
                digest.update(path.read_bytes())
    return f"{importlib.metadata.version('zhaoren')}+{digest.hexdigest()[:12]}"


def current_policy_version() -> str:
    """Hash over parameters, indicators and benefits."""
    return policy_version()
