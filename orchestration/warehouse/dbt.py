"""How dbt is called: its environment for one data home, and its manifest.

Belongs here: what every command has to know of dbt. What Dagster has to know of it is in ``dbt_assets``, so that a
command which asks for a word of help does not load Dagster first. SQL belongs to ``dbt_project``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ingestion.lock import alone
from orchestration.home.machine import spill_folder
from orchestration.home.settings import DataHome

PROJECT = Path(__file__).parents[2] / "dbt_project"
# dbt leaves its logs and compiled SQL in the data home, never in the project.
TARGET, LOGS, FINGERPRINT, PARSE_LOCK = "target", "logs", "project.sha256", "parse.lock"
PARSE_SECONDS = 600.0


class DbtError(RuntimeError):
    """dbt could not read its project; carries what dbt said (never values of rows)."""


def dbt_environment(home: DataHome) -> dict[str, str]:
    """Environment variables with which dbt finds the data home; no telemetry."""
    settings = home.settings()
    # A scratch home is gone before anybody reads its log, and writing that is a sixth of what dbt costs.
    quiet = {"DBT_LOG_LEVEL_FILE": "none"} if home.past_mark.is_file() else {}
    return quiet | {
        "ZHAOREN_WAREHOUSE": str(home.warehouse),
        "ZHAOREN_LAKE": str(home.lake),
        "ZHAOREN_REFERENCE": str(home.reference),
        "ZHAOREN_THREADS": str(settings.limits.threads),
        "ZHAOREN_MEMORY_LIMIT": settings.limits.memory_limit,
        "ZHAOREN_SPILL": str(spill_folder(home)),
        "DBT_TARGET_PATH": str(home.dbt / TARGET),
        "DBT_LOG_PATH": str(home.dbt / LOGS),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def prepared_manifest(home: DataHome) -> Path:
    """The manifest of the dbt project, made anew where a file of the project has changed since.

    It is not the one in dbt's own folder: each build writes that one anew, while another run may be reading it.
    """
    manifest, current = manifest_file(home), project_fingerprint()
    if not _is_prepared(home, current):
        with alone(home.dbt / PARSE_LOCK, PARSE_SECONDS):
            if not _is_prepared(home, current):
                _parse(home)
                aside = manifest.with_suffix(".aside")
                shutil.copyfile(home.dbt / TARGET / manifest.name, aside)
                aside.replace(manifest)
                (home.dbt / FINGERPRINT).write_text(current)
    return manifest


def manifest_file(home: DataHome) -> Path:
    """Where the manifest lies, once it was prepared."""
    return home.dbt / "manifest.json"


def _is_prepared(home: DataHome, current: str) -> bool:
    fingerprint = home.dbt / FINGERPRINT
    return manifest_file(home).is_file() and fingerprint.is_file() and fingerprint.read_text() == current


def project_fingerprint() -> str:
    """SHA-256 over names and contents of the files of the dbt project."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*")):
        if path.suffix in {".sql", ".yml", ".yaml", ".csv"}:
            digest.update(str(path.relative_to(PROJECT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _parse(home: DataHome) -> None:
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "--no-use-colors", "parse"]
    environment = {**os.environ, **dbt_environment(home)}
    result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DbtError(f"dbt parse: {result.stdout.strip()[-2000:]}{result.stderr.strip()[-500:]}")
