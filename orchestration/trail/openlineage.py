"""What a run made of what, as OpenLineage events in a file of the data home: one line an event, nothing is sent.

Belongs here: the form of the events (specification 2-0-2). Which model follows which is in dbt's manifest.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.home.settings import DataHome

# A name and no address: the project has no place of its own on the net that could be named here.
NAME = "urn:zhaoren"
PRODUCER = f"{NAME}:{importlib.metadata.version('zhaoren')}"
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
STATISTICS = (
    "https://openlineage.io/spec/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json"
    "#/$defs/OutputStatisticsOutputDatasetFacet"
)
NAMESPACE = "zhaoren"
# Runs of the same plan and table get the same id, so that a step done again replaces itself for a reader.
IDS = uuid.uuid5(uuid.NAMESPACE_URL, NAME)


def lineage_file(home: DataHome) -> Path:
    """Where the events lie."""
    return home.root / "lineage" / "openlineage.ndjson"


def add_events(home: DataHome, manifest: Path, as_of: datetime, counts: Mapping[str, int]) -> int:
    """Add the events of a publication: every model with what it was made of, and every published table; how many."""
    file = lineage_file(home)
    file.parent.mkdir(exist_ok=True)
    told = json.loads(manifest.read_text(encoding="utf-8"))
    lines = [json.dumps(event, ensure_ascii=False, sort_keys=True) for event in events(told, as_of, counts)]
    with file.open("a", encoding="utf-8") as out:
        out.write("".join(f"{line}\n" for line in lines))
        out.flush()
        os.fsync(out.fileno())
    return len(lines)


def events(manifest: Mapping[str, Any], as_of: datetime, counts: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """COMPLETE events in the order of names; ``counts`` are the rows of published tables."""
    nodes = {**manifest["sources"], **manifest["nodes"]}
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    run = as_of.astimezone(UTC).isoformat()
    for key in sorted(models):
        above = sorted({_dataset(nodes[up]) for up in manifest["parent_map"].get(key, ()) if up in nodes})
        own = _dataset(models[key])
        yield _event(f"dbt.{own}", run, above, own, None)
        if models[key]["name"] in counts:
            name = models[key]["name"]
            yield _event(f"publish.{name}", run, [own], f"published.{name}", counts[name])


def _dataset(node: Mapping[str, Any]) -> str:
    """Layer and table, as Dagster's asset keys have them."""
    return f"{node['source_name'] if node['resource_type'] == 'source' else node['schema']}.{node['name']}"


def _event(job: str, run: str, inputs: list[str], output: str, rows: int | None) -> dict[str, Any]:
    made: dict[str, Any] = {"namespace": NAMESPACE, "name": output}
    if rows is not None:
        facet = {"_producer": PRODUCER, "_schemaURL": STATISTICS, "rowCount": rows}
        made["outputFacets"] = {"outputStatistics": facet}
    return {
        "eventType": "COMPLETE",
        "eventTime": datetime.now(UTC).isoformat(),
        "producer": PRODUCER,
        "schemaURL": SCHEMA,
        "run": {"runId": str(uuid.uuid5(IDS, f"{run} {job}"))},
        "job": {"namespace": NAMESPACE, "name": job},
        "inputs": [{"namespace": NAMESPACE, "name": name} for name in inputs],
        "outputs": [made],
    }
