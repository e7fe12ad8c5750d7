"""What people own: homes, vehicles and businesses, at the start and as they are bought and given up.

Belongs here: property. Does not belong here: limits on it (``need``).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator import identifiers, names
from simulator.city import HEAD, SELF, City
from simulator.months import NEVER, days_in_month
from simulator.randomness import Ints

CAR, TRUCK, MOTORCYCLE, FARM_VEHICLE, ADAPTED = range(5)
VEHICLE_CODES = np.array(["K", "H", "M", "N", "D"])
MODELS = np.array(["大众朗逸", "吉利帝豪", "五菱宏光", "比亚迪秦", "长安欧尚", "哈弗H6", "豪爵125", "福田时代"])


def settle(city: City) -> None:
    """First homes, vehicles and businesses."""
    rng, people = city.rng("holdings"), city.persons
    head = np.flatnonzero((people.role == HEAD) & city.alive)
    urban = city.places.urban[city.households.village[people.household[head]]]
    owns = rng.random(len(head)) < np.where(urban, 0.74, 0.92)
    years = rng.integers(400, 9000, len(head))
    buy_homes(city, rng, head[owns], city.today - years[owns])
    rich = people.wage[head] > 5200
    second = rng.random(len(head)) < 0.03 + 0.12 * rich * urban
    buy_homes(city, rng, head[second], city.today - rng.integers(100, 4000, int(second.sum())))
    adult = np.flatnonzero((city.age >= 20) & (city.age < 68) & city.alive)
    wage = people.wage[adult]
    chance = np.clip((wage - 1800) / 16000, 0, 0.5) + 0.015
    drives = adult[rng.random(len(adult)) < chance]
    buy_vehicles(city, rng, drives, CAR, city.today - rng.integers(60, 3600, len(drives)))
    rides = adult[rng.random(len(adult)) < 0.07]
    kind = rng.choice([TRUCK, MOTORCYCLE, FARM_VEHICLE], len(rides), p=[0.1, 0.65, 0.25])
    buy_vehicles(city, rng, rides, kind, city.today - rng.integers(60, 3600, len(rides)))
    traders = np.flatnonzero((people.job == SELF) & city.alive)
    found_businesses(city, rng, traders, city.today - rng.integers(60, 4000, len(traders)))


def buy_homes(city: City, rng: np.random.Generator, owner: Ints, registered: Ints) -> None:
    """Homes for owners; villagers' homes are homesteads, two in five are shared with the spouse."""
    people, count = city.persons, len(owner)
    village = city.village_of(owner)
    urban = city.places.urban[village]
    spouse = np.where(rng.random(count) < 0.4, people.spouse[owner], -1)
    unit = (
        pl.Series(city.places.county[village]).cast(pl.String)
        + identifiers.running_numbers(rng, count, 6)
        + "GB"
        + identifiers.running_numbers(rng, count, 5)
        + "F"
        + identifiers.running_numbers(rng, count, 8)
    )
    city.homes.append(
        count,
        owner=owner,
        second_owner=spouse,
        use=np.where(urban, 1, 4),
        area=np.clip(rng.normal(95, 22, count), 32, 220).round(2),
        village=village,
        registered=registered,
        unit_no=unit,
    )


def buy_vehicles(city: City, rng: np.random.Generator, owner: Ints, kind: Ints | int, registered: Ints) -> None:
    count = len(owner)
    kinds = np.broadcast_to(np.asarray(kind), count)
    price = np.where(kinds == CAR, rng.lognormal(11.4, 0.4, count), np.where(kinds == TRUCK, 70_000, 5_500))
    plate = identifiers.plates(rng, count)
    fresh = ~(plate.is_duplicated() | plate.is_in(city.vehicles.plate.implode())).to_numpy()
    city.vehicles.append(
        int(fresh.sum()),
        owner=owner[fresh],
        kind=kinds[fresh],
        model=np.where(kinds == CAR, rng.integers(0, 6, count), np.where(kinds == TRUCK, 7, 6))[fresh],
        price=price[fresh].round(-2),
        registered=registered[fresh],
        plate=plate.filter(pl.Series(fresh)),
    )


def found_businesses(city: City, rng: np.random.Generator, owner: Ints, founded: Ints) -> None:
    count = len(owner)
    company = rng.random(count) < 0.15
    area = city.places.county[city.village_of(owner)]
    uscc = pl.select(
        pl.when(pl.lit(pl.Series(company)))
        .then(pl.lit(identifiers.credit_codes(rng, area, "91")))
        .otherwise(pl.lit(identifiers.credit_codes(rng, area, "92")))
    ).to_series()
    name = pl.select(
        pl.when(pl.lit(pl.Series(company)))
        .then(pl.lit(names.firms(rng, count)))
        .otherwise(pl.lit(names.shops(rng, count)))
    ).to_series()
    city.businesses.append(
        count,
        owner=owner,
        kind=np.where(company, 2, rng.choice([1, 1, 1, 1, 3, 4], count)),
        capital=np.where(company, rng.choice([30, 50, 100, 200], count), rng.choice([1, 2, 3, 5, 8], count)) * 10_000.0,
        founded=founded,
        uscc=uscc,
        name=name,
    )


def advance(city: City) -> None:
    """Purchases, sales and closures of one month."""
    rng, people = city.rng("holdings"), city.persons
    adult = city.at_home & (city.age >= 20) & (city.age < 70)
    # A car may come to anybody, registered or not: some families on the register buy one and say nothing.
    car = np.flatnonzero(adult & (rng.random(len(people)) < 0.0006 + np.clip((people.wage - 2000) / 4e6, 0, 0.004)))
    buy_vehicles(city, rng, car, CAR, days_in_month(rng, city.month, len(car)))
    home = np.flatnonzero(adult & (rng.random(len(people)) < 0.0002 + (people.wage > 5000) * 0.0006))
    buy_homes(city, rng, home, days_in_month(rng, city.month, len(home)))
    shop = np.flatnonzero(adult & (people.job == SELF) & (rng.random(len(people)) < 0.004))
    found_businesses(city, rng, shop, days_in_month(rng, city.month, len(shop)))
    for table, rate in ((city.vehicles, 0.003), (city.homes, 0.0006), (city.businesses, 0.004)):
        ends = rng.random(len(table)) < rate
        table.status[ends & (table.status == 1)] = 2
    gone = people.died[city.vehicles.owner] != NEVER
    city.vehicles.status[gone & (rng.random(len(gone)) < 0.2)] = 2
