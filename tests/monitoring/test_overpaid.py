"""What was overpaid to the planted dead, detained and moved, counted by hand from the raw files.

Belongs here: the amount of whole cases in a whole city. The single rule with its near misses is in
``tests/policy/cases/overpayment.yaml``. A failure names a case by its place in the list, never a person.
"""

import json
import math
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from orchestration.home.settings import DataHome
from orchestration.questions.exports import export_overpayments
from tests.monitoring.raw_city import Row, day_of, month_of, months_of, yuan

pytestmark = pytest.mark.slow

# What ends at which event, as models/policy/benefits.yaml says: written here once more, since a hand counts it.
HOUSEHOLD = "DB"
STOPS = {"X02": {"DB", "TK", "HL", "CS", "CH", "WJ"}}
STOPS["X01"] = STOPS["X03"] = STOPS["X02"] | {"GE", "SS", "GL"}
BENEFITS = {
    "低保金": "DB", "特困供养金": "TK", "照料护理费": "HL", "困难残疾人生活补贴": "CS", "重度残疾人护理补贴": "CH",
    "孤儿基本生活费": "GE", "事实无人抚养儿童基本生活补贴": "SS", "高龄津贴": "GL", "临时救助金": "LS",
    "价格临时补贴": "WJ",
}  # fmt: skip
EVENTS = {
    "X01": ("death_record", "死亡日期"),
    "X02": ("custody_record", "起始日期"),
    "X03": ("population_register", "变动日期"),
}


@pytest.fixture(scope="module")
def planted(sample_city: Path) -> list[dict]:
    lines = (sample_city / "planted_expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [case for case in map(json.loads, lines) if set(case["indicator"]) & {"X01", "X02", "X03"}]


@pytest.fixture(scope="module")
def payments(sample_city: Path) -> dict[tuple[str, str, str], int]:
    """Paid out by payee, benefit and month; what the bank sent back is left out."""
    paid: dict[tuple[str, str, str], int] = {}
    for month in months_of(sample_city, "assistance_payment"):
        for row in month.rows:
            if row["发放状态"] in ("1", "成功"):
                benefit = BENEFITS.get(row["资金项目"], row["资金项目"])
                paid[row["身份证号"], benefit, month_of(row["所属月份"])] = yuan(row["金额"])
    return paid


def event_days(city: Path, number: str, indicator: str) -> Iterator[tuple[date, date]]:
    """When it began and until when it lasted, as the files tell it."""
    feed, column = EVENTS[indicator]
    for month in months_of(city, feed):
        for row in month.rows:
            if row["身份证号"] == number and (
                indicator != "X03" or row.get("户籍状态") in ("2", "4", "迁出", "其他注销")
            ):
                until = row.get("预计解除日期")
                yield day_of(row[column]), day_of(until) if until else date.max


def certificates(city: Path) -> dict[tuple[str, str], tuple[str, int, list[Row]]]:
    """By month and person: the applicant of the certificate, how many it is for, its rows."""
    found: dict[tuple[str, str], tuple[str, int, list[Row]]] = {}
    for month in months_of(city, "assistance_register"):
        families: dict[str, dict[str, Row]] = {}
        for row in month.rows:
            families.setdefault(row["救助证号"], {})[row["身份证号"]] = row
        for family in families.values():
            rows = list(family.values())
            stated = max((int(float(row["家庭人口数"])) for row in rows if row.get("家庭人口数")), default=0)
            heads = 1 if len(rows) == 1 else max(len(rows), stated)
            for row in rows:
                found[month.period, row["身份证号"]] = (row["申请人身份证号"].upper(), heads, rows)
    return found


def test_planted_cases_owe_what_a_hand_counts(
    planted: list[dict], payments: dict, sample_city: Path, sample_home: DataHome
) -> None:
    table = export_overpayments(sample_home, None, identified=True)
    newest = table.filter(pl.col("month") == table["month"].max())
    families = certificates(sample_city)
    wrong, counted = [], 0
    for place, case in enumerate(planted, start=1):
        number, indicator = case["id_number"], case["indicator"][0]
        owed = sum(by_hand(number, indicator, payments, families, sample_city).values())
        mine = newest.filter(pl.col("id_number") == number, pl.col("indicator") == indicator)
        found = float(mine["overpaid_yuan"].sum())
        counted += owed > 0
        if found != owed:
            wrong.append(f"case {place} ({indicator}): {found} found, {owed} by hand")
    assert wrong == []
    assert counted == len(planted), "each of them was paid after the event"


def by_hand(number: str, indicator: str, payments: dict, families: dict, city: Path) -> dict[tuple[str, str], int]:
    """What was not due by benefit and month, from the month after the event on."""
    began, ended = min(event_days(city, number, indicator))
    owed: dict[tuple[str, str], int] = {}
    for (payee, benefit, month), paid in payments.items():
        if benefit not in STOPS[indicator] or not f"{began:%Y%m}" < month <= f"{ended:%Y%m}":
            continue
        if benefit != HOUSEHOLD:
            owed |= {(benefit, month): paid} if payee == number else {}
            continue
        applicant, heads, _ = families.get((month, number), ("", 0, []))
        if payee == applicant:
            left = math.ceil(paid * (heads - 1) / heads)
            owed[benefit, month] = paid - left
    return owed
