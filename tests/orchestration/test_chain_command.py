"""``zhaoren chain``: whose chain it is, what is logged of a look, and what it never says."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner, Result

from orchestration.commands import chain, identity
from orchestration.console import CommandError
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of, vault_of
from orchestration.trail.audit import entries_of
from tests.ingestion.conftest import City, id_number, person_name
from tests.workbench.chain_tables import event, events, finding, findings, month, overpaid_months, owed, payment

REGISTER = "population_register"
FAMILY, OTHER, BEFORE = "h" * 32, "i" * 32, "j" * 32
LEFT = 3  # the month in which the person moved to the other household


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DataHome:
    """A home with a few people in its vault and the published tables of two households."""
    folder = tmp_path_factory.mktemp("chain")
    home = DataHome(folder / "home").create()
    city = City(folder)
    city.store = store_of(home)
    city.put(REGISTER, city.rows(REGISTER, 6), "户籍_202401.csv")
    city.take()
    home.published.mkdir()
    for name, table in published(key(home, 1), key(home, 2)).items():
        table.write_parquet(home.published / f"{name}.parquet")
    return home


def published(mover: str, stayer: str) -> dict[str, pl.DataFrame]:
    """One who moves to another household in March, and one who stays in the first."""
    lived = [(month(at), FAMILY if at < LEFT else OTHER, mover) for at in range(1, 5)]
    lived += [(month(at), FAMILY, stayer) for at in range(1, 5)]
    told = [payment(stayer, at, at, FAMILY) for at in range(1, 5)]
    told += [event(mover, 4, 9, OTHER)]
    return {
        "household_member_month": pl.DataFrame(lived, schema=["month", "household_id", "person_key"], orient="row"),
        "household_month": pl.DataFrame(
            {
                "month": [month(4)] * 2,
                "household_id": [FAMILY, OTHER],
                "reference_person_key": [stayer, mover],
                "village_code": ["420704001201"] * 2,
            }
        ),
        "household_alias": pl.DataFrame({"household_id": [BEFORE], "current_household_id": [FAMILY]}),
        "alert": pl.DataFrame({"alert_id": ["N-abcdefabcdef"], "month": [month(4)], "household_id": [FAMILY]}),
        "aid_event": events(*told),
        "aid_chain_finding": findings(
            finding(stayer, "payment_gap", 2, FAMILY), finding(stayer, "payment_gap", 4, FAMILY)
        ),
        "overpayment_month": overpaid_months(owed(stayer, 4, 4), owed(stayer, 2, 2, known_to=month(3))),
    }


@pytest.fixture(autouse=True)
def environment(home: DataHome, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZHAOREN_PSEUDONYM_KEY", "ZHAOREN_VAULT_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))


def key(home: DataHome, at: int) -> str:
    return str(vault_of(home).person_keys_of([id_number(at)])["person_key"][0])


def call(*arguments: str, given: str | None = None) -> Result:
    """Call the command; what it refuses is raised as the person would be told."""
    app = typer.Typer()
    chain.register(app)
    identity.register(app)
    result = CliRunner().invoke(app, list(arguments), input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def told(*arguments: str, given: str | None = None) -> dict[str, Any]:
    return dict(json.loads(call("chain", *arguments, "--json", given=given).stdout))


def days(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["day"][:7], row["kind"]) for row in document["events"]]


def test_the_chain_of_a_person_is_that_of_the_households_lived_in(home: DataHome) -> None:
    mover = told("--key", key(home, 1))
    assert days(mover) == [("2024-01", "payment"), ("2024-02", "payment"), ("2024-04", "check_request")]
    assert [row["day"] for row in mover["findings"]] == ["2024-02"]
    assert mover["overpaid"] == []
    assert days(told("--key", key(home, 1), "--alone")) == [("2024-04", "check_request")]


def test_the_chain_of_a_household_by_its_key_an_old_key_or_an_alert(home: DataHome) -> None:
    family = told(FAMILY)
    assert [kind for _, kind in days(family)] == ["payment"] * 4
    assert [row["amount"] for row in family["overpaid"]] == [550], "what is known now, not what was"
    for given in (BEFORE, "N-abcdefabcdef"):
        assert told(given)["events"] == family["events"]


def test_an_id_number_comes_by_pipe_or_file_and_as_an_argument_with_a_warning(
    home: DataHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "number.txt"
    file.write_text(id_number(2).lower() + "\n", encoding="utf-8")
    asked = (told(given=id_number(2) + "\n"), told("--id-file", str(file)))
    assert all(document["key"] == key(home, 2) for document in asked)
    beside: list[str] = []
    monkeypatch.setattr(chain, "tell", beside.append)
    warned = call("chain", id_number(2))
    assert ["history of your shell" in line for line in beside] == [True]
    assert id_number(2) not in warned.output + beside[0]
    assert call("chain", "--key", id_number(2)).exit_code == 2


@pytest.mark.parametrize("given", [id_number(5), "11010119900307447", "a" * 24])
def test_whom_nobody_knows_is_said_without_repeating_a_number(given: str) -> None:
    arguments = ("--key", given) if given.isalpha() else ()
    with pytest.raises(CommandError) as refused:
        call("chain", *arguments, given=given)
    assert given not in str(refused.value) + refused.value.next_step


def test_a_merged_persons_old_key_leads_to_the_chain_of_today(home: DataHome) -> None:
    event_id = call("identity", "merge", key(home, 4), key(home, 1), "--reason", "two numbers").stdout.split(":")[0]
    assert told("--key", key(home, 4))["key"] == key(home, 1)
    call("identity", "undo", event_id, "--reason", "test")
    with pytest.raises(CommandError):
        call("chain", "--key", key(home, 4))


def test_names_are_masked_unless_a_reason_is_given_and_every_look_is_logged(home: DataHome) -> None:
    before = len(looks(home))
    masked = call("chain", FAMILY).output
    assert call("chain", FAMILY, "--identified").exit_code == 2
    named = call("chain", FAMILY, "--identified", "--reason", "appeal no. 7").output
    assert person_name(2) not in masked
    assert person_name(2) in named
    assert id_number(2) in named
    assert [(look["what"], look["count"], look["reason"]) for look in looks(home)[before:]] == [
        ("masked look at an aid chain", 4, "not stated"), ("identified look at an aid chain", 4, "appeal no. 7"),
    ]  # fmt: skip


def looks(home: DataHome) -> list[Any]:
    told = (json.loads(entry.content) for entry in entries_of(home))
    return [record for record in told if record["what"].endswith("aid chain")]


@pytest.mark.parametrize("form", ["html", "xlsx", "json"])
def test_what_is_written_is_for_its_reader_alone(form: str, tmp_path: Path) -> None:
    out = tmp_path / f"chain.{form}"
    assert call("chain", FAMILY, "--out", str(out)).exit_code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.stat().st_size > 1000
    with pytest.raises(CommandError, match="no form of that name"):
        call("chain", FAMILY, "--out", str(tmp_path / "chain.pdf"))
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
