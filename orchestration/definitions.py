"""The Dagster definitions of the project: wiring, and nothing else.

``dagster dev -m orchestration.definitions`` (or ``zhaoren dagster``) opens them on the data home of ZHAOREN_HOME.
"""

import json
from pathlib import Path

import dagster as dg

from orchestration.assets.deliveries import DELIVERY_ASSETS, DELIVERY_CHECKS
from orchestration.assets.feeds import GROUP as FEED_GROUP
from orchestration.assets.feeds import feed_assets
from orchestration.assets.model import MODEL_ASSETS, MODEL_CHECKS, risk_model, training_tables
from orchestration.assets.outputs import OUTPUT_ASSETS
from orchestration.assets.people_lists import PEOPLE_ASSETS
from orchestration.assets.reports import REPORT_ASSETS
from orchestration.assets.sources import fetch_deliveries
from orchestration.assets.warehouse import DERIVED_LAYERS, KNOWN_LAYERS, dbt_build, published_tables
from orchestration.automation import (
    INGEST_JOB,
    MONTH_JOB,
    TRAIN_JOB,
    inbox_sensor,
    monthly_schedule,
    source_sensor,
    yearly_retraining,
)
from orchestration.feeds.intake import NOT_TAKEN, Taken
from orchestration.home.settings import DataHome, find_home
from orchestration.home.turn import HomeInTurn
from orchestration.instance import TURN_TAG
from orchestration.resources import HomeResource
from orchestration.runner import step_logger
from orchestration.warehouse.dbt import prepared_manifest
from orchestration.warehouse.dbt_assets import dbt_resource


def left_out_of_past(home: DataHome) -> list[dg.AssetKey]:
    """Steps that a rebuild does not do, since the run that it repeats did not do them for that month either."""
    if not home.past_mark.is_file():
        return []
    return [dg.AssetKey(name.split("/")) for name in json.loads(home.past_mark.read_text(encoding="utf-8"))]


def build_definitions(home: DataHome, inbox: Path | None = None, taken: Taken = NOT_TAKEN) -> dg.Definitions:
    """Assets, jobs, sensors, schedules and resources for one data home; ``taken``: what was taken in before."""
    manifest = prepared_manifest(home.create())
    feed_steps = feed_assets()
    warehouse = [
        dbt_build("known_facts", manifest, KNOWN_LAYERS),
        dbt_build("derived_facts", manifest, DERIVED_LAYERS),
        published_tables(manifest),
    ]
    feeds = dg.AssetSelection.groups(FEED_GROUP).without_checks() | dg.AssetSelection.checks(*feed_steps)
    after_feeds = (dg.AssetSelection.all() - dg.AssetSelection.groups(FEED_GROUP)) | dg.AssetSelection.checks(
        *DELIVERY_CHECKS
    )
    left_out = dg.AssetSelection.assets(*left_out_of_past(home))
    return dg.Definitions(
        asset_checks=[*DELIVERY_CHECKS, *MODEL_CHECKS],
        assets=[
            *feed_steps,
            *DELIVERY_ASSETS,
            *warehouse,
            *MODEL_ASSETS,
            *OUTPUT_ASSETS,
            *PEOPLE_ASSETS,
            *REPORT_ASSETS,
        ],
        jobs=[
            dg.define_asset_job(INGEST_JOB, selection=feeds, description="Deliveries of the inbox into the lake."),
            dg.define_asset_job(
                MONTH_JOB, selection=after_feeds - left_out, tags=TURN_TAG, description="Lake to lists."
            ),
            fetch_deliveries,
            dg.define_asset_job(
                TRAIN_JOB, selection=dg.AssetSelection.assets(training_tables, risk_model), tags=TURN_TAG
            ),
        ],
        # Steps of a run share a process, so that a run keeps its turn from its first step to its last; what may go on
        # side by side are runs.
        executor=dg.in_process_executor,
        sensors=[inbox_sensor, source_sensor],
        schedules=[monthly_schedule, yearly_retraining],
        resources={
            "home": HomeInTurn(root=str(home.root)),
            "intake": HomeResource(
                root=str(home.root), inbox=str(inbox) if inbox else None, taken_at=taken.at, lost=dict(taken.lost)
            ),
            "dbt": dbt_resource(),
        },
        loggers={"zhaoren": step_logger, "console": dg.colored_console_logger},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_definitions(find_home())
