"""``zhaoren vault``: what it says, what it logs, and what it never says."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from ingestion.vault import Vault
from orchestration.commands.environment import examine
from orchestration.commands.vault import vault_app
from orchestration.console import CommandError
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of
from orchestration.questions.people import with_open_alerts
from orchestration.trail.audit import entries_of
from tests.ingestion.conftest import City, id_number, person_name

NUMBER, NAME = id_number(3), person_name(3)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataHome:
    """A home with settlements of March 2023 of twelve persons."""
    for name in ("ZHAOREN_PSEUDONYM_KEY", "ZHAOREN_VAULT_KEY"):
        monkeypatch.delenv(name, raising=False)
    home = DataHome(tmp_path / "home").create()
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))
    city = City(tmp_path)
    city.store = store_of(home)
    city.take_one("medical_settlement", city.rows("medical_settlement"))
    return home


def call(*arguments: str, given: str | None = None) -> Result:
    """Call the command; what it was asked for and refused is raised as the person would be told."""
    result = CliRunner().invoke(vault_app, list(arguments), input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def logged(home: DataHome) -> list[dict[str, object]]:
    return [json.loads(entry.content) for entry in entries_of(home)]


def test_status_counts_and_names_nobody(home: DataHome) -> None:
    told = json.loads(call("status", "--json").stdout)
    assert told["persons"] == 12
    (feed,) = told["feeds"]
    assert (feed["feed"], feed["persons"], feed["first_month"]) == ("medical_settlement", 12, "2023-03")
    assert feed["class_zh"] == "敏感个人信息（医疗、残疾、羁押）"
    assert NUMBER not in call("status").stdout


def test_a_look_at_a_person_is_masked_and_logged_with_its_reason(home: DataHome) -> None:
    result = call("person", "--reason", "request no. 12", "--by", "dpo", given=f"{NUMBER.lower()}\n")
    assert result.exit_code == 0
    assert not any(text in result.stdout for text in (NUMBER, NAME))
    assert "2023-03" in result.stdout
    (entry,) = logged(home)
    assert (entry["who"], entry["what"], entry["count"]) == ("dpo", "masked look at a person", 1)
    assert not any(text in str(entry) for text in (NUMBER, NAME))


def test_identified_it_says_who_and_since_when_and_from_which_delivery(home: DataHome, tmp_path: Path) -> None:
    path = tmp_path / "request.txt"
    path.write_text(f"{NUMBER}\n", encoding="utf-8")
    result = call("person", "--reason", "no. 13", "--identified", "--id-file", str(path), "--json")
    facts = {fact["fact"]: fact for fact in json.loads(result.stdout)}
    assert (facts["id_number"]["value"], facts["name"]["value"]) == (NUMBER, NAME)
    assert facts["name"]["first_delivery"].startswith("medical_settlement.2023-03.")
    assert logged(home)[0]["what"] == "identified look at a person"


def test_an_id_number_as_an_argument_is_refused_before_it_is_used(home: DataHome) -> None:
    result = call("person", NUMBER, "--reason", "x")
    assert result.exit_code == 2
    assert NUMBER not in result.output
    assert logged(home) == []


@pytest.mark.parametrize("given", ["", "42070219800101", "420702198001010011"])
def test_a_number_that_is_none_is_refused_without_being_repeated(home: DataHome, given: str) -> None:
    with pytest.raises(CommandError) as told:
        call("person", "--reason", "x", given=f"{given}\n")
    assert not given or given not in str(told.value)


def test_without_a_reason_nothing_is_shown(home: DataHome) -> None:
    assert call("person", "--reason", " ", given=f"{NUMBER}\n").exit_code == 2
    assert call("purge", "--reason", " ").exit_code == 2


def test_an_unknown_person_is_logged_too(home: DataHome) -> None:
    with pytest.raises(CommandError, match="does not know"):
        call("person", "--reason", "x", given=f"{id_number(99)}\n")
    assert logged(home)[0]["count"] == 0


def test_hold_purge_and_certificate(home: DataHome) -> None:
    call("hold", "--reason", "court", given=f"{NUMBER}\n")
    dry = json.loads(call("purge", "--as-of", "2026-06-30", "--dry-run", "--reason", "look", "--json").stdout)
    assert (dry["persons"], dry["kept_by_reason"]) == (11, {"legal_hold": 1})
    assert json.loads(call("status", "--json").stdout)["persons"] == 12
    result = call("purge", "--as-of", "2026-06-30", "--reason", "yearly deletion", "--by", "dpo")
    assert "11 persons; of 11 of them nothing is left" in result.stdout
    assert json.loads(call("status", "--json").stdout) | {"feeds": None} == {
        "persons": 1,
        "legal_holds": 1,
        "certificates": 1,
        "feeds": None,
    }
    assert "the chain is whole" in call("certificates").stdout
    assert [entry["what"] for entry in logged(home)] == ["legal hold placed", "purge standard, certificate 1"]
    call("unhold", "--reason", "closed", given=f"{NUMBER}\n")
    assert json.loads(call("holds", "--json").stdout)[0]["lifted_reason"] == "closed"
    call("purge", "--as-of", "2026-06-30", "--reason", "again")
    assert call("purge", "--as-of", "2026-06-30", "--reason", "again").stdout.strip() == "nothing is past retention"
    path = home.vault / "certificate" / "0001" / "certificate.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"persons": 11', '"persons": 1'), encoding="utf-8")
    result = call("certificates")
    assert (result.exit_code, "broken at: [2]" in result.stdout) == (1, True)
    assert not any(text in str(logged(home)) for text in (NUMBER, NAME))


def test_a_policy_that_there_is_not_is_told_with_those_that_there_are(home: DataHome) -> None:
    with pytest.raises(CommandError, match="there are: standard"):
        call("purge", "--policy", "other", "--reason", "x")


def test_whoever_waits_for_an_answer_is_protected_with_the_whole_household(home: DataHome) -> None:
    assert with_open_alerts(home).is_empty()
    keys = Vault(store_of(home)).people()["person_key"].to_list()
    home.published.mkdir()
    month = pl.date(2026, 5, 1)
    alerts = pl.DataFrame(
        {
            "household_id": ["open", "done"],
            "person_key": keys[:2],
            "reference_person_key": keys[:2],
            "status": ["overdue", "closed"],
        }
    )
    alerts.with_columns(month=month).write_parquet(home.published / "alert.parquet")
    members = pl.DataFrame({"household_id": ["open", "done"], "person_key": keys[2:4]}).with_columns(month=month)
    members.write_parquet(home.published / "household_member_month.parquet")
    assert set(with_open_alerts(home)) == {keys[0], keys[2]}
    call("purge", "--as-of", "2026-06-30", "--reason", "x")
    assert set(Vault(store_of(home)).people()["person_key"]) == {keys[0], keys[2]}


def test_new_keys_by_command_and_old_numbers_still_resolve(home: DataHome) -> None:
    (old,) = Vault(store_of(home)).person_keys_of([NUMBER])["person_key"]
    home.warehouse.write_bytes(b"tables of before")
    told = json.loads(call("rotate-key", "--reason", "yearly", "--json").stdout)
    assert told["key_id_before"] != told["key_id_after"]
    call("rotate-pseudonyms", "--reason", "may be known", "--by", "dpo")
    assert not home.warehouse.exists()
    (new,) = Vault(store_of(home)).person_keys_of([NUMBER])["person_key"]
    assert new != old
    assert json.loads(call("resolve", old, "--json").stdout)[0]["new_key"] == new
    # A key from an old printed list leads to the person as the new one does.
    shown = [json.loads(call("person", key, "--reason", "x", "--json").stdout) for key in (old, new)]
    assert shown[0] == shown[1]
    with pytest.raises(CommandError, match="never changed"):
        call("resolve", new)
    assert [entry["who"] for entry in logged(home)][1] == "dpo"


def test_a_damaged_file_is_named_and_nothing_of_it(home: DataHome) -> None:
    (path,) = home.vault.glob("medical_settlement/*.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)
    with pytest.raises(CommandError, match=path.name) as told:
        call("status")
    assert "backup" in told.value.next_step


def test_doctor_says_which_keys_from_where_since_when(home: DataHome) -> None:
    findings = {finding.what: finding for finding in examine(home)}
    for kind in ("vault key", "pseudonym key"):
        assert findings[kind].state == "ok"
        assert str(home.keys) in findings[kind].detail
        assert "in use since" in findings[kind].detail
        assert "copy" in findings[kind].next_step
    stored = json.loads(home.keys.read_text())
    assert not any(secret in str(findings) for secret in stored.values())
    home.keys.write_text(json.dumps(dict.fromkeys(stored, "z" * 64)))
    broken = [finding for finding in examine(home) if finding.what == "keys"]
    assert broken[0].state == "problem"
    home.keys.chmod(0o644)
    assert [finding.next_step for finding in examine(home) if finding.what == "keys"] == [f"chmod 600 {home.keys}"]
