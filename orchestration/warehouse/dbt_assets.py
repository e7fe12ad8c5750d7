"""dbt's models in Dagster: the command as a resource, keys, groups and owners of the assets.

Belongs here: everything that Dagster has to know of dbt. How dbt is called for a data home is in ``dbt``.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource
from packaging import version

from orchestration.warehouse.dbt import PROJECT

# Which asset publishes a table of the source `reference`; all other tables come from models and ingestion.
REFERENCE_ASSETS = {
    "household_score": dg.AssetKey(["model", "household_score"]),
    "check_result": dg.AssetKey(["checks", "delivery_check"]),
    "check": dg.AssetKey(["checks", "delivery_check"]),
    "rule_count": dg.AssetKey(["checks", "delivery_check"]),
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
    "check_waiver",
    "check_explanation",
    "run",
)


class OfflineDbt(DbtCliResource):
    """The dbt command, whose version is read from what is installed.

    Dagster asks ``dbt --version`` for it, and that command asks the package index for the newest one: it was the only
    attempt of a run to reach another machine.
    """

    @cached_property
    def _cli_version(self) -> version.Version:
        return version.parse(importlib.metadata.version("dbt-core"))


def dbt_resource() -> DbtCliResource:
    """The dbt command for Dagster; its environment is that of the process."""
    return OfflineDbt(
        project_dir=str(PROJECT), profiles_dir=str(PROJECT), dbt_executable=str(Path(sys.executable).parent / "dbt")
    )


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
