"""The dbt models as assets: first what is known of people and households, then, after scoring, what follows from it.

Belongs here: the two dbt builds, and the publication of their tables to readers. SQL belongs to ``dbt_project``.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.home.published import publish
from orchestration.resources import WAREHOUSE_POOL, HomeResource
from orchestration.trail.openlineage import add_events
from orchestration.warehouse.dbt import TARGET
from orchestration.warehouse.dbt_assets import WarehouseTranslator
from orchestration.warehouse.inspection import inspect_generation

# Before scoring: what is known. After it: what follows (monitoring reads the scores).
KNOWN_LAYERS = ("staging", "identity", "indicators")
DERIVED_LAYERS = ("monitoring", "alerts", "statistics", "quality")
PUBLISHED = dg.AssetKey(["published", "tables"])


def _selection(layers: tuple[str, ...]) -> str:
    return " ".join(f"fqn:zhaoren.{layer}.*" for layer in layers)


def dbt_build(name: str, manifest: Path, layers: tuple[str, ...]) -> dg.AssetsDefinition:
    """One dbt build over some layers; each model is an asset, each dbt test an asset check."""

    @dbt_assets(
        manifest=manifest,
        select=_selection(layers),
        name=name,
        dagster_dbt_translator=WarehouseTranslator(),
        pool=WAREHOUSE_POOL,
        # A run that was killed may leave a dbt that still holds the file for a moment.
        retry_policy=dg.RetryPolicy(max_retries=1, delay=10),
    )
    def build(context: dg.AssetExecutionContext, dbt: DbtCliResource, home: HomeResource) -> Iterator[object]:
        target = home.home.dbt / TARGET
        # A test that also reads a later layer waits for the build of that layer.
        # Unit tests prove the code, not the data: they belong to the project's tests, not to every run.
        selection = ["--indirect-selection", "buildable", "--exclude-resource-type", "unit_test"]
        # What is built for the second time was tested when it was published.
        selection += ["--exclude-resource-type", "test"] if home.home.past_mark.is_file() else []
        # Where all months are built anew, tables are made anew too: their columns may have changed.
        whole = ["--full-refresh"] if home.plan.is_full else []
        # What each dbt would write besides: its results (Dagster has them), the manifest (made before), a log of SQL.
        silent = ["--no-use-colors", "--no-write-json", "--log-level-file", "none"]
        command = ["build", *silent, *selection, *whole]
        yield from dbt.cli(command, context=context, target_path=target).stream()

    return build


def exposed_models(manifest: Path) -> dict[str, str]:
    """Tables that readers may see, by name, with their schema: the models with ``access: public``."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model" and node["access"] == "public"]
    return {node["name"]: node["schema"] for node in sorted(models, key=lambda node: str(node["name"]))}


def published_tables(manifest: Path) -> dg.AssetsDefinition:
    """Everything that readers see, published in one step at the end."""
    exposed = exposed_models(manifest)

    @dg.asset(
        key=PUBLISHED,
        deps=[dg.AssetKey([schema, name]) for name, schema in exposed.items()],
        group_name="published",
        kinds={"duckdb", "parquet"},
        owners=["team:data_engineering"],
        pool=WAREHOUSE_POOL,
        description="The exposed tables of the warehouse as Parquet: exports, lists and reports read these, "
        "never the warehouse file.",
    )
    def publish_tables(home: HomeResource) -> dg.MaterializeResult[None]:
        now = home.now()
        counts = publish(home.home, exposed, lambda folder: inspect_generation(home.home, folder, now))
        add_events(home.home, manifest, home.plan.as_of, counts)
        return dg.MaterializeResult(metadata={name: dg.MetadataValue.int(count) for name, count in counts.items()})

    return publish_tables
