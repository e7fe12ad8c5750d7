"""Deletion by retention class: who is kept, what is gone, what comes back and what does not, and the certificate."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from ingestion import Store, Vault
from ingestion.change import FOLDER, finish_change
from ingestion.linkage.events import IdentityEvents
from ingestion.vault.certificate import broken_links, certificates
from ingestion.vault.hold import Holds
from ingestion.vault.purge import PurgeOrder, purge
from ingestion.vault.rows import identity_rows
from models.contract import load_feeds
from models.policy.retention import RetentionError, load_retention, read_retention
from tests.ingestion.conftest import ARRIVED, NOW, City, id_number, person_name

STANDARD = load_retention("standard")
AS_OF = date(2026, 6, 30)
ROWS = 14


def order(as_of: date = AS_OF, **protected: pl.Series) -> PurgeOrder:
    return PurgeOrder(STANDARD, as_of, "dpo", "yearly deletion", NOW, protected)


def key_of(store: Store, at: int) -> str:
    return str(Vault(store).person_keys_of([id_number(at)])["person_key"][0])


def known(store: Store, *persons: int) -> list[bool]:
    """Whether the vault can say who those persons are."""
    keys = [key_of(store, at) for at in persons]
    found = set(Vault(store).identities(keys)["person_key"])
    return [key in found for key in keys]


@pytest.fixture
def old_city(city: City) -> City:
    """March 2023: a settlement each for 14 persons (0 to 13), one row quarantined of each feed."""
    settlements = city.rows("medical_settlement", ROWS)
    for at, row in enumerate(settlements):
        row["身份证号"], row["姓名"] = id_number(at), person_name(at)
    settlements[12]["结算日期"] = "gestern"
    city.put("medical_settlement", settlements)
    city.take()
    return city


def test_past_every_clock_a_person_is_deleted_and_the_pseudonymous_rows_stay(old_city: City) -> None:
    store = old_city.store
    lake = old_city.lake(old_city.deliveries()[0])
    # Seen in March 2023 and kept for 24 months after it: through March 2025.
    assert purge(store, order(date(2025, 3, 31))) is None
    assert known(store, 1) == [True]
    certificate = purge(store, order(date(2025, 4, 1)))
    assert certificate is not None
    assert (certificate.persons, certificate.persons_without_rest) == (13, 13)
    assert certificate.persons_by_class == {"sensitive": 13}
    (row,) = certificate.rows[:1]
    assert (row["feed"], row["identity_rows"]) == ("medical_settlement", 13)
    assert sum(int(str(item["quarantined_rows"])) for item in certificate.rows) == 1
    assert not any(known(store, *range(ROWS)))
    assert old_city.lake(old_city.deliveries()[0]).equals(lake)
    assert purge(store, order(date(2025, 4, 1))) is None


def test_birth_date_and_sex_stay_known_to_the_warehouse(old_city: City) -> None:
    store = old_city.store
    path = store.reference / "person_key.parquet"
    Vault(store).publish_person_keys(path)
    before = pl.read_parquet(path)
    purge(store, order())
    Vault(store).publish_person_keys(path)
    assert pl.read_parquet(path).equals(before)


def test_a_dry_run_says_the_same_and_changes_nothing(old_city: City) -> None:
    store = old_city.store
    Vault(store).refresh()
    before = snapshot(store.home)
    told = purge(store, order(), dry_run=True)
    assert snapshot(store.home) == before
    done = purge(store, order())
    assert told is not None
    assert done is not None
    assert (told.rows, told.persons, told.person_keys_sha256) == (done.rows, done.persons, done.person_keys_sha256)


def snapshot(home: Path) -> dict[str, str]:
    files = (path for path in home.rglob("*") if path.is_file() and path.suffix in {".parquet", ".json", ".txt"})
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_who_is_kept_and_why(old_city: City) -> None:
    store = old_city.store
    register = old_city.rows("assistance_register", 1)
    register[0]["身份证号"] = register[0]["申请人身份证号"] = id_number(3)
    old_city.put("assistance_register", register)
    old_city.take()
    Holds(store).place([key_of(store, 4)], "court", "case", NOW)
    certificate = purge(store, order(open_alert=pl.Series([key_of(store, 5)])))
    assert certificate is not None
    # On the register no clock of leaving it has begun, so that person is not past retention at all.
    assert certificate.kept_by_reason == {"legal_hold": 1, "open_alert": 1}
    assert known(store, 3, 4, 5, 6) == [True, True, True, False]
    Holds(store).lift([key_of(store, 4)], "court", "case closed", NOW)
    certificate = purge(store, order(open_alert=pl.Series([key_of(store, 5)])))
    assert certificate is not None
    assert known(store, 3, 4, 5) == [True, False, True]


def test_keys_that_are_one_person_by_decision_stay_or_go_together(old_city: City) -> None:
    store = old_city.store
    IdentityEvents(store).merge(key_of(store, 4), key_of(store, 5), "typing error", "reviewer", NOW)
    Holds(store).place([key_of(store, 5)], "court", "case", NOW)
    certificate = purge(store, order())
    assert certificate is not None
    assert certificate.kept_by_reason == {"legal_hold": 2}
    assert known(store, 4, 5, 6) == [True, True, False]


def test_after_leaving_the_register_its_own_clock_runs(old_city: City) -> None:
    store = old_city.store
    register = old_city.rows("assistance_register", 2)
    for at, row in enumerate(register):
        row["身份证号"] = row["申请人身份证号"] = id_number(at)
    old_city.put("assistance_register", register, "台账_202303.csv")
    old_city.put("assistance_register", register[:1], "台账_202304.csv", arrived=ARRIVED + timedelta(days=30))
    old_city.take()
    # Person 1 left after March 2023: sensitive records stay 36 months after it, through March 2026.
    purge(store, order(date(2026, 3, 31)))
    facts = Vault(store).facts_of(key_of(store, 1))
    assert set(facts["feed"]) == {"assistance_register", "medical_settlement"}
    purge(store, order(date(2026, 4, 1)))
    assert set(Vault(store).facts_of(key_of(store, 1))["feed"]) == {"assistance_register"}
    assert known(store, 0, 1, 2) == [True, True, False]


def test_a_death_replaces_the_clock_of_appearance(city: City) -> None:
    people = city.rows("population_register", 12)
    people[2] |= {"户籍状态": "死亡注销", "变动日期": "2023-02-10"}
    city.put("population_register", people)
    city.take()
    # The register goes on speaking for the living; the dead are kept for 36 months after the delivery's own month.
    purge(city.store, order(date(2026, 3, 31)))
    assert known(city.store, 1, 2) == [True, True]
    purge(city.store, order(date(2026, 4, 1)))
    assert known(city.store, 1, 2) == [True, False]


def test_taking_the_same_inbox_again_brings_nobody_back(old_city: City) -> None:
    store = old_city.store
    purge(store, order())
    assert old_city.take() == []
    assert not any(known(store, *range(ROWS)))


def test_an_old_file_under_another_name_does_not_bring_them_back_but_new_data_does(old_city: City) -> None:
    store = old_city.store
    purge(store, order())
    rows = old_city.rows("medical_settlement", 2)
    rows[0]["身份证号"], rows[1]["身份证号"] = id_number(7), id_number(900)
    (again,) = (old_city.put("medical_settlement", rows, "更正_202303.csv"), *old_city.take())[1:]
    assert again.status == "accepted"
    assert known(store, 7, 900) == [False, True]
    old_city.put("medical_settlement", rows, "报送_202607.csv", arrived=ARRIVED)
    old_city.take()
    assert known(store, 7, 900) == [True, True]
    facts = Vault(store).facts_of(key_of(store, 7))
    assert set(facts["first_month"]) == {"2026-07"}


def test_quarantine_lets_go_of_a_person_whoever_else_stays(old_city: City) -> None:
    """A raw row names its person by whatever is written in it."""
    store = old_city.store
    rows = old_city.rows("medical_settlement", 3)
    for row, at, written in zip(rows, (3, 4, 900), ("{}", " {} ", "{}"), strict=True):
        row["身份证号"], row["结算日期"] = written.format(id_number(at)), "gestern"
    extra = old_city.rows("medical_settlement", 12)
    for at, row in enumerate(extra):
        row["身份证号"] = id_number(600 + at)
    old_city.put("medical_settlement", [*extra, *rows], "报送_202505.csv")
    old_city.take()
    purge(store, order(date(2025, 8, 1)))
    (path,) = store.quarantine.glob("*/*2025-05*.rows.parquet")
    assert id_number(900) in "".join(store.encrypted.read(path)["raw"])
    assert not any(id_number(at) in "".join(store.encrypted.read(path)["raw"]) for at in (3, 4))


def test_files_past_retention_do_not_wait_in_the_landing(old_city: City) -> None:
    landing = old_city.store.home / "landing" / "share" / "medical_settlement"
    landing.mkdir(parents=True)
    (landing / "张三_202303.csv").write_text("x")
    (landing / "张三_202605.csv").write_text("x")
    certificate = purge(old_city.store, order())
    assert [path.name for path in landing.iterdir()] == ["张三_202605.csv"]
    assert certificate is not None
    assert "张三" not in str(certificate)


def test_certificates_are_chained_and_say_no_value(old_city: City) -> None:
    store = old_city.store
    purge(store, order(open_alert=pl.Series([key_of(store, 5)])))
    (first,) = certificates(store.vault)
    for entry in first["files"]:
        path = store.home / entry["file"]
        after = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
        assert after == entry["sha256_after"] != entry["sha256_before"]
    purge(store, order())
    first, second = certificates(store.vault)
    text = (store.vault / "certificate" / "0001" / "certificate.json").read_text(encoding="utf-8")
    assert second["previous_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert broken_links(store.vault) == []
    keys = sorted(key_of(store, at) for at in range(ROWS) if at not in (5, 12))
    assert first["person_keys_sha256"] == hashlib.sha256("\n".join(keys).encode()).hexdigest()
    said = "".join(path.read_text(encoding="utf-8") for path in store.vault.glob("certificate/*/*"))
    assert not any(
        secret in said for at in range(ROWS) for secret in (id_number(at), person_name(at), key_of(store, at))
    )
    assert "身份信息删除证明 第2号" in said
    assert "Certificate of deletion" in said
    changed = {**first, "persons": 1}
    (store.vault / "certificate" / "0001" / "certificate.json").write_text(json.dumps(changed), encoding="utf-8")
    assert broken_links(store.vault) == [2]


def test_nothing_that_was_deleted_lies_anywhere_in_the_home(old_city: City) -> None:
    store = old_city.store
    Vault(store).refresh()
    purge(store, order())
    # Not looked up anew before: the index of before must be gone with the rest.
    left = [path for path in store.home.rglob("*.parquet") if path.read_bytes()[:4] == b"PARE"]
    frames = {path: store.encrypted.read(path) for path in left}
    for path, frame in frames.items():
        texts = {text for name in frame.columns if frame[name].dtype == pl.String for text in frame[name].drop_nulls()}
        assert not any(id_number(at) in text for at in range(ROWS) for text in texts), path
        if path.parent.name != "former":
            assert not {key_of(store, at) for at in range(ROWS)} & texts, path
    assert not (store.home / FOLDER).exists()


KILLED = """
import sys
from datetime import date, datetime, UTC
from pathlib import Path
import ingestion.change as change
from ingestion import Store
from ingestion.keys import Keys
from ingestion.vault.purge import PurgeOrder, purge
from models.policy.retention import load_retention
import os, signal
kept, left = change._take, int(sys.argv[2])
def take(step):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    kept(step)
if left < 0:
    change._carry_out = lambda home: (home / ".change" / "journal.json").exists() and os.kill(os.getpid(), 9)
    if left == -2:
        change.Change.commit = lambda self: os.kill(os.getpid(), signal.SIGKILL)
else:
    change._take = take
store = Store(Path(sys.argv[1]), Keys(b"p" * 32, b"v" * 32))
purge(store, PurgeOrder(load_retention("standard"), date(2026, 6, 30), "dpo", "x", datetime(2026, 7, 1, tzinfo=UTC)))
"""


@pytest.mark.parametrize("step", [-2, -1, 0, 4])
def test_killed_at_any_step_it_is_all_or_nothing(old_city: City, step: int) -> None:
    """Before the journal nothing has happened; after it everything has, as soon as the home is opened."""
    store = old_city.store
    result = subprocess.run(
        [sys.executable, "-c", KILLED, str(store.home), str(step)], cwd=Path(__file__).parents[2], check=False
    )
    assert result.returncode == -9
    assert certificates(store.vault) == []
    finish_change(store.home)
    is_done = step != -2
    assert known(store, *range(3)) == [not is_done] * 3
    assert len(certificates(store.vault)) == int(is_done)
    again = purge(store, order())
    assert (again is None) == is_done
    assert len(certificates(store.vault)) == 1
    assert not any(known(store, *range(ROWS)))


def test_the_policy_covers_every_feed_with_identities_once() -> None:
    for feed in load_feeds().values():
        empty = pl.DataFrame(schema={"row_number": pl.Int64, **{column.name: pl.String for column in feed.columns}})
        keys = {column.name: pl.Series(column.name, [], dtype=pl.String) for column in feed.columns}
        has_identities = identity_rows(empty, feed, keys) is not None
        assert (STANDARD.class_of(feed.name) is not None) == has_identities, feed.name


def test_a_policy_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match="there are: standard"):
        load_retention("none")
    text = (Path("models/policy/retention/standard.yaml")).read_text(encoding="utf-8")
    path = tmp_path / "standard.yaml"
    path.write_text(text.replace("[community_report,", "[population_register,"), encoding="utf-8")
    with pytest.raises(RetentionError, match="in two classes: population_register"):
        read_retention(path)
    path.write_text(text.replace("after_death: 60", "after_death: sixty"), encoding="utf-8")
    with pytest.raises(RetentionError, match="assistance"):
        read_retention(path)
