"""The lineage file: events as the specification demands them, with the edges that dbt has.

The classes of the OpenLineage client are generated from the published specification: an event built with them from the
same facts must be ours, field by field.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState, set_producer
from openlineage.client.facet_v2 import output_statistics_output_dataset
from openlineage.client.serde import Serde

from orchestration.home.settings import DataHome
from orchestration.trail.openlineage import PRODUCER, add_events, events, lineage_file

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


def as_the_client_has_it(event: dict[str, Any]) -> dict[str, Any]:
    """The same event built with the client's classes; they refuse what is no UUID, no time and no URI."""
    set_producer(PRODUCER)
    (output,) = event["outputs"]
    rows = output.get("outputFacets", {}).get("outputStatistics", {}).get("rowCount")
    facet = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
    facets = {"outputStatistics": facet} if rows is not None else {}
    built = RunEvent(
        eventTime=event["eventTime"],
        run=Run(runId=event["run"]["runId"]),
        job=Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
        eventType=RunState.COMPLETE,
        inputs=[InputDataset(namespace=one["namespace"], name=one["name"]) for one in event["inputs"]],
        outputs=[OutputDataset(namespace=output["namespace"], name=output["name"], outputFacets=facets)],
        producer=PRODUCER,
    )
    return without_nothing(json.loads(Serde.to_json(built)))


def without_nothing(told: Any) -> Any:
    """Without empty maps: the client writes one for each kind of facet."""
    if isinstance(told, dict):
        return {name: without_nothing(value) for name, value in told.items() if value != {}}
    return [without_nothing(one) for one in told] if isinstance(told, list) else told


def test_events_fit_the_specification_and_carry_the_edges() -> None:
    told = list(events(MANIFEST, AS_OF, {"person": 7}))
    for event in told:
        assert as_the_client_has_it(event) == event
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
