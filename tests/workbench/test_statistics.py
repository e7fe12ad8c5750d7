"""The statistics workbook: numbers in their cells, the same bytes, and nothing small for the public."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from models.statistics import load_figures
from workbench.statistics_blocks import CITY, Block, Cell, Line, hide_small
from workbench.statistics_workbook import write_statistics_workbook

MONTH, BEFORE, MADE_ON = date(2024, 3, 1), date(2024, 2, 1), date(2024, 4, 10)
PHOENIX, GULOU = "420704001", "420704002"


def figure_rows(month: date, values: dict[tuple[str, str, str], int]) -> list[tuple[object, ...]]:
    return [
        (figure, month, level, code, "all", "all", "person", Decimal(value), None, None, figure != "payment_amount")
        for (figure, level, code), value in values.items()
    ]


@pytest.fixture
def figures() -> pl.DataFrame:
    now = {
        ("register_persons", "city", CITY): 40,
        ("register_persons", "county", "420704"): 40,
        ("register_persons", "township", PHOENIX): 37,
        ("register_persons", "township", GULOU): 3,
        ("payment_amount", "city", CITY): 900,
        # A figure that nobody defined is in no workbook.
        ("made_up", "city", CITY): 777_777,
    }
    rows = figure_rows(MONTH, now) + figure_rows(BEFORE, {("register_persons", "city", CITY): 35})
    schema = {
        "figure": pl.String,
        "month": pl.Date,
        "area_level": pl.String,
        "area_code": pl.String,
        "layer": pl.String,
        "dimension": pl.String,
        "unit": pl.String,
        "value": pl.Decimal(18, 4),
        "numerator": pl.Decimal(18, 4),
        "denominator": pl.Decimal(18, 4),
        "is_feed_arrived": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture
def checks() -> pl.DataFrame:
    row = {
        "check_id": "entitled_and_paid",
        "figure": "register_households",
        "month": MONTH,
        "area_level": "city",
        "area_code": CITY,
        "left_value": Decimal(10),
        "right_value": Decimal(8),
        "difference": Decimal(2),
        "state": "unexplained",
        "explanation_zh": "银行退回：1；差1没有解释",
        "explanation_en": "returned by the bank: 1; 1 unexplained",
    }
    return pl.DataFrame([row])


@pytest.fixture
def outliers() -> pl.DataFrame:
    row = {
        "measure": "register_share",
        "month": MONTH,
        "township_code": PHOENIX,
        "observed": 2,
        "expected": 9.5,
        "state": "alarm",
        "direction": "strict",
        "explanation_zh": "在册家庭占比偏严",
        "explanation_en": "too strict",
    }
    return pl.DataFrame([row])


def written(path: Path) -> dict[str, list[list[object]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets}


def row_of(sheet: list[list[object]], name: str, column: int = 0) -> list[object]:
    (row,) = [row for row in sheet if str(row[column]).strip() == name]
    return row


def test_the_office_sees_every_number_and_what_does_not_agree(
    tmp_path: Path, figures: pl.DataFrame, checks: pl.DataFrame, outliers: pl.DataFrame
) -> None:
    sheets = written(write_statistics_workbook(figures, checks, outliers, MONTH, tmp_path, made_on=MADE_ON))
    assert row_of(sheets["概要"], "在册人数", 1)[3:] == [40, 35, 5]
    assert 3 in row_of(sheets["在册"], "古楼街道")
    assert 37 in row_of(sheets["在册"], "凤凰街道")
    assert "银行退回：1；差1没有解释" in str(sheets["统计核对"])
    assert row_of(sheets["乡镇对比"], "凤凰街道", 1)[4] == "偏严"
    assert "救助金发放" in str(sheets["概要"][1]) or "发放" in str(sheets["概要"][1]), (
        "the file that did not come is named"
    )
    assert "777777" not in str(sheets)
    assert len(sheets["指标说明"]) == 4 + len(load_figures())


def test_the_public_sees_no_small_count_and_no_checks(
    tmp_path: Path, figures: pl.DataFrame, checks: pl.DataFrame, outliers: pl.DataFrame
) -> None:
    path = write_statistics_workbook(figures, checks, outliers, MONTH, tmp_path, made_on=MADE_ON, public=True)
    sheets = written(path)
    assert "统计核对" not in sheets
    assert "乡镇对比" not in sheets
    assert "<5" in row_of(sheets["在册"], "古楼街道")
    # 40 less 37 would tell the 3.
    assert 37 not in row_of(sheets["在册"], "凤凰街道")
    assert 40 in row_of(sheets["在册"], "鄂城区")


def test_the_same_tables_give_the_same_bytes(
    tmp_path: Path, figures: pl.DataFrame, checks: pl.DataFrame, outliers: pl.DataFrame
) -> None:
    for public in (False, True):
        first, second = (
            write_statistics_workbook(
                table, checks, outliers, MONTH, tmp_path / str(at), "en", made_on=MADE_ON, public=public
            )
            for at, table in enumerate((figures, figures.reverse()))
        )
        assert first.read_bytes() == second.read_bytes()


def block_of(values: dict[str, int]) -> Block:
    names = ("register_persons", "register_amount", "register_amount_per_person")
    persons, amount, share = (load_figures()[name] for name in names)
    lines = [
        Line(
            name,
            name,
            "part",
            "" if name == "sum" else "sum",
            [Cell(Decimal(value), "person"), Cell(Decimal(value * 100), "yuan"), Cell(Decimal(100), "yuan")],
        )
        for name, value in values.items()
    ]
    return Block("b", "c", [persons, amount, share], lines)


def shown(block: Block, column: int = 0) -> list[str]:
    return [line.cells[column].hidden or str(line.cells[column].value) for line in block.lines]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sum": 30, "a": 10, "b": 20}, ["30", "10", "20"]),
        ({"sum": 33, "a": 10, "b": 20, "d": 3}, ["33", "—", "20", "<5"]),
        ({"sum": 35, "a": 30, "b": 3, "d": 2}, ["35", "30", "<5", "<5"]),
        ({"sum": 5, "a": 5, "b": 0}, ["5", "5", "0"]),
        ({"sum": 4, "a": 4, "b": 0}, ["<5", "<5", "0"]),
    ],
)
def test_a_hidden_count_is_not_given_away_by_its_sum(values: dict[str, int], says: list[str]) -> None:
    hidden = hide_small(block_of(values), 5)
    assert shown(hidden) == says
    # Amounts and rates go with the persons they rest on.
    assert [text == "—" for text in shown(hidden, 1)] == [text in ("—", "<5") for text in says]
    assert [text == "—" for text in shown(hidden, 2)] == [text in ("—", "<5") for text in says]


def test_an_amount_without_a_count_is_left_out() -> None:
    block = block_of({"sum": 9, "a": 9})
    bare = Block(
        "b", "c", [load_figures()["payment_returned"]], [Line("a", "a", "part", "", [Cell(Decimal(9), "yuan")])]
    )
    assert [figure.figure for figure in hide_small(bare, 5).figures] == []
    assert len(hide_small(block, 5).figures) == 3
