"""The sample city as a whole: every file's status and counts as ``deliveries_expected.jsonl`` states them, and no
personal value outside of vault and quarantine.
"""

from __future__ import annotations

import csv
import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ingestion import Delivery, Ledger, Store, Vault, ingest, publish
from ingestion.keys import Keys
from ingestion.standing import MIN_ROWS_TO_COMPARE
from ingestion.statement import LOCAL_ZONE
from models.contract import load_feeds

NOW = datetime(2027, 1, 1, tzinfo=LOCAL_ZONE)
# Where the expected file departs from the page (feeds.md) that it is made from; see also ``demanded``.
BLANKED_AMOUNTS = {
    "inbox/medical_settlement/medical_settlement_2023-01.xlsx",
    "inbox/income_tax/income_tax_2023-03.csv",
    "inbox/pension_payment/pension_payment_2023-09.csv",
    "inbox/social_insurance/社会保险缴费_202310.csv",
}
"""Their control total counts an amount whose cell was blanked, so that nobody can read it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("home"), Keys(b"p" * 32, b"v" * 32))


@pytest.fixture(scope="module")
def taken(sample_city: Path, home: Store, caplog_module: list[str]) -> dict[str, Delivery]:
    entries = ingest(sample_city / "inbox", home, load_feeds(), NOW)
    publish(home, load_feeds())
    return {f"inbox/{item.feed}/{item.file_name}": item for item in entries}


@pytest.fixture(scope="module")
def caplog_module() -> Any:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="module")
def expected(sample_city: Path) -> list[dict[str, Any]]:
    lines = (sample_city / "deliveries_expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def stated(entry: Delivery, names: dict[str, str]) -> dict[str, Any]:
    return {
        "feed": entry.feed,
        "mode": entry.mode,
        "period": str(entry.period).replace("-", ""),
        "division": entry.division,
        "expected_status": entry.status,
        "reason": entry.reason,
        "missing_column": entry.detail if entry.reason == "column_missing" else None,
        "data_rows": entry.rows_data,
        "framing_rows": entry.rows_framing,
        "expected_accepted": entry.rows_accepted,
        "expected_quarantined": entry.quarantined_by_reason,
        "cell_defects": entry.cell_defects_by_reason,
        "expected_warnings": entry.warnings,
        "schema_drift": sorted(entry.schema_drift),
        "supersedes": names.get(entry.supersedes or ""),
    }


def demanded(row: dict[str, Any], entry: Delivery, anomalies: set[str]) -> dict[str, Any]:
    """The expected line, put right where it departs from the page."""
    want = {name: row[name] for name in stated(entry, {})}
    want["schema_drift"] = sorted(want["schema_drift"])
    # Nobody can count the rows of an unreadable file; the expected file states those it had before.
    if row["reason"] == "unreadable":
        want["data_rows"] = 0
    # A held delivery states its counts as if it were released; the expected file states none.
    if row["expected_status"] == "held":
        for name in ("expected_accepted", "expected_quarantined", "cell_defects"):
            want[name] = stated(entry, {})[name]
    # The page compares with the last delivery only where that had 20 rows; the expected file does always.
    kept = [warning for warning in row["expected_warnings"] if warning != "volume_anomaly" or row["file"] in anomalies]
    want["expected_warnings"] = kept
    return want


def anomalies_by_the_page(expected: list[dict[str, Any]]) -> set[str]:
    last: dict[tuple[str, str | None], int] = {}
    found = set()
    for row in expected:
        if row["expected_status"] != "accepted":
            continue
        before = last.get((row["feed"], row["division"]), 0)
        if before >= MIN_ROWS_TO_COMPARE and "volume_anomaly" in row["expected_warnings"]:
            found.add(row["file"])
        last[row["feed"], row["division"]] = row["data_rows"]
    return found


def test_every_file_is_as_expected(taken: dict[str, Delivery], expected: list[dict[str, Any]]) -> None:
    assert {row["file"] for row in expected} == set(taken)
    names = {entry.delivery_id: file for file, entry in taken.items()}
    anomalies = anomalies_by_the_page(expected)
    different = {
        row["file"]: (got, want)
        for row in expected
        for got, want in [(stated(taken[row["file"]], names), demanded(row, taken[row["file"]], anomalies))]
        if got != want
    }
    assert different == {}


def test_control_totals_are_as_expected(taken: dict[str, Delivery], expected: list[dict[str, Any]]) -> None:
    different = {
        row["file"]
        for row in expected
        if row["expected_status"] == "accepted"
        for name, total in row["control_totals"].items()
        if abs(float(taken[row["file"]].control_totals[name]) - total) > 0.01
    }
    assert different == BLANKED_AMOUNTS


def test_the_held_delivery_states_what_it_would_bring(taken: dict[str, Delivery]) -> None:
    (held,) = (item for item in taken.values() if item.status == "held")
    assert (held.rows_accepted, held.quarantined_by_reason) == (142, {"id_invalid": 75})


def test_lake_holds_what_the_ledger_states(taken: dict[str, Delivery], home: Store) -> None:
    for item in taken.values():
        path = home.lake_file(item.feed, str(item.period), item.delivery_id)
        assert path.exists() == (item.status == "accepted")
        if path.exists():
            assert pl.scan_parquet(path).select(pl.len()).collect().item() == item.rows_accepted


def test_no_personal_value_outside_of_vault_and_quarantine(
    taken: dict[str, Delivery], home: Store, sample_city: Path, caplog_module: list[str]
) -> None:
    with Ledger(home.ledger_file) as ledger:
        entries = str([entry.__dict__ for entry in ledger.deliveries()])
    persons = known_persons(home)
    assert persons["id_number"].len() > 3000
    secret = set(persons["id_number"]) | set(persons["phone"].drop_nulls()) | set(persons["name"].drop_nulls())
    open_files = [*home.lake.rglob("*.parquet"), *home.reference.glob("*.parquet"), *home.faults.rglob("*.parquet")]
    for path in open_files:
        frame = pl.read_parquet(path)
        cells = {cell for series in frame.select(pl.col(pl.String)) for cell in series.unique().drop_nulls()}
        assert not cells & secret, path.name
        assert not any(digits in cell for cell in cells if len(cell) >= 18 for digits in _long_runs(cell) & secret)
    for text in (entries, "\n".join(caplog_module)):
        assert not any(value in text for value in set(persons["id_number"]) | set(persons["name"].drop_nulls()))
    for path in [*home.vault.rglob("*.parquet"), *home.quarantine.rglob("*.parquet")]:
        assert path.read_bytes()[:4] == b"PARE", "an encrypted footer has its own magic number"


def known_persons(home: Store) -> pl.DataFrame:
    keys = pl.read_parquet(home.reference / "person_key.parquet")["person_key"].to_list()
    return Vault(home).identities(keys)


def _long_runs(cell: str) -> set[str]:
    return {cell[at : at + 18] for at in range(len(cell) - 17)}


def test_vault_knows_who_a_person_key_is(taken: dict[str, Delivery], home: Store, sample_city: Path) -> None:
    path = sample_city / "inbox" / "pension_payment" / "养老金发放_202305_更正.csv"
    rows = list(csv.DictReader(path.read_text(encoding="gb18030").splitlines(), delimiter=";"))
    keys = Vault(home).person_keys_of([rows[0]["身份证号"]])
    known = Vault(home).identities(keys["person_key"].to_list()).row(0, named=True)
    assert (known["id_number"], known["name"]) == (rows[0]["身份证号"], rows[0]["姓名"].strip())
