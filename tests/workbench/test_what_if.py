"""Before and after other rules, counted by hand on five households."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl

from workbench.what_if import compared, total, write_workbook

MONEY = pl.Decimal(14, 2)


def layers(rows: list[tuple[str, int, str, str, int | None]]) -> pl.DataFrame:
    schema = {
        "household_id": pl.String, "counted_member_count": pl.Int32, "register_layer": pl.String,
        "rule_layer": pl.String, "amount_due_yuan": MONEY,
    }  # fmt: skip
    return pl.DataFrame([(*row[:4], None if row[4] is None else Decimal(row[4])) for row in rows], schema, orient="row")


BEFORE = layers(
    [
        ("a", 2, "dibao", "dibao", 500),
        ("b", 3, "none", "marginal", 0),
        ("c", 1, "none", "none", 0),
        ("d", 4, "dibao", "none", 0),
        ("e", 1, "none", "unknown", None),
    ]
)
AFTER = layers(
    [
        ("a", 2, "dibao", "dibao", 576),
        ("b", 3, "none", "dibao", 30),
        ("c", 1, "none", "marginal", 0),
        ("d", 4, "dibao", "none", 0),
        ("e", 1, "none", "unknown", None),
    ]
)
PLACES = pl.DataFrame(
    {
        "household_id": list("abcde"),
        "county_code": ["420702", "420702", "420703", "420703", "420703"],
        "township_code": ["420702001", "420702100", "420703101", "420703101", "420703101"],
    }
)


def row(table: pl.DataFrame, level: str, area: str, layer: str) -> dict:
    found = table.filter(pl.col("level") == level, pl.col("area_code") == area, pl.col("layer") == layer)
    return found.row(0, named=True)


def test_households_persons_and_cost_of_the_city() -> None:
    table = compared(BEFORE, AFTER, PLACES)
    dibao = row(table, "city", "", "dibao")
    assert (dibao["households_before"], dibao["households_after"]) == (1, 2)
    assert (dibao["households_gained"], dibao["households_lost"]) == (1, 0)
    assert (dibao["persons_before"], dibao["persons_after"]) == (2, 5)
    assert (dibao["cost_before_yuan"], dibao["cost_after_yuan"], dibao["cost_difference_yuan"]) == (500, 606, 106)
    # The family that never applied costs nothing until it does.
    assert dibao["registered_cost_difference_yuan"] == 76
    marginal = row(table, "city", "", "marginal")
    assert (marginal["households_gained"], marginal["households_lost"]) == (1, 1)


def test_areas_sum_up_to_the_city() -> None:
    table = compared(BEFORE, AFTER, PLACES)
    sums = table.group_by("level").agg(pl.col("households_after", "cost_difference_yuan", "persons_before").sum())
    assert sums.drop("level").unique().height == 1
    assert row(table, "county", "420702", "dibao")["cost_difference_yuan"] == 106


def test_total_counts_moves() -> None:
    sums = total(compared(BEFORE, AFTER, PLACES))
    assert (sums["households_moved"], sums["households_gaining_a_layer"]) == (2, 1)
    assert sums["households_losing_all_layers"] == 0
    assert sums["cost_difference_yuan"] == 106


def test_workbook_has_a_sheet_for_each_level_and_no_household(tmp_path: Path) -> None:
    path = tmp_path / "what_if.xlsx"
    write_workbook(path, compared(BEFORE, AFTER, PLACES), ["dibao_standard=+5%"], date(2024, 3, 1), "zh")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["全市", "各县区", "各乡镇（街道）"]
    cells = [cell for cells in book["全市"].iter_rows(values_only=True) for cell in cells]
    assert 606 in cells
    assert not {"a", "b", "c"} & set(cells)
