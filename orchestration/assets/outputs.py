"""What people get: township lists, the city's summary, the statistics; and the check of the published tables.

Belongs here: reading published tables, asking the vault for the names a list needs, calling workbench.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import polars as pl

from expectations import resolve_table_checks
from orchestration.assets.warehouse import PUBLISHED
from orchestration.home.outputs import LISTS, RECOVERY, STATISTICS, SUMMARY, listed_on, month_folder, record_lists
from orchestration.home.published import read_published
from orchestration.home.stores import vault_of
from orchestration.resources import HomeResource
from orchestration.trail.audit import user_of_the_system
from orchestration.trail.manifest import described, hand_over
from workbench.lists import Beside, write_township_lists
from workbench.recovery import write_recovery_lists
from workbench.statistics_workbook import write_statistics_workbook
from workbench.summary import write_city_summary

GROUP = "outputs"
OWNERS = ["team:civil_affairs"]
TABLE_CHECK = dg.AssetKey(["checks", "table_check"])
NO_TABLE_CHECK_FAILED = "no_mandatory_table_check_failed"


@dg.asset(
    key=TABLE_CHECK,
    deps=[PUBLISHED],
    group_name="published",
    owners=["team:data_engineering"],
    kinds={"greatexpectations"},
    check_specs=[
        dg.AssetCheckSpec(NO_TABLE_CHECK_FAILED, asset=TABLE_CHECK, description="Mandatory checks of published tables.")
    ],
    description="What Great Expectations found in the published tables; a mandatory failure stopped the publication.",
)
def table_check(home: HomeResource) -> Iterator[dg.MaterializeResult[None]]:
    """Show the results of the checks that were made before publication."""
    subjects = {check.subject for check in resolve_table_checks()}
    results = pl.read_parquet(home.home.reference / "check_result.parquet")
    results = results.filter(pl.col("feed_or_table").is_in(list(subjects)))
    failed = results.filter(pl.col("state") == "failed", pl.col("class") == "mandatory")
    states = {str(state): count for state, count in results["state"].value_counts().iter_rows()}
    check = dg.AssetCheckResult(
        passed=failed.is_empty(), check_name=NO_TABLE_CHECK_FAILED, metadata={"failed": failed["check_id"].to_list()}
    )
    yield dg.MaterializeResult(metadata=states, check_results=[check])


@dg.asset(
    key=["outputs", "township_lists"],
    deps=[PUBLISHED],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"excel"},
    description="One workbook a township and month: whom to visit, why, until when. Personal data for its readers.",
)
def township_lists(home: HomeResource) -> dg.MaterializeResult[None]:
    """Write the lists of the months of the run."""
    paths, language = home.home, home.settings.lists.language
    alerts, hits = read_published(paths, "alert_list"), read_published(paths, "indicator_hit")
    alerts = with_workers(alerts, home.operations.alert_transitions(), home.plan.as_of)
    names = ("alert_entitlement", "alert_end", "village_load")
    beside = Beside(*(read_published(paths, name) for name in names))
    written_months = pl.col("month").is_in(home.plan.months)
    # One look into the vault for all months: the lists name many persons more than once.
    everybody = people_of(
        alerts.filter(written_months),
        hits.filter(written_months),
        beside.entitlements.filter(written_months),
        beside.ended.filter(pl.col("told_month").is_in(home.plan.months)),
    )
    identities = vault_of(paths).identities(everybody)
    files = 0
    for month in home.plan.months:
        due = alerts.filter(pl.col("month") == month)
        folder = month_folder(paths, month) / LISTS
        written = write_township_lists(
            due, identities, hits, month, folder, language, beside=beside, listed_on=listed_on(month), identified=True
        )
        folder.chmod(0o700)
        record_lists(paths, "township lists", month, written, due.height)
        files += len(written)
    return dg.MaterializeResult(metadata={"months": len(home.plan.months), "workbooks": files})


def people_of(alerts: pl.DataFrame, hits: pl.DataFrame, entitlements: pl.DataFrame, ended: pl.DataFrame) -> list[str]:
    """Keys of the persons whom a list names: the reference persons, everybody a reason of theirs is about, everybody to
    whom something may be due, and the reference persons of alerts that ended.
    """
    told = hits.join(alerts, on=["month", "household_id"], how="semi")
    due = entitlements.join(alerts, on=["alert_id", "month"], how="semi")
    named = [alerts["person_key"], alerts["reference_person_key"], told["person_key"], due["person_key"]]
    keys = pl.concat([*named, ended["reference_person_key"].alias("person_key")])
    return [str(key) for key in keys.drop_nulls().unique().sort()]


def with_workers(alerts: pl.DataFrame, transitions: list[dict[str, Any]], as_of: datetime) -> pl.DataFrame:
    """Add ``worker``, whom a person named last by then; a worker is known outside of the warehouse alone."""
    moment = as_of.astimezone(UTC).replace(tzinfo=None)
    named = {row["alert_id"]: row["worker"] for row in transitions if row["worker"] and row["decided_at"] <= moment}
    frame = pl.DataFrame(
        {"alert_id": list(named), "worker": list(named.values())}, schema={"alert_id": pl.String, "worker": pl.String}
    )
    return alerts.join(frame, on="alert_id", how="left")


@dg.asset(
    key=["outputs", "recovery_lists"],
    deps=[PUBLISHED],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"excel"},
    description="Money that was not due, a workbook a township that has any: from whom, for which months, why.",
)
def recovery_lists(home: HomeResource) -> dg.MaterializeResult[None]:
    """Write what is to be recovered, as known in the months of the run."""
    paths, language = home.home, home.settings.lists.language
    overpaid, by_month = read_published(paths, "overpayment"), read_published(paths, "overpayment_month")
    known = overpaid.filter(pl.col("month").is_in(home.plan.months))
    keys = pl.concat([known["person_key"], known["payee_key"]]).unique().sort()
    identities = vault_of(paths).identities(keys.to_list())
    files = 0
    for month in home.plan.months:
        folder = month_folder(paths, month) / RECOVERY
        written = write_recovery_lists(
            overpaid, by_month, identities, month, folder, language, listed_on=listed_on(month), identified=True
        )
        if folder.is_dir():
            folder.chmod(0o700)
            # A township in which nothing is left to recover has no list any more.
            for stale in set(folder.glob("*.xlsx")) - set(written):
                stale.unlink()
        record_lists(paths, "recovery lists", month, written, overpaid.filter(pl.col("month") == month).height)
        files += len(written)
    return dg.MaterializeResult(metadata={"months": len(home.plan.months), "workbooks": files})


@dg.asset(
    key=["outputs", "city_summary"],
    deps=[PUBLISHED],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"excel"},
    description="Counts by county and township: alerts by level and side, capacity, overdue, reasons, money overpaid.",
)
def city_summary(home: HomeResource) -> dg.MaterializeResult[None]:
    """Write the summaries of the months of the run."""
    paths, language = home.home, home.settings.lists.language
    alerts, overpaid = read_published(paths, "alert_list"), read_published(paths, "overpayment")
    loads, corrections = read_published(paths, "village_load"), read_published(paths, "correction_request")
    for month in home.plan.months:
        folder, day = month_folder(paths, month) / SUMMARY, listed_on(month)
        path = write_city_summary(alerts, loads, corrections, month, folder, language, as_of=day, overpaid=overpaid)
        hand_over(paths, [described("summary", month, language, path)], month, who=user_of_the_system())
    return dg.MaterializeResult(metadata={"months": len(home.plan.months)})


@dg.asset(
    key=["outputs", "statistics"],
    deps=[PUBLISHED],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"excel"},
    description="Statistics of a month by area, layer and part, with their checks; and an edition for the public.",
)
def statistics(home: HomeResource) -> dg.MaterializeResult[None]:
    """Write both editions for the months of the run."""
    paths, language = home.home, home.settings.lists.language
    figures, checks = read_published(paths, "figure_month_area"), read_published(paths, "figure_check")
    outliers = read_published(paths, "township_outlier_month")
    for month in home.plan.months:
        folder, written = month_folder(paths, month) / STATISTICS, []
        for public in (False, True):
            path = write_statistics_workbook(
                figures, checks, outliers, month, folder, language, made_on=listed_on(month), public=public
            )
            written.append(described("statistics", month, language, path))
        hand_over(paths, written, month, who=user_of_the_system())
    found = checks.filter(pl.col("state") == "unexplained").height
    return dg.MaterializeResult(metadata={"months": len(home.plan.months), "unexplained differences": found})


OUTPUT_ASSETS = [table_check, township_lists, recovery_lists, city_summary, statistics]
