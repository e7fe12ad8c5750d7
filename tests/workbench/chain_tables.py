"""Made-up rows of the aid chain for tests: events, findings, overpaid money and members. Nobody in them exists."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

YUAN = pl.Decimal(14, 2)
EVIDENCE = pl.List(pl.Struct({"delivery_id": pl.String, "row_number": pl.Int64}))
EVENT: dict[str, Any] = {
    "month": pl.Date, "event_on": pl.Date, "person_key": pl.String, "household_id": pl.String,
    "household_month": pl.Date, "kind": pl.String, "nature": pl.String, "department": pl.String, "feed": pl.String,
    "benefit": pl.String, "code_table": pl.String, "code": pl.String, "certificate_no": pl.String,
    "period_from": pl.Date, "period_to": pl.Date, "amount_yuan": YUAN, "status": pl.String,
    "delivery_id": pl.String, "row_number": pl.Int64,
}  # fmt: skip
FINDING: dict[str, Any] = {
    "person_key": pl.String, "household_id": pl.String, "kind": pl.String, "finding": pl.String, "benefit": pl.String,
    "first_month": pl.Date, "last_month": pl.Date, "month_count": pl.Int32, "amount_yuan": YUAN,
    "known_month": pl.Date, "evidence": EVIDENCE,
}  # fmt: skip
OVERPAID_MONTH: dict[str, Any] = {
    "person_key": pl.String, "payee_key": pl.String, "indicator": pl.String, "benefit": pl.String,
    "benefit_month": pl.Date, "known_from": pl.Date, "known_to": pl.Date, "event": pl.String, "event_on": pl.Date,
    "stop_month": pl.Date, "certificate_no": pl.String, "head_count": pl.Int32, "paid_yuan": YUAN,
    "overpaid_yuan": YUAN, "is_review_needed": pl.Boolean, "evidence": EVIDENCE,
}  # fmt: skip
OVERPAID: dict[str, Any] = {
    "month": pl.Date, "person_key": pl.String, "payee_key": pl.String, "indicator": pl.String, "benefits": pl.String,
    "event": pl.String, "event_on": pl.Date, "stop_month": pl.Date, "first_benefit_month": pl.Date,
    "last_benefit_month": pl.Date, "benefit_month_count": pl.Int32, "overpaid_yuan": YUAN,
    "is_review_needed": pl.Boolean, "household_id": pl.String, "village_code": pl.String, "township_code": pl.String,
    "county_code": pl.String,
}  # fmt: skip
OPEN_END = date(9999, 12, 31)


def month(number: int) -> date:
    """A month of 2024."""
    return date(2024, number, 1)


def payment(person: str, number: int, row: int, household: str = "h", amount: int = 550, **more: Any) -> dict[str, Any]:
    """A payment of dibao for a month of 2024."""
    return event(
        person, number, row, household, kind="payment", nature="aid", feed="assistance_payment", benefit="DB",
        code_table="benefit", code="DB", amount_yuan=Decimal(amount), status="paid", **more,
    )  # fmt: skip


def event(person: str | None, number: int, row: int, household: str = "h", **more: Any) -> dict[str, Any]:
    """An event on the 15th of a month of 2024."""
    feed = more.get("feed", "check_request")
    return dict.fromkeys(EVENT) | {
        "month": month(number), "event_on": date(2024, number, 15), "person_key": person, "household_id": household,
        "household_month": month(number), "kind": "check_request", "nature": "contact", "department": "civil_affairs",
        "feed": feed, "code_table": "purpose", "code": "6", "period_from": month(number), "period_to": month(number),
        "delivery_id": f"{feed}.2024-{number:02d}.a", "row_number": row,
    } | more  # fmt: skip


def finding(person: str, kind: str, number: int, household: str = "h", **more: Any) -> dict[str, Any]:
    return dict.fromkeys(FINDING) | {
        "person_key": person, "household_id": household, "kind": kind, "finding": "gap", "benefit": "DB",
        "first_month": month(number), "last_month": month(number), "month_count": 1, "amount_yuan": Decimal(550),
        "known_month": month(number), "evidence": [],
    } | more  # fmt: skip


def owed(person: str, number: int, row: int, amount: int = 550, **more: Any) -> dict[str, Any]:
    """An overpaid month, known in the month itself."""
    piece = {"delivery_id": f"assistance_payment.2024-{number:02d}.a", "row_number": row}
    return dict.fromkeys(OVERPAID_MONTH) | {
        "person_key": person, "payee_key": person, "indicator": "X01", "benefit": "DB", "benefit_month": month(number),
        "known_from": month(number), "known_to": OPEN_END, "event": "death", "event_on": date(2024, 1, 10),
        "stop_month": month(2), "head_count": 1, "paid_yuan": Decimal(amount), "overpaid_yuan": Decimal(amount),
        "is_review_needed": False, "evidence": [piece],
    } | more  # fmt: skip


def events(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=EVENT, orient="row")


def findings(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=FINDING, orient="row")


def overpaid_months(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=OVERPAID_MONTH, orient="row")


def overpaid(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(OVERPAID) | row for row in rows], schema=OVERPAID, orient="row")


def members(**names: str | None) -> pl.DataFrame:
    """Who is named: person_key to name as it is shown."""
    rows = [(key, name, "420704********002X", month(1), None) for key, name in names.items()]
    schema = {"person_key": pl.String, "name": pl.String, "id_number": pl.String, "first_month": pl.Date}
    return pl.DataFrame(rows, schema=schema | {"last_month": pl.Date}, orient="row")
