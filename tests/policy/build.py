"""The city of the cases, taken in and built: what a run does, without checks, model and lists.

Belongs here: the steps from an inbox to the tables of the rules.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from expectations import ensure_tables
from ingestion import Store, Vault, ingest, publish
from ml import write_scores
from ml.scorer import SCORE_SCHEMA
from models.contract import load_feeds
from models.publish import publish_reference
from orchestration.decisions.alerts import ensure_alert_life
from orchestration.home.given import ensure_given
from tests.dbt_project.conftest import dbt
from tests.policy.deliveries import FIRST_MONTH, LAST_MONTH, persons, write_inbox

NOW = datetime(2024, 7, 20, tzinfo=UTC)
LAYERS = ("staging", "identity", "indicators", "monitoring", "alerts", "statistics", "quality")
# Their data tests run on the tiny city (tests/dbt_project); those of rules, alerts and figures have a city only here.
TESTED_ELSEWHERE = [f"{layer},resource_type:test" for layer in ("staging", "identity", "indicators")]


def built_city(folder: Path) -> tuple[Path, dict[str, str]]:
    """The data home with its warehouse, and the person key of every ID number of the cases.

    dbt's unit tests and the data tests of the later layers run along; one that fails ends it all and is named.
    """
    home = folder / "home"
    write_inbox(folder / "inbox")
    store = Store.open(home)
    entered = ingest(folder / "inbox", store, load_feeds(), NOW)
    refused = [(item.feed, item.period, item.status, item.reason) for item in entered if item.status != "accepted"]
    lost = [(item.feed, item.period, item.quarantined_by_reason) for item in entered if item.rows_quarantined]
    blanked = [(item.feed, item.cell_defects_by_reason) for item in entered if item.cell_defects_by_reason]
    assert entered
    assert (refused, lost, blanked) == ([], [], [])
    publish(store, load_feeds(), NOW)
    ensure_tables(store.reference)
    ensure_given(store.reference)
    ensure_alert_life(store.reference)
    publish_reference(store.reference, FIRST_MONTH, LAST_MONTH)
    write_scores(pl.DataFrame(schema=SCORE_SCHEMA), store.reference / "household_score.parquet")
    months = {"first_month": [FIRST_MONTH], "last_month": [LAST_MONTH], "rebuild_from": [FIRST_MONTH]}
    pl.DataFrame(months).write_parquet(store.reference / "run.parquet")
    outcome = dbt(home, "build", "--select", *LAYERS, "--exclude", *TESTED_ELSEWHERE)
    assert outcome.returncode == 0, outcome.stdout[-6000:]
    numbers = sorted(person["id_number"] for person in persons().values())
    keys = Vault(store).person_keys_of(numbers)
    return home, dict(zip(keys["id_number"], keys["person_key"], strict=True))
