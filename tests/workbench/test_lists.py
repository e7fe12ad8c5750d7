"""The list of a township: what stands in it, what must not, and whether it can be read and printed."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from models.codes import load_divisions
from workbench.lists import COLUMNS, FIRST_ROW, HEADER_ROW, HIDDEN, PRINT_COLUMNS, Beside, write_township_lists
from workbench.rows import list_rows
from workbench.sentences import sentence

ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dX](?!\d)")


def texts(sheet: Any) -> list[str]:
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def column(sheet: Any, header: str) -> list[Any]:
    (place,) = [cell.column for cell in sheet[HEADER_ROW + 1] if cell.value == header]
    return [sheet.cell(row, place).value for row in range(FIRST_ROW + 1, sheet.max_row + 1)]


def test_every_township_has_a_list_and_no_alert_is_lost(lists: list[Path], alert_frame: pl.DataFrame) -> None:
    townships = [place for place in load_divisions() if place.level == "township"]
    assert len(lists) == len(townships) + 1, "and one for the alert whose place is unknown"
    listed = [
        value
        for path in lists
        for value in column(openpyxl.load_workbook(path).worksheets[0], "预警编号")
        if value is not None
    ]
    assert sorted(listed) == sorted(alert_frame["alert_id"])


def test_most_urgent_first_with_reasons_in_words(phoenix: Path) -> None:
    sheet = openpyxl.load_workbook(phoenix).worksheets[0]
    assert column(sheet, "紧急程度") == ["红色", "红色", "橙色", "黄色", "黄色", "蓝色"]
    assert column(sheet, "为什么要去")[0] == (
        "家里主要挣钱的李秀英已去世。\n"
        "近12个月看病自付23,457元，超过本类家庭的标准15,000元。\n"
        "家庭收入比前6个月平均下降84%（标准50%），已连续2个月。"
    )
    assert column(sheet, "可能符合的政策")[1] is None, "nothing is proposed to somebody who should leave"


def test_what_may_be_due_is_told_with_amount_reason_and_what_to_ask(phoenix: Path) -> None:
    book = openpyxl.load_workbook(phoenix)
    sheet = book.worksheets[0]
    assert column(sheet, "可能符合的政策")[0] == (
        "低保，约1,180元/月：人均月收入295元，低于低保标准590元\n临时救助：突发困难或支出过大"
    )
    assert column(sheet, "可能符合的政策")[2] == "重度残疾人护理补贴（王芳），约100元/月：重度残疾2级"
    assert column(sheet, "到户核实什么")[0] == "□一起生活的有谁\n□打零工、种养、赡养费等收入\n□困难程度和损失"
    on_paper = texts(book["打印版"])
    assert "低保，约1,180元/月\n临时救助" in on_paper, "on paper without why"


def test_households_that_need_no_visit_any_more_are_told(phoenix: Path, lists: list[Path]) -> None:
    book = openpyxl.load_workbook(phoenix)
    sheet = book["不必再去的户"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=4)]
    assert [row[-1] for row in rows] == ["数据更正后撤销", "并入另一户：见预警alertaxyz"]
    assert rows[0][1:6] == ["红色", rows[0][2], "张伟", "2024年2月", "主要劳动力死亡、医疗自付支出过高"]
    assert any("另有2户不必再去" in text and "另有3户" in text for text in texts(book.worksheets[0]))
    other = openpyxl.load_workbook(next(path for path in lists if "420702100" in path.name))
    assert "没有撤销、合并或原因已消失的户。" in texts(other["不必再去的户"])


def test_identity_numbers_are_masked_text_everywhere(lists: list[Path]) -> None:
    for path in lists:
        book = openpyxl.load_workbook(path)
        for sheet in book.worksheets:
            assert not [text for text in texts(sheet) if ID_NUMBER.search(text)]
    sheet = openpyxl.load_workbook(next(path for path in lists if "420704001" in path.name)).worksheets[0]
    assert column(sheet, "身份证号")[0] == "420704********0019"
    (place,) = [cell.column for cell in sheet[HEADER_ROW + 1] if cell.value == "身份证号"]
    assert sheet.cell(FIRST_ROW + 1, place).data_type == "s"
    assert sheet.cell(FIRST_ROW + 1, place).number_format == "@"


def test_a_list_without_names_shows_nobody(
    tmp_path: Path,
    alert_frame: pl.DataFrame,
    identity_frame: pl.DataFrame,
    hit_frame: pl.DataFrame,
    month: date,
    beside_frames: Beside,
) -> None:
    paths = write_township_lists(
        alert_frame, identity_frame, hit_frame, month, tmp_path, beside=beside_frames, listed_on=month, identified=False
    )
    secrets = [*identity_frame["name"], *identity_frame["id_number"]]
    secrets += [*identity_frame["phone"].drop_nulls(), *identity_frame["address"].drop_nulls()]
    for path in paths:
        everything = "\n".join(text for sheet in openpyxl.load_workbook(path).worksheets for text in texts(sheet))
        assert not [secret for secret in secrets if secret in everything]
    everything = texts(openpyxl.load_workbook(next(p for p in paths if "420704001" in p.name)).worksheets[0])
    assert "欧**国" in everything


def test_sheet_can_be_worked_with(phoenix: Path) -> None:
    sheet = openpyxl.load_workbook(phoenix).worksheets[0]
    assert sheet.freeze_panes == f"F{FIRST_ROW + 1}"
    assert sheet.auto_filter.ref == f"A{HEADER_ROW + 1}:S{FIRST_ROW + 6}"
    kinds = sorted(rule.type for rule in sheet.data_validations.dataValidation)
    assert kinds == ["date", "list", "list"]
    assert sheet.protection.sheet, "the machine columns are protected"
    hidden = [
        COLUMNS[place].key
        for place in range(len(COLUMNS))
        if sheet.column_dimensions["ABCDEFGHIJKLMNOPQRSTU"[place]].hidden
    ]
    assert {"alert_id"} <= set(hidden) <= set(HIDDEN)
    locked = {COLUMNS[cell.column - 1].key: cell.protection.locked for cell in sheet[FIRST_ROW + 1]}
    assert {key for key, is_locked in locked.items() if not is_locked} == {
        "visited_on", "visitor", "outcome", "programme", "note"
    }  # fmt: skip


def test_choices_are_the_codes_of_the_feed(phoenix: Path) -> None:
    book = openpyxl.load_workbook(phoenix)
    rules = [rule for rule in book.worksheets[0].data_validations.dataValidation if rule.type == "list"]
    choices = []
    for rule in rules:
        name, cells = rule.formula1.replace("'", "").split("!")
        choices.append([row[0].value for row in book[name][cells.replace("$", "")]])
    assert choices[0][0] == "1 属实并纳入救助"
    assert choices[0][-1] == "10 复核后继续享受"
    assert choices[1] == ["11 城市低保", "12 农村低保", "21 特困人员", "31 低保边缘家庭", "41 刚性支出困难家庭"]


def test_print_sheet_fits_a_page(phoenix: Path) -> None:
    sheet = openpyxl.load_workbook(phoenix)["打印版"]
    assert len(PRINT_COLUMNS) <= 11
    assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert int(sheet.page_setup.fitToHeight) == 0, "one page wide, as many high as it takes"
    assert sheet.print_title_rows == f"$1:${HEADER_ROW + 1}"
    assert "&P" in sheet.oddFooter.center.text
    assert min(cell.font.sz for row in sheet.iter_rows() for cell in row if cell.value) >= 12


def test_an_empty_list_says_so(lists: list[Path]) -> None:
    book = openpyxl.load_workbook(next(path for path in lists if "420702100" in path.name))
    for sheet in book.worksheets[:2]:
        assert any("没有需要核查的家庭" in text for text in texts(sheet))


def test_the_same_list_has_the_same_bytes(
    lists: list[Path],
    tmp_path: Path,
    alert_frame: pl.DataFrame,
    identity_frame: pl.DataFrame,
    hit_frame: pl.DataFrame,
    month: date,
    beside_frames: Beside,
    listed_on: date,
) -> None:
    mixed = (alert_frame.sample(fraction=1, shuffle=True, seed=3), identity_frame.reverse(), hit_frame.reverse())
    again = write_township_lists(
        *mixed, month, tmp_path / "again", beside=beside_frames, listed_on=listed_on, identified=True
    )
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in lists]


def test_text_of_a_feed_is_never_a_formula(
    tmp_path: Path,
    alert_frame: pl.DataFrame,
    identity_frame: pl.DataFrame,
    hit_frame: pl.DataFrame,
    month: date,
    beside_frames: Beside,
) -> None:
    bad = identity_frame.with_columns(address=pl.lit('=HYPERLINK("http://example.invalid")'))
    paths = write_township_lists(
        alert_frame, bad, hit_frame, month, tmp_path, beside=beside_frames, listed_on=month, identified=True
    )
    for path in paths:
        for sheet in openpyxl.load_workbook(path).worksheets:
            assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_alerts_without_a_needed_column_are_refused(
    alert_frame: pl.DataFrame, identity_frame: pl.DataFrame, hit_frame: pl.DataFrame, beside_frames: Beside
) -> None:
    with pytest.raises(ValueError, match="due_on"):
        list_rows(alert_frame.drop("due_on"), identity_frame, hit_frame, beside_frames.entitlements, "zh", True)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_sentence_without_its_numbers_is_the_title(lang: str) -> None:
    assert (
        sentence("N01", None, None, None, lang)
        == {"zh": "医疗自付支出过高", "en": "High out-of-pocket medical spending"}[lang]
    )


def test_numbers_in_sentences_are_rounded_half_up() -> None:
    assert "2,225元" in sentence("X05", 2224.5, 2000, None, "zh")
    assert sentence("N21", 0.45, 3, None, "zh").startswith("家庭成员是独居老人，本月用电只有0.5度")


def test_english_lists_keep_the_feeds_headers(
    tmp_path: Path,
    alert_frame: pl.DataFrame,
    identity_frame: pl.DataFrame,
    hit_frame: pl.DataFrame,
    month: date,
    beside_frames: Beside,
) -> None:
    paths = write_township_lists(
        alert_frame,
        identity_frame,
        hit_frame,
        month,
        tmp_path,
        "en",
        beside=beside_frames,
        listed_on=month,
        identified=True,
    )
    sheet = openpyxl.load_workbook(next(path for path in paths if "420704001" in path.name)).worksheets[0]
    assert column(sheet, "Level")[0] == "Red"
    assert column(sheet, "核查结果") == [None] * 6


def test_what_came_before_is_told(
    alert_frame: pl.DataFrame, identity_frame: pl.DataFrame, hit_frame: pl.DataFrame, beside_frames: Beside
) -> None:
    told = alert_frame.with_columns(
        status=pl.when(pl.col("level") == "red").then(pl.lit("overdue")).otherwise(pl.lit("reopened")),
        last_outcome=pl.lit("4"),
        last_visited_on=pl.lit(date(2023, 12, 5)),
        worker=pl.when(pl.col("level") == "red").then(pl.lit("G12")),
    )
    reasons = list_rows(told, identity_frame, hit_frame, beside_frames.entitlements, "zh", True)["reason"].to_list()
    assert reasons[0].startswith(
        "（已过期限，请尽快上门。）（上次2023-12-05核查：属实但不符合条件。）（指派给：G12。）\n家里主要挣钱的李秀英已去世。"
    )
    assert (
        reasons[-1] == "（有新情况，请再次上门。）（上次2023-12-05核查：属实但不符合条件。）\n"
        "综合各方面数据，这户可能有困难，建议上门看看。"
    )
