"""Each line of the defect table that concerns a cell: the defect alone, and a near miss that is accepted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ingestion.parse_identity import check_character
from tests.ingestion.conftest import GOOD_USCC, City, id_number

ID = id_number(1)
WRONG_CHECK = ID[:17] + ("1" if ID[17] != "1" else "2")


def _born(text: str) -> str:
    first = f"420702{text}999"
    return first + check_character(first)


ACCEPTED = [
    # full-width, blanks, apostrophe, zero width, ideographic space
    ("death_record", "id_number", ID.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789"})),
    ("death_record", "id_number", f"  {ID}\t"),
    ("death_record", "id_number", f"'{ID}"),
    ("death_record", "id_number", f"\u200b{ID}\ufeff"),
    ("death_record", "name", "\u3000王小明\u3000"),
    # ID numbers
    ("death_record", "id_number", _born("19800101")[:17] + _born("19800101")[17].lower()),
    ("death_record", "id_number", "420702800101999"),
    ("death_record", "id_number", _born("19000101")),
    # dates
    *[
        ("death_record", "died_on", text)
        for text in (
            "20230314",
            "2023-03-14",
            "2023/3/14",
            "2023.3.14",
            "2023年3月14日",
            "2023-03-14 08:30:00",
            "2023-03-14T08:30:00",
            "2023/3/14 8:30",
            "45000",
            "45000.5",
            "2023-04-10",
        )
    ],
    ("disability_register", "valid_until", "2033-01-01"),
    ("custody_record", "until_date", "2033-01-01"),
    ("check_request", "authorised_until", "2033-01-01"),
    # money
    *[
        ("pension_payment", "amount", text)
        for text in ("1,234.50", "¥1,234.5", "￥1234.5", "1234.5元", "0.12万元", "1 234.50", "０．５")
    ],
    ("income_tax", "amount", "(123.40)"),
    *[("income_tax", "tax", text) for text in ("-", "—", "无", "")],
    ("income_tax", "tax", "-12.5"),
    ("medical_settlement", "basic_paid", "-5"),
    # codes and labels
    *[("death_record", "source", text) for text in ("1", "医疗机构", " 医疗 机构 ", "1.0", "01")],
    ("assistance_register", "relation", "1"),
    ("assistance_register", "relation", "2.0"),
    ("population_register", "ethnicity", "1"),
    ("population_register", "ethnicity", "汉族"),
    *[("pension_payment", "pension_month", text) for text in ("202303", "2023-03", "2023年3月", "2023/03")],
    # divisions: own city in the list, other cities well formed
    *[
        ("elder_register", "division", text)
        for text in ("420702", "420702100", "420702000000", "110101", "110101001001")
    ],
    ("social_insurance", "employer_uscc", GOOD_USCC.lower()),
    # limits
    ("property_register", "area", "0.01"),
    ("property_register", "area", "100000"),
    ("property_register", "share", "100"),
    ("property_register", "share", "0"),
    ("pension_payment", "amount", "0"),
    ("pension_payment", "amount", "100000000"),
    ("utility_usage", "kwh", "0"),
    ("population_register", "born_on", "1903-04-11"),
]

QUARANTINED = [
    *[
        ("death_record", "id_number", text, "id_invalid")
        for text in (
            WRONG_CHECK,
            ID[:16],
            ID + "1",
            "420702801301999",
            _born("18991231"),
            _born("20230411"),
            _born("20230230"),
            "无",
            "A" * 18,
        )
    ],
    ("death_record", "id_number", "4.2070219800101E+17", "id_precision_lost"),
    ("death_record", "id_number", "4.20702E+17", "id_precision_lost"),
    ("death_record", "id_number", "420702198001011000"[:15] + "000", "id_precision_lost"),
    ("death_record", "id_number", "", "required_missing"),
    ("death_record", "name", "", "required_missing"),
    ("death_record", "died_on", "20230230", "date_invalid"),
    ("death_record", "died_on", "2023-04-11", "date_invalid"),
    ("death_record", "died_on", "昨天", "date_invalid"),
    ("death_record", "died_on", "2023", "date_invalid"),
    ("death_record", "died_on", "2023-03", "date_invalid"),
    ("death_record", "died_on", "", "required_missing"),
    ("death_record", "source", "9", "code_unknown"),
    ("death_record", "source", "医院", "code_unknown"),
    ("pension_payment", "amount", "很多", "value_invalid"),
    ("pension_payment", "amount", "1,23.5", "value_invalid"),
    ("pension_payment", "amount", "1.2.3", "value_invalid"),
    ("pension_payment", "amount", "—", "required_missing"),
    ("pension_payment", "pension_month", "2023-13", "value_invalid"),
    ("pension_payment", "pension_month", "三月", "value_invalid"),
    ("elder_register", "division", "420799", "division_unknown"),
    ("elder_register", "division", "4207021", "division_unknown"),
    ("elder_register", "division", "鄂州市", "division_unknown"),
    ("business_register", "uscc", GOOD_USCC[:17] + "1", "uscc_invalid"),
    ("pension_payment", "amount", "-0.01", "out_of_range"),
    ("pension_payment", "amount", "100000000.01", "out_of_range"),
    ("utility_usage", "kwh", "-1", "out_of_range"),
    ("property_register", "area", "0", "out_of_range"),
    ("property_register", "area", "100000.5", "out_of_range"),
    ("population_register", "born_on", "1903-04-09", "out_of_range"),
]

DEFECTS = [
    ("utility_usage", "id_number", WRONG_CHECK, "id_invalid"),
    ("utility_usage", "id_number", "4.2070219800101E+17", "id_precision_lost"),
    ("death_record", "cremated_on", "20230230", "date_invalid"),
    ("death_record", "cremated_on", "2023-05-01", "date_invalid"),
    ("assistance_register", "review_class", "Z", "code_unknown"),
    ("assistance_register", "monthly_amount", "若干", "value_invalid"),
    ("assistance_register", "household_size", "3.5", "value_invalid"),
    ("utility_usage", "division", "420799", "division_unknown"),
    ("social_insurance", "employer_uscc", GOOD_USCC[:17] + "1", "uscc_invalid"),
    ("property_register", "share", "100.1", "out_of_range"),
    ("property_register", "share", "-1", "out_of_range"),
    ("vehicle_register", "price", "-1", "out_of_range"),
    ("vehicle_register", "price", "10001", "out_of_range"),
]


@pytest.mark.parametrize(("feed", "column", "cell"), ACCEPTED)
def test_accepted_variant(city: City, feed: str, column: str, cell: str) -> None:
    taken = city.take_one(feed, city.rows(feed, **{column: cell}))
    assert (taken.status, taken.rows_accepted) == ("accepted", 12)
    assert taken.cell_defects_by_reason == {}


@pytest.mark.parametrize(("feed", "column", "cell", "reason"), QUARANTINED)
def test_row_quarantined(city: City, feed: str, column: str, cell: str, reason: str) -> None:
    taken = city.take_one(feed, city.rows(feed, **{column: cell}))
    assert taken.quarantined_by_reason == {reason: 1}
    assert (taken.status, taken.rows_accepted, taken.cell_defects_by_reason) == ("accepted", 11, {})


@pytest.mark.parametrize(("feed", "column", "cell", "reason"), DEFECTS)
def test_cell_defect_keeps_the_row(city: City, feed: str, column: str, cell: str, reason: str) -> None:
    taken = city.take_one(feed, city.rows(feed, **{column: cell}))
    assert taken.cell_defects_by_reason == {reason: 1}
    assert (taken.rows_accepted, taken.quarantined_by_reason) == (12, {})
    field = "person_key" if column == "id_number" else column
    assert city.lake(taken)[field].null_count() == 1


@pytest.mark.parametrize(
    ("cell", "yuan"),
    [
        ("1,234.50", "1234.50"),
        ("¥1,234.5", "1234.50"),
        ("1234.5元", "1234.50"),
        ("0.12万元", "1200.00"),
        ("(123.40)", "-123.40"),
        ("（123.40）", "-123.40"),
        ("1.005", "1.01"),
        ("1e3", "1000.00"),
    ],
)
def test_money_as_written(city: City, cell: str, yuan: str) -> None:
    taken = city.take_one("income_tax", city.rows("income_tax", tax=cell))
    assert city.lake(taken)["tax"][1] == Decimal(yuan)


@pytest.mark.parametrize(("cell", "yuan"), [("5.5", "55000.00"), ("8万元", "80000.00"), ("8000元", "8000.00")])
def test_ten_thousands_are_stored_as_yuan_and_a_unit_in_the_cell_wins(city: City, cell: str, yuan: str) -> None:
    taken = city.take_one("vehicle_register", city.rows("vehicle_register", price=cell))
    assert city.lake(taken)["price"][1] == Decimal(yuan)


def test_serial_number_of_a_spreadsheet_is_that_day(city: City) -> None:
    taken = city.take_one("death_record", city.rows("death_record", died_on="45000"))
    assert city.lake(taken)["died_on"][1] == date(2023, 3, 15)


def test_old_id_number_is_the_same_person_as_the_new_one(city: City) -> None:
    new = _born("19800101")
    rows = city.rows("death_record")
    rows[1]["身份证号"] = "420702800101999"
    assert new.startswith("42070219800101999")
    taken = city.take_one("death_record", [*rows[:2], {**rows[2], "身份证号": new, "姓名": "某某人"}])
    assert taken.quarantined_by_reason == {"duplicate_key": 1}


def test_precise_id_number_that_ends_in_000_is_valid_as_text(city: City) -> None:
    firsts = (f"{region}19800101{order:03d}" for region in (420702, 420703, 420704) for order in range(0, 1000, 100))
    number = next(first for first in firsts if first.endswith("00") and check_character(first) == "0")
    taken = city.take_one("death_record", city.rows("death_record", id_number=number + "0"))
    assert taken.rows_accepted == 12


def test_row_with_several_faults_is_counted_under_the_first_by_column_order(city: City) -> None:
    rows = city.rows("death_record", source="99", id_number=WRONG_CHECK)
    taken = city.take_one("death_record", [dict(reversed(row.items())) for row in rows])
    assert taken.quarantined_by_reason == {"id_invalid": 1}


def test_conflict_of_birth_date_or_sex_with_the_id_number_is_a_warning(city: City) -> None:
    rows = city.rows("population_register", sex="2", born_on="1980-01-01")
    taken = city.take_one("population_register", rows)
    assert (taken.rows_accepted, taken.warnings) == (12, ["id_conflict"])


def test_agreement_of_birth_date_and_sex_is_no_warning(city: City) -> None:
    assert city.take_one("population_register", city.rows("population_register")).warnings == []
