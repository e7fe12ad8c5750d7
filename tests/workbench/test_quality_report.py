"""The data-quality report: its figures are the ledger's, it holds no value and asks nothing of the outside."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from expectations import validate_deliveries
from expectations.check import CHECK_SCHEMA, FAILING_ROW_SCHEMA, RESULT_SCHEMA
from expectations.store import CHECK_FILE, FAILING_ROW_FILE, RESULT_FILE, read_table
from models.labels import label
from tests.expectations.city import AS_OF, FEEDS, City, clean_city, months
from workbench.quality_figures import QualityMonth
from workbench.quality_report import summarise, write_quality_report

FEED_NAMES = ("population_register", "pension_payment", "medical_settlement")
MONTH = months(1)[0]
MARKUP = '<img src="http://outside.example/x.png">.csv'


class Tags(HTMLParser):
    """What a page refers to, and which elements it opens and leaves open."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.references += [str(values[name]) for name in ("src", "href", "action", "data") if name in values]
        if "id" in values:
            self.ids.append(str(values["id"]))
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A month with a fault in the rows, quarantined rows, a held file, a rejected one and its good successor."""
    city = clean_city(tmp_path_factory.mktemp("city"), FEED_NAMES, 7)
    rows = city.rows("medical_settlement")
    city.rewrite("medical_settlement", [{**row, "out_of_pocket": 98765.43} for row in rows[:3]] + rows[3:])
    city.quarantine(city.last("pension_payment")["delivery_id"], {"id_invalid": 2, "required_missing": 1})
    city.last("pension_payment")["cell_defects_by_reason"] = '{"code_unknown": 2}'
    received = city.last("pension_payment")["received_at"]
    refused = {"rows_accepted": 0, "rows_data": 7, "received_at": received - timedelta(days=1)}
    city.deliver("pension_payment", MONTH, [], status="rejected", reason="column_missing: amount", **refused)
    late = {"file_name": MARKUP, "received_at": received + timedelta(days=1)}
    city.deliver("medical_settlement", MONTH, [], status="rejected", reason="unreadable", rows_data=0, **late)
    held = {"status": "held", "reason": "too_many_bad_rows", "rows_data": 20, "rows_accepted": 20}
    city.deliver("population_register", MONTH, [], **held)
    return city


@pytest.fixture(scope="module")
def quality(city: City) -> QualityMonth:
    ledger = city.write()
    feeds = {name: FEEDS[name] for name in (*FEED_NAMES, "price_index")}
    validate_deliveries(city.lake, ledger, feeds, city.reference, city.home / "results", AS_OF)
    return QualityMonth(
        month=MONTH,
        lang="zh",
        feeds=feeds,
        deliveries=ledger,
        results=read_table(city.reference / RESULT_FILE, RESULT_SCHEMA),
        checks=read_table(city.reference / CHECK_FILE, CHECK_SCHEMA),
        failing_rows=read_table(city.reference / FAILING_ROW_FILE, FAILING_ROW_SCHEMA),
        quarantined=pl.read_parquet(city.reference / "quarantine_row.parquet"),
    )


def written(quality: QualityMonth, directory: Path, lang: str) -> tuple[str, Path]:
    page, book = write_quality_report(
        quality.month,
        quality.deliveries,
        quality.results,
        quality.checks,
        quality.failing_rows,
        directory,
        lang,
        as_of=AS_OF,
        quarantined_rows=quality.quarantined,
        feeds=quality.feeds,
    )
    return page.read_text(encoding="utf-8"), book


def cells(quality: QualityMonth, table: str, column: str) -> list[object]:
    found = getattr(quality, table)
    return [row[found.columns.index(column)] for row in found.rows]


def test_figures_equal_the_ledger(quality: QualityMonth) -> None:
    own = quality.deliveries.filter(pl.col("period") == MONTH)
    taken = own.filter(pl.col("status").is_in(["accepted", "held"]))
    for column in ("rows_data", "rows_accepted", "rows_quarantined"):
        assert sum(cells(quality, "reconciliation", column)) == taken[column].sum()  # type: ignore[arg-type]
        accepted = own.filter(pl.col("status") == "accepted")[column].sum()
        assert sum(cells(quality, "by_feed", column)) == accepted  # type: ignore[arg-type]
    assert sum(cells(quality, "by_feed", "files")) == own.height  # type: ignore[arg-type]
    assert sorted(cells(quality, "quarantine", "count")) == [1, 2, 2]  # type: ignore[type-var]


def test_the_grid_counts_every_result_once(quality: QualityMonth) -> None:
    counts = [sum(row[2:]) for row in quality.grid.rows]
    assert sum(counts) == quality.judged.height == len(quality.all_results.rows)
    assert len(quality.grid.rows) == 12


def test_every_file_that_did_not_enter_has_a_next_step(quality: QualityMonth) -> None:
    assert sorted(cells(quality, "actions", "feed")) == [  # type: ignore[type-var]
        "medical_settlement",
        "pension_payment",
        "population_register",
        "price_index",
    ]
    steps = dict(zip(cells(quality, "actions", "feed"), cells(quality, "actions", "action"), strict=True))
    assert steps["pension_payment"] == label("quality.action.replaced")
    assert steps["medical_settlement"] == label("quality.action.unreadable")
    assert steps["population_register"] == label("quality.action.in_force")
    assert steps["price_index"] == label("quality.action.not_received")


def test_a_missing_feed_makes_the_verdict_bad(quality: QualityMonth) -> None:
    assert summarise(quality).verdict == "bad"
    assert quality.worst.rows[0][0] == "price_index"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_whole_and_asks_nothing_of_the_outside(quality: QualityMonth, tmp_path: Path, lang: str) -> None:
    page, _ = written(quality, tmp_path, lang)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert all(reference.startswith("#") for reference in tags.references)
    assert {reference[1:] for reference in tags.references} <= set(tags.ids)
    assert len(tags.ids) == len(set(tags.ids))
    outside = page.replace(MARKUP.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;"), "")
    assert not re.search(r"https?://|//[a-z]|url\(|@import|<script", outside)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_texts_of_files_are_escaped_and_no_value_is_shown(quality: QualityMonth, tmp_path: Path, lang: str) -> None:
    page, _ = written(quality, tmp_path, lang)
    assert MARKUP not in page
    assert "&lt;img" in page
    assert "98765" not in page
    assert "person" + "aaaaaa" not in page


def test_failing_rows_are_named_by_file_and_number(quality: QualityMonth, tmp_path: Path) -> None:
    page, _ = written(quality, tmp_path, "zh")
    title = "医疗总费用等于各项支付之和"
    assert quality.failing.where("check_id", "medical_settlement.costs_add_up").rows == tuple(
        ("medical_settlement", "medical_settlement.costs_add_up", title, f"medical_settlement_{MONTH}.csv", number)
        for number in (2, 3, 4)
    )
    assert ">2, 3, 4</td>" in page


def test_the_same_month_gives_the_same_page(quality: QualityMonth, tmp_path: Path) -> None:
    assert written(quality, tmp_path / "a", "zh")[0] == written(quality, tmp_path / "b", "zh")[0]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_workbook_has_every_table_with_header_and_filter(quality: QualityMonth, tmp_path: Path, lang: str) -> None:
    _, path = written(quality, tmp_path, lang)
    book = openpyxl.load_workbook(path)
    assert len(book.sheetnames) == 10
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref
    sheet = book[label("quality.part.reconciliation", lang)]
    head = [cell.value for cell in sheet[1]]
    position = head.index(label("quality.column.rows_data", lang))
    stated = sum(row[position] for row in sheet.iter_rows(min_row=2, values_only=True))
    assert stated == sum(cells(quality, "reconciliation", "rows_data"))  # type: ignore[arg-type]
