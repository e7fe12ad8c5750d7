"""Records in files and in PostgreSQL: the same entries, one after the other whoever writes, whole when they move."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingestion import BusyError, Ledger
from ingestion.database import Address, RecordsError, address_of, open_database, postgresql, write_address
from ingestion.ledger import METADATA
from ingestion.life import TransitionError
from ingestion.linkage.decisions import DECISION
from ingestion.linkage.events import IdentityEvents
from ingestion.lock import LOCK_FILE, alone
from ingestion.past import LEDGER_TABLES, lay_past
from ingestion.records import copy_database, count_records, export_records, import_records
from ingestion.source.record import METADATA as SOURCES
from ingestion.source.record import Look, Record
from ingestion.store import Store
from ingestion.vault.rotation import rotate_pseudonyms
from tests.ingestion.conftest import NOW, City
from tests.ingestion.test_lock import held_elsewhere

LOOK = Look("office", 1.5, None, "gone", None, [{"file": "名.csv", "why": "young"}])
ROOMS = {"ledger.db": LEDGER_TABLES, "sources.db": (SOURCES,)}


def _enter_twenty(home: Path, name: str) -> None:
    with Ledger(home / "ledger.db") as ledger:
        first = ledger.deliveries()[0]
        for number in range(20):
            ledger.record(replace(first, delivery_id=f"{name}.{number}", file_key=f"{name}{number}"))


@pytest.mark.usefixtures("both_places")
def test_two_processes_at_once_enter_everything_in_one_order(city: City) -> None:
    city.take_one("death_record", city.rows("death_record"))
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_enter_twenty, args=(city.store.home, name)) for name in ("one", "two")]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    entries = city.deliveries()
    assert [item.sequence for item in entries] == list(range(1, 42)), "no number twice, none left out"
    assert len({item.delivery_id for item in entries}) == 41


@pytest.mark.usefixtures("both_places")
def test_of_two_decisions_about_one_state_only_the_first_holds(city: City) -> None:
    item = city.take_one("death_record", city.rows("death_record"))
    with Ledger(city.store.ledger_file) as ledger, Ledger(city.store.ledger_file) as other:
        ledger.change(item.delivery_id, "accepted", "held", "wrong year", "li", NOW, reason="a\0b")
        with pytest.raises(TransitionError):
            other.change(item.delivery_id, "accepted", "rejected", "wrong", "wang", NOW)
        (decision,) = other.decisions()
    assert (decision["decided_by"], decision["decided_at"]) == ("li", NOW)
    with pytest.raises(sa.exc.IntegrityError) as failed, Ledger(city.store.ledger_file) as ledger:
        ledger.record(item)
    assert item.file_name not in str(failed.value), "no value of a record is told with an error"


@pytest.fixture
def filled(city: City, tmp_path: Path) -> City:
    """A home with deliveries, a decision, a merge of persons and a look at a source, in files."""
    item = city.take_one("death_record", city.rows("death_record"))
    city.take_one("death_record", city.rows("death_record"), "报送_202304.csv", arrived=NOW - timedelta(days=20))
    with Ledger(city.store.ledger_file) as ledger:
        ledger.change(item.delivery_id, "accepted", "held", "wrong year", "li", NOW + timedelta(hours=1))
    IdentityEvents(city.store).merge("a" * 32, "b" * 32, "the same", "li", NOW)
    Record(city.store.home).note_look(LOOK)
    return city


def test_what_moves_arrives_whole_and_goes_on_from_there(filled: City, address: Address, tmp_path: Path) -> None:
    home, folder = filled.store.home, tmp_path / "copy"
    before, frame = export_records(home, ROOMS, folder), None
    with Ledger(filled.store.ledger_file) as ledger:
        frame, decisions = ledger.frame(), ledger.decisions()
    assert before == {
        "delivery": 2, "decision": 1, "identity_event": 1, "identity_event_row": 0, "link_decision": 0,
        "fetched": 0, "origin": 0, "look": 1,
    }  # fmt: skip
    assert import_records(folder, ROOMS, address) == before
    with pytest.raises(RecordsError, match="holds records already"):
        import_records(folder, ROOMS, address)
    write_address(home, address)
    (home / "ledger.db").unlink()
    with Ledger(filled.store.ledger_file) as ledger:
        assert ledger.frame().equals(frame)
        assert ledger.decisions() == decisions
    assert Record(home).last_look("office") == Look(
        "office", 1.5, None, "gone", None, [{"file": "名.csv", "why": "young"}]
    )
    added = filled.take_one("death_record", filled.rows("death_record"), "报送_202305.csv")
    assert added.sequence == 3
    assert not (home / "ledger.db").exists()
    back = tmp_path / "back"
    assert export_records(home, ROOMS, back) == {**before, "delivery": 3} == count_records(back, ROOMS)


def test_the_past_is_laid_out_from_a_database_too(filled: City, address: Address, tmp_path: Path) -> None:
    import_records(_copied(filled, tmp_path), ROOMS, address)
    write_address(filled.store.home, address)
    assert lay_past(filled.store, tmp_path / "past", NOW + timedelta(minutes=1)) == []
    assert address_of(tmp_path / "past") is None, "a scratch home never works on the records of the live one"
    with Ledger(tmp_path / "past" / "ledger.db") as then, Ledger(filled.store.ledger_file) as now:
        assert [item.status for item in then.deliveries()] == ["accepted", "accepted"]
        assert [item.status for item in now.deliveries()] == ["held", "accepted"]


def test_person_keys_do_not_change_while_records_lie_in_a_database(filled: City, address: Address) -> None:
    """Files and database could not change in one step: nothing is begun, and the way out is told."""
    before = {path: path.read_bytes() for path in filled.store.lake.rglob("*.parquet")}
    write_address(filled.store.home, address)
    with pytest.raises(RecordsError, match="only while records are files") as refused:
        rotate_pseudonyms(filled.store)
    assert "records move --to files" in refused.value.next_step
    assert {path: path.read_bytes() for path in filled.store.lake.rglob("*.parquet")} == before


def _copied(filled: City, tmp_path: Path) -> Path:
    export_records(filled.store.home, ROOMS, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_copy_of_a_file_under_work_is_whole(filled: City, tmp_path: Path) -> None:
    with Ledger(filled.store.ledger_file) as ledger:  # its newest entries lie in the log beside the file
        copy_database(filled.store.ledger_file, tmp_path / "copy.db", (METADATA, DECISION.metadata))
        assert len(ledger.deliveries()) == 2
    with Ledger(tmp_path / "copy.db") as ledger:
        assert len(ledger.deliveries()) == 2


def test_two_homes_in_one_database_do_not_meet(city: City, address: Address, tmp_path: Path) -> None:
    write_address_of(city.store, address)
    city.take_one("death_record", city.rows("death_record"))
    other = Store(tmp_path / "other", city.store.keys)
    write_address_of(other, Address(address.url, f"{address.schema}_b"))
    with Ledger(other.ledger_file) as ledger:
        assert ledger.deliveries() == []


def write_address_of(store: Store, address: Address) -> None:
    store.home.mkdir(parents=True, exist_ok=True)
    write_address(store.home, address)


def test_the_lock_holds_between_machines_and_ends_with_its_holder(tmp_path: Path, address: Address) -> None:
    """Two folders stand for the disks of two machines; the records are what they share."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_address(tmp_path / name, address)
    with held_elsewhere(tmp_path / "one" / LOCK_FILE) as process:
        with pytest.raises(BusyError), alone(tmp_path / "two" / LOCK_FILE, 0.3):
            pass
        with alone(tmp_path / "two" / "another.lock", 0):
            pass
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with alone(tmp_path / "two" / LOCK_FILE, 10):
            pass


def test_a_database_that_is_not_reached_says_so_without_the_password(
    city: City, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHAOREN_DATABASE__PASSWORD", "hush-Pg-4711")
    for url in ("postgresql://owner@127.0.0.1:1/postgres", address.url.replace("owner@", "nobody@")):
        write_address_of(city.store, Address(url, address.schema))
        with pytest.raises(RecordsError, match="cannot be reached") as failed:
            city.deliveries()
        assert "hush" not in repr(failed.value) + failed.value.next_step
    write_address_of(city.store, Address(address.url, address.schema, str(city.store.home / "password")))
    monkeypatch.delenv("ZHAOREN_DATABASE__PASSWORD")
    with pytest.raises(RecordsError, match="password file"):
        city.deliveries()


def test_a_database_of_an_earlier_version_gets_its_new_columns(city: City, address: Address) -> None:
    import ingestion.database

    write_address_of(city.store, address)
    city.take_one("death_record", city.rows("death_record"))
    with postgresql(address).begin() as connection:
        connection.execute(sa.text("alter table delivery drop column sender"))
    ingestion.database._PREPARED.clear()  # as another process begins
    with open_database(city.store.ledger_file, METADATA).connect() as connection:
        assert "sender" in {column["name"] for column in sa.inspect(connection).get_columns("delivery")}
    assert [item.sender for item in city.deliveries()] == [None]


def test_texts_are_sorted_by_their_bytes(address: Address) -> None:
    """Whatever collation the server has: the same order as in a file."""
    with postgresql(address).begin() as connection:
        connection.execute(sa.schema.CreateSchema(address.schema))
        METADATA.create_all(connection)
        kind = sa.text("select collation_name from information_schema.columns where column_name = 'delivery_id'")
        assert connection.execute(kind).scalar() == "C"
