"""What the simulator writes: all feeds, headers of the contracts, truth that ingestion confirms, the same bytes."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from ingestion.ledger import Ledger
from ingestion.pipeline import ingest
from ingestion.store import Store
from models.contract import load_feeds
from simulator import SimulationError, SimulationSummary, simulate
from simulator.delivery import schedule
from simulator.delivery.writing import GROUP


def test_every_feed_is_delivered(clean_city: SimulationSummary, clean_expected: list[dict[str, Any]]) -> None:
    assert {record["feed"] for record in clean_expected} == set(load_feeds())
    assert {path.name for path in clean_city.inbox.iterdir()} == set(load_feeds())


def test_files_and_truth_agree(faulty_city: SimulationSummary, faulty_expected: list[dict[str, Any]]) -> None:
    written = {
        f"inbox/{path.parent.name}/{path.name}"
        for path in faulty_city.inbox.rglob("*")
        if path.is_file() and not path.name.endswith(".manifest.json")
    }
    assert written == {record["file"] for record in faulty_expected}


def test_headers_are_those_of_the_contract(clean_city: SimulationSummary, clean_expected: list[dict[str, Any]]) -> None:
    for record in clean_expected:
        feed = load_feeds()[record["feed"]]
        known = {_folded(header) for column in feed.columns for header in column.headers}
        found = _headers(clean_city.inbox.parent / record["file"], record)
        strange = {header for header in found if _folded(header) not in known} - set(record["schema_drift"])
        assert not strange, (record["file"], strange)
        assert len(found) == len(set(found))


def _folded(header: str) -> str:
    return header.replace("（", "(").replace("）", ")").replace(" ", "").lower()


def _headers(path: Path, record: dict[str, Any]) -> list[str]:
    if path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            return list(json.loads(next(lines, "{}")))
    top = record["header_row"] - 1
    if path.suffix == ".xlsx":
        rows = list(load_workbook(path).active.iter_rows(values_only=True))  # type: ignore[union-attr]
        lines = rows[top : top + record["header_rows"]]
        return [str(value) for line in lines for value in line if value is not None and value != GROUP]
    return _decoded(path.read_bytes()).splitlines()[top].split(_delimiter(record["format"]))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    raise AssertionError("no encoding fits")


def _delimiter(format_: str) -> str:
    return {"tab": "\t", "semicolon": ";", "pipe": "|"}.get(format_, ",")


def test_formats_are_mixed(clean_expected: list[dict[str, Any]]) -> None:
    formats = Counter(record["format"] for record in clean_expected)
    assert {"xlsx", "jsonl", "csv-gb18030", "csv-utf8bom", "csv-utf16", "tab"} <= set(formats)
    assert sum(record["sidecar"] for record in clean_expected) > 10


def test_registers_come_by_district(clean_expected: list[dict[str, Any]]) -> None:
    for feed in schedule.BY_DISTRICT:
        parts = {record["division"] for record in clean_expected if record["feed"] == feed}
        assert parts == set(schedule.counties())


def test_without_defects_nothing_is_wrong(clean_expected: list[dict[str, Any]]) -> None:
    assert {record["expected_status"] for record in clean_expected} == {"accepted"}
    assert not any(record["expected_quarantined"] or record["cell_defects"] for record in clean_expected)


def test_all_incidents_happen(faulty_expected: list[dict[str, Any]]) -> None:
    assert {record["expected_status"] for record in faulty_expected} == {"accepted", "rejected", "held", "duplicate"}
    assert any(record["supersedes"] for record in faulty_expected)
    late = [r for r in faulty_expected if r["received_at"][:7].replace("-", "") > _month_after(r["period"])]
    assert late


def _month_after(period: str) -> str:
    year, month = int(period[:4]), int(period[4:])
    return f"{year + month // 12}{month % 12 + 1:02d}"


@pytest.mark.parametrize("city", ["faulty", "clean"])
def test_ingestion_finds_what_the_truth_says(city: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """File by file: status, reason, rows, quarantined and emptied cells by reason, framing rows."""
    summary: SimulationSummary = request.getfixturevalue(f"{city}_city")
    expected: list[dict[str, Any]] = request.getfixturevalue(f"{city}_expected")
    store = Store.open(tmp_path)
    ingest(summary.inbox, store, load_feeds(), datetime(2026, 1, 1, tzinfo=UTC))
    ledger = {(d.feed, d.file_name): d for d in Ledger(store.ledger_file).deliveries()}
    wrong = []
    for record in expected:
        delivery = ledger.pop((record["feed"], record["file"].rsplit("/", 1)[-1]))
        found: dict[str, Any] = {"expected_status": delivery.status, "reason": delivery.reason}
        if record["expected_status"] in ("accepted", "held"):
            found.update(
                data_rows=delivery.rows_data,
                framing_rows=delivery.rows_framing,
                expected_accepted=delivery.rows_accepted,
                expected_quarantined=dict(delivery.quarantined_by_reason),
                cell_defects=dict(delivery.cell_defects_by_reason),
                schema_drift=list(delivery.schema_drift),
            )
        if record["expected_status"] == "accepted":
            found["expected_warnings"] = list(delivery.warnings)
        wrong += [(record["file"], key, record[key], value) for key, value in found.items() if record[key] != value]
    assert not wrong, wrong[:5]
    assert not ledger


def test_same_seed_gives_same_bytes(tmp_path: Path) -> None:
    first, second, other = (
        _digests(simulate(tmp_path / name, 120, 3, seed=seed, defects=2.0).inbox.parent)
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert first == second
    assert first != other


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_file_times_are_simulated(clean_city: SimulationSummary, clean_expected: list[dict[str, Any]]) -> None:
    for record in clean_expected:
        moment = datetime.fromisoformat(record["received_at"]).timestamp()
        assert (clean_city.inbox.parent / record["file"]).stat().st_mtime == moment


def test_plain_csv_on_request(tmp_path: Path) -> None:
    city = simulate(tmp_path, 60, 1, seed=1, first_month=date(2024, 5, 1), defects=0, formats="csv")
    files = [path for path in city.inbox.rglob("*") if path.is_file()]
    assert {path.suffix for path in files if not path.name.endswith(".manifest.json")} == {".csv"}
    assert all("202405" in path.name for path in files)


def test_a_full_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "something").touch()
    with pytest.raises(SimulationError, match="not empty"):
        simulate(tmp_path, 10, 1, seed=1)
