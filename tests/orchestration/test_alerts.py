"""Decisions about alerts, and what was on lists that are out: kept, never changed, and counted as of their moment."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.console import CommandError
from orchestration.decisions.alerts import (
    GIVEN_FILE,
    TRANSITION_FILE,
    decisions_since,
    ensure_alert_life,
    keep_alerts,
    publish_alert_life,
)
from orchestration.home.operations import Operations
from orchestration.home.settings import DataHome

FEBRUARY, MARCH = date(2024, 2, 1), date(2024, 3, 1)
TOWNSHIP, VILLAGE = "420704001", "420704001002"
EARLY, LATE, LATEST = (datetime(2024, month, 10, tzinfo=UTC) for month in (4, 5, 6))
LISTED = "N-abcdefghijkl"


def row(alert_id: str, month: date, status: str, *, is_standing: bool = True) -> dict[str, object]:
    return {
        "alert_id": alert_id,
        "month": month,
        "side": "need",
        "household_id": "house" + alert_id[-1],
        "level": "red",
        "weight": 4,
        "reasons": ["N10"],
        "person_key": "anna",
        "reference_person_key": "anna",
        "township_code": TOWNSHIP,
        "village_code": VILLAGE,
        "charged_township_code": TOWNSHIP,
        "charged_village_code": VILLAGE,
        "first_month": FEBRUARY,
        "due_on": date(2024, 4, 15),
        "status": status,
        "is_standing": is_standing,
        "into_alert_id": None,
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataHome:
    """A home in which three alerts of March are published: one overdue, one handled, one that has ended."""
    home = DataHome(tmp_path / "home").create()
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))
    home.published.mkdir(exist_ok=True)
    rows = [row(LISTED, MARCH, "overdue"), row("N-handled", MARCH, "handled")]
    rows += [row("N-gone", FEBRUARY, "overdue"), row("N-gone", MARCH, "closed", is_standing=False)]
    pl.DataFrame(rows).write_parquet(home.published / "alert.parquet")
    steps = {
        "alert_id": [LISTED], "month": [FEBRUARY], "transition_id": [0], "step": [2], "event": ["due"],
        "from_state": ["assigned"], "to_state": ["overdue"], "by_role": ["rule"], "decided_at": [None],
    }  # fmt: skip
    pl.DataFrame(steps).write_parquet(home.published / "alert_transition.parquet")
    return home


def told(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["alert", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        CliRunner().invoke(app, ["alert", *arguments], catch_exceptions=False)
    return str(error.value)


def test_a_decision_is_told_at_once_and_kept_with_who_and_why(home: DataHome) -> None:
    told("assign", LISTED, "--worker", "G12", "--reason", "her street", "--by", "Wang")
    told("transfer", LISTED, "--township", "420704002", "--reason", "moved", "--by", "Chen")
    told("close", LISTED, "--reason", "family abroad", "--by", "Chen", "--as", "city")
    shown = json.loads(told("show", LISTED, "--json"))
    assert (shown["alert"]["status"], shown["alert"]["worker"]) == ("closed", "G12")
    assert (shown["alert"]["township_code"], shown["alert"]["village_code"]) == ("420704002", None)
    assert [(step["event"], step["from_state"], step["to_state"]) for step in shown["steps"]] == [
        ("due", "assigned", "overdue"),
        ("assign", "overdue", "overdue"),
        ("transfer", "overdue", "overdue"),
        ("close", "overdue", "closed"),
    ]
    assert [step["who"] for step in shown["steps"]] == [None, "Wang", "Chen", "Chen"]
    assert shown["possible"] == {"return": ["county", "city"], "reopen": ["county", "city"]}
    told("reopen", LISTED, "--reason", "they are back")
    found = json.loads(told("list", "--state", "reopened", "--json"))
    assert [item["alert_id"] for item in found] == [LISTED]


@pytest.mark.usefixtures("both_places")
def test_what_the_table_forbids_is_refused_and_nothing_is_kept(home: DataHome) -> None:
    assert "for county, city, not for township" in refused("close", LISTED, "--as", "township", "--reason", "no")
    assert "cannot be treated by `return`" in refused("return", LISTED, "--reason", "not there")
    assert "no reason of this alert stands since 2024-03" in refused("reopen", "N-gone", "--reason", "again")
    assert "there is no alert N-nobody" in refused("close", "N-nobody", "--reason", "typed wrong")
    assert "needs a township or village" in refused("transfer", LISTED, "--reason", "somewhere")
    assert Operations(home.operations).alert_transitions() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["close", LISTED, "--reason", " "],
        ["close", LISTED],
        ["close", LISTED, "--reason", "no", "--as", "king"],
        ["assign", LISTED, "--reason", "no", "--township", "999999999"],
        ["assign", LISTED, "--reason", "no", "--village", TOWNSHIP],
        ["assign", LISTED, "--reason", "no", "--township", "420704002", "--village", VILLAGE],
    ],
)
def test_wrong_use_is_told_as_such(home: DataHome, arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["alert", *arguments]).exit_code == 2
    assert Operations(home.operations).alert_transitions() == []


def test_a_number_typed_into_a_reason_is_not_kept(home: DataHome) -> None:
    told("close", LISTED, "--reason", "see 420704196003150019", "--as", "city")
    (kept,) = Operations(home.operations).alert_transitions()
    assert "196003150019" not in str(kept)


@pytest.mark.usefixtures("both_places")
def test_a_decision_counts_from_its_own_moment(home: DataHome) -> None:
    told("return", "N-handled", "--reason", "nobody went there")
    operations = Operations(home.operations)
    (kept,) = operations.alert_transitions()
    assert (kept["month"], kept["from_state"], kept["to_state"]) == (MARCH, "handled", "returned")
    file = home.reference / TRANSITION_FILE
    publish_alert_life(operations, home.reference, EARLY)
    assert pl.read_parquet(file).height == 0, "rebuilt as of a day before it"
    publish_alert_life(operations, home.reference, datetime.now(UTC))
    table = pl.read_parquet(file)
    assert table.select("alert_id", "event", "household_id").rows() == [("N-handled", "return", "housed")]
    assert {"who", "reason", "worker"}.isdisjoint(table.columns), "people who decide are no business of the warehouse"


def test_alerts_go_back_to_the_first_month_somebody_decided_about_since(home: DataHome, tmp_path: Path) -> None:
    operations, published = Operations(home.operations), tmp_path / "published"

    def planned(as_of: datetime) -> date | None:
        publish_alert_life(operations, home.reference, as_of)
        return decisions_since(home.reference, home.basis, published)

    told("return", "N-handled", "--reason", "nobody went there")
    assert planned(EARLY) is None
    assert planned(datetime.now(UTC)) == MARCH
    shutil.copytree(home.basis, published)
    assert planned(datetime.now(UTC)) is None, "built upon it"
    assert planned(EARLY) == MARCH, "and taken back"


def generation(folder: Path, home: DataHome, as_of: datetime, listed: list[str], ended: list[str]) -> None:
    """Publish: the alerts on the list of March, and those found gone from it."""
    folder.mkdir()
    pl.DataFrame([row(alert, MARCH, "new") for alert in listed] or [row("N-x", MARCH, "new")]).filter(
        pl.col("alert_id").is_in(listed)
    ).write_parquet(folder / "alert_list.parquet")
    gone = {"alert_id": ended, "month": [MARCH] * len(ended), "list_month": [MARCH] * len(ended)}
    schema = {"alert_id": pl.String, "month": pl.Date, "list_month": pl.Date}
    pl.DataFrame(gone, schema=schema).write_parquet(folder / "alert_end.parquet")
    run = {"last_month": [date(as_of.year, as_of.month - 1, 1)], "as_of": [as_of.replace(tzinfo=None)]}
    pl.DataFrame(run).write_parquet(home.reference / "run.parquet")
    keep_alerts(folder, home.reference)


def given(home: DataHome, as_of: datetime) -> list[tuple[object, ...]]:
    publish_alert_life(Operations(home.operations), home.reference, as_of)
    return pl.read_parquet(home.reference / GIVEN_FILE).select("alert_id", "withdrawn_in").rows()


def test_what_a_list_said_is_remembered_as_of_each_run(home: DataHome, tmp_path: Path) -> None:
    home.reference.mkdir(exist_ok=True)
    ensure_alert_life(home.reference)
    assert given(home, LATEST) == []
    generation(tmp_path / "one", home, EARLY, ["N-a", "N-b"], [])
    generation(tmp_path / "two", home, LATE, ["N-b"], ["N-a"])
    generation(tmp_path / "three", home, LATEST, ["N-b"], ["N-a"])
    assert given(home, EARLY) == [("N-a", None), ("N-b", None)]
    april = date(2024, 4, 1)
    assert given(home, LATE) == [("N-a", april), ("N-b", None)]
    assert given(home, LATEST) == [("N-a", april), ("N-b", None)], "told once, in the list of April"


def test_an_alert_that_comes_back_onto_its_list_is_gone_no_more(home: DataHome, tmp_path: Path) -> None:
    home.reference.mkdir(exist_ok=True)
    generation(tmp_path / "one", home, EARLY, ["N-a"], [])
    generation(tmp_path / "two", home, LATE, [], ["N-a"])
    generation(tmp_path / "three", home, LATEST, ["N-a"], [])
    assert given(home, LATEST) == [("N-a", None)]
    assert given(home, LATE) == [("N-a", date(2024, 4, 1))]
