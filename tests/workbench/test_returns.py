"""Filled-in lists come back: what is usable reaches the feed, what is not is named without a word of its content."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion import Store, ingest
from models.codes import load_code_tables
from models.contract import load_feeds
from workbench.delivery import import_returns
from workbench.lists import COLUMNS, FIRST_ROW
from workbench.returns import read_returns

RETURNED_ON = date(2024, 4, 30)
RECEIVED_AT = datetime(2024, 4, 30, 9, 0, tzinfo=timezone(timedelta(hours=8)))
GOOD = {
    "核查日期": date(2024, 4, 10),
    "核查人": "核查员甲",
    "核查结果": "1 属实并纳入救助",
    "纳入救助类别": "11 城市低保",
}
DATES = (date(2024, 4, 10), "2024-4-10", "2024/04/10", "2024年4月10日", "20240410", 45392, "２０２４．４．１０")
Fill = Callable[..., Path]


@pytest.fixture
def known(alert_frame: pl.DataFrame) -> pl.Series:
    return alert_frame["alert_id"]


def reasons_of(path: Path, known: pl.Series) -> list[tuple[int, str]]:
    return [(problem.row, problem.reason) for problem in read_returns(path.parent, known, RETURNED_ON).problems]


@pytest.fixture
def returned(phoenix: Path, tmp_path: Path) -> Path:
    """The list alone in a folder of returned workbooks."""
    folder = tmp_path / "returned"
    folder.mkdir()
    return Path(shutil.copy(phoenix, folder))


def settled(inbox: Path) -> None:
    """Ingestion leaves alone what was written within the last seconds."""
    for path in inbox.rglob("*.csv"):
        os.utime(path, (RECEIVED_AT.timestamp() - 60,) * 2)


def test_an_untouched_list_has_no_answers_and_no_problems(returned: Path, known: pl.Series) -> None:
    result = read_returns(returned.parent, known, RETURNED_ON)
    assert (result.answers, result.problems, result.unanswered, result.files) == ((), (), 6, 1)


def test_answers_reach_the_feed(returned: Path, known: pl.Series, fill: Fill, tmp_path: Path) -> None:
    fill(
        returned, {1: GOOD | {"情况说明": "电话13800001234，\n已搬来"}, 3: GOOD | {"核查结果": 4, "纳入救助类别": None}}
    )
    report = import_returns(returned.parent, tmp_path / "inbox", known, RECEIVED_AT)
    assert (report.answers, report.unanswered, report.problems) == (2, 4, ())
    (path,) = report.deliveries
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == "预警编号,核查日期,核查人,核查结果,纳入救助类别,情况说明"
    assert "138****1234， 已搬来" in text
    statement = json.loads(path.with_name(path.name + ".manifest.json").read_text(encoding="utf-8"))
    assert (statement["period"], statement["rows"]) == ("202404", 2)
    settled(tmp_path / "inbox")
    (delivery,) = ingest(tmp_path / "inbox", Store.open(tmp_path / "home"), load_feeds(), RECEIVED_AT)
    assert (delivery.status, delivery.rows_accepted, delivery.rows_quarantined) == ("accepted", 2, 0)


def test_importing_again_changes_nothing_and_more_answers_correct(
    returned: Path, known: pl.Series, fill: Fill, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    fill(returned, {1: GOOD})
    assert len(import_returns(returned.parent, inbox, known, RECEIVED_AT).deliveries) == 1
    assert import_returns(returned.parent, inbox, known, RECEIVED_AT + timedelta(days=1)).deliveries == ()
    fill(returned, {2: GOOD})
    assert len(import_returns(returned.parent, inbox, known, RECEIVED_AT + timedelta(days=2)).deliveries) == 1
    settled(inbox)
    store = Store.open(tmp_path / "home")
    first, second = ingest(inbox, store, load_feeds(), RECEIVED_AT + timedelta(days=3))
    assert second.supersedes == first.delivery_id
    assert second.rows_accepted == 2


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"核查结果": "很好"}, "outcome_unknown"),
        ({"核查结果": None}, "outcome_missing"),
        ({"核查日期": None}, "date_missing"),
        ({"核查日期": "下周二"}, "date_invalid"),
        ({"核查日期": "2024-2-30"}, "date_invalid"),
        ({"核查日期": 20240410}, "date_invalid"),
        ({"核查日期": date(2024, 4, 7)}, "date_before_list"),
        ({"核查日期": date(2024, 5, 1)}, "date_in_future"),
        ({"核查人": None}, "visitor_missing"),
        ({"纳入救助类别": "五保"}, "programme_unknown"),
        ({"预警编号": "alertxxxxx"}, "alert_unknown"),
        ({"预警编号": "alertgxyz"}, "row_mixed"),
        ({"序号": 2}, "row_mixed"),
    ],
)
def test_an_unusable_row_is_named(
    returned: Path, known: pl.Series, fill: Fill, cells: dict[str, Any], reason: str
) -> None:
    fill(returned, {1: GOOD | cells, 2: GOOD})
    result = read_returns(returned.parent, known, RETURNED_ON)
    assert [(problem.row, problem.reason) for problem in result.problems] == [(FIRST_ROW + 1, reason)]
    assert len(result.answers) == 1, "the other row is taken all the same"


@pytest.mark.parametrize("written", DATES)
def test_dates_as_people_write_them(returned: Path, known: pl.Series, fill: Fill, written: Any) -> None:
    fill(returned, {1: GOOD | {"核查日期": written}})
    (answer,) = read_returns(returned.parent, known, RETURNED_ON).answers
    assert answer.visited_on == date(2024, 4, 10)


def test_sorting_whole_rows_is_harmless(returned: Path, known: pl.Series, fill: Fill) -> None:
    def reverse(sheet: Any) -> None:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=FIRST_ROW + 1)]
        for line, values in enumerate(reversed(rows), start=FIRST_ROW + 1):
            for place, value in enumerate(values, start=1):
                sheet.cell(line, place).value = value

    place = [column.key for column in COLUMNS].index("alert_id") + 1
    before = openpyxl.load_workbook(returned).worksheets[0].cell(FIRST_ROW + 1, place).value
    fill(returned, {1: GOOD}, reverse)
    result = read_returns(returned.parent, known, RETURNED_ON)
    assert [answer.alert_id for answer in result.answers] == [before]
    assert result.problems == ()


def test_sorting_only_what_is_seen_is_noticed(returned: Path, known: pl.Series, fill: Fill) -> None:
    def swap_visible(sheet: Any) -> None:
        for place in range(1, 19):
            one, two = sheet.cell(FIRST_ROW + 1, place), sheet.cell(FIRST_ROW + 2, place)
            one.value, two.value = two.value, one.value

    fill(returned, {1: GOOD, 2: GOOD}, swap_visible)
    assert reasons_of(returned, known) == [(FIRST_ROW + 1, "row_mixed"), (FIRST_ROW + 2, "row_mixed")]


def test_added_columns_and_hidden_rows_are_harmless(returned: Path, known: pl.Series, fill: Fill) -> None:
    def add(sheet: Any) -> None:
        sheet.insert_cols(3)
        sheet.cell(FIRST_ROW, 3).value = "备注"
        sheet.row_dimensions[FIRST_ROW + 1].hidden = True

    fill(returned, {1: GOOD}, add)
    result = read_returns(returned.parent, known, RETURNED_ON)
    assert (len(result.answers), result.problems) == (1, ())


def test_added_rows_and_removed_columns_are_named(returned: Path, known: pl.Series, fill: Fill) -> None:
    fill(returned, {9: GOOD})
    assert reasons_of(returned, known) == [(FIRST_ROW + 9, "row_added")]
    fill(returned, {}, lambda sheet: sheet.delete_cols(19))
    assert reasons_of(returned, known) == [(0, "columns_changed")]


def test_what_is_no_list_of_ours_is_named(returned: Path, known: pl.Series) -> None:
    (returned.parent / "破损.xlsx").write_bytes(b"no workbook")
    book = openpyxl.Workbook()
    book.save(returned.parent / "别的.xlsx")
    result = read_returns(returned.parent, known, RETURNED_ON)
    assert sorted((problem.file, problem.reason) for problem in result.problems) == [
        ("别的.xlsx", "not_a_list"),
        ("破损.xlsx", "unreadable"),
    ]


def test_two_answers_for_one_alert(returned: Path, known: pl.Series, fill: Fill) -> None:
    copy = Path(shutil.copy(returned, returned.with_name("第二份.xlsx")))
    fill(returned, {1: GOOD | {"核查结果": "6 无法联系"}})
    fill(copy, {1: GOOD | {"核查日期": date(2024, 4, 15)}})
    result = read_returns(returned.parent, known, RETURNED_ON)
    assert [(answer.outcome, answer.visited_on.day) for answer in result.answers] == [("1", 15)]
    assert [problem.reason for problem in result.problems] == ["answered_again"]
    assert result.problems[0].file == returned.name


def test_problems_carry_nothing_personal(returned: Path, known: pl.Series, fill: Fill) -> None:
    named = returned.rename(returned.with_name("42070419800101002X_核查.xlsx"))
    fill(named, {1: GOOD | {"核查结果": "李四不在家", "核查人": "赵六"}})
    (problem,) = read_returns(named.parent, known, RETURNED_ON).problems
    assert problem.file == "420704********002X_核查.xlsx"
    assert "李四" not in repr(problem)
    assert problem.text() == "核查结果不在可选范围"


answers = st.lists(
    st.none()
    | st.fixed_dictionaries(
        {
            "核查日期": st.dates(date(2024, 4, 8), RETURNED_ON),
            "核查人": st.sampled_from(["核查员甲", "核查员,乙", '核查员"丙"']),
            "核查结果": st.sampled_from(sorted(load_code_tables()["outcome"].labels)),
            "纳入救助类别": st.sampled_from([None, *sorted(load_code_tables()["programme"].labels)]),
            "情况说明": st.none() | st.text("已入户，\"\n'=+12 困难", min_size=1, max_size=30).filter(str.strip),
        }
    ),
    min_size=6,
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=answers)
def test_round_trip_through_ingestion(
    rows: list[dict[str, Any] | None], phoenix: Path, known: pl.Series, fill: Fill, tmp_path_factory: Any
) -> None:
    """Whatever is properly filled in arrives in the lake, no more and no less."""
    folder = tmp_path_factory.mktemp("trip")
    (folder / "returned").mkdir()
    path = Path(shutil.copy(phoenix, folder / "returned"))
    fill(path, {number: row for number, row in enumerate(rows, start=1) if row})
    report = import_returns(folder / "returned", folder / "inbox", known, RECEIVED_AT)
    filled = [row for row in rows if row]
    assert (report.answers, report.problems) == (len(filled), ())
    if not filled:
        assert report.deliveries == ()
        return
    settled(folder / "inbox")
    store = Store.open(folder / "home")
    (delivery,) = ingest(folder / "inbox", store, load_feeds(), RECEIVED_AT)
    assert (delivery.status, delivery.warnings, delivery.rows_quarantined) == ("accepted", [], 0)
    assert delivery.cell_defects_by_reason == {}
    lake = pl.read_parquet(store.lake_file("visit_outcome", "2024-04", delivery.delivery_id))
    told = sorted(zip(lake["visited_on"], lake["outcome"], lake["programme"].fill_null(""), strict=True))
    assert told == sorted((row["核查日期"], row["核查结果"], row["纳入救助类别"] or "") for row in filled)


def test_rows_are_numbered_as_seen_even_without_a_title(returned: Path, known: pl.Series, fill: Fill) -> None:
    def clear_title(sheet: Any) -> None:
        for merged in list(sheet.merged_cells.ranges):
            sheet.unmerge_cells(str(merged))
        for line in range(1, FIRST_ROW):
            sheet.cell(line, 1).value = None

    fill(returned, {1: GOOD | {"核查人": None}}, clear_title)
    assert reasons_of(returned, known) == [(FIRST_ROW + 1, "visitor_missing")]
