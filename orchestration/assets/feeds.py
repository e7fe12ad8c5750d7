"""One asset a feed: the deliveries that lie in the inbox, taken into the lake. A month is a partition.

Belongs here: calling ingestion and showing what it did. What becomes of a file is decided in ``ingestion``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg
import polars as pl

from ingestion import Delivery, ingest
from models.calendar import ZONE_NAME
from models.contract import Feed, load_feeds
from orchestration.feeds.deliveries import frame_of
from orchestration.feeds.sources import take_in_landed
from orchestration.home.stores import ledger_of, store_of
from orchestration.resources import HomeResource

GROUP = "feeds"
FIRST_MONTH = "2015-01-01"
MONTHS = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH, timezone=ZONE_NAME, end_offset=1)
# A share that is not mounted or a full disk may be well again soon; a bad file never raises.
RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)

ROWS_BALANCE = "rows_balance"
ALL_USABLE = "all_deliveries_usable"


def feed_key(feed: str) -> dg.AssetKey:
    """Key of the asset of a feed."""
    return dg.AssetKey(["lake", feed])


def freshness(feed: Feed) -> dg.FreshnessPolicy:
    """Due by the end of the contract's day of the following month."""
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"0 0 {feed.due_day + 1} * *", lower_bound_delta=timedelta(days=feed.due_day), timezone=ZONE_NAME
    )


def feed_spec(feed: Feed) -> dg.AssetSpec:
    """How the asset of a feed shows itself; nothing is said here that the contract does not say."""
    columns = dg.TableSchema(columns=[dg.TableColumn(field.name, field.type) for field in feed.lake_fields])
    return dg.AssetSpec(
        key=feed_key(feed.name),
        description=f"{feed.title_zh} · {feed.title_en}: {feed.grain} ({feed.mode}, {feed.frequency})",
        group_name=GROUP,
        owners=[f"team:{feed.department}"],
        kinds={"polars", "parquet"},
        metadata={"dagster/column_schema": columns, "contract_version": feed.version, "due_day": feed.due_day},
        freshness_policy=freshness(feed),
        # A feed without a new delivery is not materialised: its freshness stays honest.
        skippable=True,
    )


def feed_asset(feed: Feed) -> dg.AssetsDefinition:
    """The asset of one feed with its two contract checks."""
    key = feed_key(feed.name)

    @dg.multi_asset(
        name=f"ingest_{feed.name}",
        specs=[feed_spec(feed)],
        partitions_def=MONTHS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        check_specs=[
            dg.AssetCheckSpec(ROWS_BALANCE, asset=key, description="Data rows = accepted + quarantined rows."),
            dg.AssetCheckSpec(ALL_USABLE, asset=key, description="No delivery of this run was rejected or held."),
        ],
    )
    def ingest_feed(context: dg.AssetExecutionContext, intake: HomeResource) -> Iterator[dg.AssetCheckResult]:
        deliveries = take_in(intake, feed.name)
        for materialization in materializations(key, deliveries):
            context.log_event(materialization)
        yield from check_results(key, deliveries)

    return ingest_feed


def take_in(home: HomeResource, feed: str) -> pl.DataFrame:
    """Take in what lies in the feed's folders of the inbox and of the landings; the new deliveries, those that were
    taken in just before this run included.
    """
    if feed in home.lost:
        raise dg.Failure(home.lost[feed], allow_retries=False)
    taken = taken_before(home, feed)
    if taken is None:
        taken = ingest(home.inbox_folder, store_of(home.home), load_feeds(), home.now(), only_feed=feed)
    return frame_of([*taken, *take_in_landed(home.home, feed)])


def taken_before(home: HomeResource, feed: str) -> list[Delivery] | None:
    """What was entered of the feed when feeds were taken in side by side; None where they were not."""
    if home.taken_at is None:
        return None
    moment = datetime.fromisoformat(home.taken_at)
    return [item for item in ledger_of(home.home).deliveries(feed) if item.ingested_at == moment]


def materializations(key: dg.AssetKey, deliveries: pl.DataFrame) -> Iterator[dg.AssetMaterialization]:
    """One materialisation for each month that an accepted delivery of this run filled."""
    accepted = deliveries.filter(pl.col("status") == "accepted")
    for (period,), rows in accepted.sort("period").group_by("period", maintain_order=True):
        counts = {name: int(rows[name].sum()) for name in ("rows_data", "rows_accepted", "rows_quarantined")}
        yield dg.AssetMaterialization(key, partition=f"{period}-01", metadata={"deliveries": rows.height, **counts})


def check_results(key: dg.AssetKey, deliveries: pl.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """The two checks over the deliveries of this run; with none there is nothing to fail."""
    counted = deliveries.filter(pl.col("status").is_in(["accepted", "held"]))
    off = counted.filter(pl.col("rows_data") != pl.col("rows_accepted") + pl.col("rows_quarantined")).height
    yield dg.AssetCheckResult(
        passed=off == 0, asset_key=key, check_name=ROWS_BALANCE, metadata={"checked": counted.height, "off": off}
    )
    unusable = deliveries.filter(pl.col("status").is_in(["rejected", "held"]))
    reasons = unusable["reason"].value_counts().iter_rows()
    yield dg.AssetCheckResult(
        passed=unusable.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        asset_key=key,
        check_name=ALL_USABLE,
        metadata={"checked": deliveries.height, **{str(reason): count for reason, count in reasons}},
    )


def feed_assets() -> list[dg.AssetsDefinition]:
    """One asset for each contract; a new contract is a new asset."""
    return [feed_asset(feed) for feed in load_feeds().values()]
