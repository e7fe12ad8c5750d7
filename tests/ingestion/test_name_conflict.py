"""Persons named differently by two feeds: that it is found, and when it is none. Names are compared, never written."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ingestion.name_conflict import SCHEMA, name_conflicts

TOLD: dict[str, Any] = {
    "person_key": pl.String, "feed": pl.String, "role": pl.String, "name": pl.String, "former_name": pl.String,
    "first_month": pl.Date, "delivery_id": pl.String, "row_number": pl.Int64, "place": pl.Int32,
}  # fmt: skip
JANUARY, MARCH = date(2023, 1, 1), date(2023, 3, 1)


def said(feed: str, name: str, place: int = 1, former: str | None = None, month: date = JANUARY) -> dict[str, Any]:
    return {
        "person_key": "anna", "feed": feed, "role": "id_number", "name": name, "former_name": former,
        "first_month": month, "delivery_id": f"{feed}.{place}", "row_number": place + 1, "place": place,
    }  # fmt: skip


def found(*rows: dict[str, Any]) -> list[tuple[Any, ...]]:
    conflicts = name_conflicts(pl.DataFrame(list(rows), schema=TOLD))
    assert dict(conflicts.schema) == SCHEMA
    return conflicts.rows()


def test_both_rows_and_the_first_month_in_which_both_were_told() -> None:
    rows = found(said("population_register", "张三"), said("pension_payment", "李四", 2, month=MARCH))
    assert rows == [
        ("anna", "population_register", "population_register.1", 2, "pension_payment", "pension_payment.2", 3, MARCH)
    ]


def test_the_population_register_is_believed_however_old_it_is() -> None:
    ((_, source, *_),) = found(said("pension_payment", "李四", 9), said("population_register", "张三", 1))
    assert source == "population_register"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([said("pension_payment", "张 三", 2)], id="a blank is no other name"),
        pytest.param([said("pension_payment", "張三", 2)], id="nor is the traditional form"),
        pytest.param([said("pension_payment", "李四", 2), said("pension_payment", "张三", 3)], id="it has been mended"),
        pytest.param([], id="one feed alone says nothing against itself"),
    ],
)
def test_near_misses(rows: list[dict[str, Any]]) -> None:
    assert found(said("population_register", "张三"), *rows) == []


def test_a_former_name_that_the_register_knows_is_none() -> None:
    assert found(said("population_register", "张三", former="张小三"), said("pension_payment", "张小三", 2)) == []


def test_nothing_but_keys_places_and_months_leaves_the_vault(tmp_path: Path) -> None:
    assert not {"name", "former_name", "comparable"} & set(SCHEMA)
