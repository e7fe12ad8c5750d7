"""Where records lie: what settings and home say must agree, and the command that moves them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.database import Address, address_of
from orchestration.cli import app
from orchestration.commands.environment import examine
from orchestration.home.operations import Operations
from orchestration.home.settings import DataHome, SettingsError, find_home
from orchestration.trail.audit import record_access, verify

NOW = datetime(2024, 5, 10, 4, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataHome:
    """A home with a run that is done and a record in its audit log."""
    home = DataHome(tmp_path / "home").create()
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))
    operations = Operations(home.operations)
    operations.finish(operations.begin((date(2024, 3, 1),), NOW, "policy", "code"))
    record_access(home, "look", "a person", who="auditor", count=1, reason="asked")
    return home


def call(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_records_move_into_a_database_and_back(home: DataHome, address: Address) -> None:
    moved = json.loads(call("records", "move", "--to", address.url, "--schema", address.schema, "--json"))
    assert (moved["run"], moved["month_done"], moved["audit_record"]) == (1, 1, 1)
    assert not home.operations.exists()
    assert (home.root / "records_before_move" / "operations.db").exists()
    assert address.schema in call("records", "show")
    assert Operations(home.operations).months_done() == {date(2024, 3, 1)}
    record_access(home, "look", "a person", who="auditor", count=1, reason="asked again")
    assert (verify(home).records, verify(home).is_whole) == (2, True)
    assert next(item for item in examine(home) if item.what == "records").state == "ok"
    assert json.loads(call("records", "move", "--to", "files", "--json"))["audit_record"] == 2
    assert address_of(home.root) is None
    assert (verify(home).records, verify(home).is_whole) == (2, True)


def test_records_never_begin_anew_beside_those_there_are(
    home: DataHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHAOREN_DATABASE__URL", "postgresql://u@h/d")
    with pytest.raises(SettingsError, match="are files of it"):
        find_home()
    fresh = find_home(tmp_path / "fresh")
    assert address_of(fresh.root) == Address("postgresql://u@h/d", "zhaoren")
    monkeypatch.delenv("ZHAOREN_DATABASE__URL")
    assert address_of(find_home(tmp_path / "fresh").root) is not None, "a setting that is forgotten changes nothing"
    monkeypatch.setenv("ZHAOREN_DATABASE__URL", "postgresql://u@elsewhere/d")
    with pytest.raises(SettingsError, match="lie in postgresql://u@h/d"):
        find_home(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ('url = "postgresql://u:hush@h/d"', "must not hold a password"),
        ('url = "postgresql://u@h/d?password=hush"', "must not hold a password"),
        ('url = "mysql://u@h/d"', "must begin with postgresql://"),
        ('password = "hush"', "holds the database's password"),
        ('schema_name = "a; drop"', "schema_name"),
    ],
)
def test_settings_that_cannot_be_are_told_without_the_secret(tmp_path: Path, lines: str, why: str) -> None:
    home = DataHome(tmp_path).create()
    home.settings_file.write_text(f"[database]\n{lines}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=why) as failed:
        home.settings()
    assert "hush" not in str(failed.value)


def test_the_password_is_not_shown_with_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHAOREN_DATABASE__PASSWORD", "hush-Pg-4711")
    assert "hush" not in str([finding.detail for finding in examine(DataHome(tmp_path))])
