"""How households change: births, marriages, divorces, moves within and out of the city.

Belongs here: membership. Does not belong here: deaths (``health``) and custody (``shocks``).
"""

from __future__ import annotations

import numpy as np

from simulator import identifiers
from simulator.city import CHILD, GRANDCHILD, HEAD, OTHER, SPOUSE, City
from simulator.months import NEVER, days_in_month, period_text
from simulator.people import make_households, make_people
from simulator.randomness import Ints, happens


def advance(city: City) -> None:
    """One month of families."""
    rng = city.rng("family")
    _bear(city, rng)
    _wed(city, rng)
    _part(city, rng)
    _move_out(city, rng)
    _relocate(city, rng)
    _return(city, rng)
    _succeed(city)


def _bear(city: City, rng: np.random.Generator) -> None:
    people, age = city.persons, city.age
    fertile = (people.sex == 2) & (age >= 21) & (age < 42) & (people.spouse >= 0) & city.at_home
    mothers = np.flatnonzero(fertile & happens(rng, 0.0105 * np.exp(-(((age - 28) / 6) ** 2)), len(people)))
    count = len(mothers)
    if not count:
        return
    fathers = people.spouse[mothers]
    in_parents_home = people.role[mothers] >= CHILD
    make_people(
        city, rng, count, household=people.household[mothers], hukou=people.hukou[mothers],
        role=np.where(in_parents_home, GRANDCHILD, CHILD),
        hukou_role=np.where(people.hukou_role[mothers] >= CHILD, GRANDCHILD, CHILD),
        born=days_in_month(rng, city.month, count), sex=rng.integers(1, 3, count), surname=people.surname[fathers],
        father=fathers, mother=mothers, spared=people.spared[mothers], changed=city.today,
    )  # fmt: skip


def _wed(city: City, rng: np.random.Generator) -> None:
    """Single people of one age pair off; the couple moves to a home of its own."""
    people, age = city.persons, city.age
    free = city.at_home & (people.marital != 20) & (age >= 22) & (age < 48) & happens(rng, 0.012, len(people))
    men = rng.permutation(np.flatnonzero(free & (people.sex == 1)))
    women = rng.permutation(np.flatnonzero(free & (people.sex == 2)))
    count = min(len(men), len(women))
    men, women = men[:count], women[:count]
    men, women = men[np.argsort(people.born[men], kind="stable")], women[np.argsort(people.born[women], kind="stable")]
    related = (people.father[men] == people.father[women]) & (people.father[men] >= 0)
    apart = (people.household[men] != people.household[women]) & ~related
    men, women = men[apart], women[apart]
    _register_marriage(city, rng, men, women, 1)
    people.spouse[men], people.spouse[women] = women, men
    people.marital[men] = people.marital[women] = 20
    homes = make_households(city, rng, len(men), city.village_of(men))
    _bring_children(city, men, homes)
    _bring_children(city, women, homes)
    people.household[men] = people.household[women] = homes
    people.role[men], people.role[women] = HEAD, SPOUSE
    moves_hukou = rng.random(len(men)) < 0.6
    for who, role in ((men, HEAD), (women, SPOUSE)):
        people.hukou[who[moves_hukou]] = homes[moves_hukou]
        people.hukou_role[who[moves_hukou]] = role
        people.changed[who[moves_hukou]] = city.today
    grow_memory(city)


def _bring_children(city: City, parents: Ints, homes: Ints) -> None:
    """Minor children follow the parent with whom they live."""
    people = city.persons
    target = np.full(len(people), -1, dtype=np.int64)
    target[parents] = homes
    parent = np.where(
        (people.mother >= 0) & (target[people.mother] >= 0) & (people.household[people.mother] == people.household),
        people.mother,
        people.father,
    )
    follows = (parent >= 0) & (target[parent] >= 0) & (people.household == people.household[parent]) & (city.age < 18)
    who = np.flatnonzero(follows)
    homes_of = target[parent[who]]
    people.household[who] = homes_of
    people.role[who] = CHILD


def _register_marriage(city: City, rng: np.random.Generator, men: Ints, women: Ints, event: int) -> None:
    number = identifiers.running_numbers(rng, len(men), 6)
    prefix = "L" if event == 2 else "J"
    stamp = period_text(city.month)
    city.report(
        "marriage_register",
        certificate_no=(f"{prefix}420700-{stamp[:4]}-{stamp[4:]}" + number),
        event=np.full(len(men), event),
        registered_on=days_in_month(rng, city.month, len(men)),
        husband=men,
        wife=women,
    )


def _part(city: City, rng: np.random.Generator) -> None:
    """Divorce: one of the two leaves; minor children mostly stay with the mother."""
    people = city.persons
    husbands = city.at_home & (people.sex == 1) & (people.spouse >= 0) & (city.age < 62)
    men = np.flatnonzero(husbands & happens(rng, 0.0007, len(people)))
    women = people.spouse[men]
    men = men[people.died[women] == NEVER]
    women = people.spouse[men]
    _register_marriage(city, rng, men, women, 2)
    people.marital[men] = people.marital[women] = 40
    people.spouse[men] = people.spouse[women] = -1
    leaves = np.where(people.role[men] == HEAD, women, men)
    takes_children = (leaves == women) & (rng.random(len(men)) < 0.65)
    homes = make_households(city, rng, len(men), city.village_of(leaves))
    _bring_children(city, leaves[takes_children], homes[takes_children])
    people.household[leaves], people.role[leaves] = homes, HEAD
    moved = rng.random(len(leaves)) < 0.7
    people.hukou[leaves[moved]], people.hukou_role[leaves[moved]] = homes[moved], HEAD
    people.changed[leaves[moved]] = city.today
    grow_memory(city)


def _move_out(city: City, rng: np.random.Generator) -> None:
    """Whole households that take their registration to another city."""
    people = city.persons
    leaving = happens(rng, 0.0005, len(city.households))
    who = np.flatnonzero(leaving[people.household] & city.alive & (people.moved_out == NEVER))
    day = days_in_month(rng, city.month, len(city.households))[people.household[who]]
    people.moved_out[who] = day
    people.changed[who] = day
    people.away_place[who] = rng.integers(0, 5, len(city.households))[people.household[who]]


def _relocate(city: City, rng: np.random.Generator) -> None:
    moving = np.flatnonzero(happens(rng, 0.0012, len(city.households)))
    weight = city.places.weight
    city.households.village[moving] = rng.choice(len(weight), len(moving), p=weight)
    city.households.house[moving] = rng.integers(1, 400, len(moving))


def _return(city: City, rng: np.random.Generator) -> None:
    """Some who worked elsewhere come home, some leave for work elsewhere."""
    people = city.persons
    back = people.away & city.alive & happens(rng, 0.012, len(people))
    # Children of parents who stay away are looked after by grandparents, so the last adult never leaves.
    adults = city.count(city.at_home & (city.age >= 18))
    rural = ~city.places.urban[city.households.village[people.household]]
    may = city.at_home & rural & (city.age >= 20) & (city.age < 48) & (people.role <= CHILD)
    may &= adults[people.household] >= 3
    leaving = may & happens(rng, 0.004, len(people))
    people.away[back] = False
    people.away[leaving] = True
    people.away_place[leaving] = rng.integers(0, 5, int(leaving.sum()))


def _succeed(city: City) -> None:
    """A hukou whose head died or left gets another head: the spouse, else the eldest child or whoever is there."""
    people = city.persons
    present = city.alive & (people.moved_out == NEVER)
    headed = np.zeros(len(city.households), dtype=bool)
    headed[people.hukou[present & (people.hukou_role == HEAD)]] = True
    members = np.flatnonzero(present & ~headed[people.hukou])
    order = np.lexsort((people.born[members], people.hukou_role[members]))[::-1]
    heir = np.full(len(city.households), -1, dtype=np.int64)
    heir[people.hukou[members[order]]] = members[order]
    was = people.hukou_role[heir[people.hukou[members]]]
    younger = members[(was == CHILD) & (people.hukou_role[members] != HEAD)]
    people.hukou_role[younger] = OTHER
    mine = (people.father[younger] == heir[people.hukou[younger]]) | (
        people.mother[younger] == heir[people.hukou[younger]]
    )
    people.hukou_role[younger[mine]] = CHILD
    people.hukou_role[heir[heir >= 0]] = HEAD


def grow_memory(city: City) -> None:
    """Give new households an empty past."""
    missing = len(city.households) - len(city.income)
    if missing > 0:
        empty = np.zeros((missing, 12), dtype=np.float32)
        city.income = np.concatenate([city.income, empty])
        city.spending = np.concatenate([city.spending, empty])
