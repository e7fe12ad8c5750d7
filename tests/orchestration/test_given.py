"""Households that were given out are kept with their members, whatever later generations say."""

from datetime import date
from pathlib import Path

import polars as pl

from orchestration.home.given import ensure_given, keep_given

JANUARY, FEBRUARY = date(2023, 1, 1), date(2023, 2, 1)


def generation(folder: Path, rows: list[tuple[date, str, str]]) -> Path:
    """Published tables of those members; the first of a household is its reference person."""
    folder.mkdir()
    schema = {"month": pl.Date, "household_id": pl.String, "person_key": pl.String}
    members = pl.DataFrame(rows, schema=schema, orient="row")
    members.with_columns(role=pl.lit("other")).write_parquet(folder / "household_member_month.parquet")
    members.group_by("month", "household_id").agg(reference_person_key=pl.col("person_key").min()).write_parquet(
        folder / "household_month.parquet"
    )
    return folder


def kept(reference: Path) -> list[tuple[object, ...]]:
    return pl.read_parquet(reference / "household_given.parquet").sort("household_id", "person_key").rows()


def test_before_anything_is_published_the_table_is_there_without_rows(tmp_path: Path) -> None:
    ensure_given(tmp_path)
    assert kept(tmp_path) == []


def test_of_each_household_the_newest_month_with_its_members_then(tmp_path: Path) -> None:
    rows = [(JANUARY, "house", "anna"), (JANUARY, "house", "bert"), (FEBRUARY, "house", "bert")]
    keep_given(generation(tmp_path / "one", rows), tmp_path)
    assert kept(tmp_path) == [("house", FEBRUARY, "bert", True)]


def test_a_key_of_an_earlier_generation_stays(tmp_path: Path) -> None:
    keep_given(generation(tmp_path / "one", [(JANUARY, "old", "anna"), (JANUARY, "old", "bert")]), tmp_path)
    keep_given(generation(tmp_path / "two", [(JANUARY, "new", "anna")]), tmp_path)
    assert kept(tmp_path) == [
        ("new", JANUARY, "anna", True),
        ("old", JANUARY, "anna", True),
        ("old", JANUARY, "bert", False),
    ]
