"""Whole rows: duplicates, malformed lines, quoting, and the delivery that is held for too many bad rows."""

from __future__ import annotations

import pytest

from ingestion import Quarantine
from ingestion.mending import export_rows
from tests.ingestion.conftest import City, as_csv, id_number

DEATH, PENSION = "death_record", "pension_payment"


def test_exact_duplicate_keeps_the_first(city: City) -> None:
    rows = city.rows(PENSION)
    taken = city.take_one(PENSION, [*rows, dict(rows[3])])
    assert taken.quarantined_by_reason == {"duplicate_row": 1}
    assert city.lake(taken)["row_number"].to_list() == list(range(2, 14))


def test_same_key_other_content_keeps_the_last(city: City) -> None:
    rows = city.rows(PENSION)
    taken = city.take_one(PENSION, [*rows, {**rows[3], "金额": "7"}])
    assert taken.quarantined_by_reason == {"duplicate_key": 1}
    assert 5 not in city.lake(taken)["row_number"].to_list()


@pytest.mark.parametrize(
    ("amounts", "reasons"),
    [
        ("1 2 1", {"duplicate_key": 1, "duplicate_row": 1}),
        ("1 1 2", {"duplicate_key": 2}),
        ("1 2 2", {"duplicate_key": 1, "duplicate_row": 1}),
        ("1 2 3", {"duplicate_key": 2}),
        ("1 1 1", {"duplicate_row": 2}),
    ],
)
def test_last_position_of_a_key_decides_before_whole_rows(city: City, amounts: str, reasons: dict[str, int]) -> None:
    rows = city.rows(PENSION, 20)
    same = [{**rows[0], "金额": amount} for amount in amounts.split()]
    taken = city.take_one(PENSION, [*rows[1:], *same])
    assert taken.quarantined_by_reason == reasons


def test_duplicates_are_judged_on_normalised_values_of_the_contracts_columns(city: City) -> None:
    rows = [{**row, "备注": str(at)} for at, row in enumerate(city.rows(PENSION))]
    again = {**rows[3], "金额": "￥100.5元", "姓名": f" {rows[3]['姓名']} ", "备注": "other"}
    assert city.take_one(PENSION, [*rows, again]).quarantined_by_reason == {"duplicate_row": 1}


def test_row_at_fault_is_no_duplicate(city: City) -> None:
    rows = city.rows(PENSION)
    taken = city.take_one(PENSION, [*rows, {**rows[3], "金额": "x"}])
    assert taken.quarantined_by_reason == {"value_invalid": 1}


def test_same_person_with_another_key_is_no_duplicate(city: City) -> None:
    rows = city.rows(PENSION)
    assert city.take_one(PENSION, [*rows, {**rows[3], "待遇类型": "3"}]).rows_accepted == 13


@pytest.mark.parametrize("extra", [",多余", ",", ",,"])
def test_row_of_another_width_is_malformed_and_kept(city: City, extra: str) -> None:
    lines = as_csv(city.rows(PENSION)).splitlines()
    lines[4] += extra
    taken = city.take_one(PENSION, "\n".join(lines))
    assert taken.quarantined_by_reason == {"row_malformed": 1}
    (row,) = Quarantine(city.store).rows().to_dicts()
    assert (row["row_number"], row["reasons"]) == (5, "row_malformed")
    assert id_number(3) not in str(row)


def test_row_too_short_is_malformed(city: City) -> None:
    lines = as_csv(city.rows(PENSION)).splitlines()
    lines[4] = lines[4].rsplit(",", 1)[0]
    assert city.take_one(PENSION, "\n".join(lines)).quarantined_by_reason == {"row_malformed": 1}


@pytest.mark.parametrize("blank", ["", " ", ",,,,", " , ,,,\u3000"])
def test_blank_rows_are_no_rows(city: City, blank: str) -> None:
    lines = as_csv(city.rows(PENSION)).splitlines()
    taken = city.take_one(PENSION, "\n".join([*lines[:4], blank, *lines[4:], "", blank]))
    assert (taken.rows_data, taken.rows_accepted, taken.rows_framing) == (12, 12, 0)
    assert city.lake(taken)["row_number"].to_list() == [2, 3, 4, *range(6, 15)]


def test_quoted_cells(city: City) -> None:
    lines = as_csv(city.rows("temporary_assistance")).splitlines()
    quoted = ['"' + line.replace(",", '","') + '"' for line in lines]
    assert city.take_one("temporary_assistance", "\n".join(quoted)).rows_accepted == 12


def test_quoted_delimiter_quote_and_line_end(city: City) -> None:
    rows = city.rows("temporary_assistance", cause='因病,"重病"\n住院')
    taken = city.take_one("temporary_assistance", as_csv(rows))
    lake = city.lake(taken)
    assert taken.rows_accepted == 12
    assert lake["cause"][1] == '因病,"重病" 住院'
    assert lake["row_number"].to_list() == [2, 3, *range(5, 15)]


def test_unclosed_quote_harms_its_own_line_alone(city: City) -> None:
    lines = as_csv(city.rows("temporary_assistance")).splitlines()
    lines[4] = lines[4].replace(",T3", ',"T3').replace("T3,", '"T3,', 1) if '"' not in lines[4] else lines[4]
    lines[4] = as_csv(city.rows("temporary_assistance")).splitlines()[4].replace(",T3,", ',"T3,')
    taken = city.take_one("temporary_assistance", "\n".join(lines))
    assert taken.quarantined_by_reason == {"row_malformed": 1}
    assert taken.rows_accepted == 11


def test_literal_quote_inside_a_cell_is_no_open_quote(city: City) -> None:
    lines = as_csv(city.rows("temporary_assistance")).splitlines()
    lines[4] = lines[4].replace(",T3,", ',5" 管,')
    assert city.take_one("temporary_assistance", "\n".join(lines)).rows_accepted == 12


@pytest.mark.parametrize(
    ("count", "bad", "status"),
    [(10, 2, "accepted"), (10, 3, "held"), (9, 9, "accepted"), (20, 4, "accepted"), (20, 5, "held")],
)
def test_more_than_a_fifth_bad_of_ten_rows_is_held(city: City, count: int, bad: int, status: str) -> None:
    rows = city.rows(DEATH, count)
    for row in rows[:bad]:
        row["信息来源"] = "?"
    taken = city.take_one(DEATH, rows)
    assert taken.status == status
    assert taken.reason == ("too_many_bad_rows" if status == "held" else None)
    assert (taken.rows_accepted, taken.quarantined_by_reason) == (count - bad, {"code_unknown": bad})
    assert city.store.lake_file(DEATH, "2023-03", taken.delivery_id).exists() == (status == "accepted")


def test_duplicates_count_towards_the_share(city: City) -> None:
    rows = city.rows(DEATH, 10)
    assert city.take_one(DEATH, [*rows, *rows[:3]]).status == "held"


def test_quarantined_rows_can_be_exported_mended_and_sent_again(city: City) -> None:
    taken = city.take_one(DEATH, city.rows(DEATH, source="?"))
    target = city.store.home / "mend.csv"
    assert export_rows(Quarantine(city.store).raw_rows(DEATH, taken.delivery_id), city.feeds[DEATH], target) == 1
    text = target.read_text(encoding="utf-8-sig")
    assert id_number(1) in text
    assert target.stat().st_mode & 0o077 == 0
    again = city.put(DEATH, text.replace(",?,", ",1,"), "mended_202303.csv")
    assert again.exists()
    assert city.take()[-1].rows_accepted == 1


def test_masked_raw_value_of_a_cell_defect(city: City) -> None:
    taken = city.take_one("utility_usage", city.rows("utility_usage", id_number="42070219800101001A"))
    (cell,) = Quarantine(city.store).cell_defects("utility_usage", taken.delivery_id).to_dicts()
    assert (cell["row_number"], cell["column"], cell["reason"]) == (3, "id_number", "id_invalid")
    assert cell["masked"] == "99999999999999999a"
