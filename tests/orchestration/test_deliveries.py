"""What a person is told of rejected and held deliveries, and the calendar of the feeds."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from ingestion import Delivery
from models.contract import load_feeds
from orchestration.feeds.deliveries import frame_of, ledger_frame, next_step, problems_of
from orchestration.feeds.feed_calendar import feed_calendar
from orchestration.home.settings import DataHome, SettingsError
from orchestration.home.stores import ledger_of

NOW = datetime(2024, 4, 20, tzinfo=UTC)


def delivery(number: int, status: str, feed: str = "death_record", period: str = "2024-03", day: int = 8) -> Delivery:
    return Delivery(
        delivery_id=f"{feed}.{number}",
        feed=feed,
        mode=load_feeds()[feed].mode,
        file_name=f"{number}.csv",
        file_key=str(number),
        sha256=str(number),
        statement_key="",
        period=period,
        division=None,
        status=status,  # type: ignore[arg-type]
        reason={"held": "too_many_bad_rows", "rejected": "column_missing"}.get(status),
        received_at=datetime(2024, 4, day, tzinfo=UTC),
        ingested_at=NOW,
    )


def home_with(folder: Path, *deliveries: Delivery) -> DataHome:
    home = DataHome(folder).create()
    for item in deliveries:
        ledger_of(home).record(item)
    return home


def test_an_old_held_delivery_is_shown_until_somebody_decides(tmp_path: Path) -> None:
    home = home_with(tmp_path, delivery(1, "held"), delivery(2, "rejected"))
    assert problems_of(home, known=2)["delivery_id"].to_list() == ["death_record.1"]
    assert problems_of(home)["next_step"].to_list() == [next_step("too_many_bad_rows"), next_step("column_missing")]


def test_a_held_delivery_answered_by_another_file_is_shown_once(tmp_path: Path) -> None:
    home = home_with(tmp_path, delivery(1, "held"), delivery(2, "accepted"))
    assert problems_of(home)["next_step"].to_list() == [next_step("replaced")]
    assert problems_of(home, known=2).is_empty()


def test_a_reason_that_nobody_foresaw_still_has_a_next_step() -> None:
    assert next_step("something new") == next_step("other")
    assert next_step("check_failed: a, b") == next_step("check_failed")


@pytest.mark.parametrize(
    ("deliveries", "state"),
    [
        ([delivery(1, "accepted", day=10)], "on time"),
        ([delivery(1, "accepted", day=11)], "late"),
        ([delivery(1, "held")], "held"),
        ([delivery(1, "rejected")], "rejected"),
        ([delivery(1, "accepted", period="2024-02")], "missing"),
        ([], "missing"),
    ],
)
def test_state_of_a_monthly_feed(deliveries: list[Delivery], state: str) -> None:
    assert state_of("death_record", deliveries, date(2024, 3, 1)) == state


def test_a_quarterly_register_is_not_due_in_between_and_carried_forward_when_missing() -> None:
    register = [delivery(1, "accepted", "property_register", "2024-01")]
    assert state_of("property_register", register, date(2024, 3, 1)) == "not due (quarterly)"
    assert state_of("property_register", register, date(2024, 4, 1)) == "expected, carried forward"


def test_a_register_carried_forward_is_stale_and_the_calendar_names_who_is_missing() -> None:
    parts = [delivery(1, "accepted", "elder_register", "2024-02")]
    missing = {("elder_register", "2024-03"): ["420703"]}
    calendar = feed_calendar(frame_of(parts), date(2024, 3, 1), NOW, missing)
    row = calendar.filter(pl.col("feed") == "elder_register").row(0, named=True)
    assert (row["is_stale"], row["data_month"], row["note"]) == (True, "2024-02", "without 420703")
    now = feed_calendar(frame_of(parts), date(2024, 2, 1), NOW)
    assert not now.filter(pl.col("feed") == "elder_register")["is_stale"].item()


def test_what_was_superseded_is_not_counted_twice(tmp_path: Path) -> None:
    first, second = delivery(1, "accepted"), delivery(2, "accepted", day=9)
    home = home_with(tmp_path, replace(first, rows_accepted=5), replace(second, rows_accepted=7))
    calendar = feed_calendar(ledger_frame(home), date(2024, 3, 1), NOW)
    row = calendar.filter(pl.col("feed") == "death_record").row(0, named=True)
    assert (row["rows_accepted"], row["superseded"]) == (7, 1)


def state_of(feed: str, deliveries: list[Delivery], month: date) -> str:
    calendar = feed_calendar(frame_of(deliveries), month, NOW)
    return str(calendar.filter(pl.col("feed") == feed)["state"].item())


def test_the_environment_wins_over_the_file_and_an_unknown_key_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = DataHome(tmp_path)
    home.settings_file.write_text("[limits]\nthreads = 3\n", encoding="utf-8")
    assert home.settings().limits.threads == 3
    monkeypatch.setitem(os.environ, "ZHAOREN_LIMITS__THREADS", "5")
    assert home.settings().limits.threads == 5
    home.settings_file.write_text("colour = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="colour: unknown setting"):
        home.settings()
