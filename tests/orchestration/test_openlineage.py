"""The lineage file: events as the specification demands them, with the edges that dbt has.

The shape below is the required part of RunEvent in the OpenLineage specification 2-0-2, written here since a test may
not fetch it.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from orchestration.openlineage import add_events, events, lineage_file
from orchestration.settings import DataHome

NAMED = {
    "type": "object",
    "required": ["namespace", "name"],
    "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}},
}
FACET = {"type": "object", "required": ["_producer", "_schemaURL"]}
RUN_EVENT = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string"},
        "producer": {"type": "string", "pattern": "^https?://"},
        "schemaURL": {"type": "string", "pattern": "^https://openlineage.io/spec/"},
        "run": {"type": "object", "required": ["runId"]},
        "job": NAMED,
        "inputs": {"type": "array", "items": NAMED},
        "outputs": {
            "type": "array",
            "items": {
                **NAMED,
                "properties": {"outputFacets": {"type": "object", "additionalProperties": FACET}},
            },
        },
    },
}
MANIFEST: dict[str, Any] = {
    "sources": {"s": {"resource_type": "source", "source_name": "lake", "schema": "x", "name": "death_record"}},
    "nodes": {
        "a": {"resource_type": "model", "schema": "staging", "name": "stg"},
        "b": {"resource_type": "model", "schema": "identity", "name": "person"},
        "t": {"resource_type": "test", "schema": "tests", "name": "unique"},
    },
    "parent_map": {"a": ["s"], "b": ["a"], "t": ["b"]},
}
AS_OF = datetime(2024, 4, 12, tzinfo=UTC)


def test_events_fit_the_specification_and_carry_the_edges() -> None:
    told = list(events(MANIFEST, AS_OF, {"person": 7}))
    for event in told:
        Draft202012Validator(RUN_EVENT).validate(event)
        assert uuid.UUID(event["run"]["runId"])
        assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    edges = [([one["name"] for one in event["inputs"]], event["outputs"][0]["name"]) for event in told]
    assert edges == [
        (["lake.death_record"], "staging.stg"),
        (["staging.stg"], "identity.person"),
        (["identity.person"], "published.person"),
    ]
    assert told[-1]["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 7


def test_a_step_done_again_has_the_same_run_and_is_added(tmp_path: Path) -> None:
    home, manifest = DataHome(tmp_path), tmp_path / "manifest.json"
    manifest.write_text(json.dumps(MANIFEST), encoding="utf-8")
    assert add_events(home, manifest, AS_OF, {}) == 2
    assert add_events(home, manifest, AS_OF, {}) == 2
    runs = [json.loads(line)["run"]["runId"] for line in lineage_file(home).read_text(encoding="utf-8").splitlines()]
    assert runs[:2] == runs[2:]
    assert len(set(runs)) == 2
