"""The report on data quality over made-up results: next steps, published tables, texts of files; nothing from outside.

Belongs here: what no city shows for sure. Each printed figure against the published tables is tested over the sample
city (``tests/statistics``).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from expectations import checks_frame, resolve_table_checks
from models.labels import label
from workbench.data_quality.counts import Counts, QualityTables
from workbench.data_quality.document import quality_report
from workbench.data_quality.tables import SCORES, SUMS, action_table, published_table
from workbench.report.document import Table
from workbench.report.figure import Figure
from workbench.report.write import write_report

MONTH = date(2024, 3, 1)
MARKUP = '<img src="http://outside.example/x.png">.csv'
RESULT = {
    "month": pl.Date, "check_id": pl.String, "feed": pl.String, "feed_owner": pl.String, "dimension": pl.String,
    "check_class": pl.String, "state": pl.String, "numerator": pl.Int64, "denominator": pl.Int64,
    "threshold": pl.Float64, "waiver_id": pl.String, "explanation_id": pl.String,
}  # fmt: skip
DEFECT = {
    "month": pl.Date, "feed": pl.String, "treatment": pl.String, "reason": pl.String, "column_name": pl.String,
    "row_count": pl.Int64,
}  # fmt: skip
RECONCILED = {
    "period": pl.String, "feed": pl.String, "delivery_id": pl.String, "status": pl.String,
    "unaccounted_row_count": pl.Int64, "lake_difference_count": pl.Int64, "data_row_count": pl.Int64,
    "accepted_row_count": pl.Int64, "quarantined_row_count": pl.Int64, "lake_row_count": pl.Int64,
}  # fmt: skip
ROW = dict.fromkeys(("feed", "file_name", "check_id", "reason", "column", "shape"), pl.String)


def delivery(feed: str, status: str, day: int, **more: Any) -> dict[str, Any]:
    told = {"delivery_id": f"{feed}.{day}", "feed": feed, "period": "2024-03", "status": status, "division": None}
    return told | {"reason": None, "file_name": f"{feed}_{day}.csv", "received_at": datetime(2024, 4, day)} | more  # noqa: DTZ001


# Held and mended later, held with nothing after it, rejected and replaced, rejected with nothing after it.
DELIVERIES = [
    delivery("death_record", "held", 3, reason="too_many_bad_rows"),
    delivery("death_record", "accepted", 5),
    delivery("population_register", "accepted", 2),
    delivery("population_register", "held", 4, reason="too_many_bad_rows"),
    delivery("pension_payment", "rejected", 3, reason="column_missing: amount"),
    delivery("pension_payment", "accepted", 6),
    delivery("medical_settlement", "rejected", 7, reason="unreadable", file_name=MARKUP),
    delivery("medical_settlement", "accepted", 8, division="420704"),
    delivery("income_tax", "duplicate", 2, reason="duplicate"),
    delivery("income_tax", "accepted", 3),
]


def card(feed: str, *, arrived: bool) -> dict[str, Any]:
    numbers = dict.fromkeys((*SUMS, *SCORES, "accepted_row_count"), 0)
    told = {"month": MONTH, "department": "health", "feed": feed, "grade": "A", "is_expected": True}
    return told | numbers | {"is_arrived": arrived, "is_on_time": arrived or None}


def of_tables(state: str) -> pl.DataFrame:
    rows = [
        {
            "check_id": check.check_id, "checked_table": check.subject, "dimension": check.dimension,
            "check_class": check.check_class, "numerator": 0, "denominator": 7, "threshold": check.threshold,
            "state": "passed",
        }
        for check in resolve_table_checks()
    ]  # fmt: skip
    rows[0] |= {"state": state, "numerator": 3}
    return pl.DataFrame(rows)


def tables(state: str = "passed") -> QualityTables:
    return QualityTables(
        results=pl.DataFrame(schema=RESULT),
        scores=pl.DataFrame([card("death_record", arrived=True), card("price_index", arrived=False)]),
        defects=pl.DataFrame(schema=DEFECT),
        reconciled=pl.DataFrame(schema=RECONCILED),
        of_tables=of_tables(state),
        checks=checks_frame(resolve_table_checks()),
        deliveries=pl.DataFrame(DELIVERIES, infer_schema_length=None),
        rows=pl.DataFrame(schema={**ROW, "row_number": pl.Int64}),
    )


def cells(table: Table, position: int) -> list[Any]:
    return [row.cells[position] for row in table.rows]


def test_every_file_that_did_not_enter_has_a_next_step() -> None:
    table = action_table(Counts(tables(), MONTH, "en"))
    steps = dict(zip(cells(table, 1), cells(table, 4), strict=True))
    wanted = {
        "death_record_3.csv": "in_force",
        "population_register_4.csv": "too_many_bad_rows",
        "pension_payment_3.csv": "replaced",
        MARKUP: "unreadable",
        "income_tax_2.csv": "duplicate",
        "": "not_received",
    }
    assert steps == {file: label(f"quality.action.{step}", "en") for file, step in wanted.items()}
    assert "(amount)" in " ".join(cells(table, 3)), "which column was missing"


def test_the_checks_of_the_published_tables_stand_in_it() -> None:
    counts = Counts(tables("failed"), MONTH, "zh")
    table = published_table(counts)
    assert len(table.rows) == len(resolve_table_checks())
    (failed,) = [row for row in table.rows if row.tone]
    assert label("check_state.failed", "zh") in failed.cells
    assert [cell.value for cell in failed.cells if isinstance(cell, Figure)][:2] == [3, 7]
    assert counts.table_checks(state="failed").value == 1


@pytest.mark.parametrize(("state", "tone"), [("passed", "good"), ("failed", "caution")])
def test_a_failed_check_of_a_table_is_seen_on_the_first_screen(state: str, tone: str) -> None:
    document = quality_report(tables(state), MONTH, "en", made_on=date(2024, 4, 8))
    assert document.verdict.tone == "good"
    assert document.cards[-1].tone == tone


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_texts_of_files_are_escaped_and_the_page_asks_nothing_of_the_outside(tmp_path: Path, lang: str) -> None:
    document = quality_report(tables(), MONTH, lang, made_on=date(2024, 4, 8))
    (path,) = write_report(document, tmp_path, ["html"])
    page = path.read_text(encoding="utf-8")
    assert MARKUP not in page
    assert "&lt;img" in page
    outside = re.sub(r"&lt;img src=[^<]*", "", page)
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import|<script", outside) == []
