"""Waivers and explanations: in force until their day, ended before it, as of a run; what the commands refuse."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.decisions.quality_decisions import (
    DecisionError,
    Extent,
    QualityDecisions,
    publish_quality_decisions,
    waiver_state,
    waivers_in_force,
)

NOON = datetime(2024, 5, 10, 4, tzinfo=UTC)
CHECK = ("death_record.on_time", "death_record")


def zhaoren(*arguments: str) -> Result:
    """Call the command in this process."""
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def decisions(tmp_path: Path) -> QualityDecisions:
    return QualityDecisions(tmp_path / "operations.db")


def test_a_waiver_counts_until_its_day_is_over_in_the_city(decisions: QualityDecisions) -> None:
    decisions.waive(CHECK, Extent(), date(2024, 5, 31), "why", "who", NOON)
    assert waivers_in_force(decisions, datetime(2024, 5, 31, 15, 59, tzinfo=UTC)).height == 1
    assert waivers_in_force(decisions, datetime(2024, 5, 31, 16, 0, tzinfo=UTC)).is_empty()
    assert waivers_in_force(decisions, NOON - timedelta(seconds=1)).is_empty()


@pytest.mark.usefixtures("both_places")
def test_a_waiver_that_is_ended_counts_no_more_and_stays_on_record(decisions: QualityDecisions) -> None:
    given = decisions.waive(CHECK, Extent(), date(2024, 5, 31), "why", "who", NOON)
    later = NOON + timedelta(days=1)
    decisions.end(given["waiver_id"], "mended", "another", later)
    assert waivers_in_force(decisions, NOON).height == 1
    assert waivers_in_force(decisions, later).is_empty()
    (row,) = decisions.waivers()
    assert (waiver_state(row, later), row["ended_by"], row["end_reason"]) == ("ended", "another", "mended")
    with pytest.raises(DecisionError):
        decisions.end(given["waiver_id"], "again", "another", later)


def test_a_waiver_of_the_past_or_of_no_month_is_refused(decisions: QualityDecisions) -> None:
    with pytest.raises(DecisionError, match="past"):
        decisions.waive(CHECK, Extent(), date(2024, 5, 9), "why", "who", NOON)
    with pytest.raises(DecisionError, match="after the last"):
        decisions.waive(CHECK, Extent(date(2024, 5, 1), date(2024, 4, 1)), date(2024, 5, 31), "why", "who", NOON)


@pytest.mark.usefixtures("both_places")
def test_dbt_is_told_what_was_decided_by_the_time_of_the_run(decisions: QualityDecisions, tmp_path: Path) -> None:
    decisions.waive(CHECK, Extent(division="420702"), date(2024, 5, 31), "why", "who", NOON)
    decisions.explain(CHECK, date(2024, 4, 1), "because", "who", NOON)
    for as_of, count in ((NOON, 1), (NOON - timedelta(hours=1), 0)):
        publish_quality_decisions(tmp_path / "operations.db", tmp_path, as_of)
        assert pl.read_parquet(tmp_path / "check_waiver.parquet").height == count
        assert pl.read_parquet(tmp_path / "check_explanation.parquet").height == count


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHAOREN_HOME", str(tmp_path))
    until = f"{date.today() + timedelta(days=30)}"  # noqa: DTZ011 (a day to come)
    given = zhaoren("quality", "waive", CHECK[0], "--until", until, "--reason", "13812341234 says so", "--json")
    row = json.loads(given.stdout)
    assert (row["check_id"], row["feed"], row["reason"]) == (*CHECK, "138****1234 says so")
    listed = json.loads(zhaoren("quality", "waivers", "--json").stdout)
    assert [(item["waiver_id"], item["state"]) for item in listed] == [(row["waiver_id"], "in_force")]
    assert zhaoren("quality", "end-waiver", row["waiver_id"], "--reason", "mended").exit_code == 0
    assert json.loads(zhaoren("quality", "waivers", "--json").stdout) == []
    refused = zhaoren("quality", "waive", "death_record.rows_balance", "--until", until, "--reason", "no")
    assert "cannot be waived" in str(refused.exception)
    unknown = zhaoren("quality", "explain", "nothing", "--month", "2024-04", "--reason", "no")
    assert "there is no check" in str(unknown.exception)
    mandatory = zhaoren("quality", "explain", "death_record.arrived", "--month", "2024-04", "--reason", "no")
    assert "mandatory" in str(mandatory.exception)
    assert zhaoren("quality", "explain", CHECK[0], "--month", "2024-04", "--reason", "flood").exit_code == 0
    (told,) = json.loads(zhaoren("quality", "explanations", "--json").stdout)
    assert (told["check_id"], told["explanation"]) == (CHECK[0], "flood")
    catalogue = json.loads(zhaoren("quality", "checks", "--feed", "death_record", "--json").stdout)
    assert CHECK[0] in {item["check_id"] for item in catalogue}
