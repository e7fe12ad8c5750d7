"""The reports of a month: read from what is published, written in all forms, and named in a manifest.

Belongs here: which tables a report is given. Does not belong here: what stands in a report
(``workbench``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from orchestration.home.outputs import listed_on
from orchestration.home.published import NotPublishedError, read_published
from orchestration.home.settings import DataHome
from orchestration.reporting.faulty_rows import faulty_rows
from orchestration.trail.audit import user_of_the_system
from orchestration.trail.manifest import Written, described, hand_over
from orchestration.warehouse.inspection import TABLE_CHECKS
from workbench.bulletin.document import bulletin
from workbench.data_quality.counts import QualityTables
from workbench.data_quality.document import quality_report
from workbench.report.document import Document
from workbench.report.write import FORMS, write_report

FIGURES = "figure_month_area"
LANGUAGES = ("zh", "en")


def newest_month(home: DataHome) -> date:
    """The newest month that has statistics; ``NotPublishedError`` before the first complete run."""
    months = read_published(home, FIGURES)["month"]
    newest = months.max()
    if not isinstance(newest, date):
        raise NotPublishedError(FIGURES)
    return newest


def bulletin_of(home: DataHome, month: date, lang: str) -> Document:
    """The bulletin of a month from the published statistics."""
    return bulletin(
        read_published(home, FIGURES),
        read_published(home, "feed_scorecard"),
        read_published(home, "delivery_month"),
        read_published(home, "figure_check"),
        read_published(home, "township_outlier_month"),
        month,
        lang,
        made_on=listed_on(month),
    )


def quality_of(home: DataHome, month: date, lang: str) -> Document:
    """The report on data quality of a month from the published results of the checks."""
    results = read_published(home, "check_result")
    failed = results.filter(pl.col("month") == month, pl.col("state") == "failed")["check_id"]
    tables = QualityTables(
        results=results,
        scores=read_published(home, "feed_scorecard"),
        defects=read_published(home, "feed_defect_month"),
        reconciled=read_published(home, "delivery_reconciliation"),
        of_tables=read_published(home, TABLE_CHECKS),
        checks=pl.read_parquet(home.reference / "check.parquet"),
        deliveries=pl.read_parquet(home.reference / "delivery.parquet"),
        rows=faulty_rows(home, month, failed.unique().to_list()),
    )
    return quality_report(tables, month, lang, made_on=listed_on(month))


REPORTS: dict[str, Callable[[DataHome, date, str], Document]] = {"bulletin": bulletin_of, "quality": quality_of}


def write_reports(
    home: DataHome,
    month: date,
    folder: Path,
    reports: Sequence[str] = tuple(REPORTS),
    languages: Sequence[str] = LANGUAGES,
    forms: Sequence[str] = FORMS,
) -> list[Written]:
    """Write the reports of ``month`` into ``folder``, with a manifest of their fingerprints; returns its lines."""
    written = []
    for report in reports:
        for lang in languages:
            paths = write_report(REPORTS[report](home, month, lang), folder, forms)
            written += [described(report, month, lang, path) for path in paths]
    hand_over(home, written, month, who=user_of_the_system(), manifest=folder / f"manifest_{month:%Y%m}.json")
    return written
