"""How dbt is called: its environment for one data home, its manifest, the Dagster names of its models.

Belongs here: everything that Dagster has to know of dbt. SQL belongs to ``dbt_project``.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource

from orchestration.settings import DataHome

PROJECT = Path(__file__).parent.parent / "dbt_project"
# dbt leaves its logs and compiled SQL in the data home, never in the project.
TARGET, LOGS, FINGERPRINT = "target", "logs", "project.sha256"

# Which asset publishes a table of the source `reference`; all other tables come from models and ingestion.
REFERENCE_ASSETS = {
    "household_score": dg.AssetKey(["model", "household_score"]),
    "check_result": dg.AssetKey(["checks", "delivery_check"]),
}
DELIVERY_TABLES = (
    "delivery",
    "delivery_validity",
    "person_key",
    "name_conflict",
    "cell_defect",
    "quarantine_row",
    "household_given",
    "alert_given",
    "alert_transition",
    "run",
)


class DbtError(RuntimeError):
    """dbt could not read its project; carries what dbt said (never values of rows)."""


def dbt_environment(home: DataHome) -> dict[str, str]:
    """Environment variables with which dbt finds the data home; no telemetry."""
    settings = home.settings()
    return {
        "ZHAOREN_WAREHOUSE": str(home.warehouse),
        "ZHAOREN_LAKE": str(home.lake),
        "ZHAOREN_REFERENCE": str(home.reference),
        "ZHAOREN_THREADS": str(settings.limits.threads),
        "ZHAOREN_MEMORY_LIMIT": settings.limits.memory_limit,
        "DBT_TARGET_PATH": str(home.dbt / TARGET),
        "DBT_LOG_PATH": str(home.dbt / LOGS),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def dbt_resource() -> DbtCliResource:
    """The dbt command for Dagster; its environment is that of the process."""
    return DbtCliResource(
        project_dir=str(PROJECT), profiles_dir=str(PROJECT), dbt_executable=str(Path(sys.executable).parent / "dbt")
    )


def prepared_manifest(home: DataHome) -> Path:
    """The manifest of the dbt project, made anew where a file of the project has changed since."""
    target = home.dbt / TARGET
    manifest, fingerprint = target / "manifest.json", home.dbt / FINGERPRINT
    current = project_fingerprint()
    if not manifest.is_file() or not fingerprint.is_file() or fingerprint.read_text() != current:
        _parse(home)
        fingerprint.write_text(current)
    return manifest


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


class WarehouseTranslator(DagsterDbtTranslator):
    """Names of dbt's models in Dagster: key and group by layer, sources by the asset that publishes them."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] != "source":
            return dg.AssetKey([_layer(dbt_resource_props), name])
        if dbt_resource_props["source_name"] == "lake":
            return dg.AssetKey(["lake", name])
        if dbt_resource_props["source_name"] == "lake_rows":
            return dg.AssetKey(["reference", "deliveries"])
        kind = "deliveries" if name in DELIVERY_TABLES else "policy"
        return REFERENCE_ASSETS.get(name, dg.AssetKey(["reference", kind]))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return _layer(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return [f"team:{dbt_resource_props.get('meta', {}).get('owner', 'data_engineering')}"]


def _layer(props: Mapping[str, Any]) -> str:
    """The folder of the model under ``models/`` is its layer."""
    fqn = props.get("fqn", [])
    return str(fqn[1]) if len(fqn) > 2 else "warehouse"
