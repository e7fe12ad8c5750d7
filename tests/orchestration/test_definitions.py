"""The asset graph as Dagster loads it: what there is, who follows whom, what starts by itself."""

import os
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from models.contract import load_feeds
from orchestration.assets.deliveries import expectation_results
from orchestration.assets.feeds import check_results, feed_key, feed_spec, materializations
from orchestration.assets.model import training_due
from orchestration.automation import SETTLED_SECONDS, inbox_fingerprint
from orchestration.definitions import build_definitions
from orchestration.home.settings import DataHome

GROUPS = {
    "feeds", "checks", "reference", "staging", "identity", "indicators", "model", "monitoring", "alerts", "statistics",
    "quality", "published", "outputs",
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(DataHome(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    return list(definitions.resolve_all_asset_specs())


def test_every_feed_is_an_asset_with_months_owner_and_freshness(specs: list[dg.AssetSpec]) -> None:
    by_key = {spec.key: spec for spec in specs}
    for feed in load_feeds().values():
        spec = by_key[feed_key(feed.name)]
        assert spec.partitions_def is not None
        assert spec.owners == [f"team:{feed.department}"]
        assert isinstance(spec.freshness_policy, type(feed_spec(feed).freshness_policy))
        assert feed.title_zh in (spec.description or "")


def test_every_asset_has_a_group_an_owner_a_kind_and_a_description(specs: list[dg.AssetSpec]) -> None:
    assert {spec.group_name for spec in specs} == GROUPS
    for spec in specs:
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert spec.description, spec.key


def test_the_way_leads_from_the_lake_to_the_lists(specs: list[dg.AssetSpec]) -> None:
    above: dict[dg.AssetKey, set[dg.AssetKey]] = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs}

    def ancestors(key: dg.AssetKey) -> set[dg.AssetKey]:
        found: set[dg.AssetKey] = set()
        open_keys = [key]
        while open_keys:
            new = above.get(open_keys.pop(), set()) - found
            found |= new
            open_keys += new
        return found

    lists = ancestors(dg.AssetKey(["outputs", "township_lists"]))
    for path in (["lake", "medical_settlement"], ["checks", "delivery_check"], ["model", "household_score"]):
        assert dg.AssetKey(path) in lists
    assert dg.AssetKey(["indicators", "household_month_feature"]) in ancestors(dg.AssetKey(["model", "risk_model"]))
    assert dg.AssetKey(["model", "household_score"]) in ancestors(dg.AssetKey(["monitoring", "n30_model_score"]))


def test_jobs_sensor_and_schedules(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert {"fetch_deliveries", "ingest_deliveries", "bring_up_to_date", "retrain"} <= {
        job.name for job in repository.get_all_jobs()
    }
    assert [sensor.name for sensor in repository.sensor_defs] == ["inbox_sensor", "source_sensor"]
    assert {item.name: item.cron_schedule for item in repository.schedule_defs} == {
        "monthly": "0 3 11 * *",
        "yearly_retraining": "0 1 15 2 *",
    }


def test_everything_that_opens_the_warehouse_file_takes_its_place_in_the_pool(definitions: dg.Definitions) -> None:
    pools = {node.name: node.definition.pools for node in definitions.resolve_job_def("bring_up_to_date").graph.nodes}
    pooled = {name for name, pool in pools.items() if "warehouse" in pool}
    assert pooled == {"known_facts", "derived_facts", "published__tables", "model__training_tables"}


def test_deliveries_need_neither_pool_nor_turn_and_everything_after_them_needs_its_turn(
    definitions: dg.Definitions,
) -> None:
    """`home` is the resource that waits for its turn (``turn``), `intake` the one that does not."""
    for job, needed in (("ingest_deliveries", "intake"), ("fetch_deliveries", "intake"), ("bring_up_to_date", "home")):
        nodes = definitions.resolve_job_def(job).graph.nodes
        for node in nodes:
            keys = set(node.definition.required_resource_keys) & {"intake", "home"}  # type: ignore[attr-defined]
            assert keys <= {needed}, node.name
            assert job == "bring_up_to_date" or not node.definition.pools, node.name
    for job in ("bring_up_to_date", "retrain"):
        assert definitions.resolve_job_def(job).tags["zhaoren/turn"] == "warehouse"


DELIVERIES = pl.DataFrame(
    {
        "status": ["accepted", "accepted", "held", "rejected"],
        "period": ["2024-01", "2024-03", "2024-04", None],
        "reason": [None, None, "too_many_bad_rows", "unreadable"],
        "rows_data": [10, 5, 4, 0],
        "rows_accepted": [9, 5, 1, 0],
        "rows_quarantined": [1, 0, 3, 0],
    }
)


def test_only_months_that_an_accepted_delivery_filled_are_materialised() -> None:
    months = [event.partition for event in materializations(feed_key("death_record"), DELIVERIES)]
    assert months == ["2024-01-01", "2024-03-01"]


def test_a_row_that_is_lost_and_a_file_that_is_held_fail_their_checks() -> None:
    balance, usable = check_results(feed_key("death_record"), DELIVERIES)
    assert balance.passed
    assert not usable.passed
    lossy = DELIVERIES.with_columns(rows_accepted=pl.col("rows_accepted") - 1)
    assert not next(iter(check_results(feed_key("death_record"), lossy))).passed


def test_the_checks_of_a_feed_show_at_the_feed() -> None:
    columns = ["feed_or_table", "state", "class", "check_id"]
    found = [
        ("death_record", "failed", "mandatory", "a"),
        ("income_tax", "failed", "verifying", "b"),
        ("price_index", "passed", "mandatory", "c"),
    ]
    results = {
        check.asset_key: check for check in expectation_results(pl.DataFrame(found, schema=columns, orient="row"))
    }
    assert results[feed_key("death_record")].severity == dg.AssetCheckSeverity.ERROR
    assert results[feed_key("income_tax")].severity == dg.AssetCheckSeverity.WARN
    assert not results[feed_key("income_tax")].passed
    assert results[feed_key("price_index")].passed
    assert len(results) == len(load_feeds())


def test_a_folder_that_is_still_changing_starts_no_run(tmp_path: Path) -> None:
    file = tmp_path / "202401.csv"
    file.write_text("a", encoding="utf-8")
    os.utime(file, (1_000_000, 1_000_000))
    assert inbox_fingerprint(tmp_path, 1_000_000 + SETTLED_SECONDS - 1) == ""
    settled = inbox_fingerprint(tmp_path, 1_000_000 + SETTLED_SECONDS + 1)
    assert settled
    os.utime(file, (1_000_001, 1_000_001))
    assert inbox_fingerprint(tmp_path, 2_000_000) != settled
    assert inbox_fingerprint(tmp_path / "nowhere", 2_000_000) == ""


def test_training_is_due_while_no_model_is_in_force(tmp_path: Path) -> None:
    assert training_due(tmp_path, date(2024, 1, 1), 12)
