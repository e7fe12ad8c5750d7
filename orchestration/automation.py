"""When runs start by themselves: a file arrives, a month is over, a year is over.

Belongs here: sensors and schedules. What a run does is in ``assets``.
"""

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from ingestion.source import landing_folders
from models.calendar import ZONE_NAME
from models.contract import load_feeds
from orchestration.assets.feeds import ALL_USABLE, FIRST_MONTH, ROWS_BALANCE, feed_key
from orchestration.assets.sources import FETCH_JOB, FETCH_STEP
from orchestration.feeds.sources import due_sources
from orchestration.resources import HomeResource
from orchestration.runner import PARTITION_RANGE_TAGS

INGEST_JOB, MONTH_JOB, TRAIN_JOB = "ingest_deliveries", "bring_up_to_date", "retrain"
SENSOR_SECONDS = 60
SETTLED_SECONDS = 10
# After the usual due day (the 10th), before the office opens.
MONTHLY_CRON, YEARLY_CRON = "0 3 11 * *", "0 1 15 2 *"


def inbox_fingerprint(folder: Path, now: float) -> str:
    """A hash over name, size and time of every file of one feed's folder; empty without any.

    Empty too while a file is still changing (``now`` in seconds since 1970): ingestion would leave it alone, and
    the same fingerprint would never start a second run.
    """
    facts = [(path.name, path.lstat()) for path in sorted(folder.iterdir())] if folder.is_dir() else []
    if not facts or max(fact.st_mtime for _, fact in facts) > now - SETTLED_SECONDS:
        return ""
    lines = "".join(f"{name}\0{fact.st_size}\0{fact.st_mtime_ns}\n" for name, fact in facts)
    return hashlib.sha256(lines.encode()).hexdigest()


@dg.sensor(
    job_name=INGEST_JOB,
    minimum_interval_seconds=SENSOR_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes in a feed as soon as its folder in the inbox or in the landing of a source changes.",
)
def inbox_sensor(context: dg.SensorEvaluationContext, intake: HomeResource) -> Iterator[dg.RunRequest]:
    """One run for each folder of a feed that changed since the last look; the run key makes it one run only."""
    now = intake.now().timestamp()
    inboxes = [intake.inbox_folder, *landing_folders(intake.home.root)]
    for feed, inbox in itertools.product(load_feeds(), inboxes):
        fingerprint = inbox_fingerprint(inbox / feed, now)
        if fingerprint:
            tags = dict.fromkeys(PARTITION_RANGE_TAGS, FIRST_MONTH)
            # The checks of the step itself; those of the month's job are not part of this one.
            checks = [dg.AssetCheckKey(feed_key(feed), name) for name in (ROWS_BALANCE, ALL_USABLE)]
            place = "" if inbox == intake.inbox_folder else f"-{inbox.name}"
            yield dg.RunRequest(
                run_key=f"{feed}{place}-{fingerprint}",
                asset_selection=[feed_key(feed)],
                asset_check_keys=checks,
                tags=tags,
            )
    context.update_cursor(None)


@dg.sensor(
    job_name=FETCH_JOB,
    minimum_interval_seconds=SENSOR_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fetches from each source of zhaoren.toml every so many minutes as it is set there.",
)
def source_sensor(intake: HomeResource) -> Iterator[dg.RunRequest]:
    """One run for each source whose turn has come; the run key makes it one run only."""
    for name, turn in due_sources(intake.home, intake.now()):
        yield dg.RunRequest(run_key=f"{name}-{turn}", run_config={"ops": {FETCH_STEP: {"config": {"source": name}}}})


monthly_schedule = dg.ScheduleDefinition(
    name="monthly",
    job_name=MONTH_JOB,
    cron_schedule=MONTHLY_CRON,
    execution_timezone=ZONE_NAME,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The day after deliveries are due: warehouse, scores, alerts, lists and reports of all open months.",
)

yearly_retraining = dg.ScheduleDefinition(
    name="yearly_retraining",
    job_name=TRAIN_JOB,
    cron_schedule=YEARLY_CRON,
    execution_timezone=ZONE_NAME,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    run_config={"ops": {"model__risk_model": {"config": {"force": True}}}},
    description="Trains the model anew once a year, after the December data is in; a person promotes it.",
)
