"""Deliveries in their order: duplicates, corrections, volume, parts, release and rejection, as-of, re-runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ingestion import (
    Ledger,
    SecretError,
    Store,
    TransitionError,
    Vault,
    hold,
    ingest,
    publish,
    reject,
    release,
)
from ingestion.delivery import STABLE_COLUMNS, Delivery
from ingestion.encryption import VaultLockedError
from ingestion.in_force import delivery_validity as validity
from ingestion.keys import Keys, load_keys
from ingestion.review import CHECK_FAILED
from tests.ingestion.conftest import ARRIVED, NOW, City, id_number

DEATH, PENSION, ELDER = "death_record", "pension_payment", "elder_register"


def days(count: int) -> datetime:
    return ARRIVED + timedelta(days=count)


def statuses(deliveries: list[Delivery]) -> list[tuple[str, str]]:
    return [(item.file_name, item.status) for item in deliveries]


def test_same_bytes_again_are_a_duplicate_whichever_was_copied_first(city: City) -> None:
    rows = city.rows(DEATH)
    city.put(DEATH, rows, "x_202303(1).csv", arrived=ARRIVED)
    city.put(DEATH, rows, "x_202303.csv", arrived=ARRIVED + timedelta(microseconds=80))
    first, second = city.take()
    assert statuses([first, second]) == [("x_202303.csv", "accepted"), ("x_202303(1).csv", "duplicate")]
    assert (second.reason, second.detail, second.rows_data) == ("duplicate", first.delivery_id, 12)


def test_same_bytes_in_another_month_or_division_are_no_duplicate(city: City) -> None:
    for name in ("x_202301.csv", "x_202302.csv", "x_202302_420702.csv"):
        city.put("custody_record", city.rows("custody_record"), name)
    assert {item.status for item in city.take()} == {"accepted"}


def test_same_bytes_with_a_corrected_sidecar_after_a_rejection(city: City) -> None:
    city.put(DEATH, city.rows(DEATH), "a_202303.csv", sidecar={"rows": 99})
    city.put(DEATH, city.rows(DEATH), "b_202303.csv", sidecar={"rows": 12}, arrived=days(1))
    assert [item.status for item in city.take()] == ["rejected", "accepted"]


def test_going_back_to_earlier_content_is_a_correction(city: City) -> None:
    for at, amount in enumerate(["1", "2", "1"]):
        city.put(PENSION, city.rows(PENSION, amount=amount), f"{at}_202303.csv", arrived=days(at))
    taken = city.take()
    assert [item.status for item in taken] == ["accepted"] * 3
    assert [item.supersedes for item in taken] == [None, taken[0].delivery_id, taken[1].delivery_id]
    assert len({item.delivery_id for item in taken}) == 3


def test_same_bytes_as_a_held_delivery_are_a_duplicate(city: City) -> None:
    rows = city.rows(DEATH, 10)
    for row in rows[:5]:
        row["信息来源"] = "?"
    city.put(DEATH, rows, "a_202303.csv")
    city.put(DEATH, rows, "b_202303.csv", arrived=days(1))
    assert [item.status for item in city.take()] == ["held", "duplicate"]


def test_a_file_processed_twice_changes_nothing(city: City) -> None:
    city.put(DEATH, city.rows(DEATH), "a_202303.csv")
    city.put(DEATH, b"nonsense", "b_202303.csv")
    city.take()
    before = {path: path.read_bytes() for path in city.store.lake.rglob("*.parquet")}
    entries = city.deliveries()
    assert city.take(NOW + timedelta(days=1)) == []
    assert city.deliveries() == entries
    assert {path: path.read_bytes() for path in city.store.lake.rglob("*.parquet")} == before


def test_a_kill_before_the_ledger_row_leaves_the_old_state_and_heals(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.put(DEATH, city.rows(DEATH))
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            city.take()
    assert city.deliveries() == []
    publish(city.store, city.feeds)
    assert pl.read_parquet(city.store.reference / "delivery_validity.parquet").is_empty()
    (taken,) = city.take()
    assert taken.status == "accepted"
    assert len(list((city.store.lake / DEATH).glob("period=*/*.parquet"))) == 1


def test_one_bad_file_does_not_stop_the_others(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.put(DEATH, b"\x00" * 900, "a_202303.csv")
    city.put(DEATH, city.rows(DEATH), "b_202303.csv")
    city.put(PENSION, city.rows(PENSION))
    assert sorted(item.status for item in city.take()) == ["accepted", "accepted", "rejected"]


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [(20, 31, True), (20, 30, False), (20, 9, True), (20, 10, False), (19, 60, False)],
)
def test_volume_against_the_last_accepted(city: City, first: int, second: int, warned: bool) -> None:
    city.put(DEATH, city.rows(DEATH, first), "x_202302.csv")
    city.put(DEATH, city.rows(DEATH, second), "x_202303.csv")
    assert city.take()[1].warnings == (["volume_anomaly"] if warned else [])


def test_catching_up_says_the_same_as_month_after_month(city: City, tmp_path: Path) -> None:
    counts = {"202301": 30, "202302": 50, "202303": 20, "202304": 30}
    for at, (month, count) in enumerate(counts.items()):
        city.put(DEATH, city.rows(DEATH, count), f"{'dbca'[at]}_{month}.csv")
    warned = {item.period: item.warnings for item in city.take()}
    assert warned == {"2023-01": [], "2023-02": ["volume_anomaly"], "2023-03": ["volume_anomaly"], "2023-04": []}


def test_correction_supersedes_from_its_own_day_on(city: City) -> None:
    city.put(PENSION, city.rows(PENSION), "x_202303.csv")
    city.put(PENSION, city.rows(PENSION, amount="7"), "x_202303_更正.csv", arrived=days(10))
    first, second = city.take()
    assert second.supersedes == first.delivery_id
    assert validity(city.deliveries(), days(9))["delivery_id"].to_list() == [first.delivery_id]
    assert validity(city.deliveries(), days(10))["delivery_id"].to_list() == [second.delivery_id]


def test_older_file_that_comes_later_does_not_supersede(city: City) -> None:
    city.put(PENSION, city.rows(PENSION, amount="7"), "x_202303_更正.csv", sidecar={"sent_at": "2023-04-15T00:00:00Z"})
    (newer,) = city.take()
    city.put(PENSION, city.rows(PENSION), "x_202303.csv", sidecar={"sent_at": "2023-04-05T00:00:00Z"})
    (older,) = city.take()
    assert (older.status, older.supersedes) == ("accepted", None)
    assert validity(city.deliveries())["delivery_id"].to_list() == [newer.delivery_id]


def spans(frame: pl.DataFrame) -> list[tuple[str, str | None, date, date]]:
    rows = frame.sort("valid_from", "delivery_id", "division").rows(named=True)
    return [(row["delivery_id"], row["area"], row["valid_from"], row["valid_to"]) for row in rows]


def test_snapshot_holds_until_the_next_and_events_their_month(city: City) -> None:
    for month in ("202301", "202303"):
        city.put("custody_record", city.rows("custody_record"), f"x_{month}.csv")
    city.put(DEATH, city.rows(DEATH), "x_202301.csv")
    first, second, event = city.take()
    assert spans(validity(city.deliveries()).filter(pl.col("feed") == "custody_record")) == [
        (first.delivery_id, None, date(2023, 1, 1), date(2023, 3, 1)),
        (second.delivery_id, None, date(2023, 3, 1), date(9999, 12, 31)),
    ]
    assert spans(validity(city.deliveries()).filter(pl.col("feed") == DEATH)) == [
        (event.delivery_id, None, date(2023, 1, 1), date(2023, 2, 1))
    ]


def test_missing_part_keeps_its_last_state_and_is_warned_of(city: City) -> None:
    for name in ("x_202301_420702.csv", "x_202301_420703.csv", "x_202302_420702.csv"):
        city.put(ELDER, city.rows(ELDER), name)
    a1, b1, a2 = city.take()
    assert spans(validity(city.deliveries())) == sorted(
        [
            (a1.delivery_id, None, date(2023, 1, 1), date(2023, 2, 1)),
            (b1.delivery_id, None, date(2023, 1, 1), date(9999, 12, 31)),
            (a2.delivery_id, None, date(2023, 2, 1), date(9999, 12, 31)),
        ],
        key=lambda row: (row[2], row[0]),
    )
    with Ledger(city.store.ledger_file) as ledger:
        warnings = dict(ledger.frame().select("delivery_id", "warnings").rows())
    assert warnings == {a1.delivery_id: "[]", b1.delivery_id: "[]", a2.delivery_id: '["part_missing"]'}


def test_whole_city_supersedes_parts_before_and_a_later_part_its_district(city: City) -> None:
    city.put(ELDER, city.rows(ELDER), "1_202301_420702.csv")
    city.put(ELDER, city.rows(ELDER, 13), "2_202301.csv", arrived=days(1))
    part, whole = city.take()
    assert spans(validity(city.deliveries())) == [(whole.delivery_id, None, date(2023, 1, 1), date(9999, 12, 31))]
    city.put(ELDER, city.rows(ELDER, 14), "3_202301_420703.csv", arrived=days(2))
    (later,) = city.take()
    ends = (date(2023, 1, 1), date(9999, 12, 31))
    now = validity(city.deliveries())
    assert set(spans(now)) == {(whole.delivery_id, None, *ends), (later.delivery_id, None, *ends)}
    assert dict(now.select("delivery_id", "excepted").rows()) == {
        whole.delivery_id: ",420703,",
        later.delivery_id: None,
    }
    assert spans(validity(city.deliveries(), days(0)))[0][0] == part.delivery_id


def test_part_again_after_the_whole_city_is_no_duplicate(city: City) -> None:
    city.put(ELDER, city.rows(ELDER), "1_202301_420702.csv")
    city.put(ELDER, city.rows(ELDER, 13), "2_202301.csv", arrived=days(1))
    city.put(ELDER, city.rows(ELDER), "3_202301_420702.csv", arrived=days(2))
    assert [item.status for item in city.take()] == ["accepted"] * 3


def held_one(city: City) -> Delivery:
    rows = city.rows(DEATH, 10)
    for row in rows[:5]:
        row["信息来源"] = "?"
    return city.take_one(DEATH, rows)


def test_held_delivery_is_out_of_reach_until_released(city: City) -> None:
    held = held_one(city)
    keys = Vault(city.store).person_keys_of([id_number(at) for at in range(10)])["person_key"].to_list()
    assert Vault(city.store).identities(keys).is_empty()
    assert validity(city.deliveries()).is_empty()
    released = release(city.store, held.delivery_id, "checked by phone", "li", NOW)
    assert (released.status, released.reason, released.rows_accepted) == ("accepted", None, 5)
    assert city.lake(released).height == 5
    assert Vault(city.store).identities(keys).height == 5
    with Ledger(city.store.ledger_file) as ledger:
        (decision,) = ledger.decisions(held.delivery_id)
    assert (decision["decided_by"], decision["reason"], decision["status"]) == ("li", "checked by phone", "accepted")


def test_rejected_for_good(city: City) -> None:
    held = held_one(city)
    rejected = reject(city.store, held.delivery_id, "wrong file", "li", NOW)
    assert (rejected.status, rejected.reason, rejected.rows_accepted) == ("rejected", "too_many_bad_rows", 0)
    assert list(city.store.held.rglob("*.parquet")) == []
    with pytest.raises(TransitionError):
        release(city.store, held.delivery_id, "changed my mind", "li", NOW)


@pytest.mark.parametrize(("why", "kept"), [("a person looked", True), (f"{CHECK_FAILED}: dead_twice", False)])
def test_rows_that_once_counted_are_kept_apart_for_the_lists_of_that_time(city: City, why: str, kept: bool) -> None:
    city.put("custody_record", city.rows("custody_record"), "x_202301.csv")
    (delivery,) = city.take()
    hold(city.store, delivery.delivery_id, why, "li", NOW)
    reject(city.store, delivery.delivery_id, "wrong file", "li", NOW)
    assert city.store.held_file("custody_record", delivery.delivery_id).exists() == kept
    assert Vault(city.store).file("custody_record", delivery.delivery_id).exists() == kept
    keys = Vault(city.store).person_keys_of([id_number(at) for at in range(10)])["person_key"].to_list()
    assert Vault(city.store).identities(keys).is_empty(), "out of reach all the same"


def test_accepted_delivery_held_by_a_check_leaves_the_last_good_one(city: City) -> None:
    city.put("custody_record", city.rows("custody_record"), "x_202301.csv")
    city.put("custody_record", city.rows("custody_record", 13), "x_202302.csv")
    good, bad = city.take()
    held = hold(city.store, bad.delivery_id, "check_failed", "expectations", NOW)
    assert (held.status, held.reason, held.rows_accepted) == ("held", "check_failed", 13)
    assert spans(validity(city.deliveries())) == [(good.delivery_id, None, date(2023, 1, 1), date(9999, 12, 31))]
    assert not city.store.lake_file("custody_record", "2023-02", bad.delivery_id).exists()
    release(city.store, bad.delivery_id, "it is so", "li", NOW)
    assert len(spans(validity(city.deliveries()))) == 2


def test_ledger_frame_has_exactly_the_stable_columns(city: City) -> None:
    city.put(DEATH, city.rows(DEATH, source="?"))
    city.take()
    with Ledger(city.store.ledger_file) as ledger:
        frame = ledger.frame()
    assert dict(frame.schema) == STABLE_COLUMNS
    row = frame.row(0, named=True)
    assert row["quarantined_by_reason"] == '{"code_unknown": 1}'
    assert row["received_at"] == ARRIVED.astimezone(UTC)


def test_feeds_one_by_one_in_any_order_come_to_the_same(city: City, tmp_path: Path) -> None:
    for feed in (DEATH, PENSION, ELDER):
        city.put(feed, city.rows(feed), "x_202303.csv")
    for feed in (PENSION, ELDER, DEATH):
        ingest(city.inbox, city.store, city.feeds, NOW, only_feed=feed)
    one_by_one = {item.delivery_id for item in city.deliveries()}
    (tmp_path / "other").mkdir()
    other = City(tmp_path / "other")
    assert {item.delivery_id for item in ingest(city.inbox, other.store, city.feeds, NOW)} == one_by_one


def test_published_tables(city: City) -> None:
    city.put(DEATH, city.rows(DEATH, source="?"))
    city.put("utility_usage", city.rows("utility_usage", id_number="1"))
    city.take()
    publish(city.store, city.feeds)
    tables = {path.stem: pl.read_parquet(path) for path in city.store.reference.glob("*.parquet")}
    assert set(tables) >= {"delivery", "delivery_validity", "person_key", "cell_defect", "quarantine_row"}
    assert tables["cell_defect"].select("row_number", "column", "reason").rows() == [(3, "id_number", "id_invalid")]
    assert tables["quarantine_row"].select("row_number", "column", "reason").rows() == [(3, "source", "code_unknown")]
    persons = tables["person_key"]
    assert persons["born_on"].unique().to_list() == [date(1980, 1, 1)]
    assert persons["sex"].unique().to_list() == ["1"]
    assert "mode" in tables["delivery"].columns


def test_latest_name_phone_and_address_of_a_person(city: City) -> None:
    first = city.rows("population_register", 12)
    city.put("population_register", first, "x_202301.csv")
    later = [{**row, "联系电话": "", "住址": "新址1号"} for row in first]
    city.put("population_register", later, "x_202302.csv")
    city.put(DEATH, [{**row, "姓名": "别的名"} for row in city.rows(DEATH)], "x_202301.csv")
    city.take()
    keys = Vault(city.store).person_keys_of([id_number(3)])
    known = Vault(city.store).identities(keys["person_key"].to_list()).row(0, named=True)
    assert (known["id_number"], known["name"]) == (id_number(3), first[3]["姓名"])
    assert (known["phone"], known["address"]) == (first[3]["联系电话"], "新址1号")


def test_identity_of_a_correction_outranks_what_it_corrects(city: City) -> None:
    city.put(DEATH, [{**row, "姓名": "错的名"} for row in city.rows(DEATH)], "x_202301.csv")
    city.put(DEATH, [{**row, "姓名": "对的名"} for row in city.rows(DEATH)], "x_202301_更正.csv", arrived=days(3))
    city.take()
    keys = Vault(city.store).person_keys_of([id_number(3)])["person_key"].to_list()
    assert Vault(city.store).identities(keys)["name"].to_list() == ["对的名"]


def test_reports_without_an_id_number_keep_who_was_meant(city: City) -> None:
    taken = city.take_one("community_report", city.rows("community_report", id_number="", name="王无证"))
    assert city.lake(taken)["person_key"].null_count() == 1
    rows = Vault(city.store).reporters(taken.delivery_id, "community_report")
    assert rows.select("name", "row_number").rows() == [("王无证", 3)]


def test_wrong_vault_key_opens_nothing(city: City) -> None:
    city.take_one(DEATH, city.rows(DEATH))
    other = Store(city.store.home, Keys(b"p" * 32, b"w" * 32))
    with pytest.raises(VaultLockedError):
        Vault(other).identities(Vault(other).person_keys_of([id_number(0)])["person_key"].to_list())


def test_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first = load_keys(file, {})
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_keys(file, {}) == first
    assert load_keys(file, {"ZHAOREN_VAULT_KEY": "0123456789abcdef"}).pseudonym == first.pseudonym
    assert "vault" not in repr(first)
    file.chmod(0o644)
    with pytest.raises(SecretError, match="0600"):
        load_keys(file, {})
    with pytest.raises(SecretError, match="shorter"):
        load_keys(file, {"ZHAOREN_VAULT_KEY": "short", "ZHAOREN_PSEUDONYM_KEY": "0123456789abcdef"})


def test_texts_are_masked_before_the_lake(city: City) -> None:
    rows = city.rows("visit_outcome", note=f"{id_number(5)}家电话13912345678", visitor="周核查")
    taken = city.take_one("visit_outcome", rows)
    lake = city.lake(taken)
    assert lake["note"][1] == "420702********" + id_number(5)[-4:] + "家电话139****5678"
    assert "周核查" not in str(lake.to_dict(as_series=False))


def test_name_of_the_row_is_masked_in_its_texts(city: City) -> None:
    rows = city.rows("community_report", summary="王小明反映困难", name="王小明")
    lake = city.lake(city.take_one("community_report", rows))
    assert lake["summary"][1] == "王*明反映困难"


def test_certificate_leaves_key_category_and_grade(city: City) -> None:
    taken = city.take_one("disability_register", city.rows("disability_register"))
    lake = city.lake(taken)
    assert lake.select("certificate_category", "certificate_grade").row(0) == ("4", "2")
    assert lake["certificate_key"].str.contains(r"^[a-z]{24}$").all()


def test_what_no_reader_foresaw_rejects_its_own_file_alone(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprised(*_: object) -> None:
        raise ZeroDivisionError(f"near {id_number(1)}")

    city.put(DEATH, city.rows(DEATH), "a_202303.csv")
    monkeypatch.setattr("ingestion.checking.check_rows", surprised)
    (taken,) = city.take()
    assert (taken.status, taken.reason, taken.detail) == ("rejected", "unreadable", "unforeseen ZeroDivisionError")


def test_of_files_copied_together_the_later_by_name_is_the_correction(city: City) -> None:
    second = ARRIVED.replace(microsecond=0)
    city.put(PENSION, city.rows(PENSION), "x_202303.csv", arrived=second + timedelta(microseconds=300_000))
    early = second - timedelta(microseconds=300_000)
    city.put(PENSION, city.rows(PENSION, amount="7"), "x_202303_更正.csv", arrived=early)
    first, correction = city.take()
    assert (first.file_name, correction.supersedes) == ("x_202303.csv", first.delivery_id)
    assert validity(city.deliveries())["delivery_id"].to_list() == [correction.delivery_id]
