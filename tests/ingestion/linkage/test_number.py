"""Numbers one slip away: every slip leads back to the number that was meant, and to valid numbers alone."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from ingestion.linkage.candidate import leading_digits
from ingestion.linkage.number import neighbours
from ingestion.linkage.pairs import one_slip_apart
from ingestion.parse_identity import check_character

DAYS = st.integers(0, 33_000).map(lambda days: date(1931, 1, 1) + timedelta(days=days))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    region = draw(st.sampled_from(["420702", "420703", "420704", "110101"]))
    first = f"{region}{draw(DAYS):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first + check_character(first)


def found(text: str) -> dict[str, bool]:
    frame = neighbours(pl.Series([text]))
    return dict(zip(frame["id_number"], frame["birth_digits"], strict=True))


@settings(deadline=None)
@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789XO张"))
def test_a_wrong_character_leads_back(number: str, place: int, written: str) -> None:
    text = number[:place] + written + number[place + 1 :]
    if text == number or len(text.encode()) != 18:
        return
    assert found(text)[number] == (place not in range(6, 14))


@settings(deadline=None)
@given(numbers(), st.integers(0, 16))
def test_two_swapped_neighbours_lead_back(number: str, place: int) -> None:
    text = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if text != number:
        assert number in found(text)


@settings(deadline=None)
@given(numbers(), st.integers(0, 17), st.integers(0, 18), st.sampled_from("0123456789"))
def test_one_missing_and_one_too_many_lead_back(number: str, gone: int, place: int, more: str) -> None:
    assert number in found(number[:gone] + number[gone + 1 :])
    assert number in found(number[:place] + more + number[place:])


@settings(deadline=None)
@given(numbers(), st.integers(0, 14), st.sampled_from("0123456789"))
def test_an_old_number_with_a_slip_leads_back(number: str, place: int, written: str) -> None:
    old = number[:6] + number[8:17]
    meant = number[:6] + "19" + number[8:17]
    meant += check_character(meant)
    for text in (
        old[:place] + written + old[place + 1 :],
        old[:place] + old[place + 1 :],
        old[:place] + written + old[place:],
    ):
        assert text == old or meant in found(text)


@settings(deadline=None)
@given(st.text(alphabet="0123456789X", min_size=13, max_size=20))
def test_only_numbers_with_a_right_check_are_found(text: str) -> None:
    frame = neighbours(pl.Series([text]))
    assert frame["id_number"].is_unique().all()
    for number in frame["id_number"]:
        assert ric.calc_check_digit(number) == number[17]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=25)), max_size=5))
def test_any_text_is_taken(texts: list[str | None]) -> None:
    assert neighbours(pl.Series(texts, dtype=pl.String))["at"].is_in(range(len(texts))).all()


def test_two_valid_numbers_never_differ_in_one_character() -> None:
    number = "42070219800101101" + check_character("42070219800101101")
    assert number not in found(number) or found(number) == {number: True}


def test_leading_digits_of_what_a_spreadsheet_left() -> None:
    texts = ["4.2070219800101E+17", "4.20702198001011E17", "420702198001010000", "4.20702E+17", "4.20702800101101E+14"]
    texts += ["420702198001010000.0", "42070219800101", "420702198001011015"]
    left = pl.DataFrame({"text": texts}).select(leading_digits(pl.col("text"))).to_series().to_list()
    assert left == ["42070219800101", "420702198001011", "420702198001010", None, "42070219800101101",
                    "420702198001010", None, "420702198001011"]  # fmt: skip


def test_slips_between_first_halves_of_valid_numbers() -> None:
    pairs = [("12345678901234567", "12345678901234568", True), ("12345678901234567", "12345678901234576", True),
             ("12345678901234567", "12345678901234589", False)]  # fmt: skip
    frame = pl.DataFrame(pairs, schema=["left", "right", "is_near"], orient="row")
    assert (
        frame.select(one_slip_apart(pl.col("left"), pl.col("right"))).to_series().to_list()
        == frame["is_near"].to_list()
    )
