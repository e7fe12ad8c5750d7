"""A file with rows that have no usable ID number: proposed, accepted by a person, in force, out of quarantine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from ingestion import Ledger, publish
from ingestion.linkage.decisions import LinkDecisions, Said
from ingestion.linkage.mend import accept
from ingestion.linkage.proposals import open_rows, propose
from tests.ingestion.conftest import NOW, City, id_number, person_name

REGISTER, INSURANCE, CERTIFICATE = "population_register", "medical_settlement", "disability_register"
SAID = Said("checked with the department", "reviewer", NOW + timedelta(days=1))


def bad_number(at: int, place: int = 16) -> str:
    good = id_number(at)
    return good[:place] + str((int(good[place]) + 1) % 10) + good[place + 1 :]


@pytest.fixture
def known(city: City) -> City:
    """A city that knows thirty people from the population register."""
    city.put(REGISTER, city.rows(REGISTER, 30), "户籍_202302.csv")
    city.take()
    return city


def test_a_bad_row_is_proposed_accepted_and_in_force(known: City) -> None:
    known.put(INSURANCE, known.rows(INSURANCE, 30, id_number=bad_number(1)), "结算_202303.csv")
    (taken,) = known.take()
    assert taken.rows_quarantined == 1
    found = propose(known.store, known.feeds)
    (row,) = found.filter(pl.col("kind") == "row").to_dicts()
    assert (row["pass"], row["state"], row["id_number"]) == ("typing_error", "proposed", id_number(1))
    assert known.lake(taken).height == 29, "the machine applies nothing by itself"
    (done,) = accept(known.store, known.feeds, found, SAID)
    assert (done.rows, done.in_force, done.left) == (1, 1, 0)
    with Ledger(known.store.ledger_file) as ledger:
        entries = ledger.deliveries()
        supplement = ledger.delivery(str(done.supplement))
    assert supplement.supplements == taken.delivery_id
    assert open_rows(known.store, entries, taken).is_empty(), "quarantine is cleared"
    mended = known.lake(supplement)
    assert mended["person_key"].to_list() == [row["person_key"]]
    publish(known.store, known.feeds)
    validity = pl.read_parquet(known.store.reference / "delivery_validity.parquet")
    assert supplement.delivery_id in validity["delivery_id"].to_list()
    evidence = pl.read_parquet(known.store.reference / "link_evidence.parquet").to_dicts()
    assert [(item["pass"], item["state"], item["row_number"]) for item in evidence] == [("typing_error", "accepted", 3)]
    assert propose(known.store, known.feeds).is_empty()


def test_what_is_superseded_or_mended_by_a_correction_is_proposed_no_more(known: City) -> None:
    known.put(INSURANCE, known.rows(INSURANCE, 30, id_number=bad_number(1)), "结算_202303.csv")
    known.take()
    assert propose(known.store, known.feeds).height == 1
    known.put(INSURANCE, known.rows(INSURANCE, 30), "结算_202303_更正.csv", arrived=NOW - timedelta(days=2))
    known.take()
    assert propose(known.store, known.feeds).is_empty()


def test_a_row_with_another_fault_is_listed_but_not_mended(known: City) -> None:
    rows = known.rows(INSURANCE, 30, id_number=bad_number(1), care_type="?")
    known.put(INSURANCE, rows, "结算_202303.csv")
    known.take()
    found = propose(known.store, known.feeds)
    assert found["is_alone"].to_list() == [False]
    (done,) = accept(known.store, known.feeds, found, SAID)
    assert (done.supplement, done.rows, done.left) == (None, 0, 1)
    assert LinkDecisions(known.store).frame().is_empty()


def test_a_certificate_that_carries_the_same_slip_is_mended_with_it(known: City) -> None:
    rows = known.rows(CERTIFICATE, 30, id_number=bad_number(1), certificate_no=bad_number(1) + "42")
    known.put(CERTIFICATE, rows, "残疾人_202303.csv")
    (taken,) = known.take()
    (done,) = accept(known.store, known.feeds, propose(known.store, known.feeds), SAID)
    assert (done.in_force, taken.rows_quarantined) == (1, 1)
    with Ledger(known.store.ledger_file) as ledger:
        supplement = ledger.delivery(str(done.supplement))
    assert known.lake(supplement)["certificate_grade"].to_list() == ["2"]


def test_a_row_without_number_gets_that_of_the_valid_certificate(known: City) -> None:
    rows = known.rows(CERTIFICATE, 30, id_number="")
    known.put(CERTIFICATE, rows, "残疾人_202303.csv")
    known.take()
    (row,) = propose(known.store, known.feeds).to_dicts()
    assert (row["pass"], row["state"], row["id_number"]) == ("certificate", "proposed", id_number(1))


def test_a_child_without_number_is_found_when_it_has_one(city: City) -> None:
    city.put(REGISTER, city.rows(REGISTER, 30, id_number=""), "户籍_202301.csv")
    city.take()
    assert propose(city.store, city.feeds).is_empty(), "nobody is known by a number yet"
    known = city.rows(REGISTER, 30)
    city.put(REGISTER, known[1:2], "户籍_202302_420704.csv")
    city.take()
    (row,) = propose(city.store, city.feeds).filter(pl.col("kind") == "row").to_dicts()
    assert (row["pass"], row["state"], row["name"]) == ("household", "proposed", person_name(1))
    assert "hukou_number" in row["confirmed_by"]


def test_no_value_in_evidence_or_in_what_is_told_of_decisions(known: City) -> None:
    known.put(INSURANCE, known.rows(INSURANCE, 30, id_number=bad_number(1)), "结算_202303.csv")
    known.take()
    accept(known.store, known.feeds, propose(known.store, known.feeds), SAID)
    publish(known.store, known.feeds)
    secret = [id_number(1), bad_number(1), person_name(1)]
    files = [known.store.ledger_file, *sorted(known.store.reference.glob("*.parquet"))]
    files += [path for path in known.store.quarantine.rglob("*") if path.is_file()]
    for path in files:
        data = path.read_bytes() if path.suffix != ".parquet" or "quarantine" in path.parts else b""
        text = data + (str(pl.read_parquet(path).to_dicts()).encode() if not data else b"")
        assert not [word for word in secret if word.encode() in text], path.name


def test_a_row_accepted_twice_is_one_row(known: City) -> None:
    known.put(INSURANCE, known.rows(INSURANCE, 30, id_number=bad_number(1)), "结算_202303.csv")
    known.take()
    found = propose(known.store, known.feeds)
    accept(known.store, known.feeds, found, SAID)
    (again,) = accept(known.store, known.feeds, found, replace(SAID, decided_at=NOW + timedelta(days=2)))
    assert (again.supplement, again.rows) == (None, 0)


def test_temporary_rows_never_lie_on_a_disk(known: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known.put(INSURANCE, known.rows(INSURANCE, 30, id_number=bad_number(1)), "结算_202303.csv")
    known.take()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    accept(known.store, known.feeds, propose(known.store, known.feeds), SAID)
    for path in known.store.home.rglob("*"):
        assert not path.is_file() or path.suffix != ".csv"


@pytest.mark.parametrize("written", ["{}", " {}", "'{}", "\uff14{}"])
def test_an_old_number_of_fifteen_digits_leaves_evidence(known: City, written: str) -> None:
    old = id_number(1)[:6] + id_number(1)[8:17]
    text = written.format(old[1:] if written.startswith("\uff14") else old)
    known.put(INSURANCE, known.rows(INSURANCE, 30, id_number=text), "结算_202303.csv")
    (taken,) = known.take()
    assert taken.rows_quarantined == 0
    publish(known.store, known.feeds)
    (row,) = pl.read_parquet(known.store.reference / "link_evidence.parquet").to_dicts()
    assert (row["pass"], row["state"], row["row_number"]) == ("fifteen_digits", "applied", 3)
    assert row["person_key"] == known.lake(taken).filter(pl.col("row_number") == 3)["person_key"][0]
