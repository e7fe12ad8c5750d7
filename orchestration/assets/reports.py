"""The reports of the newest month as a step of the run.

Belongs here: when they are written. What they are made of is ``orchestration.reporting.reports``.
"""

import dagster as dg

from orchestration.assets.outputs import GROUP, TABLE_CHECK
from orchestration.home.outputs import REPORTS, month_folder
from orchestration.reporting.reports import write_reports
from orchestration.resources import HomeResource


@dg.asset(
    key=["outputs", "reports"],
    deps=[TABLE_CHECK],
    group_name=GROUP,
    owners=["team:audit"],
    kinds={"html", "pdf", "excel"},
    description="Bulletin for leaders and report on data quality, in both languages, with a manifest of fingerprints.",
)
def reports(home: HomeResource) -> dg.MaterializeResult[None]:
    """Write those of the newest month of the run."""
    month = max(home.plan.months)
    written = write_reports(home.home, month, month_folder(home.home, month) / REPORTS)
    return dg.MaterializeResult(metadata={"month": f"{month:%Y-%m}", "files": len(written)})


REPORT_ASSETS = [reports]
