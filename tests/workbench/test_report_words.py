"""Numbers in sentences: the right form of the noun, and nothing told of what is hidden or unknown."""

from decimal import Decimal

import pytest

from models.labels import load_labels
from workbench.report.compose import compose
from workbench.report.figure import Figure, difference, number_text


def figure(value: int | None, unit: str = "household", **more: object) -> Figure:
    return Figure("f", None if value is None else Decimal(value), unit, limit=5, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "hidden", "zh", "en"),
    [
        (1, "", "1户", "1 household"),
        (1234, "", "1,234户", "1,234 households"),
        (0, "", "0户", "no households"),
        (3, "small", "不足5户", "fewer than 5 households"),
        (30, "rest", "若干户", "some households"),
        (None, "", "（未知）户", "an unknown number of households"),
    ],
)
def test_a_number_with_its_noun(value: int | None, hidden: str, zh: str, en: str) -> None:
    assert figure(value, hidden=hidden).phrase("household", "zh") == zh
    assert figure(value, hidden=hidden).phrase("household", "en") == en


def test_shares_and_money_as_people_write_them() -> None:
    assert number_text(Decimal("0.0625"), "ratio") == "6.3%"
    assert number_text(Decimal("0.0001"), "ratio") == "<0.1%"
    assert number_text(Decimal("1234.50"), "yuan") == "1,234.50"
    assert number_text(Decimal("1234.00"), "yuan") == "1,234"


def test_a_difference_tells_nothing_of_what_is_hidden() -> None:
    assert difference(figure(7), figure(10)).value == -3
    told = difference(figure(7), figure(10, hidden="rest"))
    assert not told.is_known
    assert told.shown("en") == "*"
    assert difference(figure(7), figure(None)).value is None
    assert difference(Figure("a", Decimal("0.5"), "ratio"), Figure("b", Decimal("0.4"), "ratio")).shown("en") == (
        "10.0 points"
    )


def test_an_english_sentence_begins_with_a_capital() -> None:
    sentence = compose("bulletin.beside.of_elders", "en", count=figure(3, hidden="small"))
    assert sentence.text == "Of fewer than 5 people"


def test_every_sentence_has_the_same_places_in_both_languages() -> None:
    import string

    for key, text in load_labels().items():
        if key.split(".")[0] in ("bulletin", "quality_report"):
            places = [{name for _, name, _, _ in string.Formatter().parse(one) if name} for one in (text.zh, text.en)]
            assert places[0] == places[1], key
