"""What departments say of the people of a staged case: the edits from the month of the city on.

Belongs here: rows added, left out and altered. Does not belong here: for whom (``choice``), which cases (``scripts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from simulator.city import City
from simulator.months import first_date
from simulator.need import area
from simulator.planted.choice import visible_income
from simulator.planted.stage import Edit, Edits, Values, day_in, month_name

# How long a staged state lasts, in months.
LASTS = 6


def _village(city: City, person: int) -> int:
    return int(city.households.village[city.persons.household[person]])


def _number(city: City, person: int, letters: str) -> str:
    """A document number that nobody else has: its office, the month, the place of the person in the city."""
    return f"{letters}{month_name(city.month)}9{person:07d}"


def _add(city: City, person: int, feed: str, last: int, values: Values) -> Edit:
    said = {"name": city.persons.name[person], "_county": int(city.places.county[_village(city, person)])}
    return Edit(feed, city.month, last, "add", city.persons.id_number[person], {**said, **values})


def _bill(city: City, person: int, amount: float, care_type: str) -> Sequence[Edit]:
    cost = round(amount * 2.5, 2)
    row = {
        "settlement_no": _number(city, person, "JS"), "settled_on": day_in(city.month, 12), "care_type": care_type,
        "icd10": "I63.9", "total_cost": cost, "basic_paid": cost - round(amount, 2), "catastrophic_paid": 0.0,
        "medical_aid_paid": 0.0, "out_of_pocket": round(amount, 2),
    }  # fmt: skip
    return [_add(city, person, "medical_settlement", city.month, row)]


def bill_of(amount: float, care_type: str) -> Edits:
    return lambda city, person: _bill(city, person, amount, care_type)


def bill_by_disposable(share: float) -> Edits:
    def edits(city: City, person: int) -> Sequence[Edit]:
        where = area(city)[city.persons.household[person]]
        return _bill(city, person, share * float(city.standards.disposable_year[where]), "3")

    return edits


def bill_by_income(share: float) -> Edits:
    """A bill of so much of what came in since the first month."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        months = min(city.month - city.first_month + 1, 12)
        return _bill(city, person, share * months * float(visible_income(city)[city.persons.household[person]]), "1")

    return edits


def _without(city: City, person: int, feeds: Sequence[str], first: int, last: int) -> list[Edit]:
    number = city.persons.id_number[person]
    return [Edit(feed, first, last, "drop", number) for feed in feeds]


def jobless(gap: int) -> Edits:
    """Registered as unemployed for some months, without wage and contribution for ``gap`` of them."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        row = {"unemployed_on": day_in(city.month, 1), "cause": "2", "monthly_benefit": 0.0, "status": "1"}
        told = _add(city, person, "unemployment_register", city.month + LASTS, row)
        wages = _without(city, person, ("social_insurance", "income_tax"), city.month, city.month + gap - 1)
        fund = _without(city, person, ("housing_fund",), city.month, city.month + LASTS)
        return [
            *_without(city, person, ("unemployment_register",), city.month, city.month + LASTS),
            told,
            *wages,
            *fund,
        ]

    return edits


def wage_times(factor: float) -> Edits:
    def edits(city: City, person: int) -> Sequence[Edit]:
        number, last = city.persons.id_number[person], city.month + LASTS
        return [
            Edit("income_tax", city.month, last, "times", number, {"amount": factor, "tax": 0.0}),
            Edit("social_insurance", city.month, last, "times", number, {"base": factor}),
        ]

    return edits


def no_pension(months: int) -> Edits:
    return lambda city, person: _without(city, person, ("pension_payment",), city.month, city.month + months - 1)


def custody(kind: str, stops_work: bool) -> Edits:
    def edits(city: City, person: int) -> Sequence[Edit]:
        row = {
            "custody_type": kind, "from_date": day_in(city.month, 9), "status": "1",
            "until_date": first_date(city.month + 40),
        }  # fmt: skip
        told = [_add(city, person, "custody_record", city.last_month, row)]
        work = ("social_insurance", "income_tax", "housing_fund") if stops_work else ()
        return [*told, *_without(city, person, work, city.month + 1, city.last_month)]

    return edits


def divorce(city: City, person: int) -> Sequence[Edit]:
    people, wife = city.persons, int(city.persons.spouse[person])
    row = {
        "certificate_no": _number(city, person, "L"), "event": "2", "registered_on": day_in(city.month, 6),
        "husband_id": people.id_number[person], "husband_name": people.name[person],
        "wife_id": people.id_number[wife], "wife_name": people.name[wife],
    }  # fmt: skip
    return [_add(city, person, "marriage_register", city.month, row)]


def disaster(damage: str, loss: float) -> Edits:
    def edits(city: City, person: int) -> Sequence[Edit]:
        row = {
            "report_no": _number(city, person, "ZH"), "disaster_type": "2", "occurred_on": day_in(city.month, 4),
            "division": city.places.code[_village(city, person)], "house_damage": damage, "loss": loss, "casualties": 0,
        }  # fmt: skip
        return [_add(city, person, "disaster_event", city.month, row)]

    return edits


def tuition(amount: float) -> Edits:
    def edits(city: City, person: int) -> Sequence[Edit]:
        number = city.persons.id_number[person]
        return [
            Edit("student_register", city.month, city.last_month, "alter", number,
                 {"annual_tuition": amount})
        ]  # fmt: skip

    return edits


def car(kind: str, price: float) -> Edits:
    def edits(city: City, person: int) -> Sequence[Edit]:
        row = {
            "plate_no": f"鄂G9{person % 10_000:04d}", "vehicle_type": kind, "model": "轿车", "price": price,
            "registered_on": day_in(city.month, 3), "status": "1",
        }  # fmt: skip
        return [_add(city, person, "vehicle_register", city.last_month, row)]

    return edits


def small_pension(city: City, person: int) -> Sequence[Edit]:
    """A pension of a tenth of what the family declared."""
    people, households = city.persons, city.households
    home = int(people.certificate[person])
    heads = int((people.certificate == home).sum())
    amount = round(0.1 * float(households.declared_pc[home]) * heads, 2)

    row = {"pension_type": "3", "pension_month": month_name, "amount": amount}
    return [_add(city, person, "pension_payment", city.month + 3, row)]


def brief_wage(months: int) -> Edits:
    """A wage of more than twice the line for so many months."""
    return lambda city, person: _brief_wage(city, person, months)


def _brief_wage(city: City, person: int, months: int) -> Sequence[Edit]:
    people = city.persons
    heads = int((people.certificate == people.certificate[person]).sum())
    amount = round(2.5 * float(city.standards.dibao[1]) * heads, 2)

    row = {"income_type": "1", "income_month": month_name, "amount": amount, "tax": 0.0}
    return [_add(city, person, "income_tax", city.month + months - 1, row)]


def cancelled(city: City, person: int) -> Sequence[Edit]:
    number = city.persons.id_number[person]
    return [Edit("disability_register", city.month, city.last_month, "alter", number, {"status": "2"})]


def ends_this_month(city: City, person: int) -> Sequence[Edit]:
    """Valid to the last days of the month, and renewed in the next."""
    number, last = city.persons.id_number[person], day_in(city.month, 28)
    return [Edit("disability_register", city.month, city.month, "alter", number, {"valid_until": last})]


def paid_unlisted(city: City, person: int) -> Sequence[Edit]:
    row = {
        "batch_no": lambda month: f"PC{month_name(month)}DB", "benefit": "DB", "benefit_month": month_name,
        "amount": 420.0, "pay_status": "1", "paid_on": lambda month: day_in(month, 15),
    }  # fmt: skip
    return [_add(city, person, "assistance_payment", city.month + 3, row)]


def _alter(city: City, person: int, feed: str, last: int, values: Values) -> Edit:
    return Edit(feed, city.month, last, "alter", city.persons.id_number[person], values)


def _dead(city: City, person: int, leaves_work: bool) -> list[Edit]:
    """Died this month, told at once; the population register says so from its next quarter on."""
    row = {"died_on": day_in(city.month, 8), "cremated_on": day_in(city.month, 11), "source": "1"}
    gone = ("income_tax", "social_insurance", "housing_fund", "medical_settlement") if leaves_work else ()
    return [
        _add(city, person, "death_record", city.month, row),
        _alter(city, person, "population_register", city.last_month, {"status": "3", "changed_on": row["died_on"]}),
        *_without(city, person, gone, city.month + 1, city.last_month),
    ]


def death(leaves_work: bool) -> Edits:
    return lambda city, person: _dead(city, person, leaves_work)


def father_dead_mother_held(kind: str) -> Edits:
    """Of a child: the father dies, the mother is in prison ("1") or in community correction ("3")."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        father, mother = int(city.persons.father[person]), int(city.persons.mother[person])
        return [*_dead(city, father, True), *custody(kind, kind != "3")(city, mother)]

    return edits


def benefit_dropped(benefit: str) -> Edits:
    def edits(city: City, person: int) -> Sequence[Edit]:
        number = city.persons.id_number[person]
        return [Edit("assistance_payment", city.month, city.month + 3, "drop", number, where={"benefit": benefit})]

    return edits


def second_benefit(benefit: str, amount: float) -> Edits:
    """Another benefit beside what the person gets, for three months."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        row = {
            "batch_no": lambda month: f"PC{month_name(month)}{benefit}", "benefit": benefit,
            "benefit_month": month_name, "amount": amount, "pay_status": "1",
            "paid_on": lambda month: day_in(month, 15),
        }  # fmt: skip
        return [_add(city, person, "assistance_payment", city.month + 2, row)]

    return edits


def certificate(grade: str) -> Edits:
    """A new certificate of physical disability."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        row = {
            "certificate_no": f"{city.persons.id_number[person]}4{grade}", "disability_type": "4",
            "disability_grade": grade, "issued_on": day_in(city.month, 5),
            "valid_until": first_date(city.month + 120), "status": "1",
        }  # fmt: skip
        return [_add(city, person, "disability_register", city.last_month, row)]

    return edits


def school_status(status: str) -> Edits:
    return lambda city, person: [_alter(city, person, "student_register", city.last_month, {"status": status})]


def moved_out(city: City, person: int) -> Sequence[Edit]:
    told = {"status": "2", "changed_on": day_in(city.month, 5)}
    return [_alter(city, person, "population_register", city.last_month, told)]


def moved_inside(city: City, person: int) -> Sequence[Edit]:
    """All of the household now live in another village of the city; nobody's registration changes."""
    people, home = city.persons, int(city.persons.household[person])
    villages = len(city.places.code)
    village = city.places.code[(int(city.households.village[home]) + 7) % villages]
    told = {"residence_division": village, "changed_on": day_in(city.month, 5)}
    members = np.flatnonzero((people.household == home) & city.at_home)
    return [_alter(city, int(member), "population_register", city.last_month, told) for member in members]


def dark(city: City, person: int) -> Sequence[Edit]:
    return [_alter(city, person, "utility_usage", city.month + 1, {"kwh": 1.3})]


def overdue(late: int) -> Edits:
    """Approved and reviewed so many months before the end of the class's period."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        people, households = city.persons, city.households
        home = int(people.certificate[person])
        period = int(city.standards.review_months[households.review_class[home]])
        last = day_in(city.month - period - late, 20)
        told = {"reviewed_on": last, "approved_on": day_in(city.month - 60, 20)}
        members = np.flatnonzero(people.certificate == home)
        return [_alter(city, int(one), "assistance_register", city.month + 2 * late, told) for one in members]

    return edits


def report(answered: bool) -> Edits:
    """A report of a grid worker, with or without a visit in the following month."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        number = _number(city, person, "GD")
        row = {
            "report_no": number, "channel": "2", "reported_on": day_in(city.month, 14), "need": "1",
            "division": city.places.code[_village(city, person)],
        }  # fmt: skip
        told = _add(city, person, "community_report", city.month, row)
        seen = {
            "alert_id": number.replace("GD", "FC"), "visited_on": lambda month: day_in(month, 9), "visitor": "核查员甲",
            "outcome": "5", "report_no": number,
        }  # fmt: skip
        visit = replace(_add(city, person, "visit_outcome", city.month + 1, seen), first=city.month + 1)
        return [told, visit] if answered else [told]

    return edits


def monitored(cleared: bool) -> Edits:
    """On the list of rural monitoring from now on, with the risk open or cleared the same month."""

    def edits(city: City, person: int) -> Sequence[Edit]:
        row = {
            "household_no": _number(city, person, "FP"), "category": "3", "risk": "1",
            "identified_on": day_in(city.month, 3), "cleared_on": day_in(city.month, 20) if cleared else None,
        }  # fmt: skip
        return [_add(city, person, "rural_monitoring", city.last_month, row)]

    return edits
