"""From which month on a run builds anew, compared with what was published last."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ingestion.in_force import OPEN_END, VALIDITY_SCHEMA
from models.contract import load_feeds
from orchestration.home.generation import (
    ALIAS_SCHEMA,
    ROW_ALIAS_SCHEMA,
    Basis,
    Rebuild,
    changed_persons,
    clear_mark,
    copy_basis,
    facts_since,
    first_told,
    mark_unfinished,
    read_basis,
    rebuild_since,
    unfinished_since,
    write_basis,
)

JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE = (date(2024, month, 1) for month in range(1, 7))
NOW = datetime(2024, 6, 12, tzinfo=UTC)


def validity(*rows: tuple[str, str, date, date]) -> pl.DataFrame:
    filled = [
        {"delivery_id": name, "feed": feed, "valid_from": since, "valid_to": until} for name, feed, since, until in rows
    ]
    return pl.DataFrame(filled, schema=VALIDITY_SCHEMA)


def rows_given(*rows: tuple[str, int, str]) -> pl.DataFrame:
    filled = [(name, number, "person_key", key) for name, number, key in rows]
    return pl.DataFrame(filled, schema=ROW_ALIAS_SCHEMA, orient="row")


def aliases(**pairs: str) -> pl.DataFrame:
    return pl.DataFrame(list(pairs.items()), schema=ALIAS_SCHEMA, orient="row")


REGISTER = ("r", "assistance_register", JANUARY, OPEN_END)
MARCH_BILLS = ("m", "medical_settlement", MARCH, APRIL)
PUBLISHED = Basis(
    JANUARY, MAY, NOW, {"code": "c", "policy": "p"}, validity(REGISTER, MARCH_BILLS), aliases(), rows_given()
)


def rebuilt(planned: Basis, unfinished: date | None = None) -> Rebuild:
    return rebuild_since(PUBLISHED, planned, unfinished)


def test_without_anything_new_the_newest_month_is_built_again() -> None:
    assert rebuilt(PUBLISHED) == Rebuild(MAY, (), None)


def test_a_new_month_is_built_even_where_nothing_came_for_it() -> None:
    assert rebuilt(replace(PUBLISHED, last_month=JUNE)).since == JUNE


def test_two_months_at_once_are_both_built() -> None:
    assert rebuilt(replace(PUBLISHED, last_month=date(2024, 7, 1))).since == JUNE


def test_a_correction_is_built_from_its_month_on_and_told() -> None:
    planned = replace(PUBLISHED, validity=validity(REGISTER, ("n", "medical_settlement", MARCH, APRIL)))
    assert rebuilt(planned) == Rebuild(MARCH, ("correction of medical_settlement 2024-03",), MARCH)


def test_a_late_delivery_and_a_withdrawn_one_are_told() -> None:
    planned = replace(PUBLISHED, validity=validity(REGISTER, ("l", "income_tax", APRIL, MAY)))
    reasons = ("withdrawal of medical_settlement 2024-03", "delivery of income_tax 2024-04")
    assert rebuilt(planned) == Rebuild(MARCH, reasons, MARCH)


def test_the_next_register_changes_nothing_before_its_month() -> None:
    later = validity(
        ("r", "assistance_register", JANUARY, MAY), MARCH_BILLS, ("s", "assistance_register", MAY, OPEN_END)
    )
    assert rebuilt(replace(PUBLISHED, validity=later)) == Rebuild(
        MAY, ("delivery of assistance_register 2024-05",), MAY
    )


def test_a_delivery_of_a_month_to_come_is_left_for_its_run() -> None:
    planned = replace(PUBLISHED, validity=validity(REGISTER, MARCH_BILLS, ("f", "income_tax", JUNE, date(2024, 7, 1))))
    assert rebuilt(planned) == Rebuild(MAY, (), None)


@pytest.mark.parametrize(
    ("planned", "reason"),
    [
        (replace(PUBLISHED, versions={"code": "d", "policy": "p"}), "another code"),
        (replace(PUBLISHED, versions={"code": "c", "policy": "q"}), "another policy"),
        (replace(PUBLISHED, versions={"code": "c", "policy": "p", "key": "k"}), "another key"),
        (replace(PUBLISHED, as_of=NOW - timedelta(days=1)), "as of an earlier time than 2024-06-12 00:00"),
        (replace(PUBLISHED, first_month=FEBRUARY), "the first month is 2024-02, not 2024-01"),
    ],
)
def test_what_concerns_every_month_builds_every_month(planned: Basis, reason: str) -> None:
    assert rebuilt(planned) == Rebuild(planned.first_month, (reason,))


def test_nothing_published_builds_every_month() -> None:
    assert rebuild_since(None, PUBLISHED, None).since == JANUARY


def test_a_run_cut_short_is_built_over_whatever_is_known_now() -> None:
    rebuild = rebuilt(PUBLISHED, unfinished=FEBRUARY)
    assert (rebuild.since, rebuild.data_since) == (FEBRUARY, None)


def test_the_mark_of_a_run_keeps_the_earliest_month_until_publication(tmp_path: Path) -> None:
    assert unfinished_since(tmp_path) is None
    mark_unfinished(tmp_path, MARCH)
    mark_unfinished(tmp_path, MAY)
    assert unfinished_since(tmp_path) == MARCH
    clear_mark(tmp_path)
    assert unfinished_since(tmp_path) is None


def test_merged_persons_are_built_from_the_first_month_that_tells_of_them() -> None:
    planned = replace(PUBLISHED, aliases=aliases(wrong="right"))
    assert changed_persons(PUBLISHED.aliases, planned.aliases) == ["wrong"]
    assert changed_persons(planned.aliases, PUBLISHED.aliases) == ["wrong"]
    assert changed_persons(planned.aliases, planned.aliases) == []
    rebuild = rebuild_since(PUBLISHED, planned, None, {"wrong": APRIL})
    assert rebuild == Rebuild(APRIL, ("persons merged or split, or rows given to another person",), APRIL)


def test_a_row_given_to_another_person_counts_from_the_month_of_its_delivery() -> None:
    planned = replace(PUBLISHED, row_aliases=rows_given(("m", 7, "somebody")))
    assert (rebuilt(planned).since, rebuilt(planned).data_since) == (MARCH, MARCH)
    assert rebuild_since(planned, PUBLISHED, None).since == MARCH
    assert rebuild_since(planned, planned, None).since == MAY


def test_the_first_month_of_a_person_is_found_in_every_column_that_names_persons(tmp_path: Path) -> None:
    rows = {
        "assistance_register": [("2024-02", "applicant_key", "a"), ("2024-03", "person_key", "b")],
        "death_record": [("2024-01", "person_key", "b"), ("2024-01", "person_key", "c")],
    }
    feeds = {name: load_feeds()[name] for name in rows}
    for name, told in rows.items():
        for number, (period, column, key) in enumerate(told):
            folder = tmp_path / name / f"period={period}"
            folder.mkdir(parents=True, exist_ok=True)
            columns = [field.name for field in feeds[name].lake_fields if field.name.endswith("_key")]
            row = {"period": period, **dict.fromkeys(columns), column: key}
            schema = dict.fromkeys(row, pl.String())
            pl.DataFrame([row], schema=schema).write_parquet(folder / f"{number}.parquet")
    assert first_told(tmp_path, feeds, ["a", "b", "nobody"]) == {"a": FEBRUARY, "b": JANUARY}
    assert first_told(tmp_path, feeds, []) == {}


def test_a_basis_survives_its_folder_and_is_none_when_cut_short(tmp_path: Path) -> None:
    write_basis(PUBLISHED, tmp_path / "basis")
    copy_basis(tmp_path / "basis", tmp_path / "generation")
    found = read_basis(tmp_path / "generation")
    assert found is not None
    assert (found.first_month, found.as_of, found.versions) == (JANUARY, NOW, PUBLISHED.versions)
    assert found.validity.equals(PUBLISHED.validity)
    assert found.aliases.equals(PUBLISHED.aliases)
    (tmp_path / "generation" / "basis.json").unlink()
    assert read_basis(tmp_path / "generation") is None
    assert read_basis(tmp_path / "nowhere") is None


def reach(folder: Path, **months: date) -> Path:
    """A published table of how far back the events of each month reach."""
    file = folder / "event_reach.parquet"
    told = [
        {"month": date.fromisoformat(f"{name[1:]}-01".replace("_", "-")), "reaches_to": to}
        for name, to in months.items()
    ]
    pl.DataFrame(told).write_parquet(file)
    return file


def test_what_follows_from_events_goes_back_to_what_they_spoke_of(tmp_path: Path) -> None:
    file = reach(tmp_path, m2024_03=JANUARY, m2024_05=MARCH, m2024_06=JUNE)
    assert facts_since(file, MAY, None) == MARCH
    assert facts_since(file, JUNE, None) == JUNE
    assert facts_since(file, date(2024, 7, 1), None) == date(2024, 7, 1)


def test_where_events_of_neither_generation_may_stand_everything_after_identity_is_built(tmp_path: Path) -> None:
    assert facts_since(tmp_path / "event_reach.parquet", MAY, None) is None
    assert facts_since(reach(tmp_path, m2024_05=MAY), MAY, MAY) is None
