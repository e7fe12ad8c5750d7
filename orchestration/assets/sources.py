"""Fetching as a job of Dagster: files and months of a source into the landing, from where feeds are taken in.

Belongs here: the job and its one step. A step and no asset: what is fetched becomes an asset when it is ingested.
"""

import dagster as dg

from orchestration.feeds.sources import fetch_sources, take_in_unusual
from orchestration.resources import HomeResource

FETCH_JOB, FETCH_STEP = "fetch_deliveries", "fetch_source"


class FetchConfig(dg.Config):
    """Which source; an empty text means all of them."""

    source: str = ""


@dg.op(name=FETCH_STEP, description="Lands what is new in a source; fails where it could not be read.")
def fetch_source(context: dg.OpExecutionContext, intake: HomeResource, config: FetchConfig) -> None:
    """Fetch, and enter what no feed's own step would take in."""
    reports = fetch_sources(intake.home, config.source or None)
    take_in_unusual(intake.home)
    for report in reports:
        context.log.info(f"{report.source}: {report.fetched} fetched, {len(report.waiting)} waiting")
    problems = [f"{report.source}: {report.problem}; {report.next_step}" for report in reports if report.problem]
    if problems:
        raise dg.Failure("; ".join(problems), allow_retries=False)


@dg.job(name=FETCH_JOB, description="Deliveries of the sources into the landing.")
def fetch_deliveries() -> None:
    """The one step."""
    fetch_source()
