"""The reference tables: what SQL reads is what Python reads."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from models.calendar import add_working_days
from models.contract import load_feeds
from models.policy import load_overlaps, load_parameters, parameter_value
from models.publish import publish_reference, reference_tables

FIRST, LAST = date(2023, 1, 1), date(2024, 6, 1)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("reference")
    publish_reference(directory, FIRST, LAST)
    return directory


def read(reference: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(reference / f"{table}.parquet")


def test_every_table_is_written_and_nothing_is_left_aside(reference: Path) -> None:
    assert {path.name for path in reference.iterdir()} == {f"{name}.parquet" for name in reference_tables(FIRST, LAST)}


def test_publishing_twice_gives_the_same_bytes(reference: Path, tmp_path: Path) -> None:
    publish_reference(tmp_path, FIRST, LAST)
    for path in reference.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_parameters_by_month_are_those_of_the_lookup(reference: Path) -> None:
    table = read(reference, "parameter_month")
    assert set(table["parameter"]) == set(load_parameters()), "each parameter, with those of the indicators"
    assert table.select("county_code", "month", "parameter", "dimension_key").is_unique().all()
    for row in table.sample(200, seed=1).filter(pl.col("value").is_not_null()).iter_rows(named=True):
        value = parameter_value(row["parameter"], row["county_code"], row["month"], row["dimension_key"])
        assert row["value"] == value


def test_a_standard_moves_with_its_month(reference: Path) -> None:
    rows = read(reference, "parameter_month").filter(parameter="marginal_line", dimension_key="rural")
    assert rows.height == 3 * 18
    assert set(rows["value"]) == {Decimal(885)}


def test_calendar_counts_as_the_functions_do(reference: Path) -> None:
    days = read(reference, "calendar_day")
    number = dict(days.select("day", "working_day_number").iter_rows())
    first_of = dict(days.group_by("working_day_number").agg(pl.col("day").min()).iter_rows())
    for day in (date(2024, 2, 8), date(2024, 2, 9), date(2024, 4, 30)):
        assert first_of[number[day] + 5] == add_working_days(day, 5)


def test_overlaps_published_are_those_that_exclude(reference: Path) -> None:
    table = read(reference, "benefit_overlap")
    assert table.height == sum(overlap.rule != "allowed" for overlap in load_overlaps())


def test_feeds_and_columns(reference: Path) -> None:
    assert read(reference, "feed").height == 27
    assert read(reference, "feed_column").height == sum(len(feed.columns) for feed in load_feeds().values())
