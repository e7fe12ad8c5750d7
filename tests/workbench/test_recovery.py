"""Lists of money to recover: who is on which, what is known when, sums, and what is masked."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from tests.workbench.chain_tables import month, overpaid, overpaid_months, owed
from workbench.recovery import COLUMNS, HEADER_ROW, overpaid_by_township, write_recovery_lists

LISTED_ON, JUNE = date(2024, 7, 10), date(2024, 6, 1)
PHOENIX, GULOU = "420704001", "420704002"
PEOPLE = pl.DataFrame(
    {"person_key": ["pa", "pb"], "name": ["张小明", "李红"], "id_number": ["42070419600101002X", "420704197001010012"]}
)


def row(person: str, township: str = PHOENIX, amount: int = 1100, **more: Any) -> dict[str, Any]:
    return {
        "month": month(6), "person_key": person, "payee_key": person, "indicator": "X01", "benefits": "DB,GL",
        "event": "death", "event_on": date(2024, 1, 10), "stop_month": month(2), "first_benefit_month": month(2),
        "last_benefit_month": month(3), "benefit_month_count": 2, "overpaid_yuan": Decimal(amount),
        "is_review_needed": False, "village_code": f"{township}001", "township_code": township,
    } | more  # fmt: skip


TABLE = overpaid(
    row("pa"), row("pb", indicator="X04", event="property", amount=500, is_review_needed=True), row("pb", GULOU, 70),
    row("pa", month=month(5), amount=550),
)  # fmt: skip
# The second month of pa was known in June only; a third was taken back in June.
MONTHS = overpaid_months(
    owed("pa", 2, 1), owed("pa", 3, 2, known_from=month(6)), owed("pa", 4, 3, known_to=month(6)),
)  # fmt: skip


def write(folder: Path, of: date = JUNE, identified: bool = True) -> list[Path]:
    return write_recovery_lists(
        TABLE, MONTHS, PEOPLE, of, folder, listed_on=LISTED_ON, identified=identified
    )  # fmt: skip


def cells(path: Path, sheet: int = 0) -> list[list[Any]]:
    rows = openpyxl.load_workbook(path).worksheets[sheet].iter_rows(min_row=HEADER_ROW + 2, values_only=True)
    return [list(values) for values in rows]


def test_a_township_without_overpaid_money_has_no_list(tmp_path: Path) -> None:
    assert sorted(path.name.split("_")[2] for path in write(tmp_path)) == [PHOENIX, GULOU]
    assert write(tmp_path / "none", of=month(1)) == []
    assert not (tmp_path / "none").exists()


def test_facts_come_before_what_people_have_to_decide_and_the_sum_is_right(tmp_path: Path) -> None:
    first, second, total = cells(write(tmp_path)[0])
    place = {column.key: number for number, column in enumerate(COLUMNS)}
    assert [line[place["state"]] for line in (first, second)] == ["事实清楚", "须先复核认定"]
    assert (first[place["months"]], first[place["benefits"]]) == ("2024-02 – 2024-03", "低保金、高龄津贴")
    assert [line[place["amount"]] for line in (first, second, total)] == [1100, 500, 1600]


def test_months_are_those_known_then_with_the_rows_they_rest_on(tmp_path: Path) -> None:
    *told, total = cells(write(tmp_path)[0], sheet=1)
    assert [(line[5], line[8], line[9]) for line in told] == [
        ("2024-02", 550, "assistance_payment.2024-02.a #1"), ("2024-03", 550, "assistance_payment.2024-03.a #2"),
    ]  # fmt: skip
    assert total[8] == 1100
    (earlier,) = write(tmp_path / "may", of=month(5))
    assert [line[5] for line in cells(earlier, sheet=1)[:-1]] == ["2024-02", "2024-04"]


def test_numbers_are_masked_always_and_names_where_nobody_may_read_them(tmp_path: Path) -> None:
    def words(path: Path) -> str:
        return " ".join(str(value) for sheet in (0, 1) for line in cells(path, sheet) for value in line)

    identified = words(write(tmp_path)[0])
    assert "张小明" in identified
    assert "420704********002X" in identified
    masked = words(write(tmp_path / "masked", identified=False)[0])
    assert "张*明" in masked
    assert "42070419600101002X" not in identified + masked


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for once, again in zip(write(tmp_path / "a"), write(tmp_path / "b"), strict=True):
        assert once.read_bytes() == again.read_bytes()


def test_sums_by_township_tell_facts_from_what_must_be_reviewed() -> None:
    assert overpaid_by_township(TABLE, month(6)).rows() == [
        (PHOENIX, 2, Decimal(1100), Decimal(500), Decimal(1600)),
        (GULOU, 1, Decimal(70), Decimal(0), Decimal(70)),
    ]
