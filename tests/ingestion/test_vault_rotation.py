"""New keys for a whole data home: what the old ones open afterwards, what stays the same, what still resolves."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ingestion import Ledger, Quarantine, Store, Vault, ingest
from ingestion.change import FOLDER, finish_change
from ingestion.encryption import EncryptedParquet, VaultLockedError
from ingestion.keys import Keys, SecretError, key_states, load_keys, marker_of, written_with
from ingestion.linkage.events import IdentityEvents
from ingestion.linkage.resolve import Row
from ingestion.pseudonym import Algorithm
from ingestion.vault.alias import Aliases
from ingestion.vault.hold import Holds
from ingestion.vault.purge import PurgeOrder, purge
from ingestion.vault.rotation import is_encrypted, parquet_files, rotate_pseudonyms, rotate_vault_key
from models.policy.retention import load_retention
from tests.ingestion.conftest import ARRIVED, NOW, City, id_number

NEW = "n" * 64
NEW_BYTES = hashlib.sha256(NEW.encode()).digest()
TO_NEW = {"ZHAOREN_PSEUDONYM_KEY_NEXT": NEW, "ZHAOREN_VAULT_KEY_NEXT": NEW}
PEOPLE = 11
FOLDERS = ("lake", "held", "vault", "quarantine", "faults")


def fill(city: City) -> None:
    """Deliveries of every kind of person column, one held, some rows set aside."""
    for feed in ("population_register", "marriage_register", "child_register", "disability_register"):
        rows = city.rows(feed)
        first = next(column for column in city.feeds[feed].columns if column.type == "id")
        rows[4][first.header] = "42070219800101"
        city.put(feed, rows)
    bad = city.rows("pension_payment")
    for row in bad[:8]:
        row["身份证号"] = "1"
    city.put("pension_payment", bad)
    city.put("visit_outcome", [{**row, "身份证号": ""} for row in city.rows("visit_outcome")])
    city.take()


def content(store: Store) -> dict[str, pl.DataFrame]:
    """Every table that ingestion keeps, open or encrypted, by its place."""
    tables = {}
    for path in parquet_files(store.home):
        place = path.relative_to(store.home)
        if place.parts[0] in FOLDERS and place.parts[:2] != ("vault", "alias"):
            tables[str(place)] = store.encrypted.read(path) if is_encrypted(path) else pl.read_parquet(path)
    return tables


@pytest.fixture
def filled(city: City) -> City:
    fill(city)
    return city


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_ingest_and_rotate_is_the_same_as_rotate_and_ingest_row_for_row(
    city: City, tmp_path: Path, algorithm: Algorithm
) -> None:
    """Delivery ids come of the files, never of keys, so that even places are the same."""
    filled = city
    filled.store = replace(city.store, algorithm=algorithm)
    fill(filled)
    rotated = rotate_pseudonyms(filled.store, TO_NEW)
    other = Store(tmp_path / "other", Keys(NEW_BYTES, b"v" * 32), algorithm)
    ingest(filled.inbox, other, filled.feeds, NOW)
    found, expected = content(rotated.store), content(other)
    assert found.keys() == expected.keys()
    assert len(found) > 12
    for place, table in expected.items():
        assert found[place].equals(table, null_equal=True), place
    for store in (rotated.store, other):
        Vault(store).publish_person_keys(store.reference / "person_key.parquet")
    keys = [pl.read_parquet(store.reference / "person_key.parquet") for store in (rotated.store, other)]
    assert keys[0].equals(keys[1])
    assert rotated.person_keys == PEOPLE * 2  # and as many numbers of disability certificates


def test_no_old_key_is_left_anywhere_but_in_the_table_of_old_ones(filled: City) -> None:
    store = filled.store
    everybody = Vault(store).people()["person_key"]
    Holds(store).place([everybody[0]], "court", "case", NOW)
    published = store.home / "generations" / "1"
    published.mkdir(parents=True)
    lists = pl.DataFrame({"person_key": everybody, "members": [[key, "x"] for key in everybody], "note": everybody})
    lists.write_parquet(published / "household_member_month.parquet")
    (store.home / "published").symlink_to("generations/1")
    with closing(sqlite3.connect(store.home / "operations.db")) as database:
        database.execute("create table note (about text)")
        database.executemany("insert into note values (?)", [(key,) for key in everybody])
        database.commit()
    rotated = rotate_pseudonyms(store, TO_NEW)
    old = set(everybody)
    for path in parquet_files(store.home):
        frame = rotated.store.encrypted.read(path) if is_encrypted(path) else pl.read_parquet(path)
        texts = {str(cell) for name in frame.columns if name != "old" for cell in frame[name].to_list()}
        assert not any(key in text for text in texts for key in old), path.name
    with closing(sqlite3.connect(store.home / "operations.db")) as database:
        told = {about for (about,) in database.execute("select about from note")}
    assert told == set(Vault(rotated.store).people()["person_key"])
    assert set(pl.read_parquet(store.home / "published" / "household_member_month.parquet")["person_key"]) == told
    assert Holds(rotated.store).in_force()[0] in told
    assert not (store.home / FOLDER).exists()


def test_keys_given_out_before_still_resolve_twice_over(filled: City) -> None:
    store = filled.store
    numbers = [id_number(at) for at in range(3)]
    first = Vault(store).person_keys_of(numbers)["person_key"]
    once = rotate_pseudonyms(store, TO_NEW).store
    second = Vault(once).person_keys_of(numbers)["person_key"]
    twice = rotate_pseudonyms(once, {"ZHAOREN_PSEUDONYM_KEY_NEXT": "m" * 64}).store
    third = Vault(twice).person_keys_of(numbers)["person_key"]
    assert len({*first, *second, *third}) == 9
    for old in (first, second):
        assert [Aliases(twice).resolve(key)["new_key"].to_list() for key in old] == [[key] for key in third]
    assert Aliases(twice).resolve("nobody").is_empty()


def test_merges_and_splits_follow_their_persons(filled: City) -> None:
    """Of a person split off without a number, who has a key that no vault knows, too."""
    vault, events = Vault(filled.store), IdentityEvents(filled.store)
    one, other, third = vault.person_keys_of([id_number(at) for at in (1, 2, 3)])["person_key"]
    events.merge(one, other, "police station", "Chen", NOW)
    row = Row("pension_payment", "pension_payment.2023-03.a", 2, "person_key")
    nobody = events.split(third, [row], "number of the father", "Chen", NOW).other_key
    rotated = rotate_pseudonyms(filled.store, TO_NEW).store
    one, other, third = Vault(rotated).person_keys_of([id_number(at) for at in (1, 2, 3)])["person_key"]
    merge, split = IdentityEvents(rotated).all()
    assert (merge.person_key, merge.other_key, split.person_key, split.rows) == (one, other, third, (row,))
    assert len(str(split.other_key)) == len(third)
    assert split.other_key not in (nobody, one, other, third)
    assert (merge.decided_at, split.decided_by) == (NOW, "Chen")


def test_numbers_of_alerts_and_households_resolve_through_their_person_and_month(filled: City) -> None:
    store = filled.store
    published = store.home / "published"
    published.mkdir()
    (key,) = Vault(store).person_keys_of([id_number(1)])["person_key"]
    month = date(2023, 3, 1)
    alert = {"alert_id": ["N-abc"], "side": ["need"], "month": [month], "first_month": [month]}
    pl.DataFrame({**alert, "reference_person_key": [key]}).write_parquet(published / "alert.parquet")
    household = {"household_id": ["habc"], "month": [month], "reference_person_key": [key]}
    pl.DataFrame(household).write_parquet(published / "household_month.parquet")
    rotated = rotate_pseudonyms(store, TO_NEW).store
    (now,) = Vault(rotated).person_keys_of([id_number(1)])["person_key"]
    for number, side in (("N-abc", "need"), ("habc", None)):
        (found,) = Aliases(rotated).resolve(number).iter_rows(named=True)
        assert (found["new_key"], found["side"], found["month"]) == (now, side, month)
    assert Aliases(rotated).alert_numbers().to_list() == ["N-abc"]


def test_whoever_was_deleted_gets_a_key_that_no_id_number_leads_to(city: City) -> None:
    city.take_one("marriage_register", city.rows("marriage_register"))
    store = city.store
    purge(store, PurgeOrder(load_retention("standard"), date(2040, 1, 1), "dpo", "x", NOW))
    before = [Vault(store).person_keys_of([id_number(at)])["person_key"][0] for at in range(12)]
    (path,) = store.lake.glob("marriage_register/*/*.parquet")
    old = pl.read_parquet(path)
    rotated = rotate_pseudonyms(store, TO_NEW).store
    new = pl.read_parquet(path)
    assert old.drop("husband_key", "wife_key").equals(new.drop("husband_key", "wife_key"))
    assert new["husband_key"].n_unique() == old["husband_key"].n_unique()
    after = [Vault(rotated).person_keys_of([id_number(at)])["person_key"][0] for at in range(12)]
    assert set(old["husband_key"]) <= set(before)
    assert not set(new["husband_key"]) & {*before, *after}


def test_after_a_new_vault_key_the_old_one_opens_nothing_and_everything_reads_the_same(filled: City) -> None:
    store = filled.store
    Vault(store).refresh()
    before = content(store)
    rotated = rotate_vault_key(store, TO_NEW)
    assert {place: table.to_dicts() for place, table in content(rotated.store).items()} == {
        place: table.to_dicts() for place, table in before.items()
    }
    sealed = [path for path in store.home.rglob("*.parquet") if is_encrypted(path)]
    assert len(sealed) == rotated.files > 8
    for path in sealed:
        with pytest.raises(VaultLockedError, match=rotated.key_id_after):
            store.encrypted.read(path)
    assert Quarantine(rotated.store).rows().height == 4 + 8
    assert Vault(rotated.store).people().height == PEOPLE


def test_keys_in_a_file_are_exchanged_there_and_the_file_stays_closed(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ZHAOREN_PSEUDONYM_KEY", "ZHAOREN_VAULT_KEY"):
        monkeypatch.delenv(name, raising=False)
    key_file = city.store.home.parent / "elsewhere" / "keys.json"
    city.store = Store.open(city.store.home, key_file)
    fill(city)
    before = json.loads(key_file.read_text())
    ids = {kind: item["key_id"] for kind, item in written_with(city.store.home).items()}
    rotate_vault_key(city.store)
    middle = Store.open(city.store.home, key_file)
    rotate_pseudonyms(middle)
    after = json.loads(key_file.read_text())
    assert all(before[name] != after[name] for name in before)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    opened = Store.open(city.store.home, key_file)
    assert Vault(opened).people().height == PEOPLE
    assert list(key_file.parent.iterdir()) == [key_file]
    states = {state.kind: state for state in key_states(city.store.home, key_file)}
    assert {kind: state.key_id for kind, state in states.items()} != ids
    assert {state.source for state in states.values()} == {"file"}
    key_file.write_text(json.dumps(before))
    with pytest.raises(SecretError, match="is written with the pseudonym key"):
        Store.open(city.store.home, key_file)


def test_keys_of_the_environment_are_named_old_and_new(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHAOREN_PSEUDONYM_KEY", "p" * 64)
    monkeypatch.setenv("ZHAOREN_VAULT_KEY", "o" * 64)
    city.store = Store.open(city.store.home)
    fill(city)
    with pytest.raises(SecretError, match="name the new one in ZHAOREN_VAULT_KEY_NEXT"):
        rotate_vault_key(city.store)
    monkeypatch.setenv("ZHAOREN_VAULT_KEY_NEXT", "o" * 64)
    with pytest.raises(SecretError, match="is the key in use"):
        rotate_vault_key(city.store)
    monkeypatch.setenv("ZHAOREN_VAULT_KEY_NEXT", NEW)
    rotate_vault_key(city.store)
    # Until the variables are changed over, the home says which of the two it is written with.
    assert Vault(Store.open(city.store.home)).people().height == PEOPLE
    monkeypatch.setenv("ZHAOREN_VAULT_KEY", NEW)
    monkeypatch.delenv("ZHAOREN_VAULT_KEY_NEXT")
    assert Vault(Store.open(city.store.home)).people().height == PEOPLE
    assert not (city.store.home / "keys.json").exists()
    monkeypatch.setenv("ZHAOREN_VAULT_KEY", "o" * 64)
    with pytest.raises(SecretError) as told:
        Store.open(city.store.home)
    assert "o" * 64 not in str(told.value)


def test_new_deliveries_meet_their_persons_after_a_rotation(filled: City) -> None:
    filled.store = rotate_pseudonyms(filled.store, TO_NEW).store
    before = Vault(filled.store).people()["person_key"].to_list()
    filled.put("population_register", filled.rows("population_register"), "报送_202304.csv", arrived=ARRIVED)
    filled.take()
    now = Vault(filled.store).people()["person_key"].to_list()
    assert set(before) < set(now)
    assert len(now) == PEOPLE + 1


KILLED = """
import sys, os, signal
from pathlib import Path
import ingestion.change as change
from ingestion import Store
from ingestion.keys import Keys
from ingestion.vault.rotation import rotate_pseudonyms, rotate_vault_key
kept, left = change._take, int(sys.argv[3])
def take(step):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    kept(step)
change._take = take
if left < 0:
    change.Change.commit = lambda self: os.kill(os.getpid(), signal.SIGKILL)
rotate = {"vault": rotate_vault_key, "pseudonym": rotate_pseudonyms}[sys.argv[2]]
next_keys = {"ZHAOREN_PSEUDONYM_KEY_NEXT": "n" * 64, "ZHAOREN_VAULT_KEY_NEXT": "n" * 64}
rotate(Store(Path(sys.argv[1]), Keys(b"p" * 32, b"v" * 32)), next_keys)
"""


@pytest.mark.parametrize(("kind", "step"), [("vault", -1), ("vault", 3), ("pseudonym", -1), ("pseudonym", 7)])
def test_killed_at_any_step_all_of_it_is_old_or_all_of_it_is_new(filled: City, kind: str, step: int) -> None:
    home, old = filled.store.home, content(filled.store)
    command = [sys.executable, "-c", KILLED, str(home), kind, str(step)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode == -9
    finish_change(home)
    new = Keys(NEW_BYTES, b"v" * 32) if kind == "pseudonym" else Keys(b"p" * 32, NEW_BYTES)
    store = filled.store if step < 0 else Store(home, new)
    found = content(store)
    assert found.keys() == old.keys()
    assert Vault(store).people().height == PEOPLE
    (key,) = Vault(store).person_keys_of([id_number(1)])["person_key"]
    assert Vault(store).identities([key])["id_number"].to_list() == [id_number(1)]
    if step >= 0:
        assert written_with(home)[kind]["key_id"] == new.key_id("vault" if kind == "vault" else "pseudonym")
    else:
        rotate_vault_key(store, TO_NEW)  # what the killed one staged is no hindrance
    assert not (home / FOLDER).exists()


def test_a_home_of_before_keys_had_ids_is_taken_over(filled: City, monkeypatch: pytest.MonkeyPatch) -> None:
    home = filled.store.home
    assert not marker_of(home).exists()
    monkeypatch.setenv("ZHAOREN_PSEUDONYM_KEY", "p" * 64)
    monkeypatch.setenv("ZHAOREN_VAULT_KEY", "o" * 64)
    opened = Store.open(home)
    assert written_with(home)["vault"]["key_id"] == opened.keys.key_id("vault")
    with pytest.raises(SecretError, match="made with sha256"):
        Store.open(home, algorithm="sm3")


def test_a_short_key_and_an_open_key_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="shorter than"):
        load_keys(tmp_path / "keys.json", {"ZHAOREN_VAULT_KEY": "short", "ZHAOREN_PSEUDONYM_KEY": "x" * 64})
    load_keys(tmp_path / "keys.json", {})
    (tmp_path / "keys.json").chmod(0o640)
    with pytest.raises(SecretError, match="0600"):
        load_keys(tmp_path / "keys.json", {})


def test_the_ledger_is_untouched_by_new_keys(filled: City) -> None:
    with Ledger(filled.store.ledger_file) as ledger:
        before = ledger.frame()
    rotated = rotate_pseudonyms(rotate_vault_key(filled.store, TO_NEW).store, TO_NEW)
    with Ledger(rotated.store.ledger_file) as ledger:
        assert ledger.frame().equals(before)
    assert EncryptedParquet(NEW_BYTES).read(next(rotated.store.quarantine.rglob("*.rows.parquet"))).height
