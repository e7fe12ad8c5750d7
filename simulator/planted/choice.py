"""Whom a staged case may be about: masks over the people of the city.

Belongs here: what must be true of somebody for a case to be one. Does not belong here: the cases (``scripts``), what is
altered for them (``rewriting``).
"""

from __future__ import annotations

import numpy as np

from simulator.assistance import DIBAO_CODES
from simulator.benefits import certified
from simulator.city import CHILD, FORMAL, HEAD, INFORMAL, SELF, SPOUSE, City
from simulator.months import NEVER
from simulator.planted.memory import longer
from simulator.planted.stage import View, of_household
from simulator.randomness import Bools, Floats
from simulator.work import is_student


def adult(city: City) -> Bools:
    return np.asarray(city.at_home & (city.age >= 20))


def unassisted(city: City) -> Bools:
    people, households = city.persons, city.households
    on_register = of_household(city, people.certificate >= 0) | (households.programme > 0)[people.household]
    return np.asarray(city.at_home & ~on_register & (households.rural_category == 0)[people.household])


def listed(city: City, *programmes: int) -> Bools:
    """People on a certificate for which money is paid, of the programmes named."""
    people, households = city.persons, city.households
    known = np.isin(households.programme, programmes or (*DIBAO_CODES, 21)) & (households.amount > 0)
    one = people.second_certificate < 0
    return np.asarray(city.at_home & one & (people.certificate == people.household) & known[people.certificate])


def quiet_health(view: View) -> Bools:
    """Households with next to no bills in the last twelve months."""
    city = view.city
    spent = np.zeros(len(city.persons))
    known = view.memory.spending.sum(axis=1)
    spent[: len(known)] = known
    return np.asarray(city.total(city.at_home, spent)[city.persons.household] < 1_500)


def steady(view: View) -> Bools:
    city, people = view.city, view.city.persons
    return np.asarray(
        city.at_home & (people.job == FORMAL) & (people.employer >= 0)
        & (longer(view.memory.employed, len(people)) >= 5) & (people.wage > 2_500) & (city.age < 57)
    )  # fmt: skip


def visible_income(city: City) -> Floats:
    """Visible by household: wages of employees and pensions."""
    people = city.persons
    return city.total(city.at_home, np.where(people.job == FORMAL, people.wage, 0) + people.pension)


def only_earner(view: View) -> Bools:
    """Steady, and nobody else at home has a wage, a pension, or now and then a fee or profit."""
    city, people = view.city, view.city.persons
    working = steady(view)
    sources = np.isin(people.job, (FORMAL, INFORMAL, SELF)) | (people.pension > 0)
    alone = city.count(city.at_home & sources)[people.household] == 1
    company = city.count(city.at_home)[people.household] > 1
    return np.asarray(working & alone & company)


def earner_beside_another(view: View) -> Bools:
    working = steady(view)
    return np.asarray(working & (view.city.count(working)[view.city.persons.household] >= 2))


def plain(view: View) -> Bools:
    return np.asarray(unassisted(view.city) & adult(view.city) & quiet_health(view))


def never_helped(view: View) -> Bools:
    households = view.city.households
    never = (households.left_register == NEVER) & (households.refused == NEVER)
    never[np.fromiter(view.refused, dtype=np.int64)] = False
    return np.asarray(plain(view) & never[view.city.persons.household])


def left_lately(view: View) -> Bools:
    city = view.city
    left = city.households.left_register
    lately = (left >= city.month - 9) & (left <= city.month - 2) & (left > city.first_month)
    return np.asarray(unassisted(city) & adult(city) & lately[city.persons.household])


def payers(view: View) -> Bools:
    return np.asarray(only_earner(view) & unassisted(view.city) & quiet_health(view))


def pensioner(view: View) -> Bools:
    city = view.city
    people = city.persons
    lit = (city.households.order < 0.92) & (city.households.silent_meter < city.month)
    paid = (people.pension_type > 0) & (people.pension > 100)
    return np.asarray(city.at_home & paid & lit[people.household] & (city.age < 75))


def pupil(view: View) -> Bools:
    city = view.city
    people = city.persons
    pays = city.at_home & is_student(city) & (city.age >= 15.5) & (city.age < 17.5)
    well = (people.left_school == NEVER) & (people.suspended == NEVER)
    others = city.count(city.at_home & (city.age >= 3) & (city.age < 23))[people.household] == 1
    return np.asarray(pays & well & others)


def couple(city: City) -> Bools:
    people = city.persons
    has = people.spouse >= 0
    together = has & (people.household[people.spouse] == people.household) & city.at_home[people.spouse]
    return np.asarray(city.at_home & together & (people.sex == 1) & (people.sex[people.spouse] == 2))


def no_wage(city: City) -> Bools:
    """Households of which no feed tells an income."""
    people = city.persons
    sources = np.isin(people.job, (FORMAL, INFORMAL, SELF)) | (people.pension > 0)
    return np.asarray(~of_household(city, sources & city.alive))


def listed_adult(view: View) -> Bools:
    return np.asarray(listed(view.city) & adult(view.city))


def listed_without_property(view: View) -> Bools:
    """Of families without car, business, fund account or second home."""
    city, people = view.city, view.city.persons
    size = len(city.households)
    owners = np.concatenate([city.vehicles.owner, city.businesses.owner])
    more = np.bincount(people.household[owners], minlength=size) > 0
    more |= np.bincount(people.household[city.homes.owner], minlength=size) >= 2
    more[people.household[people.fund_balance > 0]] = True
    return np.asarray(listed_adult(view) & ~more[people.household])


def listed_couple(view: View) -> Bools:
    return np.asarray(listed(view.city) & couple(view.city))


def unassisted_couple(view: View) -> Bools:
    return np.asarray(unassisted(view.city) & couple(view.city))


def listed_without_income(view: View) -> Bools:
    return np.asarray(listed_adult(view) & no_wage(view.city))


def old_without_income(view: View) -> Bools:
    city = view.city
    declared = (city.households.declared_pc > 150)[city.persons.household]
    return np.asarray(listed(city, *DIBAO_CODES) & (city.age >= 60) & no_wage(city) & declared)


def long_listed_applicant(view: View) -> Bools:
    """Applicants of dibao families approved more than three months ago."""
    city, people = view.city, view.city.persons
    applicant = city.households.applicant[people.household] == np.arange(len(people))
    long = (city.households.approved < city.start - 93)[people.household]
    return np.asarray(listed(city, *DIBAO_CODES) & applicant & long)


def cared_for(view: View) -> Bools:
    """Receivers of the care allowance whose certificate runs on."""
    city, people = view.city, view.city.persons
    lasting = people.valid_until >= city.start + 250
    return np.asarray(city.at_home & certified(city) & lasting & people.care_allowance)


def marginal_adult(view: View) -> Bools:
    """Adults of marginal families who hold no disability certificate and no second place on the register."""
    city, people = view.city, view.city.persons
    edge = (people.certificate >= 0) & (city.households.programme[people.certificate] == 31)
    return np.asarray(adult(city) & edge & (people.second_certificate < 0) & (people.disability == 0))


def able_adult(view: View) -> Bools:
    return np.asarray(plain(view) & (view.city.persons.disability == 0))


def child_of_two(view: View) -> Bools:
    """Children on no list who stand in one hukou with both parents, all at home and nobody of them on assistance."""
    city, people = view.city, view.city.persons
    found = unassisted(city) & (city.age < 15) & (people.child_category == 0) & (people.hukou_role == CHILD)
    for parent in (people.father, people.mother):
        known = (parent >= 0) & city.at_home[parent] & (people.household[parent] == people.household)
        found &= known & np.isin(people.hukou_role[parent], (HEAD, SPOUSE))
    return np.asarray(found)


def young_pupil(view: View) -> Bools:
    city, people = view.city, view.city.persons
    well = (people.left_school == NEVER) & (people.suspended == NEVER)
    return np.asarray(city.at_home & is_student(city) & (city.age >= 7) & (city.age < 14) & well)


def lone_elder(view: View) -> Bools:
    """Old people alone at home whose name is on the meter."""
    city, people = view.city, view.city.persons
    alone = city.count(city.at_home)[people.household] == 1
    named = (city.households.order < 0.92) & (city.households.silent_meter < city.month)
    cared = city.households.care_mode == 1
    return np.asarray(city.at_home & alone & (named & ~cared)[people.household] & (city.age >= 66))


def old_with_allowance(view: View) -> Bools:
    city, people = view.city, view.city.persons
    paid = people.age_allowance & (people.pension_type > 0)
    return np.asarray(city.at_home & paid & (city.age >= 81))


def long_cared_for(view: View) -> Bools:
    city = view.city
    return np.asarray(cared_for(view) & (city.persons.issued < city.start - 120) & (city.persons.certificate < 0))
