"""From the lake to what dbt reads of it: deliveries checked, the plan of the run, the reference tables.

Belongs here: calling expectations, ingestion's publication and that of models in their order.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import polars as pl

from expectations import deliveries_to_hold, ensure_tables, validate_deliveries, waived_failures
from ingestion import publish
from ingestion.linkage.proposals import propose
from ingestion.review import CHECK_FAILED, hold
from models.contract import load_feeds
from models.publish import publish_reference
from orchestration.assets.feeds import feed_key
from orchestration.commands.arguments import month_of
from orchestration.decisions.alerts import decisions_since, publish_alert_life
from orchestration.decisions.quality_decisions import QualityDecisions, publish_quality_decisions, waivers_in_force
from orchestration.feeds.deliveries import ledger_frame, released_deliveries
from orchestration.home.generation import (
    ALIAS,
    ALIAS_SCHEMA,
    FOLDER,
    ROW_ALIAS,
    ROW_ALIAS_SCHEMA,
    VALIDITY,
    Basis,
    Rebuild,
    changed_persons,
    facts_since,
    first_told,
    mark_unfinished,
    read_aliases,
    read_basis,
    rebuild_since,
    unfinished_since,
    write_basis,
)
from orchestration.home.given import ensure_given
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of
from orchestration.home.versions import basis_versions, code_version, current_policy_version
from orchestration.resources import HomeResource
from orchestration.trail.archive import keep_inputs
from orchestration.warehouse.run_plan import RunPlan, plan_run, with_rebuild, write_plan

CHECKED_BY = "expectations"
DATA_ENGINEERS = ["team:data_engineering"]
CHECK_KEY = dg.AssetKey(["checks", "delivery_check"])
DELIVERY_KEY = dg.AssetKey(["reference", "deliveries"])
POLICY_KEY = dg.AssetKey(["reference", "policy"])
NO_GRAVE_DEFECT = "no_grave_defect"


class PlanConfig(dg.Config):
    """What to bring up to date; empty texts mean every open month, and now. ``full`` builds all months anew."""

    month: str = ""
    as_of: str = ""
    full: bool = False


@dg.asset(
    key=CHECK_KEY,
    deps=[feed_key(feed) for feed in load_feeds()],
    group_name="checks",
    owners=DATA_ENGINEERS,
    kinds={"greatexpectations"},
    check_specs=[
        dg.AssetCheckSpec(NO_GRAVE_DEFECT, asset=CHECK_KEY, description="No accepted delivery had to be held.")
    ],
    description="Great Expectations over every new delivery; a grave defect holds it and the last good one stands.",
)
def delivery_check(home: HomeResource) -> Iterator[dg.MaterializeResult[None]]:
    """Check new deliveries, hold what is gravely wrong."""
    paths, store, now = home.home, store_of(home.home), home.now()
    ensure_tables(paths.reference)
    publish(store, load_feeds())
    ledger = pl.read_parquet(paths.reference / "delivery.parquet")
    results = validate_deliveries(paths.lake, ledger, load_feeds(), paths.reference, paths.checks, now)
    in_force = waivers_in_force(QualityDecisions(paths.operations), now)
    grave = deliveries_to_hold(results, released_deliveries(paths), waived_failures(results, ledger, in_force))
    for delivery_id, _, check_ids in grave.iter_rows():
        hold(store, delivery_id, f"{CHECK_FAILED}: {', '.join(check_ids)}", CHECKED_BY, now)
    states = {str(state): count for state, count in results["state"].value_counts().iter_rows()}
    check = dg.AssetCheckResult(
        passed=grave.is_empty(),
        check_name=NO_GRAVE_DEFECT,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"held": grave.height},
    )
    yield dg.MaterializeResult(metadata=states, check_results=[check])


@dg.asset(
    key=DELIVERY_KEY,
    deps=[CHECK_KEY],
    group_name="reference",
    owners=DATA_ENGINEERS,
    kinds={"parquet"},
    description="The ledger as of the run: which delivery speaks for which month and district; the months of the run.",
)
def delivery_reference(
    context: dg.AssetExecutionContext, home: HomeResource, config: PlanConfig
) -> dg.MaterializeResult[None]:
    """Write the plan and what the warehouse may know of deliveries."""
    as_of = datetime.fromisoformat(config.as_of) if config.as_of else datetime.now(UTC)
    paths, month = home.home, month_of(config.month or None)
    # Rows without a usable number get a proposed person; a reviewer decides, nothing is applied here.
    propose(store_of(paths), load_feeds())
    publish(store_of(paths), load_feeds(), as_of)
    ensure_given(paths.reference)
    publish_alert_life(home.operations, paths.reference, as_of)
    publish_quality_decisions(paths.operations, paths.reference, as_of)
    chosen = plan_run(ledger_frame(paths), home.operations.months_done(), month, as_of)
    rebuild = planned_rebuild(paths, chosen, full=config.full)
    decided = decisions_since(paths.reference, paths.basis, paths.published / FOLDER)
    plan = replace(with_rebuild(chosen, rebuild, month), decisions_from=decided)
    # Before anything is built: a run that is killed must leave behind what it was about to change.
    mark_unfinished(paths.root, rebuild.since)
    if rebuild.data_since:
        home.operations.reopen(rebuild.data_since)
    write_plan(plan, current_policy_version(), code_version(), paths.plan_file)
    keep_inputs(paths, plan)
    context.log.info(f"months from {plan.rebuild_from:%Y-%m} are built anew: {'; '.join(plan.why) or 'the newest'}")
    return dg.MaterializeResult(
        metadata={
            "last_month": f"{plan.last_month:%Y-%m}",
            "months": len(plan.months),
            "as_of": plan.as_of.isoformat(),
            "rebuild_from": f"{plan.rebuild_from:%Y-%m}",
            "why": list(plan.why),
        }
    )


def planned_rebuild(paths: DataHome, plan: RunPlan, *, full: bool) -> Rebuild:
    """What this run must build anew on top of what is published; keeps the basis of the run for its publication."""
    planned = Basis(
        plan.first_month,
        plan.last_month,
        plan.as_of,
        basis_versions(paths),
        pl.read_parquet(paths.reference / VALIDITY),
        read_aliases(paths.reference / ALIAS, ALIAS_SCHEMA),
        read_aliases(paths.reference / ROW_ALIAS, ROW_ALIAS_SCHEMA),
    )
    write_basis(planned, paths.basis)
    published = read_basis(paths.published / FOLDER) if paths.warehouse.is_file() else None
    merged = changed_persons(published.aliases, planned.aliases) if published else []
    told_of = first_told(paths.lake, load_feeds(), merged)
    unfinished = unfinished_since(paths.root)
    rebuild = rebuild_since(published, planned, unfinished, told_of)
    if full:
        return replace(rebuild, since=plan.first_month, reasons=("all months asked for",))
    facts = facts_since(paths.published / "event_reach.parquet", rebuild.since, unfinished)
    return replace(rebuild, facts_since=facts)


@dg.asset(
    key=POLICY_KEY,
    deps=[DELIVERY_KEY],
    group_name="reference",
    owners=["team:policy"],
    kinds={"yaml", "parquet"},
    description="What SQL reads of models: parameters by region and month, indicators, codes, divisions, working days.",
)
def policy_reference(home: HomeResource) -> dg.MaterializeResult[None]:
    """Publish the shared language for the months of the run."""
    plan = home.plan
    publish_reference(home.home.reference, plan.first_month, plan.last_month)
    return dg.MaterializeResult(metadata={"policy_version": current_policy_version()})


EXPECTATIONS = "expectations"


@dg.multi_asset_check(
    name="feed_expectations",
    specs=[
        dg.AssetCheckSpec(
            EXPECTATIONS,
            asset=feed_key(feed),
            additional_deps=[CHECK_KEY],
            description="What Great Expectations found in the deliveries: counts by state, failed checks by name.",
        )
        for feed in load_feeds()
    ],
)
def feed_expectations(home: HomeResource) -> Iterator[dg.AssetCheckResult]:
    """Show the results of the delivery checks at the feed that they are about."""
    yield from expectation_results(pl.read_parquet(home.home.reference / "check_result.parquet"))


def expectation_results(results: pl.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """One result a feed: failed where a check failed, an error where a mandatory one did."""
    for feed in load_feeds():
        own = results.filter(pl.col("feed_or_table") == feed)
        failed = own.filter(pl.col("state") == "failed")
        mandatory = failed.filter(pl.col("class") == "mandatory").height
        states = {str(state): count for state, count in own["state"].value_counts().iter_rows()}
        names = failed["check_id"].unique().sort().to_list()
        yield dg.AssetCheckResult(
            asset_key=feed_key(feed),
            check_name=EXPECTATIONS,
            passed=failed.is_empty(),
            severity=dg.AssetCheckSeverity.ERROR if mandatory else dg.AssetCheckSeverity.WARN,
            metadata={**states, "failed_checks": names, "mandatory_failed": mandatory},
        )


DELIVERY_ASSETS = [delivery_check, delivery_reference, policy_reference]
DELIVERY_CHECKS = [feed_expectations]
