"""The city's state: tables of people, households, firms, homes, vehicles and businesses, and the running month.

Belongs here: what is remembered from month to month. Does not belong here: how it changes (the modules named after
what they change) and how it is reported (``feeds``). Days are days since 1970, months running numbers, -1 is nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import polars as pl

from simulator.months import NEVER, first_day, last_day
from simulator.places import Places
from simulator.policy import Standards
from simulator.randomness import Bools, Floats, Ints, stream
from simulator.table import TEXT, Column, Table

HEAD, SPOUSE, CHILD, PARENT, GRANDCHILD, OTHER = range(6)
NO_JOB, FORMAL, INFORMAL, FARM, SELF, UNEMPLOYED, RETIRED, STUDENT, UNABLE = range(9)
NEED_NONE, DESTITUTE, DIBAO, MARGINAL, RIGID = range(5)


@dataclass(eq=False)
class Persons(Table):
    """One row a person, born or moved in at any time; nobody is ever removed."""

    household: Annotated[Ints, Column(np.int32, -1)]
    role: Annotated[Ints, Column(np.int8, OTHER)]
    hukou: Annotated[Ints, Column(np.int32, -1)]
    hukou_role: Annotated[Ints, Column(np.int8, OTHER)]
    born: Annotated[Ints, Column(np.int32, 0)]
    sex: Annotated[Ints, Column(np.int8, 1)]
    surname: Annotated[Ints, Column(np.int16, 0)]
    ethnicity: Annotated[Ints, Column(np.int8, 1)]
    education: Annotated[Ints, Column(np.int8, 1)]
    skill: Annotated[Floats, Column(np.float32, 0.0)]
    marital: Annotated[Ints, Column(np.int8, 10)]
    spouse: Annotated[Ints, Column(np.int32, -1)]
    father: Annotated[Ints, Column(np.int32, -1)]
    mother: Annotated[Ints, Column(np.int32, -1)]
    died: Annotated[Ints, Column(np.int32, NEVER)]
    death_known: Annotated[Ints, Column(np.int32, NEVER)]
    away: Annotated[Bools, Column(np.bool_, False)]
    away_place: Annotated[Ints, Column(np.int8, 0)]
    moved_out: Annotated[Ints, Column(np.int32, NEVER)]
    changed: Annotated[Ints, Column(np.int32, NEVER)]
    # Members of these households never get a defective row, so that planted cases are surely visible.
    spared: Annotated[Bools, Column(np.bool_, False)]
    order: Annotated[Floats, Column(np.float64, 0.0)]
    # work
    job: Annotated[Ints, Column(np.int8, NO_JOB)]
    wage: Annotated[Floats, Column(np.float32, 0.0)]
    employer: Annotated[Ints, Column(np.int32, -1)]
    has_fund: Annotated[Bools, Column(np.bool_, False)]
    fund_balance: Annotated[Floats, Column(np.float32, 0.0)]
    lost_job: Annotated[Ints, Column(np.int32, NEVER)]
    registered_jobless: Annotated[Ints, Column(np.int32, NEVER)]
    jobless_cause: Annotated[Ints, Column(np.int8, 0)]
    jobless_benefit: Annotated[Bools, Column(np.bool_, False)]
    jobless_ended: Annotated[Ints, Column(np.int32, NEVER)]
    pension_type: Annotated[Ints, Column(np.int8, 0)]
    pension: Annotated[Floats, Column(np.float32, 0.0)]
    # health
    chronic: Annotated[Bools, Column(np.bool_, False)]
    ill_until: Annotated[Ints, Column(np.int32, NEVER)]
    ill_kind: Annotated[Ints, Column(np.int8, 0)]
    disability: Annotated[Ints, Column(np.int8, 0)]
    grade: Annotated[Ints, Column(np.int8, 0)]
    issued: Annotated[Ints, Column(np.int32, NEVER)]
    valid_until: Annotated[Ints, Column(np.int32, NEVER)]
    reissue: Annotated[Ints, Column(np.int8, 0)]
    custody: Annotated[Ints, Column(np.int8, 0)]
    custody_from: Annotated[Ints, Column(np.int32, NEVER)]
    custody_until: Annotated[Ints, Column(np.int32, NEVER)]
    # school
    schooling: Annotated[Ints, Column(np.int8, 3)]
    school: Annotated[Ints, Column(np.int16, 0)]
    left_school: Annotated[Ints, Column(np.int32, NEVER)]
    suspended: Annotated[Ints, Column(np.int32, NEVER)]
    # what departments know and pay
    certificate: Annotated[Ints, Column(np.int32, -1)]
    second_certificate: Annotated[Ints, Column(np.int32, -1)]
    living_allowance: Annotated[Bools, Column(np.bool_, False)]
    care_allowance: Annotated[Bools, Column(np.bool_, False)]
    age_allowance: Annotated[Bools, Column(np.bool_, False)]
    overlooked: Annotated[Floats, Column(np.float32, 1.0)]
    child_category: Annotated[Ints, Column(np.int8, 0)]
    child_known: Annotated[Ints, Column(np.int32, NEVER)]
    elder_category: Annotated[Ints, Column(np.int8, 0)]
    ability: Annotated[Ints, Column(np.int8, 0)]
    visited: Annotated[Ints, Column(np.int32, NEVER)]
    id_stem: Annotated[Ints, Column(np.int64, 0)]
    id_number: Annotated[pl.Series, TEXT]
    name: Annotated[pl.Series, TEXT]
    phone: Annotated[pl.Series, TEXT]


@dataclass(eq=False)
class Households(Table):
    """One row a household of people living together; empty ones stay as rows."""

    village: Annotated[Ints, Column(np.int32, 0)]
    house: Annotated[Ints, Column(np.int32, 1)]
    thrift: Annotated[Floats, Column(np.float32, 0.0)]
    # Slow ups and downs of unsteady income, on the log scale.
    fortune: Annotated[Floats, Column(np.float32, 0.0)]
    silence: Annotated[Floats, Column(np.float32, 1.0)]
    neglect: Annotated[Floats, Column(np.float32, 1.0)]
    order: Annotated[Floats, Column(np.float64, 0.0)]
    vacant_until: Annotated[Ints, Column(np.int32, NEVER)]
    silent_meter: Annotated[Ints, Column(np.int32, NEVER)]
    loss: Annotated[Floats, Column(np.float32, 0.0)]
    # latent
    need: Annotated[Ints, Column(np.int8, NEED_NONE)]
    need_since: Annotated[Ints, Column(np.int32, NEVER)]
    income_pc: Annotated[Floats, Column(np.float32, 0.0)]
    is_silent: Annotated[Bools, Column(np.bool_, False)]
    # case handling
    pending: Annotated[Ints, Column(np.int32, NEVER)]
    applied: Annotated[Ints, Column(np.int32, NEVER)]
    refused: Annotated[Ints, Column(np.int32, NEVER)]
    left_register: Annotated[Ints, Column(np.int32, NEVER)]
    programme: Annotated[Ints, Column(np.int8, 0)]
    applicant: Annotated[Ints, Column(np.int32, -1)]
    approved: Annotated[Ints, Column(np.int32, NEVER)]
    reviewed: Annotated[Ints, Column(np.int32, NEVER)]
    review_class: Annotated[Ints, Column(np.int8, 0)]
    declared_pc: Annotated[Floats, Column(np.float64, 0.0)]
    amount: Annotated[Floats, Column(np.float64, 0.0)]
    care_mode: Annotated[Ints, Column(np.int8, 0)]
    rural_category: Annotated[Ints, Column(np.int8, 0)]
    rural_risk: Annotated[Ints, Column(np.int8, 0)]
    rural_since: Annotated[Ints, Column(np.int32, NEVER)]
    rural_cleared: Annotated[Ints, Column(np.int32, NEVER)]
    hukou_no: Annotated[pl.Series, TEXT]
    account_no: Annotated[pl.Series, TEXT]
    certificate_no: Annotated[pl.Series, TEXT]
    rural_no: Annotated[pl.Series, TEXT]


@dataclass(eq=False)
class Homes(Table):
    """One row a home; a second owner holds half."""

    owner: Annotated[Ints, Column(np.int32, -1)]
    second_owner: Annotated[Ints, Column(np.int32, -1)]
    use: Annotated[Ints, Column(np.int8, 1)]
    area: Annotated[Floats, Column(np.float64, 80.0)]
    village: Annotated[Ints, Column(np.int32, 0)]
    registered: Annotated[Ints, Column(np.int32, 0)]
    status: Annotated[Ints, Column(np.int8, 1)]
    unit_no: Annotated[pl.Series, TEXT]


@dataclass(eq=False)
class Vehicles(Table):
    owner: Annotated[Ints, Column(np.int32, -1)]
    kind: Annotated[Ints, Column(np.int8, 0)]
    model: Annotated[Ints, Column(np.int8, 0)]
    price: Annotated[Floats, Column(np.float64, 0.0)]
    registered: Annotated[Ints, Column(np.int32, 0)]
    status: Annotated[Ints, Column(np.int8, 1)]
    plate: Annotated[pl.Series, TEXT]


@dataclass(eq=False)
class Businesses(Table):
    owner: Annotated[Ints, Column(np.int32, -1)]
    kind: Annotated[Ints, Column(np.int8, 1)]
    capital: Annotated[Floats, Column(np.float64, 0.0)]
    founded: Annotated[Ints, Column(np.int32, 0)]
    status: Annotated[Ints, Column(np.int8, 1)]
    uscc: Annotated[pl.Series, TEXT]
    name: Annotated[pl.Series, TEXT]


@dataclass(eq=False)
class Employers(Table):
    county: Annotated[Ints, Column(np.int32, 0)]
    weight: Annotated[Floats, Column(np.float64, 1.0)]
    closed: Annotated[Bools, Column(np.bool_, False)]
    uscc: Annotated[pl.Series, TEXT]
    name: Annotated[pl.Series, TEXT]


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
        return np.asarray(self.persons.died == NEVER)

    @property
    def at_home(self) -> Bools:
        """Alive, living in the household, not in custody and not moved away."""
        people = self.persons
        in_custody = (people.custody_until >= self.start) & (people.custody < 3)
        return np.asarray(self.alive & ~people.away & (people.moved_out == NEVER) & ~in_custody)

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
