"""The aid chain in words: order, what is one line, marks, and the forms it is written in."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from models.labels import load_labels
from tests.workbench.chain_tables import (
    event,
    events,
    finding,
    findings,
    members,
    month,
    overpaid_months,
    owed,
    payment,
)
from workbench.chain import FINDING, LINE, OVERPAID, ROW, Chain, make_chain
from workbench.chain_book import write_chain_book
from workbench.chain_page import chain_page


def chain(*told: dict[str, Any], found: tuple = (), owes: tuple = (), lang: str = "zh", name: str = "张*") -> Chain:
    return make_chain(
        events(*told), findings(*found), overpaid_months(*owes), members(pa=name, pb="李*"),
        subject="张* · 个人", key="pa", month=month(6), identified=False, lang=lang,
    )  # fmt: skip


def lines(of: Chain, *columns: str) -> list[tuple]:
    return of.lines.select(columns).rows()


def test_months_in_a_row_are_one_line_until_the_amount_changes() -> None:
    told = [payment("pa", number, number, amount=550 if number < 4 else 600) for number in (1, 2, 3, 4, 6)]
    found = lines(chain(*reversed(told)), "day", "until", "times", "amount", "total")
    assert [(str(day), str(until), *rest) for day, until, *rest in found] == [
        ("2024-01-15", "2024-03-15", 3, Decimal(550), Decimal(1650)),
        ("2024-04-15", "None", 1, Decimal(600), Decimal(600)),
        ("2024-06-15", "None", 1, Decimal(600), Decimal(600)),
    ]


def test_what_the_bank_sent_back_is_a_line_of_its_own_and_no_aid() -> None:
    told = [payment("pa", 1, 1), payment("pa", 2, 2) | {"status": "returned"}, payment("pa", 3, 3)]
    back = finding("pa", "payment_returned", 2, evidence=[piece(told[1])])
    found = chain(*told, found=(back,))
    assert lines(found, "times", "status", "mark") == [(1, "已发放", ""), (1, "银行退回", "▲断档"), (1, "已发放", "")]
    assert found.paid_yuan == 1100


def piece(row: dict[str, Any]) -> dict[str, Any]:
    return {"delivery_id": row["delivery_id"], "row_number": row["row_number"]}


def test_a_gap_stands_where_it_was_and_the_payments_around_it_are_not_marked() -> None:
    told = [payment("pa", 1, 1), payment("pa", 4, 4)]
    gap = finding("pa", "payment_gap", 2, last_month=month(3), month_count=2, evidence=[piece(row) for row in told])
    assert lines(chain(*told, found=(gap,)), "what", "times", "mark") == [
        ("发放", 1, ""), ("应发未发", 2, "▲断档"), ("发放", 1, ""),
    ]  # fmt: skip


def test_a_double_and_overpaid_money_mark_their_payments_and_nothing_else() -> None:
    told = [payment("pa", 1, 1), payment("pb", 1, 2), event("pa", 1, 1, feed="assistance_payment")]
    twice = finding("pa", "paid_twice", 1, finding="double", evidence=[piece(told[0])])
    found = chain(*told, found=(twice,), owes=(owed("pa", 1, 1),))
    assert sorted(lines(found, "person", "what", "mark")) == [
        ("张*", "发放", "◆多发 ◆重复"), ("张*", "核对委托", ""), ("李*", "发放", ""),
    ]  # fmt: skip


def test_what_is_said_of_several_on_one_day_is_one_line_but_money_is_each_ones_own() -> None:
    found = chain(event("pa", 1, 1), event("pb", 1, 2), payment("pa", 1, 3), payment("pb", 1, 4))
    assert sorted(lines(found, "person", "what")) == [("张*", "发放"), ("张*、李*", "核对委托"), ("李*", "发放")]


def test_a_visit_that_names_nobody_is_about_the_household() -> None:
    visit = event(None, 1, 1, kind="visit", feed="visit_outcome", code_table="outcome", code="4")
    assert lines(chain(visit), "person", "detail") == [("（全户）", "属实但不符合条件")]


def test_overpaid_months_of_one_reason_are_one_line_with_their_sum() -> None:
    found = chain(owes=(owed("pa", 2, 1), owed("pa", 3, 2), owed("pa", 4, 3, indicator="X04", is_review_needed=True)))
    assert found.overpaid.select("rule", "day", "until", "months", "amount", "status").rows() == [
        ("X01", "2024-02", "2024-03", 2, Decimal(1100), ""),
        ("X04", "2024-04", "2024-04", 1, Decimal(550), "须先复核认定"),
    ]
    assert found.overpaid_yuan == 1650


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_loads_nothing_and_escapes_what_came_in(lang: str) -> None:
    page = chain_page(chain(payment("pa", 1, 1), found=(finding("pa", "payment_gap", 2),), lang=lang, name="<b>张"))
    assert "&lt;b&gt;张" in page
    assert "<b>张" not in page
    assert not any(outside in page for outside in ("http", "src=", "@import", "<script"))
    assert "class=marked" in page


def test_an_empty_chain_says_so() -> None:
    page = chain_page(chain())
    assert all(load_labels()[f"chain.{key}"].zh in page for key in ("empty", "no_finding", "no_overpaid"))


def test_the_workbook_has_every_table_and_the_same_bytes_again(tmp_path: Path) -> None:
    told = chain(
        payment("pa", 1, 1), payment("pa", 2, 2), found=(finding("pa", "payment_gap", 3),), owes=(owed("pa", 2, 2),)
    )
    path = write_chain_book(tmp_path / "chain.xlsx", told)
    book = openpyxl.load_workbook(path)
    heads = [[cell.value for cell in sheet[3]] for sheet in book]
    wanted = (LINE, FINDING, OVERPAID, None, ROW)
    assert [len(head) for head, columns in zip(heads, wanted, strict=True) if columns] == [
        len(columns) for columns in wanted if columns
    ]
    assert book.worksheets[-1].max_row == 3 + told.rows.height
    assert path.read_bytes() == write_chain_book(tmp_path / "again.xlsx", told).read_bytes()


def test_every_word_of_the_tables_has_its_label() -> None:
    columns = {*LINE, *FINDING, *OVERPAID, *ROW, "id_number"}
    assert {f"chain.column.{column}" for column in columns} <= load_labels().keys()
