"""The city's state: tables of people, households, firms, homes, vehicles and businesses, and the running month.

Belongs here: what is remembered from month to month. Does not belong here: how it changes (the modules named after
what they change) and how it is reported (``feeds``). Days are days since 1970, months running numbers, -1 is nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from simulator.months import NEVER, first_day, last_day
from simulator.places import Places
from simulator.policy import Standards
from simulator.randomness import Bools, Floats, Ints, stream
from simulator.table import Table, column, text

HEAD, SPOUSE, CHILD, PARENT, GRANDCHILD, OTHER = range(6)
NO_JOB, FORMAL, INFORMAL, FARM, SELF, UNEMPLOYED, RETIRED, STUDENT, UNABLE = range(9)
NEED_NONE, DESTITUTE, DIBAO, MARGINAL, RIGID = range(5)


@dataclass
class Persons(Table):
    """One row a person, born or moved in at any time; nobody is ever removed."""

    household: Ints = column(np.int32, -1)
    role: Ints = column(np.int8, OTHER)
    hukou: Ints = column(np.int32, -1)
    hukou_role: Ints = column(np.int8, OTHER)
    born: Ints = column(np.int32, 0)
    sex: Ints = column(np.int8, 1)
    surname: Ints = column(np.int16, 0)
    ethnicity: Ints = column(np.int8, 1)
    education: Ints = column(np.int8, 1)
    skill: Floats = column(np.float32, 0.0)
    marital: Ints = column(np.int8, 10)
    spouse: Ints = column(np.int32, -1)
    father: Ints = column(np.int32, -1)
    mother: Ints = column(np.int32, -1)
    died: Ints = column(np.int32, NEVER)
    death_known: Ints = column(np.int32, NEVER)
    away: Bools = column(np.bool_, False)
    away_place: Ints = column(np.int8, 0)
    moved_out: Ints = column(np.int32, NEVER)
    changed: Ints = column(np.int32, NEVER)
    # Members of these households never get a defective row, so that planted cases are surely visible.
    spared: Bools = column(np.bool_, False)
    order: Floats = column(np.float64, 0.0)
    # work
    job: Ints = column(np.int8, NO_JOB)
    wage: Floats = column(np.float32, 0.0)
    employer: Ints = column(np.int32, -1)
    has_fund: Bools = column(np.bool_, False)
    fund_balance: Floats = column(np.float32, 0.0)
    lost_job: Ints = column(np.int32, NEVER)
    registered_jobless: Ints = column(np.int32, NEVER)
    jobless_cause: Ints = column(np.int8, 0)
    jobless_benefit: Bools = column(np.bool_, False)
    jobless_ended: Ints = column(np.int32, NEVER)
    pension_type: Ints = column(np.int8, 0)
    pension: Floats = column(np.float32, 0.0)
    # health
    chronic: Bools = column(np.bool_, False)
    ill_until: Ints = column(np.int32, NEVER)
    ill_kind: Ints = column(np.int8, 0)
    disability: Ints = column(np.int8, 0)
    grade: Ints = column(np.int8, 0)
    issued: Ints = column(np.int32, NEVER)
    valid_until: Ints = column(np.int32, NEVER)
    reissue: Ints = column(np.int8, 0)
    custody: Ints = column(np.int8, 0)
    custody_from: Ints = column(np.int32, NEVER)
    custody_until: Ints = column(np.int32, NEVER)
    # school
    schooling: Ints = column(np.int8, 3)
    school: Ints = column(np.int16, 0)
    left_school: Ints = column(np.int32, NEVER)
    suspended: Ints = column(np.int32, NEVER)
    # what departments know and pay
    certificate: Ints = column(np.int32, -1)
    second_certificate: Ints = column(np.int32, -1)
    living_allowance: Bools = column(np.bool_, False)
    care_allowance: Bools = column(np.bool_, False)
    age_allowance: Bools = column(np.bool_, False)
    overlooked: Floats = column(np.float32, 1.0)
    child_category: Ints = column(np.int8, 0)
    child_known: Ints = column(np.int32, NEVER)
    elder_category: Ints = column(np.int8, 0)
    ability: Ints = column(np.int8, 0)
    visited: Ints = column(np.int32, NEVER)
    id_stem: Ints = column(np.int64, 0)
    id_number: pl.Series = text()
    name: pl.Series = text()
    phone: pl.Series = text()


@dataclass
class Households(Table):
    """One row a household of people living together; empty ones stay as rows."""

    village: Ints = column(np.int32, 0)
    house: Ints = column(np.int32, 1)
    thrift: Floats = column(np.float32, 0.0)
    # Slow ups and downs of unsteady income, on the log scale.
    fortune: Floats = column(np.float32, 0.0)
    silence: Floats = column(np.float32, 1.0)
    neglect: Floats = column(np.float32, 1.0)
    order: Floats = column(np.float64, 0.0)
    vacant_until: Ints = column(np.int32, NEVER)
    silent_meter: Ints = column(np.int32, NEVER)
    loss: Floats = column(np.float32, 0.0)
    # latent
    need: Ints = column(np.int8, NEED_NONE)
    need_since: Ints = column(np.int32, NEVER)
    income_pc: Floats = column(np.float32, 0.0)
    is_silent: Bools = column(np.bool_, False)
    # case handling
    pending: Ints = column(np.int32, NEVER)
    applied: Ints = column(np.int32, NEVER)
    refused: Ints = column(np.int32, NEVER)
    left_register: Ints = column(np.int32, NEVER)
    programme: Ints = column(np.int8, 0)
    applicant: Ints = column(np.int32, -1)
    approved: Ints = column(np.int32, NEVER)
    reviewed: Ints = column(np.int32, NEVER)
    review_class: Ints = column(np.int8, 0)
    declared_pc: Floats = column(np.float64, 0.0)
    amount: Floats = column(np.float64, 0.0)
    care_mode: Ints = column(np.int8, 0)
    rural_category: Ints = column(np.int8, 0)
    rural_risk: Ints = column(np.int8, 0)
    rural_since: Ints = column(np.int32, NEVER)
    rural_cleared: Ints = column(np.int32, NEVER)
    hukou_no: pl.Series = text()
    account_no: pl.Series = text()
    certificate_no: pl.Series = text()
    rural_no: pl.Series = text()


@dataclass
class Homes(Table):
    """One row a home; a second owner holds half."""

    owner: Ints = column(np.int32, -1)
    second_owner: Ints = column(np.int32, -1)
    use: Ints = column(np.int8, 1)
    area: Floats = column(np.float64, 80.0)
    village: Ints = column(np.int32, 0)
    registered: Ints = column(np.int32, 0)
    status: Ints = column(np.int8, 1)
    unit_no: pl.Series = text()


@dataclass
class Vehicles(Table):
    owner: Ints = column(np.int32, -1)
    kind: Ints = column(np.int8, 0)
    model: Ints = column(np.int8, 0)
    price: Floats = column(np.float64, 0.0)
    registered: Ints = column(np.int32, 0)
    status: Ints = column(np.int8, 1)
    plate: pl.Series = text()


@dataclass
class Businesses(Table):
    owner: Ints = column(np.int32, -1)
    kind: Ints = column(np.int8, 1)
    capital: Floats = column(np.float64, 0.0)
    founded: Ints = column(np.int32, 0)
    status: Ints = column(np.int8, 1)
    uscc: pl.Series = text()
    name: pl.Series = text()


@dataclass
class Employers(Table):
    county: Ints = column(np.int32, 0)
    weight: Floats = column(np.float64, 1.0)
    closed: Bools = column(np.bool_, False)
    uscc: pl.Series = text()
    name: pl.Series = text()


@dataclass
class City:
    """Everything that persists, and the events of the month that runs.

    ``events`` holds for each event feed the columns of this month's rows; ``memory`` twelve months of income and of
    medical spending out of pocket by household (column = month modulo 12).
    """

    seed: int
    month: int
    first_month: int
    last_month: int
    places: Places
    standards: Standards
    persons: Persons = field(default_factory=Persons.empty)
    households: Households = field(default_factory=Households.empty)
    homes: Homes = field(default_factory=Homes.empty)
    vehicles: Vehicles = field(default_factory=Vehicles.empty)
    businesses: Businesses = field(default_factory=Businesses.empty)
    employers: Employers = field(default_factory=Employers.empty)
    income: Floats = field(default_factory=lambda: np.zeros((0, 12), dtype=np.float32))
    spending: Floats = field(default_factory=lambda: np.zeros((0, 12), dtype=np.float32))
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def rng(self, purpose: str) -> np.random.Generator:
        return stream(self.seed, purpose, self.month)

    def report(self, feed: str, **columns: Any) -> None:
        """Note rows for an event feed of this month; columns are arrays of one length."""
        self.events.setdefault(feed, []).append(columns)

    @property
    def today(self) -> int:
        return last_day(self.month)

    @property
    def start(self) -> int:
        return first_day(self.month)

    @property
    def age(self) -> Floats:
        return np.asarray((self.today - self.persons.born) / 365.25)

    @property
    def alive(self) -> Bools:
        return self.persons.died == NEVER

    @property
    def at_home(self) -> Bools:
        """Alive, living in the household, not in custody and not moved away."""
        people = self.persons
        in_custody = (people.custody_until >= self.start) & (people.custody < 3)
        return self.alive & ~people.away & (people.moved_out == NEVER) & ~in_custody

    def count(self, mask: Bools) -> Ints:
        """People in the mask by household."""
        return np.bincount(self.persons.household[mask], minlength=len(self.households))

    def total(self, mask: Bools, values: Floats) -> Floats:
        """Sum of ``values`` over the people in the mask, by household."""
        sums = np.bincount(self.persons.household[mask], weights=values[mask], minlength=len(self.households))
        return np.asarray(sums)

    def village_of(self, persons: Ints) -> Ints:
        return np.asarray(self.households.village[self.persons.household[persons]])

    def reference_person(self, mask: Bools) -> Ints:
        """The person in the mask by whom each household is known: by role, then the elder; -1 where nobody is."""
        people = self.persons
        chosen = np.flatnonzero(mask)
        adult = self.age[chosen] >= 18
        order = np.lexsort((people.born[chosen], people.role[chosen], ~adult))[::-1]
        result = np.full(len(self.households), -1, dtype=np.int64)
        result[people.household[chosen[order]]] = chosen[order]
        return result
