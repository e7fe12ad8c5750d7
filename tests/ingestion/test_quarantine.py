"""Rows in quarantine: taken out, mended, brought back; cleared by a corrected delivery, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from ingestion import Delivery, Quarantine, hold, publish
from ingestion.mending import ResubmissionError, export_rows, resubmit, row_states
from tests.ingestion.conftest import ARRIVED, NOW, City, as_csv, id_number

DEATH, ELDER, REGISTER = "death_record", "elder_register", "assistance_register"
Cells = dict[str, str]


def with_faults(city: City) -> tuple[list[Cells], Delivery]:
    """Rows 2, 3 and 4 of the file are at fault: a number, a code, a name."""
    rows = city.rows(DEATH, 20)
    rows[0]["身份证号"] = "420702198001010019" if id_number(0)[-1] != "9" else "420702198001010010"
    rows[1]["信息来源"] = "?"
    rows[2]["姓名"] = ""
    for at, row in enumerate(rows):
        row["死亡日期"] = f"2023-03-{at + 1:02d}"
    taken = city.take_one(DEATH, rows, "a_202303.csv")
    assert taken.rows_quarantined == 3
    return rows, taken


def exported(city: City, taken: Delivery, target: Path) -> Path:
    export_rows(Quarantine(city.store).raw_rows(taken.feed, taken.delivery_id), city.feeds[taken.feed], target)
    return target


def edit(path: Path, *changes: tuple[str, str]) -> Path:
    text = path.read_text(encoding="utf-8-sig")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def send(city: City, taken: Delivery, path: Path) -> Delivery:
    return resubmit(city.store, taken.delivery_id, path, "mended", "li", city.feeds, NOW)


def states(city: City, item: Delivery) -> dict[int, str]:
    """State by row number of the file; open rows are not named."""
    found = row_states(city.store, city.deliveries()).filter(pl.col("delivery_id") == item.delivery_id)
    return dict(found.select("row_number", "state").rows())


def test_mended_rows_count_and_the_rest_stays_open(city: City, tmp_path: Path) -> None:
    rows, taken = with_faults(city)
    path = edit(exported(city, taken, tmp_path / "rows.csv"), ("?", "1"), (rows[0]["身份证号"], id_number(0)))
    more = send(city, taken, path)
    assert (more.status, more.supplements, more.rows_data, more.rows_accepted) == ("accepted", taken.delivery_id, 3, 2)
    assert more.quarantined_by_reason == {"required_missing": 1}
    assert more.schema_drift == []
    assert states(city, taken) == {2: "mended", 3: "mended"}
    assert states(city, more) == {4: "superseded"}
    publish(city.store, city.feeds)
    validity = pl.read_parquet(city.store.reference / "delivery_validity.parquet")
    assert set(validity["delivery_id"]) == {taken.delivery_id, more.delivery_id}


def test_the_rest_is_mended_by_a_second_file_and_nothing_twice(city: City, tmp_path: Path) -> None:
    rows, taken = with_faults(city)
    path = edit(exported(city, taken, tmp_path / "rows.csv"), ("?", "1"), (rows[0]["身份证号"], id_number(0)))
    send(city, taken, path)
    second = send(city, taken, edit(path, (f"4,{id_number(2)},,", f"4,{id_number(2)},王五,")))
    assert second.rows_accepted == 1
    assert second.quarantined_by_reason == {"row_unknown": 2}
    assert states(city, taken) == {2: "mended", 3: "mended", 4: "mended"}
    with pytest.raises(ResubmissionError, match="no row"):
        send(city, taken, path)


def test_the_same_file_twice_is_a_duplicate(city: City, tmp_path: Path) -> None:
    _, taken = with_faults(city)
    path = edit(exported(city, taken, tmp_path / "rows.csv"), ("?", "1"))
    first, second = (send(city, taken, path) for _ in range(2))
    assert (first.status, second.status, second.detail) == ("accepted", "duplicate", first.delivery_id)
    assert second.rows_data == first.rows_data


def test_what_no_reader_foresaw_rejects_the_file_without_its_words(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, taken = with_faults(city)

    def fail(*_: object) -> None:
        raise ValueError("赵文文")

    monkeypatch.setattr("ingestion.mending.resubmission.check_columns", fail)
    more = send(city, taken, exported(city, taken, tmp_path / "rows.csv"))
    assert (more.status, more.detail) == ("rejected", "unforeseen ValueError")


def test_a_workbook_keeps_numbers_and_formulas_as_text(city: City, tmp_path: Path) -> None:
    rows = city.rows(DEATH, 20, source="=1+1")
    taken = city.take_one(DEATH, rows, "a_202303.csv")
    path = exported(city, taken, tmp_path / "rows.xlsx")
    frame = pl.read_excel(path, infer_schema_length=0)
    assert frame.row(0) == (
        "3",
        id_number(1),
        rows[1]["姓名"],
        "2023-03-05",
        "2023-03-05",
        "=1+1",
        "信息来源：代码不在代码表",
    )
    frame.with_columns(pl.lit("2").alias("信息来源")).write_excel(path)
    assert send(city, taken, path).rows_accepted == 1
    assert states(city, taken) == {3: "mended"}


def test_without_row_numbers_rows_are_known_by_what_can_be_read(city: City, tmp_path: Path) -> None:
    rows, taken = with_faults(city)
    mended = [dict(rows[0], 身份证号=id_number(0)), dict(rows[1], 信息来源="1")]
    path = tmp_path / "rows.csv"
    path.write_text(as_csv(mended), encoding="utf-8")
    assert send(city, taken, path).rows_accepted == 2
    assert states(city, taken) == {2: "mended", 3: "mended"}


def test_a_row_that_stands_for_none_and_a_key_that_was_accepted_are_set_aside(city: City, tmp_path: Path) -> None:
    rows, taken = with_faults(city)
    path = edit(exported(city, taken, tmp_path / "rows.csv"), (rows[0]["身份证号"], id_number(9)), ("?", "1"))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("3,", "99,", 1), encoding="utf-8")
    more = send(city, taken, path)
    assert more.quarantined_by_reason == {"duplicate_key": 1, "row_unknown": 1, "required_missing": 1}
    assert states(city, taken) == {}
    assert states(city, more) == {2: "superseded", 4: "superseded"}


def test_what_a_held_supplement_mended_is_open_again(city: City, tmp_path: Path) -> None:
    _, taken = with_faults(city)
    more = send(city, taken, edit(exported(city, taken, tmp_path / "rows.csv"), ("?", "1")))
    assert states(city, taken) == {3: "mended"}
    hold(city.store, more.delivery_id, "the wrong list", "li", NOW)
    assert states(city, taken) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("行号,姓名\n2,王\n", "column_missing"), ("", "empty"), ("\x00" * 900, "unreadable")],
)
def test_a_file_that_cannot_be_used_changes_nothing(city: City, tmp_path: Path, text: str, reason: str) -> None:
    _, taken = with_faults(city)
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")
    more = send(city, taken, path)
    assert (more.status, more.reason) == ("rejected", reason)
    assert states(city, taken) == {}
    assert not city.store.lake_file(DEATH, "2023-03", more.delivery_id).exists()


def test_lines_that_fitted_no_header_are_exported_with_the_contracts_headers(city: City, tmp_path: Path) -> None:
    lines = as_csv(city.rows(DEATH, 12)).splitlines()
    lines[3] += ",再,多"
    taken = city.take_one(DEATH, "\n".join(lines), "a_202303.csv")
    path = exported(city, taken, tmp_path / "rows.csv")
    frame = pl.read_csv(path)
    assert frame.columns == ["行号", "身份证号", "姓名", "死亡日期", "火化日期", "信息来源", "原因", "原文"]
    assert frame["原文"].to_list() == [lines[3]]
    path.write_text(f"行号,{lines[0]},原文\n4,{lines[3].removesuffix(',再,多')},x\n", encoding="utf-8")
    assert send(city, taken, path).rows_accepted == 1
    assert states(city, taken) == {4: "mended"}


def test_the_unit_of_the_file_comes_back_with_its_rows(city: City, tmp_path: Path) -> None:
    rows = city.rows("income_tax", 12, income_type="?")
    head, *body = as_csv([dict(row, 收入额="0.5") for row in rows]).splitlines()
    taken = city.take_one("income_tax", "\n".join(["单位:万元", head, *body]), "a_202303.csv")
    path = edit(exported(city, taken, tmp_path / "rows.csv"), ("?", "1"))
    assert "收入额(万元)" in path.read_text(encoding="utf-8")
    more = send(city, taken, path)
    assert city.lake(more)["amount"].to_list() == city.lake(taken)["amount"].to_list()[:1]


def correct(city: City, rows: list[Cells], name: str = "b_202303.csv") -> Delivery:
    (taken,) = _put(city, rows, name)
    return taken


def _put(city: City, rows: list[Cells], name: str) -> list[Delivery]:
    city.put(DEATH, rows, name, arrived=ARRIVED + timedelta(days=2))
    return city.take(NOW + timedelta(days=1))


def mend_all(rows: list[Cells]) -> list[Cells]:
    return [dict(rows[0], 身份证号=id_number(0)), dict(rows[1], 信息来源="1"), dict(rows[2], 姓名="王五"), *rows[3:]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (mend_all, {2: "mended", 3: "mended", 4: "mended"}),
        (lambda rows: mend_all(rows)[1:], {2: "withdrawn", 3: "mended", 4: "mended"}),
        (lambda rows: [rows[0], *mend_all(rows)[1:]], {2: "superseded", 3: "mended", 4: "mended"}),
        (lambda rows: mend_all(rows)[::-1], {2: "mended", 3: "mended", 4: "mended"}),
    ],
    ids=["all mended", "one left out", "one still at fault", "in another order"],
)
def test_a_corrected_delivery_clears_exactly_what_it_mends(
    city: City, change: Callable[[list[Cells]], list[Cells]], expected: dict[int, str]
) -> None:
    rows, taken = with_faults(city)
    later = correct(city, change(rows))
    assert later.supersedes == taken.delivery_id
    assert states(city, taken) == expected


def test_another_person_of_that_name_is_not_the_mended_row(city: City) -> None:
    """The row of whom only name and day can be read is left out; who bears the same name had been accepted."""
    rows, _ = with_faults(city)
    twin = dict(rows[0], 身份证号=id_number(300))
    first = correct(city, [rows[0], twin, *rows[3:]], "b_202303.csv")
    city.put(DEATH, [twin, *rows[3:]], "c_202303.csv", arrived=ARRIVED + timedelta(days=4))
    city.take(NOW + timedelta(days=2))
    assert states(city, first) == {2: "withdrawn"}


def test_rows_of_a_held_delivery_are_cleared_by_the_file_that_came_in_its_place(city: City) -> None:
    rows = city.rows(DEATH, 10)
    bad = [dict(row, 信息来源="?") if at < 5 else row for at, row in enumerate(rows)]
    held = city.take_one(DEATH, bad, "a_202303.csv")
    assert held.status == "held"
    correct(city, rows[1:])
    assert states(city, held) == {2: "withdrawn", 3: "mended", 4: "mended", 5: "mended", 6: "mended"}


def test_when_the_correction_is_held_its_rows_are_open_again(city: City) -> None:
    rows, taken = with_faults(city)
    later = correct(city, mend_all(rows))
    hold(city.store, later.delivery_id, "wrong month after all", "li", NOW)
    assert states(city, taken) == {}


def test_a_districts_part_clears_only_rows_of_its_district(city: City) -> None:
    rows = city.rows(ELDER, 20)
    for row, division in zip(rows, ["420702", "420703"] * 10, strict=True):
        row["居住地代码"] = division
    for at in (0, 1):
        rows[at]["老年人类别"] = "?"
    taken = city.take_one(ELDER, rows, "a_202303.csv")
    part = [dict(row, 老年人类别="1") for row in rows if row["居住地代码"] == "420702"]
    city.take_one(ELDER, part, "b_202303_420702.csv", arrived=ARRIVED + timedelta(days=2))
    assert states(city, taken) == {2: "mended"}


def test_a_correction_taken_in_before_what_it_corrects_clears_its_rows_too(city: City) -> None:
    rows = city.rows(DEATH, 20, source="?")
    city.put(DEATH, [dict(row, 信息来源="1") for row in rows], "b_202303.csv", arrived=ARRIVED + timedelta(days=2))
    city.take()
    city.put(DEATH, rows, "a_202303.csv")
    (earlier,) = city.take(NOW + timedelta(days=1))
    assert states(city, earlier) == {3: "mended"}
