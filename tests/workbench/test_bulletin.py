"""The bulletin over made-up figures: what it says of what is missing, hidden or new."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from workbench.bulletin.document import bulletin
from workbench.report.document import Document
from workbench.report.page import html_page
from workbench.statistics_blocks import CITY

MONTH, BEFORE, MADE_ON = date(2024, 3, 1), date(2024, 2, 1), date(2024, 4, 10)
FIGURE = {
    "figure": pl.String,
    "month": pl.Date,
    "area_level": pl.String,
    "area_code": pl.String,
    "layer": pl.String,
    "dimension": pl.String,
    "value": pl.Decimal(18, 4),
    "is_feed_arrived": pl.Boolean,
}
SCORE = {
    "month": pl.Date,
    "department": pl.String,
    "feed": pl.String,
    "is_expected": pl.Boolean,
    "is_arrived": pl.Boolean,
    "is_on_time": pl.Boolean,
    "data_row_count": pl.Int64,
    "quarantined_row_count": pl.Int64,
    "failed_count": pl.Int64,
    "mandatory_failed_count": pl.Int64,
    "grade": pl.String,
}


def rows(month: date, values: dict[str, int | None]) -> list[tuple[object, ...]]:
    return [
        (figure, month, "city", CITY, "all", "all", None if value is None else Decimal(value), value is not None)
        for figure, value in values.items()
    ]


def made(now: dict[str, int | None], before: dict[str, int | None], lang: str = "en", limit: int = 5) -> Document:
    figures = pl.DataFrame([*rows(MONTH, now), *rows(BEFORE, before)], schema=FIGURE, orient="row")
    payment = (MONTH, "civil_affairs", "assistance_payment", True, False, None, 0, 0, 1, 1, "E")
    scores = pl.DataFrame([payment], schema=SCORE, orient="row")
    days = {
        "month": pl.Date,
        "feed": pl.String,
        "due_on": pl.Date,
        "first_received_on": pl.Date,
        "is_stale": pl.Boolean,
    }
    checks = pl.DataFrame(schema={"month": pl.Date, "check_id": pl.String, "state": pl.String})
    outliers = {"month": pl.Date, "state": pl.String, "township_code": pl.String, "measure": pl.String}
    nothing = [pl.DataFrame(schema=days), checks, pl.DataFrame(schema=outliers | {"direction": pl.String})]
    return bulletin(figures, scores, *nothing, MONTH, lang, made_on=MADE_ON, limit=limit)


def said(document: Document) -> str:
    return "\n".join(sentence.text for sentence in document.sentences())


def test_a_file_that_did_not_come_is_told_and_is_no_zero() -> None:
    document = made({"register_persons": 40, "payment_amount": None}, {})
    assert "The payment file of the month did not come in" in said(document)
    assert "Payments of" not in said(document)
    assert document.figures()["payment_amount/2024-03/city/420700/all/all"].shown("en") == "—"
    assert "Not received:" in said(document)
    assert "本月发放数据未到" in said(made({"register_persons": 40, "payment_amount": None}, {}, "zh"))


@pytest.mark.parametrize(
    ("now", "before", "sentence"),
    [
        (40, 30, "That is 10 people more than the month before."),
        (29, 30, "That is 1 person fewer than the month before."),
        (30, 30, "That is as many as the month before."),
    ],
)
def test_more_fewer_or_as_many(now: int, before: int, sentence: str) -> None:
    assert sentence in said(made({"register_persons": now}, {"register_persons": before}))


def test_a_small_change_of_a_stock_is_not_told_where_its_flow_is_hidden() -> None:
    flows = {"persons_new": 3, "persons_left": 0}
    document = made({"register_persons": 33, **flows}, {"register_persons": 30})
    assert "3 people" not in said(document).replace("33 people", "")
    assert "fewer than 5 people came onto the register" in said(document)
    shown = {name: figure.shown("en") for name, figure in document.figures().items()}
    assert shown["register_persons/2024-03/city/420700/all/all"] == "33"
    assert shown["register_persons/2024-02/city/420700/all/all"] == "*"


def test_without_a_limit_nothing_is_hidden() -> None:
    document = made({"register_persons": 33, "persons_new": 3, "persons_left": 0}, {"register_persons": 30}, limit=0)
    assert "3 people came onto the register and no people left it" in said(document)
    assert not [figure for figure in document.figures().values() if figure.hidden]


def test_names_are_escaped_on_the_page() -> None:
    page = html_page(made({"register_persons": 33}, {}))
    assert page.count("<script") == 0
    assert "register_persons/2024-03" in page
