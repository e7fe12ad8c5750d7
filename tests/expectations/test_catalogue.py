"""The catalogue is complete, its ids are stable and unique, and a slip of the pen is an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from expectations import checks_frame, resolve_feed_checks, resolve_table_checks
from expectations.catalogue import load_catalogue, resolve_contradiction_checks
from expectations.row_checks import ROW_KINDS, expected
from models.contract import load_feeds
from models.quality import CATALOGUE_FILE, CatalogueError

CHECKS = (*resolve_feed_checks(load_feeds()), *resolve_contradiction_checks(), *resolve_table_checks())


def test_every_feed_is_checked_in_all_that_its_contract_says() -> None:
    ids = {check.check_id for check in CHECKS}
    for feed in load_feeds().values():
        for field in feed.lake_fields:
            column = feed.column(field.source)
            assert (f"{feed.name}.not_null.{field.name}" in ids) == column.required
            assert (f"{feed.name}.in_set.{field.name}" in ids) == (column.type == "code")
            dated = column.type == "date" and not column.may_lie_in_future
            assert (f"{feed.name}.not_after_received.{field.name}" in ids) == dated
        assert f"{feed.name}.arrived" in ids


def test_checks_are_written_in_both_languages_with_a_reason_and_an_owner() -> None:
    frame = checks_frame(CHECKS)
    assert frame["check_id"].is_unique().all()
    for column in ("title_zh", "title_en", "reason_zh", "reason_en", "owner", "dimension", "class", "threshold"):
        assert frame[column].null_count() == 0
        assert not frame.filter(frame[column].cast(str) == "").height
    assert not frame.filter(frame["title_zh"].str.contains(r"\{")).height


def test_every_row_check_has_an_expectation() -> None:
    for check in CHECKS:
        if check.kind in ROW_KINDS:
            assert expected(check).type.startswith("Expect")


def test_a_feed_that_is_added_is_checked_without_code() -> None:
    feed = next(iter(load_feeds().values()))
    added = replace(feed, name="parking_permit")
    kinds = {check.kind for check in resolve_feed_checks({"parking_permit": added})}
    assert {"not_null", "unique", "in_set", "arrived", "lake_equals_ledger", "row_count_steady"} <= kinds


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    contradiction:", "    contradicton:"),
        ("kind: row_rule", "kind: rowrule"),
        ("dimension: accuracy", "dimension: beauty"),
        ("id: birth_agrees_with_id", "id: sex_agrees_with_id"),
    ],
)
def test_a_slip_of_the_pen_is_an_error(old: str, new: str, tmp_path: Path) -> None:
    text = CATALOGUE_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "catalogue.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CatalogueError):
        resolve_feed_checks(load_feeds(), load_catalogue(file))
