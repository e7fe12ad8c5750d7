"""Lists of old people, children and payees: whom they name, in which order, and what they keep back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from workbench.child_visits import write_child_visits
from workbench.elder_visits import write_elder_visits
from workbench.person_list import FIRST_ROW, HEADER_ROW
from workbench.price_subsidy import newly_triggered, write_price_subsidy

MAY, JUNE, JULY = (date(2024, month, 1) for month in (5, 6, 7))
Said = tuple[tuple[str, dict[str, Any]], ...]
VILLAGE, TOWNSHIP = "420704001001", "420704001"


def elders() -> pl.DataFrame:
    base: dict[str, Any] = {
        "month": JUNE, "village_code": VILLAGE, "township_code": TOWNSHIP, "age_years": 82, "is_registered": True,
        "elder_categories": "1,4", "ability_level": "2", "derived_reasons": None, "is_candidate": False,
        "is_visit_due": True, "not_due_reason": None, "last_visited_on": date(2024, 6, 3), "days_since_visit": 27,
        "visit_status": "done",
    }  # fmt: skip
    missed = {"last_visited_on": date(2024, 4, 3), "days_since_visit": 88, "visit_status": "missed"}
    proposed = {"is_registered": False, "is_candidate": True, "is_visit_due": False, "derived_reasons": "living_alone"}
    gone = {"is_visit_due": False, "not_due_reason": "dead", "visit_status": "not_due"}
    earlier = {"month": MAY}
    said: Said = (
        ("pa", {}),
        ("pb", missed),
        ("pc", proposed | {"elder_categories": None}),
        ("pd", gone),
        ("pa", earlier),
    )
    return pl.DataFrame([base | more | {"person_key": key} for key, more in said], infer_schema_length=None)


def children() -> pl.DataFrame:
    base: dict[str, Any] = {
        "month": JUNE, "village_code": VILLAGE, "township_code": TOWNSHIP, "age_years": 9, "guardian_key": "pd",
        "state": "orphan", "father_state": "dead", "mother_state": "dead", "difference": "agrees",
        "payment_status": "paid", "risk_level": "orange", "risk_rank": 2, "reasons": ["orphan"],
        "visit_interval_months": 2, "last_visited_on": date(2024, 5, 3), "next_visit_month": JULY,
        "visit_status": "not_yet_due", "is_due_next_month": True,
    }  # fmt: skip
    red: dict[str, Any] = {
        "risk_level": "red", "risk_rank": 1, "reasons": ["orphan_unregistered"], "difference": "not_registered",
        "guardian_key": None, "last_visited_on": None, "next_visit_month": MAY, "visit_status": "overdue",
    }  # fmt: skip
    later = {"is_due_next_month": False}
    said: Said = (("pa", {}), ("pb", red), ("pc", later))
    return pl.DataFrame([base | more | {"person_key": key} for key, more in said], infer_schema_length=None)


def cells(path: Path, sheet: int = 0) -> list[dict[str, Any]]:
    """The rows of a sheet by heading."""
    rows = list(openpyxl.load_workbook(path).worksheets[sheet].iter_rows(values_only=True))
    return [dict(zip(rows[HEADER_ROW], row, strict=True)) for row in rows[FIRST_ROW:]]


def test_the_longest_without_a_visit_come_first_and_the_dead_are_on_a_sheet_of_their_own(
    tmp_path: Path, identity_frame: pl.DataFrame
) -> None:
    (path,) = write_elder_visits(elders(), identity_frame, JUNE, tmp_path, listed_on=JULY, identified=True)
    due, proposed, gone = cells(path), cells(path, 1), cells(path, 2)
    assert [row["姓名"] for row in due] == ["李秀英", "欧阳建国"]
    assert due[0] | {"类别": "独居、失能", "能力等级": "中度失能", "上次走访": "2024-04-03"} == due[0]
    assert [(row["姓名"], row["数据显示"]) for row in proposed] == [("王芳", "高龄独居")]
    assert [(row["姓名"], row["核减原因"]) for row in gone] == [("张伟", "已去世")]
    assert "已探访1人，未探访1人" in openpyxl.load_workbook(path).worksheets[0]["A2"].value


def test_children_to_visit_gravest_first_with_reasons_parents_and_guardian(
    tmp_path: Path, identity_frame: pl.DataFrame
) -> None:
    (path,) = write_child_visits(children(), identity_frame, JUNE, tmp_path, listed_on=JULY, identified=True)
    first, second = cells(path)
    told = {
        "风险等级": "红色",
        "姓名": "李秀英",
        "与台账比对": "未登记",
        "上次走访": "从未",
        "父母情况": "父亲 死亡\n母亲 死亡",
    }
    assert first | told | {"为什么是这个等级": "父母双亡，未登记为孤儿"} == first
    assert (
        second | {"风险等级": "橙色", "监护人": "张伟\n07113861234", "走访频次": "2个月一次", "基本生活费": "已发"}
        == second
    )


def test_without_leave_names_and_addresses_are_kept_back_and_id_numbers_always(
    tmp_path: Path, identity_frame: pl.DataFrame
) -> None:
    (path,) = write_elder_visits(elders(), identity_frame, JUNE, tmp_path / "a", listed_on=JULY, identified=False)
    (child,) = write_child_visits(children(), identity_frame, JUNE, tmp_path / "b", listed_on=JULY, identified=False)
    (shown,) = write_elder_visits(elders(), identity_frame, JUNE, tmp_path / "c", listed_on=JULY, identified=True)
    for file in (path, child):
        told = str([cells(file, at) for at in range(len(openpyxl.load_workbook(file).worksheets))])
        for name, number, phone, address in identity_frame.drop("person_key").iter_rows():
            assert not any(value in told for value in (name, number, phone, address) if value)
    assert not any(number in str(cells(shown)) for number in identity_frame["id_number"])


def test_lists_of_persons_have_the_same_bytes_from_the_same_rows(tmp_path: Path, identity_frame: pl.DataFrame) -> None:
    for write, frame in ((write_elder_visits, elders()), (write_child_visits, children())):
        (first,) = write(frame, identity_frame, JUNE, tmp_path / "a", listed_on=JULY, identified=True)
        (again,) = write(
            frame.reverse(), identity_frame.reverse(), JUNE, tmp_path / "b", listed_on=JULY, identified=True
        )
        assert first.read_bytes() == again.read_bytes()


def triggers() -> pl.DataFrame:
    rows = [
        (MAY, MAY, "unknown", None),
        (JUNE, MAY, "triggered", "cpi"),
        (JULY, MAY, "triggered", "cpi"),
        (JUNE, JUNE, "not_triggered", None),
    ]
    names = ["month", "price_month", "trigger_status", "triggered_by"]
    figures = {"cpi_growth_percent": 3.5, "cpi_line_percent": 3.5, "food_growth_percent": 1.2, "food_line_percent": 6.0}
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(**{k: pl.lit(v) for k, v in figures.items()})


def test_payees_are_listed_in_the_month_that_first_knows_of_the_trigger(
    tmp_path: Path, identity_frame: pl.DataFrame
) -> None:
    assert [newly_triggered(triggers(), month) for month in (MAY, JUNE, JULY)] == [[], [MAY], []]
    base = {"month": JUNE, "price_month": MAY, "village_code": VILLAGE, "township_code": TOWNSHIP, "unit_id": "c"}
    paid = {"subsidy_group": "dibao", "amount_due_yuan": Decimal(26), "payment_status": "waiting"}
    undue = {"subsidy_group": None, "amount_due_yuan": Decimal(0), "payment_status": "undue"}
    payees = pl.DataFrame(
        [base | paid | {"person_key": key} for key in ("pb", "pa")] + [base | undue | {"person_key": "pd"}]
    )
    area = {
        "month": JUNE,
        "price_month": MAY,
        "payee_count": 2,
        "amount_due_yuan": Decimal(52),
        "subsidy_group": "dibao",
    }
    places = (("city", "420700"), ("county", "420704"), ("township", TOWNSHIP), ("village", VILLAGE))
    areas = pl.DataFrame([area | {"area_level": level, "area_code": code} for level, code in places])
    frames = (triggers(), payees, areas, identity_frame)
    assert write_price_subsidy(*frames, JULY, tmp_path, listed_on=JULY, identified=True) == []
    (path,) = write_price_subsidy(*frames, JUNE, tmp_path, listed_on=JULY, identified=True)
    assert [(row["姓名"], row["金额（元）"]) for row in cells(path)] == [("欧阳建国", 26), ("李秀英", 26)]
    assert [(row["地区"], row["人数"], row["金额（元）"]) for row in cells(path, 1)] == [
        ("鄂州市", 2, 52), ("鄂城区", 2, 52), ("凤凰街道", 2, 52)
    ]  # fmt: skip
    assert (
        "CPI同比3.50%（启动线3.5%），启动物价联动。共2人、52元"
        in openpyxl.load_workbook(path).worksheets[0]["A2"].value
    )
