"""The vault: who stands behind a person key, newest first, from all deliveries or from some; the index is no other."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ingestion import Delivery, Ledger, Store, Vault, hold
from ingestion.encryption import EncryptedParquet, TamperedError, VaultLockedError
from ingestion.in_force import receipt_order
from ingestion.keys import Keys
from ingestion.pseudonym import identity_keys
from ingestion.table import ROW_NUMBER
from models.contract import load_feeds
from tests.ingestion.conftest import NOW, City, id_number

FEEDS = ("population_register", "pension_payment", "disability_register", "child_register")
FACTS = ("id_number", "name", "phone", "address")


def delivery(number: int, feed: str, period: str, received_at: datetime = NOW) -> Delivery:
    return Delivery(
        delivery_id=f"{feed}.{period}.{'abcdefghij'[number % 10]}{number}",
        feed=feed,
        mode=load_feeds()[feed].mode,
        file_name=f"{number}.csv",
        file_key=str(number),
        sha256=str(number),
        statement_key="",
        period=period,
        division=None,
        status="accepted",
        received_at=received_at,
        ingested_at=NOW,
    )


def accepted_rows(feed: str, rows: list[dict[str, str | None]]) -> pl.DataFrame:
    """Rows as they are after the checks; columns that are not named are empty."""
    names = [column.name for column in load_feeds()[feed].columns]
    frame = pl.DataFrame(
        [{name: row.get(name) for name in names} for row in rows], schema=dict.fromkeys(names, pl.String)
    )
    return frame.with_row_index(ROW_NUMBER, 2).with_columns(pl.col(ROW_NUMBER).cast(pl.Int64))


def keep(store: Store, item: Delivery, rows: list[dict[str, str | None]]) -> Delivery:
    """Put a delivery's identities into the vault and its entry into the ledger."""
    feed = load_feeds()[item.feed]
    accepted = accepted_rows(item.feed, rows)
    keys = identity_keys(accepted, feed, store.keys.pseudonym, store.algorithm)
    Vault(store).keep(accepted, feed, keys, item.delivery_id)
    with Ledger(store.ledger_file) as ledger:
        return ledger.record(item)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home", Keys(b"p" * 32, b"v" * 32))


def oracle(store: Store, deliveries: set[str] | None = None) -> pl.DataFrame:
    """What the vault must say, from every delivery file read whole."""
    with Ledger(store.ledger_file) as ledger:
        accepted = ledger.deliveries(status="accepted")
    accepted.sort(key=lambda item: (item.period or "", *receipt_order(item)))
    known: dict[str, dict[str, str]] = {}
    for item in accepted:
        path = Vault(store).file(item.feed, item.delivery_id)
        if path.exists() and (deliveries is None or item.delivery_id in deliveries):
            rows = store.encrypted.read(path).sort(ROW_NUMBER, "role")
            for row in rows.filter(pl.col("person_key").is_not_null()).iter_rows(named=True):
                person = known.setdefault(row["person_key"], dict.fromkeys(FACTS))  # type: ignore[arg-type]
                person.update({name: row[name] for name in FACTS if row[name] is not None})
    rows = [{"person_key": key, **facts} for key, facts in sorted(known.items())]
    return pl.DataFrame(rows, schema=dict.fromkeys(("person_key", *FACTS), pl.String))


def random_rows(dice: random.Random, feed: str) -> list[dict[str, str | None]]:
    rows = []
    for at in dice.sample(range(60), dice.randint(1, 25)):
        maybe = [dice.choice([None, f"值{dice.randint(1, 3)}"]) for _ in range(3)]
        row = {
            "id_number": id_number(at),
            "name": f"名{at}{dice.randint(1, 2)}",
            "phone": maybe[0],
            "address": maybe[1],
        }
        if feed == "child_register":
            row |= {"guardian_id": id_number(dice.randrange(60)), "guardian_name": maybe[2]}
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_the_index_says_what_the_delivery_files_say(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    vault, everything = Vault(store), []
    for number in range(14):
        feed, year = dice.choice(FEEDS), dice.choice(("2022", "2023"))
        received = NOW + timedelta(days=dice.randint(-300, 0))
        item = delivery(number, feed, f"{year}-{dice.randint(1, 12):02d}", received)
        everything.append(keep(store, item, random_rows(dice, feed)).delivery_id)
        if dice.random() < 0.3:
            vault.refresh()
        if dice.random() < 0.2:
            held = dice.choice(everything)
            with Ledger(store.ledger_file) as ledger:
                status = ledger.delivery(held).status
            if status == "accepted":
                hold(store, held, "check", "x", NOW)
        some = set(dice.sample(everything, dice.randint(0, len(everything))))
        for wanted in (None, some):
            expected = oracle(store, wanted)
            keys = expected["person_key"].to_list()
            assert vault.identities([*keys, "nobody"], wanted).equals(expected)
            assert vault.identities(keys[:2], wanted).equals(expected.head(min(2, len(keys))))
    expected = oracle(store)
    assert vault.people().select(expected.columns).equals(expected)
    assert vault.people(some).select(expected.columns).equals(oracle(store, some))
    assert vault.refresh() == 0
    vault.publish_person_keys(store.reference / "person_key.parquet", some)
    published = pl.read_parquet(store.reference / "person_key.parquet")
    assert published["person_key"].equals(oracle(store, some)["person_key"])
    assert published.columns == ["person_key", "born_on", "sex"]


def test_a_look_up_reads_only_the_shard_and_the_groups_needed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id_number": id_number(at), "name": "甲"} for at in range(900)]
    for month in range(1, 4):
        keep(store, delivery(month, "population_register", f"2023-{month:02d}"), rows)
    vault = Vault(store)
    assert vault.refresh() == 3
    read: list[str] = []
    kept, kept_between = EncryptedParquet.read, EncryptedParquet.read_between
    monkeypatch.setattr(EncryptedParquet, "read", lambda *args: (read.append(args[1].name), kept(*args))[1])
    monkeypatch.setattr(
        EncryptedParquet, "read_between", lambda *args: (read.append(args[1].name), kept_between(*args))[1]
    )
    (key,) = vault.person_keys_of([id_number(5)])["person_key"]
    assert vault.identities([key])["name"].to_list() == ["甲"]
    assert read == [f"{key[0]}.parquet"]


def test_of_a_million_only_the_row_groups_in_which_a_key_may_stand(store: Store) -> None:
    path = store.vault / "index" / "x.parquet"
    frame = pl.DataFrame({"person_key": [f"a{at:05d}" for at in range(1000)], "name": "甲"})
    store.encrypted.write(frame, path, row_group_rows=100)
    assert store.encrypted.read_between(path, "person_key", pl.Series(["a00150", "a00950"])).height == 200
    assert store.encrypted.read_between(path, "person_key", pl.Series(["b"])).height == 0


def test_since_when_and_from_which_source(store: Store) -> None:
    first = delivery(1, "population_register", "2023-01")
    moved = delivery(2, "population_register", "2023-03")
    keep(store, first, [{"id_number": id_number(1), "name": "王五", "address": "甲路"}])
    keep(store, delivery(3, "population_register", "2023-02"), [{"id_number": id_number(1), "name": "王五"}])
    keep(store, moved, [{"id_number": id_number(1), "name": "王五", "address": "乙路"}])
    vault = Vault(store)
    (key,) = vault.person_keys_of([id_number(1)])["person_key"]
    for _ in range(2):
        facts = vault.facts_of(key)
        told = {(row["fact"], row["value"]): row for row in facts.iter_rows(named=True)}
        assert (told["name", "王五"]["first_month"], told["name", "王五"]["last_month"]) == ("2023-01", "2023-03")
        assert told["address", "甲路"]["last_delivery"] == first.delivery_id
        assert told["address", "乙路"]["first_delivery"] == moved.delivery_id
        assert facts["value"].to_list()[0] == "乙路"
        vault.refresh()
    (person,) = vault.people().iter_rows(named=True)
    assert (person["address"], person["feed"], person["delivery_id"]) == ("乙路", moved.feed, moved.delivery_id)
    assert str(person["born_on"]) == "1980-01-01"


def test_a_delivery_file_that_changed_makes_its_year_unusable_not_wrong(store: Store) -> None:
    item = delivery(1, "population_register", "2023-01")
    keep(store, item, [{"id_number": id_number(1), "name": "旧"}, {"id_number": id_number(2), "name": "二"}])
    vault = Vault(store)
    vault.refresh()
    path = vault.file(item.feed, item.delivery_id)
    store.encrypted.write(store.encrypted.read(path).with_columns(name=pl.lit("新")), path)
    keys = vault.person_keys_of([id_number(1), id_number(2)])["person_key"].to_list()
    assert vault.identities(keys)["name"].to_list() == ["新", "新"]
    assert vault.refresh() == 1
    assert vault.identities(keys)["name"].to_list() == ["新", "新"]


@pytest.mark.parametrize("shard", [0, 3, 7])
def test_cut_short_at_any_shard_the_index_of_before_still_answers(
    store: Store, shard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, delivery(1, "population_register", "2023-01"), [{"id_number": id_number(at)} for at in range(40)])
    vault = Vault(store)
    vault.refresh()
    keep(store, delivery(2, "population_register", "2023-02"), [{"id_number": id_number(at)} for at in range(20, 60)])
    write, left = EncryptedParquet.write, [shard]

    def write_some(self: EncryptedParquet, frame: pl.DataFrame, path: Path, rows: int | None = None) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        write(self, frame, path, rows)

    with monkeypatch.context() as patched:
        patched.setattr(EncryptedParquet, "write", write_some)
        with pytest.raises(KeyboardInterrupt):
            vault.refresh()
    expected = oracle(store)
    assert vault.identities(expected["person_key"].to_list()).equals(expected)
    assert vault.refresh() == 1
    assert vault.identities(expected["person_key"].to_list()).equals(expected)
    assert len(list((store.vault / "index" / "2023").iterdir())) == 1


def test_generations_of_before_do_not_stay(store: Store) -> None:
    for month in range(1, 4):
        keep(store, delivery(month, "population_register", f"2023-{month:02d}"), [{"id_number": id_number(month)}])
        Vault(store).refresh()
    assert [path.name for path in (store.vault / "index" / "2023").iterdir()] == ["3"]


def test_a_wrong_key_and_a_damaged_file_are_told_apart_by_name_and_never_by_content(store: Store) -> None:
    item = delivery(1, "population_register", "2023-01")
    keep(store, item, [{"id_number": id_number(1), "name": "王五"}])
    path = Vault(store).file(item.feed, item.delivery_id)
    with pytest.raises(VaultLockedError, match="written with the vault key"):
        EncryptedParquet(b"w" * 32).read(path)
    whole, good = path.read_bytes(), store.encrypted.read(path)
    told = []
    for at in range(0, len(whole), 11):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            # What lies outside of the seal (the magic bytes, names of keys) cannot change what is read.
            assert store.encrypted.read(path).equals(good)
        except VaultLockedError as error:
            told.append(error)
    assert sum(isinstance(error, TamperedError) for error in told) > len(whole) / 11 * 0.8
    assert all(path.name in str(error) for error in told)
    assert not any(text in str(error) for error in told for text in (id_number(1), "王五"))


def test_nothing_in_vault_and_quarantine_is_ever_plain_text(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is looked at the moment before it is put in place, so temporary ones are seen too."""
    seen: list[str] = []
    rename = Path.replace

    def look_and_rename(self: Path, target: Path) -> Path:
        if self.is_file() and {"vault", "quarantine"} & set(Path(target).parts):
            content = self.read_bytes()
            assert not any(text.encode() in content for text in (id_number(1), "长江路"))
            seen.append(Path(target).suffix)
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", look_and_rename)
    city.take_one("population_register", city.rows("population_register", id_number="420702198001010011"))
    Vault(city.store).refresh()
    assert seen.count(".parquet") >= 3


def test_reports_by_name_alone_are_found_by_their_delivery(city: City) -> None:
    rows = city.rows("community_report")
    rows[3]["身份证号"] = ""
    taken = city.take_one("community_report", rows)
    reporters = Vault(city.store).reporters(taken.delivery_id, taken.feed)
    assert reporters["name"].to_list() == [rows[3]["姓名"]]
    assert reporters[ROW_NUMBER].to_list() == [5]
