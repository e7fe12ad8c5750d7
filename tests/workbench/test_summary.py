"""The city's summary: its sums, what is overdue, and that nobody is in it."""

from datetime import date
from pathlib import Path

import openpyxl
import polars as pl

from models.codes import load_divisions
from workbench.lists import Beside
from workbench.rows import UNLOCATED
from workbench.summary import correction_counts, reason_counts, township_counts, write_city_summary

AS_OF = date(2024, 4, 20)
CORRECTIONS = pl.DataFrame(
    [
        (date(2024, 3, 1), "N-a", "civil_affairs", "assistance_register", "indicator_data", "N19", "d", 3),
        (date(2024, 3, 1), "N-a", "civil_affairs", "assistance_register", "indicator_data", "N19", "d", 4),
        (date(2024, 3, 1), "N-b", "public_security", "population_register", "death", None, "e", 5),
        (date(2024, 2, 1), "N-c", "public_security", "population_register", "death", None, "e", 6),
    ],
    schema=["month", "visit_no", "department", "feed", "correction", "indicator", "delivery_id", "row_number"],
    orient="row",
).with_columns(visited_on=pl.lit(date(2024, 3, 20)))


def test_counts_of_a_township(alert_frame: pl.DataFrame, month: date, beside_frames: Beside) -> None:
    counts = township_counts(alert_frame, beside_frames.loads, month, AS_OF)
    (phoenix,) = counts.filter(township_code="420704001").to_dicts()
    assert (phoenix["alerts"], phoenix["need"], phoenix["exit"]) == (6, 4, 2)
    assert [phoenix[level] for level in ("red", "orange", "yellow", "blue")] == [2, 1, 2, 1]
    villages = sum(place.parent_code == "420704001000" for place in load_divisions())
    assert phoenix["put_off"] == 3
    assert (phoenix["village_count"], phoenix["capacity"]) == (villages, villages * 11)


def test_every_alert_is_counted_once(alert_frame: pl.DataFrame, month: date, beside_frames: Beside) -> None:
    counts = township_counts(alert_frame, beside_frames.loads, month, AS_OF)
    assert counts["alerts"].sum() == alert_frame.height
    assert counts.filter(township_code=UNLOCATED)["alerts"].to_list() == [1]


def test_overdue_is_past_its_day_without_an_outcome(
    alert_frame: pl.DataFrame, month: date, beside_frames: Beside
) -> None:
    earlier = alert_frame.with_columns(month=pl.lit(date(2024, 2, 1)))
    both = pl.concat([alert_frame, earlier]).with_columns(
        status=pl.when(pl.col("level") == "red").then(pl.lit("visited")).otherwise(pl.lit("new"))
    )
    (phoenix,) = township_counts(both, beside_frames.loads, month, AS_OF).filter(township_code="420704001").to_dicts()
    assert (phoenix["alerts"], phoenix["overdue"]) == (6, 4), "an alert that stands since February counts once"
    assert township_counts(both, beside_frames.loads, month, date(2024, 4, 11))["overdue"].sum() == 0, (
        "the due day itself is in time"
    )


def test_reasons_by_frequency(alert_frame: pl.DataFrame, month: date) -> None:
    counts = reason_counts(alert_frame, month)
    assert counts.filter(side="exit")["alerts"].to_list() == [1, 1, 1]
    assert counts.filter(indicator="N01")["share"].to_list() == [1 / 6]


def test_data_that_visits_found_wrong_go_back_to_their_owners(
    tmp_path: Path, alert_frame: pl.DataFrame, month: date, beside_frames: Beside
) -> None:
    counts = correction_counts(CORRECTIONS, month)
    assert counts.select("feed", "visits", "rows").rows() == [
        ("assistance_register", 1, 2),
        ("population_register", 1, 1),
    ]
    path = write_city_summary(alert_frame, beside_frames.loads, CORRECTIONS, month, tmp_path, as_of=AS_OF)
    rows = [
        [cell.value for cell in row] for row in openpyxl.load_workbook(path)["请部门更正的数据"].iter_rows(min_row=4)
    ]
    assert rows[1] == ["公安", "户籍人口", "已去世，登记未更新", "", 1, 1]


def test_workbook_adds_up_and_names_nobody(
    tmp_path: Path, alert_frame: pl.DataFrame, identity_frame: pl.DataFrame, month: date, beside_frames: Beside
) -> None:
    path = write_city_summary(alert_frame, beside_frames.loads, CORRECTIONS, month, tmp_path, as_of=AS_OF)
    book = openpyxl.load_workbook(path)
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows(min_row=4)]
    assert rows[-1][0] == "全市合计"
    assert rows[-1][2] == alert_frame.height
    assert sum(row[2] for row in rows[:-1] if not str(row[0]).endswith("小计")) == alert_frame.height
    everything = str([[cell.value for cell in row] for sheet in book.worksheets for row in sheet.iter_rows()])
    assert not [name for name in identity_frame["name"] if name in everything]


def test_a_month_without_alerts(tmp_path: Path, alert_frame: pl.DataFrame, month: date, beside_frames: Beside) -> None:
    path = write_city_summary(alert_frame.clear(), beside_frames.loads, CORRECTIONS, month, tmp_path, as_of=AS_OF)
    assert openpyxl.load_workbook(path).worksheets[0].max_row > len(["title", "note", "header"])
