"""The command as a person uses it: the sample city to its lists, and what it says where there is nothing to do."""

import json
import os
import stat
import subprocess
from pathlib import Path

import polars as pl
import pytest

from orchestration.home.settings import DataHome
from tests.command import zhaoren

EXPECTED_COLUMNS = {
    "alerts": "alert_id month side level household_id reasons due_on township_code village_code",
    "indicators": "month indicator side level household_id person_key value threshold evidence",
    "scores": "month household_id score rank_in_township probability reason_codes model_version",
    "children": (
        "month person_key household_id village_code township_code county_code area_type sex age_years "
        "state state_basis state_since first_month known_parent_count father_state father_since "
        "mother_state mother_since register_categories guardian_key guardian_relation recognised_on "
        "difference hardships benefit amount_due_yuan amount_paid_yuan payment_status risk_level "
        "risk_rank reasons visit_interval_months last_visited_on last_visit_source next_visit_month "
        "visit_status is_due_next_month evidence"
    ),
    "elders": (
        "month person_key household_id village_code township_code county_code sex age_years is_registered "
        "elder_categories ability_level derived_reasons is_candidate is_visit_due not_due_reason "
        "last_visited_on last_visit_source days_since_visit visit_status evidence"
    ),
    "old_age_allowance": (
        "month person_key household_id village_code township_code county_code sex age_years "
        "due_from_month amount_due_yuan amount_paid_yuan arrears_paid_yuan payment_status not_due_reason "
        "overpaid_yuan overpaid_total_yuan overpaid_from_month evidence"
    ),
}
JsonRow = dict[str, object]


def exported(home: DataHome, table: str, *options: str) -> list[JsonRow]:
    result = zhaoren(home.root, "export", table, "--format", "jsonl", *options)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_city_with_rejected_and_held_files_ends_with_code_one_and_says_what_to_do(
    sample_run: tuple[DataHome, subprocess.CompletedProcess[str]],
) -> None:
    home, result = sample_run
    assert result.returncode == 1, result.stderr
    for said in ("column_missing", "too_many_bad_rows", "manifest_mismatch", "unreadable", "where to look"):
        assert said in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert len(list((home.outputs / "2024-06" / "lists").glob("*.xlsx"))) >= 20


def test_the_ledger_of_the_command_equals_what_is_expected(sample_home: DataHome, sample_city: Path) -> None:
    lines = (sample_city / "deliveries_expected.jsonl").read_text(encoding="utf-8").splitlines()
    expected = {}
    for row in map(json.loads, lines):
        key = (row["feed"], Path(row["file"]).name)
        expected[key] = (row["expected_status"], row["reason"], row["data_rows"], row["expected_quarantined"])
    found = {}
    for entry in exported(sample_home, "ledger"):
        counts = (entry["rows_data"], entry["quarantined_by_reason"])
        if entry["status"] in ("rejected", "held"):
            # The expected file states no counts for these.
            counts = (expected[entry["feed"], entry["file_name"]][2], {})  # type: ignore[index]
        found[entry["feed"], entry["file_name"]] = (entry["status"], entry["reason"], *counts)
    assert found == expected


@pytest.mark.parametrize("table", EXPECTED_COLUMNS)
def test_exports_have_their_stable_columns(sample_home: DataHome, table: str) -> None:
    rows = exported(sample_home, table, "--month", "2024-03")
    assert rows
    assert list(rows[0]) == EXPECTED_COLUMNS[table].split()
    assert {row["month"] for row in rows} == {"2024-03"}


def test_every_piece_of_evidence_is_an_accepted_row(sample_home: DataHome) -> None:
    hits = exported(sample_home, "indicators")
    evidence = pl.DataFrame([piece for hit in hits for piece in hit["evidence"]])  # type: ignore[attr-defined]
    rows = pl.concat(
        pl.read_parquet(path, columns=["delivery_id", "row_number"], hive_partitioning=False)
        for path in sample_home.lake.rglob("*.parquet")
    )
    assert evidence.height > len(hits) / 2
    assert evidence.join(rows, on=["delivery_id", "row_number"], how="anti").is_empty()


def test_an_identified_export_needs_a_reason_and_is_closed_to_others(sample_home: DataHome, tmp_path: Path) -> None:
    refused = zhaoren(sample_home.root, "export", "alerts", "--identified")
    assert refused.returncode == 2
    out = tmp_path / "alerts.csv"
    done = zhaoren(sample_home.root, "export", "alerts", "--identified", "--reason", "test", "--out", str(out))
    assert done.returncode == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert {"id_number", "name", "member_id_numbers"} <= set(pl.read_csv(out, infer_schema=False).columns)


def test_an_empty_inbox_is_said_and_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    result = zhaoren(tmp_path / "home", "run", "--inbox", str(tmp_path / "inbox"))
    assert result.returncode == 0, result.stderr
    assert "no month to bring up to date" in result.stdout


def test_nothing_but_a_bad_file_is_reported_and_ends_with_code_one(tmp_path: Path) -> None:
    folder = tmp_path / "inbox" / "death_record"
    folder.mkdir(parents=True)
    (folder / "202301.csv").write_text("姓名,死亡日期\n", encoding="utf-8")
    (tmp_path / "inbox" / "no_such_feed").mkdir()
    (tmp_path / "inbox" / "no_such_feed" / "202301.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    for path in (tmp_path / "inbox").rglob("*.csv"):
        settle(path)
    result = zhaoren(tmp_path / "home", "run", "--inbox", str(tmp_path / "inbox"))
    assert result.returncode == 1, result.stderr
    assert "feed_unknown" in result.stdout
    assert "column_missing" in result.stdout or "empty" in result.stdout


def settle(path: Path) -> None:
    """A file changed within the last seconds is left alone; this one came earlier."""
    moment = path.stat().st_mtime - 60
    os.utime(path, (moment, moment))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--month", "2024-13"), "no month"),
        (("export", "nothing"), "nothing"),
        (("quarantine", "export", "--delivery", "x", "--out", "y"), "--reason"),
    ],
)
def test_wrong_use_is_code_two(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    result = zhaoren(tmp_path / "home", *arguments)
    assert result.returncode == 2
    assert said in result.stderr


def test_an_unknown_setting_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "zhaoren.toml").write_text("[limits]\nthread = 4\n", encoding="utf-8")
    result = zhaoren(tmp_path, "doctor")
    assert result.returncode == 2
    assert "limits.thread: unknown setting" in result.stderr
