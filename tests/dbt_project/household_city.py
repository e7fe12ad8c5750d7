"""Families in which one thing happens each, told by the feeds of seven months; the registers come quarterly.

Belongs here: the deliveries. What the warehouse must say of each family is in ``test_households_in_time``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.dbt_project.conftest import Delivered, Row

JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE, JULY, AUGUST = (date(2023, month, 1) for month in range(1, 9))
MONTHS = (JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE, JULY)
OPEN_END = date(9999, 12, 31)
TOWN, HAMLET, CAMPUS = "420702104001", "420702100216", "420702001001"

# person: birth date. Grown up unless said otherwise.
YOUNG = {
    "kid": date(2012, 5, 1), "baby": date(2023, 2, 20), "infant": date(2023, 2, 25), "ward": date(2014, 3, 1),
    "pupil": date(2004, 3, 1), "twin": date(2011, 1, 1), "late_baby": date(2023, 5, 2), "son": date(2010, 6, 1),
    "scholar": date(2003, 3, 1), "foundling": date(2015, 3, 1), "stale_kid": date(2014, 3, 1),
    "heir": date(2014, 3, 1),
}  # fmt: skip
GROWN = (
    "bride", "groom", "faraway_bride", "faraway_groom", "husband", "wife", "wife_sister", "mum", "dad", "young_mum",
    "young_dad", "prisoner", "grandma", "father_p", "mother_p", "old_head", "widow", "ghost", "ghost_wife", "five1",
    "five2", "five3", "five4", "five5", "absent", "host", "double", "swap_a", "swap_b", "mover1", "mover2",
    "carried", "carer", "register_ex", "register_head", "bench", "stale_bride", "stale_groom", "loner",
    "scholar_dad", "scholar_mum", "late_mum", "late_dead",
)  # fmt: skip
BORN = {**dict.fromkeys(GROWN, date(1980, 3, 1)), **YOUNG, "absent": date(2013, 1, 1)}


def resident(person: str, hukou: str, relation: str = "02", village: str | None = TOWN, **more: Any) -> Row:
    return {
        "person_key": person, "sex": "2" if person in {"bride", "wife"} else "1", "born_on": BORN[person],
        "hukou_no": hukou, "relation_to_head": relation, "hukou_type": "1", "registered_division": TOWN,
        "residence_division": village, "marital_status": "20", "status": "1",
    } | more  # fmt: skip


def married(number: str, husband: str, wife: str, on: date, event: str = "1") -> Row:
    return {"certificate_no": number, "event": event, "registered_on": on, "husband_key": husband, "wife_key": wife}


def on_certificate(person: str, number: str, applicant: str, approved: date = date(2022, 5, 1)) -> Row:
    return {
        "certificate_no": number, "programme": "11", "applicant_key": applicant, "person_key": person,
        "relation": "01" if person == applicant else "80", "review_class": "A", "household_size": 1,
        "declared_income_pc": Decimal(300), "monthly_amount": Decimal(450), "approved_on": approved, "division": TOWN,
    }  # fmt: skip


# Who is in every register without a change.
ALWAYS = [
    resident("bride", "WB"), resident("groom", "WG"),
    resident("faraway_bride", "FB"), resident("faraway_groom", "FG", village=HAMLET),
    resident("husband", "S"), resident("wife", "S", "10"), resident("kid", "S", "20"),
    resident("young_mum", "N2", "02"), resident("mum", "N1", "02"), resident("dad", "N1", "10"),
    resident("prisoner", "P"), resident("ward", "P", "20"), resident("grandma", "G", village=HAMLET),
    resident("father_p", "U"), resident("mother_p", "U", "10"),
    resident("ghost_wife", "D", "10"), resident("ghost", "D"),
    resident("host", "A"), resident("double", "X"), resident("swap_a", "Y1"), resident("swap_b", "Y2"),
    resident("scholar_dad", "Q1"), resident("scholar_mum", "Q2"),
    resident("foundling", "L1"), resident("late_mum", "L2"), resident("stale_kid", "Z1", "97"),
    resident("late_dead", "E"), resident("heir", "E", "40"),
    resident("carer", "C"), resident("stale_bride", "Z1"), resident("stale_groom", "Z2"),
]  # fmt: skip

REGISTER_JANUARY = [
    *ALWAYS,
    resident("pupil", "U", "20", marital_status="10"), resident("scholar", "Q1", "20", marital_status="10"),
    resident("old_head", "O"), resident("widow", "O", "10"),
    *(resident(f"five{at}", "V", "02" if at == 1 else "70") for at in range(1, 6)),
    resident("absent", "A", "20"), resident("carried", "C", "70"),
    resident("mover1", "M"), resident("mover2", "M", "10"), resident("twin", "M", "20"),
    resident("register_head", "R"), resident("register_ex", "R", "10"), resident("son", "R", "20"),
]  # fmt: skip
# Said only once: a birth date and a sex that the ID number contradicts.
MISTAKEN = {"mum": {"born_on": date(1980, 3, 2)}, "dad": {"sex": "2"}}
REGISTER_JANUARY = [row | MISTAKEN.get(row["person_key"], {}) for row in REGISTER_JANUARY]
REGISTER_APRIL = [
    *ALWAYS,
    resident("baby", "N1", "20"), resident("infant", "N2", "20"),
    # At university, with a hukou of the campus.
    resident("pupil", "K", "97", CAMPUS, registered_division=CAMPUS, marital_status="10"),
    # With the mother, who is not told to be that before June.
    resident("scholar", "Q2", "97", marital_status="10"),
    resident("old_head", "O", status="3", changed_on=date(2023, 3, 2)), resident("widow", "O", "02"),
    *(resident(f"five{at}", "V", "02" if at == 1 else "70") for at in (1, 2)),
    *(resident(f"five{at}", "V9", "02" if at == 3 else "70", HAMLET, changed_on=date(2023, 3, 9)) for at in (3, 4, 5)),
    # absent and carried are not in this one; mover1's family went to another village under another number.
    *(resident(key, "M9", relation, HAMLET, changed_on=date(2023, 2, 14))
      for key, relation in (("mover1", "02"), ("mover2", "10"), ("twin", "20"))),
    resident("register_head", "R", marital_status="40"), resident("register_ex", "R", "10", marital_status="40"),
    resident("son", "R", "20"),
]  # fmt: skip
REGISTER_JULY = [
    *[row for row in REGISTER_APRIL if row["person_key"] not in {"five4", "five5"}],
    resident("absent", "A", "20"),
    # The part that kept the household splits again: two go back to where they came from.
    *(resident(key, "V", "70") for key in ("five4", "five5")),
]


def snapshot(feed: str, rows_by_month: dict[date, list[Row]]) -> list[Delivered]:
    """Deliveries of a snapshot: each holds until the next."""
    months = sorted(rows_by_month)
    ends = [*months[1:], OPEN_END]
    return [(feed, "a", at, None, end, rows_by_month[at]) for at, end in zip(months, ends, strict=True)]


def events(feed: str, month: date, *rows: Row) -> Delivered:
    after = MONTHS[MONTHS.index(month) + 1] if month != JULY else AUGUST
    return (feed, "a", month, None, after, list(rows))


def pension(person: str, month: date) -> Row:
    return {"person_key": person, "pension_type": "3", "pension_month": month, "amount": Decimal(200)}


def treated(number: str, person: str, on: date) -> Row:
    return {
        "settlement_no": number, "person_key": person, "settled_on": on, "care_type": "1",
        "total_cost": Decimal(90), "basic_paid": Decimal(50), "out_of_pocket": Decimal(40),
    }  # fmt: skip


def contribution(person: str, month: date) -> Row:
    return {"person_key": person, "insurance": "1", "contribution_month": month, "base": Decimal(4000), "status": "1"}


DETAINED = {"person_key": "prisoner", "custody_type": "1", "from_date": date(2023, 2, 9),
            "until_date": date(2023, 6, 3), "status": "1"}  # fmt: skip
SOMEBODY = {"person_key": "bench", "custody_type": "3", "from_date": date(2022, 2, 9), "status": "1"}


def guarded(child: str, guardian: str, relation: str, recognised: date) -> Row:
    return {"person_key": child, "child_category": "5", "guardian_key": guardian, "guardian_relation": relation,
            "recognised_on": recognised}  # fmt: skip


GUARDED = [guarded("ward", "grandma", "60", date(2023, 2, 12)), guarded("heir", "late_mum", "80", date(2023, 2, 12))]
# Mothers of whom nobody told before.
TOLD_LATE = [guarded(child, mother, "52", date(2023, 6, 2)) for child, mother in (
    ("scholar", "scholar_mum"), ("foundling", "late_mum"), ("stale_kid", "stale_bride"),
)]  # fmt: skip
STUDENT = {"person_key": "pupil", "school": "s", "stage": "7", "status": "1"}
SCHOLAR = {**STUDENT, "person_key": "scholar"}

DELIVERIES: list[Delivered] = [
    *snapshot("population_register", {JANUARY: REGISTER_JANUARY, APRIL: REGISTER_APRIL, JULY: REGISTER_JULY}),
    events("marriage_register", FEBRUARY, married("m1", "groom", "bride", date(2023, 2, 11)),
           married("m2", "faraway_groom", "faraway_bride", date(2023, 2, 12))),
    events("marriage_register", MARCH, married("d1", "husband", "wife", date(2023, 3, 5), "2"),
           # Registered in January, told in March.
           married("m3", "stale_groom", "stale_bride", date(2023, 1, 20))),
    events("marriage_register", MAY, married("m4", "husband", "wife", date(2023, 5, 9))),
    events("marriage_register", JUNE, married("d2", "groom", "bride", date(2023, 6, 1), "2")),
    events("death_record", FEBRUARY, {"person_key": "old_head", "died_on": date(2023, 2, 7), "source": "1"},
           {"person_key": "ghost", "died_on": date(2023, 2, 8), "source": "1"}),
    # Died in March, told in May; the register never tells it.
    events("death_record", MAY, {"person_key": "late_dead", "died_on": date(2023, 3, 9), "source": "1"}),
    events("check_request", MARCH, {
        "request_no": "q", "authorisation_no": "z", "authorised_until": date(2024, 1, 1), "purpose": "1",
        "requested_on": date(2023, 3, 3), "requested_by": "b", "applicant_key": "mum", "person_key": "baby",
        "relation": "20",
    }),
    *snapshot("custody_record", {JANUARY: [SOMEBODY], FEBRUARY: [DETAINED, SOMEBODY], JUNE: [SOMEBODY]}),
    *snapshot("child_register", {FEBRUARY: GUARDED, JUNE: [*GUARDED, *TOLD_LATE]}),
    *snapshot("student_register", {
        JANUARY: [STUDENT, SCHOLAR],
        # The dead are in school still: the one as a pupil, the other as one who has left.
        JUNE: [
            {**STUDENT, "status": "4"}, SCHOLAR, {**STUDENT, "person_key": "ghost"},
            {**STUDENT, "person_key": "old_head", "status": "4"},
        ],
    }),
    *snapshot("elder_register", {FEBRUARY: [
        {"person_key": person, "elder_category": "1", "division": HAMLET} for person in ("carer", "grandma")
    ]}),
    events("pension_payment", MARCH, pension("old_head", FEBRUARY), pension("old_head", MARCH),
           pension("carer", MARCH)),
    events("medical_settlement", MARCH, treated("s1", "ghost", date(2023, 2, 27)),
           treated("s2", "ghost", date(2023, 3, 10))),
    events("social_insurance", FEBRUARY, contribution("prisoner", FEBRUARY), contribution("carer", FEBRUARY)),
    events("social_insurance", MARCH, contribution("prisoner", MARCH), contribution("host", MARCH)),
    *snapshot("unemployment_register", {JANUARY: [
        {"person_key": "carer", "unemployed_on": date(2023, 1, 9), "status": "1"},
        {"person_key": "host", "unemployed_on": date(2023, 1, 9), "status": "2"},
    ]}),
    *snapshot("assistance_register", {
        JANUARY: [on_certificate("swap_b", "C3", "swap_a"), on_certificate("swap_a", "C3", "swap_a")],
        FEBRUARY: [
            on_certificate("swap_b", "C3", "swap_a"), on_certificate("swap_a", "C3", "swap_a"),
            on_certificate("double", "C1", "double"), on_certificate("double", "C2", "host", date(2023, 2, 3)),
            on_certificate("host", "C2", "host", date(2023, 2, 3)),
            # Nobody registers this person anywhere else.
            on_certificate("loner", "C4", "loner"),
        ],
    }),
]  # fmt: skip


def until(month: date) -> list[Delivered]:
    """What had been told by that month."""
    return [item for item in DELIVERIES if item[2] <= month]
