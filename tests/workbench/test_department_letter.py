"""The letter to a department: what is to be mended, explained, waived; paper and workbook say the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pytest

from models.contract import load_feeds
from workbench.department_letter import Letter, LetterTables, write_letters

MONTH, BEFORE = date(2024, 4, 1), date(2024, 3, 1)
CARD: dict[str, Any] = {
    "month": MONTH, "department": "health", "feed": "death_record", "is_expected": True, "is_arrived": True,
    "is_on_time": False, "late_days": 3, "file_count": 2, "data_row_count": 1000, "accepted_row_count": 990,
    "accepted_ratio": 0.99, "failed_count": 3, "contradiction_count": 0, "score": 81.5, "score_before": 99.0,
    "score_mean_24": 98.0, "grade": "C",
}  # fmt: skip


def result(check_id: str, check_class: str, **more: Any) -> dict[str, Any]:
    return {
        "check_id": check_id, "check_class": check_class, "feed": "death_record", "feed_owner": "death_record",
        "owner_department": "health", "month": MONTH, "numerator": 2, "denominator": 1000, "threshold": 0.001,
        "state": "failed", "waiver_id": None, "explanation_id": None,
    } | more  # fmt: skip


def letter(lang: str, results: list[dict[str, Any]], defects: int = 1) -> Letter:
    checks = [(row["check_id"], "kind", f"要求{n}", f"rule {n}", "依据", "why") for n, row in enumerate(results)]
    names = ["check_id", "kind", "title_zh", "title_en", "reason_zh", "reason_en"]
    defect = {"month": MONTH, "feed": "death_record", "treatment": "quarantined", "reason": "date_invalid"}
    example = {"feed": "death_record", "file_name": "死亡_202404.csv", "row_number": 7, "column": "died_on"}
    tables = LetterTables(
        scorecard=pl.DataFrame([CARD, CARD | {"month": BEFORE, "score": 99.0, "grade": "A"}]),
        results=pl.DataFrame(results, schema_overrides={"waiver_id": pl.String, "explanation_id": pl.String}),
        defects=pl.DataFrame([defect | {"column_name": "died_on", "row_count": 4}]).head(defects),
        checks=pl.DataFrame(checks, schema=names, orient="row"),
        waivers=pl.DataFrame({"waiver_id": ["w"], "valid_until": [date(2024, 9, 30)]}),
        examples=pl.DataFrame([example | {"what": "date_invalid", "shape": "####-##-##"}]),
    )
    return Letter(tables, load_feeds(), "health", MONTH, lang, date(2024, 5, 20))


FAILED = [
    result("death_record.key", "mandatory"),
    result("death_record.size", "verifying"),
    result("death_record.told", "verifying", explanation_id="e"),
    result("death_record.let", "verifying", waiver_id="w"),
    result("death_record.odd", "verifying", feed="population_register+death_record"),
]


def test_each_failure_stands_where_it_belongs() -> None:
    made = letter("zh", FAILED)
    assert [row["check_id"] for row in made.mandatory()] == ["death_record.key"]
    assert [row["check_id"] for row in made.verifying()] == ["death_record.size", "death_record.told"]
    assert [row["check_id"] for row in made.contradicting()] == ["death_record.odd"]
    # What was explained or waived is no work any more.
    assert made.counts() == {"mend": 2, "explain": 1, "contradict": 1}
    titles = [section.title for section in made.sections()]
    assert titles[:5] == ["各类数据评分", "须改正", "须说明或改正", "与其他部门不一致", "已豁免"]
    assert titles[6:] == ["近24个月", "评分办法"]
    waived = made.sections()[4]
    assert waived.rows[0][-1] == "2024-09-30"


def test_nothing_to_mend_is_said_with_thanks() -> None:
    made = letter("en", [result("death_record.let", "verifying", waiver_id="w")], defects=0)
    assert not any(made.counts().values())
    assert "thank you" in made.report().verdict


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_paper_and_workbook_say_the_same(lang: str, tmp_path: Path) -> None:
    made = letter(lang, FAILED)
    pdf, book = write_letters([made], tmp_path)
    assert pdf.read_bytes().startswith(b"%PDF")
    again = write_letters([made], tmp_path / "again")[0]
    assert again.read_bytes() == pdf.read_bytes()
    sheets = fastexcel.read_excel(book)
    sections = made.sections()
    assert sheets.sheet_names[1:] == [section.title[:31] for section in sections]
    cells = sheets.load_sheet(1).to_polars()
    assert cells.columns[:3] == [column.title for column in sections[0].columns][:3]
    assert cells.row(0)[1:4] == ("C", 81.5, 99.0)
