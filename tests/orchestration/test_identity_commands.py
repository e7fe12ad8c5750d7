"""``zhaoren identity``: what it says, what it logs, and what it never says."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from ingestion import publish
from ingestion.vault.rotation import rotate_pseudonyms
from models.contract import load_feeds
from orchestration.commands.identity import identity_app
from orchestration.console import CommandError
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, store_of, vault_of
from orchestration.questions.people import with_earlier_keys
from orchestration.trail.audit import entries_of
from tests.ingestion.conftest import City, id_number, person_name

REGISTER, INSURANCE = "population_register", "medical_settlement"
BAD = id_number(1)[:16] + str((int(id_number(1)[16]) + 1) % 10) + id_number(1)[17]
SECRET = (id_number(1), BAD, person_name(1))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataHome:
    """A home that knows thirty people, with a settlement whose number has a slip."""
    for name in ("ZHAOREN_PSEUDONYM_KEY", "ZHAOREN_VAULT_KEY"):
        monkeypatch.delenv(name, raising=False)
    home = DataHome(tmp_path / "home").create()
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))
    city = City(tmp_path)
    city.store = store_of(home)
    city.put(REGISTER, city.rows(REGISTER, 30), "户籍_202302.csv")
    city.put(INSURANCE, city.rows(INSURANCE, 30, id_number=BAD), "结算_202303.csv")
    city.take()
    return home


def call(*arguments: str) -> Result:
    """Call the command; what it was asked for and refused is raised as the person would be told."""
    result = CliRunner().invoke(identity_app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def key(home: DataHome, at: int) -> str:
    return str(vault_of(home).person_keys_of([id_number(at)])["person_key"][0])


def test_proposals_are_counted_and_masked(home: DataHome) -> None:
    told = json.loads(call("proposals", "--json").stdout)
    assert [(row["pass"], row["state"], row["rows"], row["in_bulk"]) for row in told["counts"]] == [
        ("typing_error", "proposed", 1, 1)
    ]
    for shown in (call("proposals").stdout, call("proposals", "--rows").stdout, json.dumps(told, ensure_ascii=False)):
        assert not any(text in shown for text in SECRET)


def test_an_export_is_for_its_owner_alone_and_logged(home: DataHome, tmp_path: Path) -> None:
    file = tmp_path / "review.xlsx"
    assert call("export", str(file), "--reason", "monthly review").exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (entry,) = (json.loads(entry.content) for entry in entries_of(home))
    assert (entry["what"], entry["count"], entry["reason"]) == ("identity proposals", 1, "monthly review")
    assert call("export", str(file), "--reason", " ").exit_code == 2


def test_acceptance_in_bulk_brings_rows_into_force(home: DataHome) -> None:
    told = json.loads(call("accept", "--pass", "typing_error", "--reason", "sampled", "--json").stdout)
    (done,) = told["accepted"]
    assert (done["rows"], done["in_force"]) == (1, 1)
    entries = {item.delivery_id: item for item in ledger_of(home).deliveries(INSURANCE)}
    assert entries[done["supplement"]].supplements == done["delivery_id"]
    assert json.loads(call("proposals", "--json").stdout)["proposals"] == []
    assert call("accept", "--pass", "two_numbers", "--reason", "r").exit_code == 2
    assert call("accept", "--pass", "typing_error", "--reason", "").exit_code == 2


def test_a_sheet_comes_back(home: DataHome, tmp_path: Path) -> None:
    file = tmp_path / "review.csv"
    call("export", str(file), "--reason", "review")
    sheet = pl.read_csv(file, infer_schema=False)
    decided = {"决定": "不采纳／不是同一人", "理由": "someone else", "核实人": "Chen"}
    sheet.with_columns(pl.lit(words).alias(column) for column, words in decided.items()).write_csv(file)
    assert json.loads(call("import", str(file), "--json").stdout)["rejected"] == 1
    again = call("import", str(file), "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["refused"][0]["why"] == "decided already"
    file.write_text("nothing", encoding="utf-8")
    with pytest.raises(CommandError, match="no reviewer's sheet"):
        call("import", str(file))


def test_merge_resolve_and_undo(home: DataHome) -> None:
    one, other = key(home, 3), key(home, 4)
    assert call("merge", one, other, "--reason", "police station", "--by", "Chen").exit_code == 0
    told = json.loads(call("resolve", one, "--json").stdout)
    assert told["resolved_key"] == other
    (event,) = told["events"]
    assert (event["kind"], event["decided_by"], event["reason"]) == ("merge", "Chen", "police station")
    with pytest.raises(CommandError, match="one person already"):
        call("merge", other, one, "--reason", "r")
    assert call("undo", event["event_id"], "--reason", "corrected").exit_code == 0
    assert json.loads(call("resolve", one, "--json").stdout)["resolved_key"] == one
    assert [item["kind"] for item in json.loads(call("history", "--json").stdout)["events"]] == ["merge", "undo"]
    with pytest.raises(CommandError, match="nobody is known"):
        call("merge", "abcdefgh", other, "--reason", "r")


def test_split_takes_rows_from_a_list(home: DataHome, tmp_path: Path) -> None:
    lake = next(iter((store_of(home).lake / INSURANCE).glob("period=*/*.parquet")))
    row = pl.read_parquet(lake).row(0, named=True)
    file = tmp_path / "rows.csv"
    file.write_text(f"delivery_id,row_number\n{row['delivery_id']},{row['row_number']}\n", encoding="utf-8")
    assert call("split", row["person_key"], "--rows", str(file), "--reason", "father's number").exit_code == 0
    (event,) = json.loads(call("history", "--json").stdout)["events"]
    assert (event["kind"], event["person_key"], len(event["rows"])) == ("split", row["person_key"], 1)


def test_the_vault_keeps_a_merged_person_by_every_key(home: DataHome) -> None:
    one, other = key(home, 3), key(home, 4)
    keys = pl.Series("person_key", [other])
    assert with_earlier_keys(home, keys).to_list() == [other], "before the first run nothing is published"
    call("merge", one, other, "--reason", "police station")
    publish(store_of(home), load_feeds())
    assert set(with_earlier_keys(home, keys)) == {one, other}


def test_a_number_is_no_key_and_stays_in_no_record(home: DataHome, tmp_path: Path) -> None:
    one, other = key(home, 3), key(home, 4)
    rows = tmp_path / "rows.csv"
    rows.write_text("delivery_id,row_number\n", encoding="utf-8")
    why = ("--reason", f"the office says {id_number(3)}, call 13812345678")
    for wrong in (
        ("merge", id_number(3), other, *why),
        ("merge", one, id_number(4), *why),
        ("split", one, "--rows", str(rows), "--to", id_number(4), *why),
        ("resolve", id_number(3)),
    ):
        refused = call(*wrong)
        assert refused.exit_code == 2
        assert id_number(3) not in refused.output
        assert id_number(4) not in refused.output
    call("merge", one, other, *why)
    call("export", str(tmp_path / "review.xlsx"), *why)
    for file in (home.ledger, home.operations):
        with closing(sqlite3.connect(file)) as connection:
            kept = "\n".join(connection.iterdump())
        assert "the office says 4" in kept
        assert id_number(3) not in kept
        assert "13812345678" not in kept


def test_a_key_of_before_new_pseudonyms_and_a_merge_leads_to_the_key_of_today(home: DataHome) -> None:
    one, other = key(home, 3), key(home, 4)
    call("merge", one, other, "--reason", "police station")
    rotate_pseudonyms(store_of(home))
    told = json.loads(call("resolve", one, "--json").stdout)
    assert (told["person_key"], told["resolved_key"]) == (one, key(home, 4))
    assert [event["kind"] for event in told["events"]] == ["merge"]
