"""The reviewer's sheet, out and back: what can be carried out is, the rest is refused line by line."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from ingestion.linkage.decisions import LinkDecisions, Said, undecided
from ingestion.linkage.events import IdentityError, IdentityEvents
from ingestion.linkage.proposals import propose, read_proposals
from ingestion.linkage.regroup import merge, rows_in, split, undo
from ingestion.linkage.resolve import Row, key_of_today
from ingestion.linkage.sheet import COLUMNS, SheetError, read_sheet, write_sheet
from ingestion.linkage.verdict import Outcome, accept_pass, carry_out
from models.labels import label
from tests.ingestion.conftest import NOW, City, id_number, person_name

REGISTER, INSURANCE = "population_register", "medical_settlement"
SAID = Said("checked", "reviewer", NOW + timedelta(days=1))
NOBODY = Said("", "", NOW + timedelta(days=1))


def bad_number(at: int) -> str:
    return id_number(at)[:16] + str((int(id_number(at)[16]) + 1) % 10) + id_number(at)[17]


@pytest.fixture
def known(city: City) -> City:
    """Two proposals for rows, one of them of a name that differs, and one pair of valid numbers."""
    rows = city.rows(REGISTER, 40)
    # The same person once more, by a number whose order is one digit off.
    rows.append({**rows[5], "身份证号": id_number(6, sex=1), "姓名": person_name(5)})
    city.put(REGISTER, rows[:6] + rows[7:], "户籍_202302.csv")
    spoiled = city.rows(INSURANCE, 30, id_number=bad_number(1))
    spoiled[2] |= {"身份证号": bad_number(2), "姓名": person_name(2)[0] + "某" + person_name(2)[2:]}
    city.put(INSURANCE, spoiled, "结算_202303.csv")
    city.take()
    propose(city.store, city.feeds)
    return city


def decide(path: Path, answers: dict[str, tuple[str, str, str]]) -> Path:
    """Fill the sheet as a person does: decision, reason and name beside the proposal's number."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert sheet is not None
    places = {name: COLUMNS.index(name) + 1 for name in ("answer", "reason", "decided_by")}
    for line in range(3, sheet.max_row + 1):
        told = answers.get(str(sheet.cell(line, 1).value))
        for name, text in zip(places, told or (), strict=False):
            sheet.cell(line, places[name]).value = text
    book.save(path)
    return path


def by_pass(city: City, name: str) -> str:
    (found,) = read_proposals(city.store).filter(pl.col("pass") == name, pl.col("state") != "nothing").to_dicts()[:1]
    return str(found["proposal_id"])


def carried_out(city: City, path: Path, said: Said = SAID) -> Outcome:
    return carry_out(city.store, city.feeds, read_sheet(path), said)


def test_the_sheet_shows_both_sides_and_lets_choose(known: City, tmp_path: Path) -> None:
    path = tmp_path / "review.xlsx"
    assert write_sheet(read_proposals(known.store), path) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    (rule,) = sheet.data_validations.dataValidation
    assert "采纳" in rule.formula1
    cells = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {id_number(1), person_name(1), bad_number(1), id_number(5)} <= cells
    assert read_sheet(path).is_empty(), "nothing is decided yet"


def test_decisions_come_back(known: City, tmp_path: Path) -> None:
    path = tmp_path / "review.xlsx"
    proposals = read_proposals(known.store)
    write_sheet(proposals, path)
    ids = {(row["pass"], row["state"]): row["proposal_id"] for row in proposals.iter_rows(named=True)}
    decide(path, {
        ids["typing_error", "proposed"]: ("采纳", "", ""),
        ids["typing_error", "review"]: ("不采纳／不是同一人", "another person", "Li"),
        ids["two_numbers", "review"]: ("合并，保留甲的号码", "police station", "Wang"),
    })  # fmt: skip
    done = carried_out(known, path)
    assert (done.accepted[0].in_force, done.rejected, done.merged, done.refused) == (1, 1, 1, ())
    decided = LinkDecisions(known.store).frame()
    assert {(row["answer"], row["decided_by"]) for row in decided.iter_rows(named=True)} == {
        ("accepted", "reviewer"), ("rejected", "Li"), ("merge", "Wang"),
    }  # fmt: skip
    assert undecided(propose(known.store, known.feeds), decided).is_empty()
    (event,) = IdentityEvents(known.store).all()
    assert (event.kind, event.reason, event.decided_by) == ("merge", "police station", "Wang")
    # The reviewer changes the mind: the same sheet with another decision takes the merge back.
    decide(path, {ids["two_numbers", "review"]: ("拆开已合并的两人", "two people", "Wang")})
    again = carried_out(known, path)
    assert again.split == 1
    assert {item.why for item in again.refused} == {"decided"}
    assert key_of_today(str(event.person_key), IdentityEvents(known.store).all()) == event.person_key


def test_lines_that_cannot_be_are_refused_and_the_others_carried_out(known: City, tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    proposals = read_proposals(known.store)
    write_sheet(proposals, path, "en")
    ids = {(row["pass"], row["state"]): row["proposal_id"] for row in proposals.iter_rows(named=True)}
    lines = [
        (ids["typing_error", "proposed"], "Accept", "sampled", "Li"),
        ("nothing", "Accept", "r", "w"),
        (ids["two_numbers", "review"], "Accept", "r", "w"),
        (ids["typing_error", "review"], "perhaps", "r", "w"),
    ]
    head = ",".join(label(f"linkage.column.{name}", "en") for name in ("proposal_id", "answer", "reason", "decided_by"))
    path.write_text("\n".join([head, *(",".join(line) for line in lines)]), encoding="utf-8")
    done = carried_out(known, path, NOBODY)
    assert done.accepted[0].in_force == 1
    assert [(item.line, item.why) for item in done.refused] == [
        (3, "unknown"),
        (4, "answer_unfit"),
        (5, "answer_unknown"),
    ]
    split_of_two = f"{ids['two_numbers', 'review']},Split what was merged,r,w"
    no_reason = f"{ids['typing_error', 'review']},Reject,,w"
    path.write_text("\n".join([head, split_of_two, no_reason]), encoding="utf-8")
    assert [item.why for item in carried_out(known, path, NOBODY).refused] == ["not_merged", "reason_missing"]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", "编号\n".encode()])
def test_what_is_no_sheet_is_told_without_values(tmp_path: Path, content: bytes) -> None:
    for name in ("x.csv", "x.xlsx"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SheetError):
            read_sheet(path)


def test_bulk_acceptance_takes_only_what_is_certain(known: City) -> None:
    done = accept_pass(known.store, known.feeds, ["typing_error", "two_numbers"], SAID)
    assert [item.in_force for item in done.accepted] == [1]
    left = undecided(propose(known.store, known.feeds), LinkDecisions(known.store).frame())
    assert set(left["state"]) == {"review"}


def test_split_takes_rows_away_and_checks_them(known: City, tmp_path: Path) -> None:
    lake = next(iter((known.store.lake / INSURANCE).glob("period=*/*.parquet")))
    row = pl.read_parquet(lake).row(3, named=True)
    key, place = row["person_key"], Row(INSURANCE, row["delivery_id"], row["row_number"], "person_key")
    file = tmp_path / "rows.csv"
    file.write_text(f"delivery_id,row_number\n{place.delivery_id},{place.row_number}\n", encoding="utf-8")
    assert rows_in(file, known.feeds) == [place]
    event = split(known.store, key, rows_in(file, known.feeds), SAID)
    assert event.rows == (place,)
    undo(known.store, event.event_id, SAID)
    other = pl.read_parquet(lake).row(4, named=True)["person_key"]
    with pytest.raises(IdentityError, match="is not about"):
        split(known.store, other, [place], SAID)
    with pytest.raises(IdentityError, match="nobody is known"):
        merge(known.store, "abc", key, SAID)
    with pytest.raises(IdentityError, match="no accepted row"):
        split(known.store, key, [Row(INSURANCE, place.delivery_id, 999, "person_key")], SAID)
    for text in (
        "a,b\n",
        "delivery_id,row_number\nx,y\n",
        f"delivery_id,row_number,column\n{place.delivery_id},3,name\n",
    ):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(IdentityError):
            rows_in(file, known.feeds)
