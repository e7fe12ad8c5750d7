"""Frames of civil affairs: register, payments, one-off aid, visits, reports, children, elders, means-check requests.

Belongs here: the bureau's own systems. Does not belong here: how their content comes about (``assistance`` and others).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from simulator import identifiers
from simulator.benefits import payments
from simulator.city import GRANDCHILD, City
from simulator.feeds.frame import addresses, build, codes, days, events, ids, month_text, names, phones, village_codes
from simulator.feeds.surroundings import prices
from simulator.months import NEVER, period_text
from simulator.randomness import Ints

VISITORS = np.array(["核查员甲", "核查员乙", "核查员丙", "核查员丁"])


def assistance_register(city: City) -> pl.DataFrame:
    people, households = city.persons, city.households
    listed = np.flatnonzero(people.certificate >= 0)
    doubled = np.flatnonzero((people.second_certificate >= 0) & (people.certificate >= 0))
    doubled = doubled[people.second_certificate[doubled] != people.certificate[doubled]]
    who = np.concatenate([listed, doubled])
    home = np.concatenate([people.certificate[listed], people.second_certificate[doubled]])
    known = households.programme[home] > 0
    who, home = who[known], home[known]
    applicant = households.applicant[home]
    own_row = pl.Series(who == applicant) & pl.Series(households.amount[home] > 0)
    amount = pl.select(pl.when(pl.lit(own_row)).then(pl.lit(pl.Series(households.amount[home])))).to_series()
    size = np.bincount(home, minlength=len(households))[home]
    classes = pl.Series(np.array(["", "A", "B", "C"])[households.review_class[home]])
    return build(
        "assistance_register", city, who, households=home,
        certificate_no=households.certificate_no.gather(home.astype(np.uint32)),
        programme=codes(households.programme[home], 2),
        applicant_id=ids(city, applicant), name=names(city, who), id_number=ids(city, who),
        relation=_relation_to_applicant(city, who, applicant), review_class=classes,
        household_size=pl.Series(size), declared_income_pc=pl.Series(households.declared_pc[home].astype(np.float64)),
        monthly_amount=amount, care_mode=codes(households.care_mode[home], empty=0),
        approved_on=days(households.approved[home]), reviewed_on=days(households.reviewed[home]),
        division=village_codes(city, households.village[home]), address=addresses(city, home),
        phone=phones(city, applicant),
    )  # fmt: skip


def _relation_to_applicant(city: City, who: Ints, applicant: Ints) -> pl.Series:
    people = city.persons
    male = people.sex[who] == 1
    child = (people.father[who] == applicant) | (people.mother[who] == applicant)
    parent = (people.father[applicant] == who) | (people.mother[applicant] == who)
    conditions = [who == applicant, people.spouse[applicant] == who, child & male, child, parent & male, parent]
    codes_of = np.array(["01", "10", "20", "30", "51", "52"])
    other = np.where(people.role[who] == GRANDCHILD, "40", "80")
    return pl.Series(np.select(conditions, [np.full(len(who), code) for code in codes_of], other))


def assistance_payment(city: City) -> pl.DataFrame:
    rng = city.rng("payments")
    rows = payments(city, prices(city).triggered)
    who = np.concatenate([row.person for row in rows])
    benefit = np.repeat([row.benefit for row in rows], [len(row.person) for row in rows])
    amount = np.concatenate([row.amount for row in rows]).astype(np.float64)
    paid_on = city.start + rng.integers(9, 20, len(rows))
    return build(
        "assistance_payment", city, who,
        batch_no="PC" + period_text(city.month) + pl.Series(benefit), id_number=ids(city, who), name=names(city, who),
        benefit=pl.Series(benefit), benefit_month=month_text(city, len(who)), amount=pl.Series(amount.round(2)),
        pay_status=codes(np.where(rng.random(len(who)) < 0.996, 1, 2)),
        paid_on=days(np.repeat(paid_on, [len(row.person) for row in rows])),
    )  # fmt: skip


def temporary_assistance(city: City) -> pl.DataFrame:
    rows = events(city, "temporary_assistance")
    if not rows:
        return build("temporary_assistance", city, np.empty(0, np.int64))
    who = rows["person"]
    return build(
        "temporary_assistance", city, who, application_no=rows["application_no"], id_number=ids(city, who),
        name=names(city, who), hardship_type=codes(rows["hardship_type"]), cause=rows["cause"],
        amount=pl.Series(rows["amount"]), approved_on=days(rows["approved_on"]),
    )  # fmt: skip


def visit_outcome(city: City) -> pl.DataFrame:
    """Visits; one that answers a report carries its number, in one case of two as the alert's."""
    rows = events(city, "visit_outcome")
    if not rows:
        return build("visit_outcome", city, np.empty(0, np.int64))
    rng, who = city.rng("visits"), rows["person"]
    count = len(who)
    number = "FC" + period_text(city.month) + identifiers.running_numbers(rng, count, 6)
    report: Any = rows.get("report_no", pl.Series([None] * count, dtype=pl.String))
    as_alert = pl.Series(rng.random(count) < 0.5) & report.is_not_null()
    alert = pl.select(pl.when(pl.lit(as_alert)).then(pl.lit(report)).otherwise(pl.lit(number))).to_series()
    named = np.where(rng.random(count) < 0.9, who, -1)
    return build(
        "visit_outcome", city, who, alert_id=alert, visited_on=days(rows["visited_on"]),
        visitor=pl.Series(VISITORS[rng.integers(0, 4, count)]), outcome=codes(rows["outcome"]),
        programme=codes(rows["programme"], 2, empty=0), id_number=ids(city, named), report_no=report,
    )  # fmt: skip


def community_report(city: City) -> pl.DataFrame:
    rows = events(city, "community_report")
    if not rows:
        return build("community_report", city, np.empty(0, np.int64))
    who = rows["person"]
    homes = city.persons.household[who]
    return build(
        "community_report", city, who, report_no=rows["report_no"], channel=codes(rows["channel"]),
        reported_on=days(rows["reported_on"]), id_number=ids(city, np.where(rows["identified"], who, -1)),
        name=names(city, who), phone=phones(city, who), division=village_codes(city, rows["village"]),
        address=addresses(city, homes), need=codes(rows["need"]), summary=rows["summary"],
    )  # fmt: skip


def child_register(city: City) -> pl.DataFrame:
    people = city.persons
    who = np.flatnonzero((people.child_category > 0) & city.alive & (people.moved_out == NEVER))
    guardian, relation = _guardian(city, who)
    return build(
        "child_register", city, who, id_number=ids(city, who), name=names(city, who),
        child_category=codes(people.child_category[who]), guardian_id=ids(city, guardian),
        guardian_name=names(city, guardian), guardian_relation=pl.Series(relation).replace("", None),
        recognised_on=days(people.child_known[who]), visited_on=days(people.visited[who]),
    )  # fmt: skip


def _guardian(city: City, who: Ints) -> tuple[Ints, np.ndarray[Any, np.dtype[np.str_]]]:
    """A parent at home, else whoever the household is known by."""
    people, home = city.persons, city.at_home
    father, mother = people.father[who], people.mother[who]
    father_here, mother_here = (father >= 0) & home[father], (mother >= 0) & home[mother]
    reference = city.reference_person(home & (city.age >= 18))[people.household[who]]
    guardian = np.where(mother_here, mother, np.where(father_here, father, reference))
    older = (reference >= 0) & (people.born[who] - people.born[reference] > 40 * 365)
    relation = np.where(mother_here, "52", np.where(father_here, "51", np.where(older, "60", "80")))
    return guardian, np.where(guardian < 0, "", relation)


def elder_register(city: City) -> pl.DataFrame:
    people = city.persons
    who = np.flatnonzero((people.elder_category > 0) & city.alive)
    return build(
        "elder_register", city, who, id_number=ids(city, who), name=names(city, who),
        elder_category=codes(people.elder_category[who]), ability_level=codes(people.ability[who]),
        visited_on=days(people.visited[who]), division=village_codes(city, city.village_of(who)),
    )  # fmt: skip


def check_request(city: City) -> pl.DataFrame:
    rows = events(city, "check_request")
    if not rows:
        return build("check_request", city, np.empty(0, np.int64))
    who, applicant = rows["person"], rows["applicant"]
    village = city.village_of(applicant)
    office = city.places.label.gather(village.astype(np.uint32)).str.replace("^湖北省", "").str.slice(0, 9) + "民政办"
    return build(
        "check_request", city, who, request_no=rows["request_no"], authorisation_no=rows["authorisation_no"],
        authorised_until=days(rows["authorised_until"]), purpose=codes(rows["purpose"]),
        requested_on=days(rows["requested_on"]), requested_by=office, applicant_id=ids(city, applicant),
        id_number=ids(city, who), name=names(city, who), relation=_relation_to_applicant(city, who, applicant),
    )  # fmt: skip
