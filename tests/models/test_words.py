"""Codes, divisions, labels, calendar and masking."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.calendar import add_working_days, is_known, is_working_day, months_between
from models.codes import area_type, city_code, code_label, load_code_tables, load_divisions
from models.contract import load_feeds
from models.labels import LabelError, label, load_labels, places_of
from models.masking import mask_id, mask_name, mask_phone, mask_text, masked_id, masked_name
from models.policy import load_indicators, load_parameters


def test_every_code_has_both_languages() -> None:
    for table in load_code_tables().values():
        assert all(text.zh and text.en for text in table.labels.values()), table.name
    assert code_label("outcome", "10") == "复核后继续享受"


def test_divisions_form_one_tree() -> None:
    divisions = load_divisions()
    codes = {division.code for division in divisions}
    assert len(codes) == len(divisions)
    assert city_code() == "420700000000"
    assert all(division.parent_code in codes for division in divisions if division.level != "city")
    assert all(division.area_type for division in divisions if division.level == "village")


@pytest.mark.parametrize(
    ("code", "area"), [("420702100001", "urban"), ("420702100201", "rural"), ("420703400498", "urban")]
)
def test_area_goes_by_the_last_three_digits(code: str, area: str) -> None:
    assert area_type(code) == area


@pytest.mark.parametrize("code", ["420702100000", "420702", ""])
def test_what_is_no_village_has_no_area(code: str) -> None:
    with pytest.raises(ValueError, match="not the code of a village"):
        area_type(code)


def test_a_missing_text_is_an_error() -> None:
    with pytest.raises(LabelError, match=r"level\.purple"):
        label("level.purple")
    with pytest.raises(LabelError):
        label("level.red", "fr")


def test_both_languages_have_the_same_places() -> None:
    for key, text in load_labels().items():
        assert places_of(text.zh) == places_of(text.en), key


@pytest.mark.parametrize("broken", ["a: {zh: 一}", "a: {zh: 一, en: ''}", "a: text", "a: {zh: 一, en: one, fr: un}"])
def test_half_a_text_is_an_error(tmp_path: Path, broken: str) -> None:
    (tmp_path / "room.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(LabelError, match=r"room\.yaml"):
        load_labels(tmp_path)


def test_a_key_in_two_files_is_an_error(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("a: {zh: 一, en: one}", encoding="utf-8")
    with pytest.raises(LabelError, match="another file"):
        load_labels(tmp_path)


def test_words_of_the_catalogues_have_labels() -> None:
    for parameter in load_parameters().values():
        assert label(f"unit.{parameter.unit}")
    for indicator in load_indicators().values():
        assert label(f"family.{indicator.family}")
    for feed in load_feeds().values():
        assert label(f"department.{feed.department}")


def test_holidays_and_make_up_days() -> None:
    assert not is_working_day(date(2024, 2, 12)), "Spring Festival, a Monday"
    assert is_working_day(date(2024, 2, 18)), "a Sunday worked to make up"
    assert add_working_days(date(2024, 2, 8), 3) == date(2024, 2, 19)
    assert add_working_days(date(2024, 3, 1), 0) == date(2024, 3, 1)


def test_a_year_without_notice_knows_weekends_only() -> None:
    assert not is_known(date(2090, 1, 2))
    assert [is_working_day(date(2090, 1, day)) for day in (6, 7, 8, 9)] == [True, False, False, True]


def test_months_include_both_ends() -> None:
    months = list(months_between(date(2023, 11, 1), date(2024, 2, 29)))
    assert months == [date(2023, 11, 1), date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1)]


def test_masks_of_the_specification() -> None:
    assert mask_name("张三") == "张*"
    assert mask_name("欧阳娜") == "欧*娜"
    assert mask_id("42070419800101002X") == "420704********002X"
    assert mask_phone("13812341234") == "138****1234"


@pytest.mark.parametrize("around", ["{}", "身份证{}号", "({})", "ID:{},", "a {} b"])
def test_numbers_inside_text_are_masked(around: str) -> None:
    text = mask_text(around.format("42070419800101002X") + "/" + around.format("13812341234"))
    assert "19800101" not in text
    assert "13812341234" not in text
    assert text == around.format("420704********002X") + "/" + around.format("138****1234")


def test_other_numbers_stay() -> None:
    assert mask_text("FC202303000089 房号 1203, 2024年3月") == "FC202303000089 房号 1203, 2024年3月"


@settings(deadline=None)
@given(st.lists(st.text(alphabet="张王欧阳娜 12X", max_size=20)))
def test_column_masks_agree_with_the_plain_ones(values: list[str]) -> None:
    frame = pl.DataFrame({"value": values}, schema={"value": pl.String})
    masked = frame.select(name=masked_name(pl.col("value")), number=masked_id(pl.col("value")))
    assert masked["name"].to_list() == [mask_name(value) for value in values]
    assert masked["number"].to_list() == [mask_id(value) for value in values]
