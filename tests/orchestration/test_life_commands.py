"""What a data engineer types about deliveries and quarantined rows, and what is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ingestion import ingest
from ingestion.lock import alone
from models.contract import load_feeds
from orchestration.cli import app
from orchestration.commands.deciding import decider
from orchestration.console import CommandError
from orchestration.home.lock import RUN_LOCK
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of
from orchestration.trail.audit import entries_of
from tests.ingestion.conftest import NOW, City, id_number

FEED = "death_record"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataHome:
    """A home with an accepted delivery (two rows set aside) and a held one."""
    home = DataHome(tmp_path / "data").create()
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))
    monkeypatch.setenv("ZHAOREN_LIMITS__WAIT_SECONDS", "0")
    city = City(tmp_path)
    good, bad = city.rows(FEED, 20), city.rows(FEED, 12)
    good[0]["信息来源"] = good[1]["信息来源"] = "?"
    for row in bad[:6]:
        row["信息来源"] = "?"
    city.put(FEED, good, "good_202301.csv")
    city.put(FEED, bad, "held_202302.csv")
    ingest(city.inbox, store_of(home), load_feeds(), NOW)
    return home


def zhaoren(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answered(*arguments: str, code: int = 0) -> Any:
    result = zhaoren(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def refused(*arguments: str) -> CommandError:
    error = zhaoren(*arguments).exception
    assert isinstance(error, CommandError)
    assert error.next_step
    return error


def open_deliveries() -> dict[str, int]:
    """Open rows by status of their delivery."""
    return {item["status"]: item["open"] for item in answered("quarantine", "list")["deliveries"]}


def delivery(status: str) -> str:
    items = answered("quarantine", "list")["deliveries"]
    return next(str(item["delivery_id"]) for item in items if item["status"] == status)


def test_out_mended_and_back(home: DataHome, tmp_path: Path) -> None:
    assert open_deliveries() == {"accepted": 2, "held": 6}
    accepted, out = delivery("accepted"), tmp_path / "rows.csv"
    assert zhaoren("quarantine", "export", "--delivery", accepted, "--out", str(out), "--reason", "mend").exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    text = out.read_text(encoding="utf-8-sig")
    out.write_text(text.replace("?", "1", 1), encoding="utf-8")
    done = answered("quarantine", "resubmit", accepted, str(out), "--reason", "asked", "--by", "wang", code=1)
    assert (done["mended"], done["still_open"], len(done["still_at_fault"])) == (1, 1, 1)
    assert open_deliveries() == {"accepted": 1, "held": 6}
    rows = answered("quarantine", "list", "--delivery", accepted, "--all")["rows"]
    assert sorted(row["state"] for row in rows) == ["mended", "open"]
    shown = answered("delivery", "show", done["delivery_id"])
    assert (shown["history"][0]["by"], shown["history"][0]["why"]) == ("wang", "asked")
    assert answered("delivery", "show", accepted)["supplemented_by"] == [done["delivery_id"]]


def test_no_list_shows_a_value(home: DataHome) -> None:
    for arguments in (("quarantine", "list"), ("quarantine", "list", "--all", "--json"), ("status", "--json")):
        output = zhaoren(*arguments).output
        assert id_number(0) not in output
        assert "赵文文" not in output


def test_an_export_is_logged(home: DataHome, tmp_path: Path) -> None:
    accepted = delivery("accepted")
    zhaoren("quarantine", "export", "--delivery", accepted, "--out", str(tmp_path / "x.xlsx"), "--reason", " why ")
    logged = [json.loads(entry.content) for entry in entries_of(home)]
    assert [(one["what"], one["count"], one["reason"]) for one in logged] == [(f"quarantine {accepted}", 2, "why")]


def test_decisions_name_who_and_the_months_they_change(home: DataHome) -> None:
    held = delivery("held")
    released = answered("delivery", "release", held, "--reason", "right after all")
    assert (released["decided_by"], released["months_from"], released["state"]) == (
        decider(None),
        "2023-02-01",
        "released",
    )
    assert "only a held delivery" in refused("delivery", "reject", held, "--reason", "x").next_step
    assert answered("delivery", "hold", held, "--reason", "wrong", "--by", "li")["decided_by"] == "li"
    assert answered("delivery", "reject", held, "--reason", "wrong")["months_from"] is None
    states = [step["state"] for step in answered("delivery", "show", held)["history"]]
    assert states == ["received", "held", "released", "held", "rejected"]
    assert open_deliveries() == {"accepted": 2}


def test_status_counts_what_is_open_and_names_what_is_held(home: DataHome) -> None:
    assert answered("status", "--month", "2023-01")["open_rows"] == 8
    assert delivery("held") in zhaoren("status", "--month", "2023-02").output.replace("\n", "")


def test_refusals_say_what_to_do(home: DataHome, tmp_path: Path) -> None:
    accepted = delivery("accepted")
    for arguments in (
        ("delivery", "show", "x"),
        ("delivery", "release", accepted, "--reason", "x"),
        ("quarantine", "export", "--delivery", "x", "--out", "y", "--reason", "x"),
        ("quarantine", "export", "--delivery", accepted, "--out", str(tmp_path / "no" / "y.csv"), "--reason", "x"),
        ("quarantine", "resubmit", accepted, str(tmp_path / "nothing.csv"), "--reason", "x"),
        ("quarantine", "list", "--delivery", "x"),
    ):
        refused(*arguments)
    assert zhaoren("delivery", "release", accepted, "--reason", " ").exit_code == 2


def test_while_another_process_is_at_work_a_decision_waits_and_says_so(home: DataHome) -> None:
    held = delivery("held")
    import threading

    begun, end = threading.Event(), threading.Event()

    def other() -> None:
        with alone(home.root / RUN_LOCK, 0):
            begun.set()
            end.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    begun.wait(30)
    assert "has been at work" in str(refused("delivery", "release", held, "--reason", "x"))
    end.set()
    thread.join()
    assert zhaoren("delivery", "release", held, "--reason", "x").exit_code == 0
