"""The first population: households by kind, their members, kin in other households, hukou apart from living.

Belongs here: who exists at the start and how a person is made. Does not belong here: what happens to them later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator import identifiers, names
from simulator.city import CHILD, GRANDCHILD, HEAD, PARENT, SPOUSE, City
from simulator.places import ELSEWHERE
from simulator.randomness import Floats, Ints

_AREA_CODES = np.array([420702, 420703, 420704, 420700, 420106, 420222, 421122, 420281])
_AREA_SHARES = (0.2, 0.2, 0.32, 0.14, 0.04, 0.04, 0.04, 0.02)


@dataclass(frozen=True)
class Slot:
    """One member of a kind of household: age of the head plus a gap, absent (away) or not."""

    role: int
    gap: tuple[int, int] = (0, 0)
    absent: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of household with its share in villages and in town and the age range of its head."""

    name: str
    rural: float
    urban: float
    head_age: tuple[int, int]
    slots: tuple[Slot, ...]
    female_head: float = 0.12


_WIFE = Slot(SPOUSE, (-5, 2))
_CHILD = Slot(CHILD, (-33, -23))
_ELDER = Slot(PARENT, (22, 31))

KINDS = (
    Kind("young single", 0.03, 0.07, (22, 36), (Slot(HEAD),), 0.4),
    Kind("lone elder", 0.12, 0.06, (64, 90), (Slot(HEAD),), 0.62),
    Kind("elder couple", 0.14, 0.11, (60, 82), (Slot(HEAD), _WIFE)),
    Kind("couple", 0.13, 0.14, (27, 58), (Slot(HEAD), _WIFE)),
    Kind("couple, one child", 0.14, 0.26, (27, 46), (Slot(HEAD), _WIFE, _CHILD)),
    Kind("couple, two children", 0.13, 0.12, (29, 46), (Slot(HEAD), _WIFE, _CHILD, _CHILD)),
    Kind("couple, grown child", 0.05, 0.06, (47, 60), (Slot(HEAD), _WIFE, Slot(CHILD, (-30, -23)))),
    Kind("lone parent, one child", 0.025, 0.035, (27, 46), (Slot(HEAD), _CHILD), 0.68),
    Kind("lone parent, two children", 0.012, 0.01, (29, 44), (Slot(HEAD), _CHILD, _CHILD), 0.68),
    Kind("three generations, one elder", 0.08, 0.05, (33, 50), (Slot(HEAD), _WIFE, _CHILD, _ELDER)),
    Kind("three generations", 0.06, 0.02, (33, 48), (Slot(HEAD), _WIFE, _CHILD, _CHILD, _ELDER, _ELDER)),
    Kind(
        "children left behind",
        0.04,
        0.01,
        (54, 72),
        (Slot(HEAD), _WIFE, Slot(CHILD, (-28, -22), absent=True), Slot(GRANDCHILD, (-56, -48))),
    ),
    Kind("single in middle age", 0.043, 0.055, (38, 62), (Slot(HEAD),), 0.25),
)


def make_people(city: City, rng: np.random.Generator, count: int, **values: Any) -> Ints:
    """Append people with ID numbers, names and phones; ``values`` must carry ``born`` and ``sex`` as arrays."""
    surname = values.pop("surname", rng.integers(0, len(names.SURNAMES), count))
    area = _AREA_CODES[rng.choice(len(_AREA_CODES), count, p=_AREA_SHARES)]
    id_number, stem = identifiers.id_numbers(rng, area, values["born"], values["sex"], city.persons.id_stem)
    return city.persons.append(
        count,
        surname=surname,
        id_stem=stem,
        id_number=id_number,
        name=names.people(rng, surname, values["sex"]),
        phone=identifiers.phones(rng, count),
        ethnicity=np.where(rng.random(count) < 0.97, 1, rng.integers(2, 16, count)),
        skill=rng.normal(0, 1, count),
        order=rng.random(count),
        overlooked=rng.random(count),
        school=rng.integers(1, 40, count),
        schooling=rng.choice([3, 4, 5, 6, 7], count, p=[0.08, 0.3, 0.22, 0.18, 0.22]),
        **values,
    )


def make_households(city: City, rng: np.random.Generator, count: int, village: Ints) -> Ints:
    """Append households without members."""
    return city.households.append(
        count,
        village=village,
        house=rng.integers(1, 400, count),
        thrift=rng.normal(0, 1, count),
        silence=rng.random(count),
        neglect=rng.random(count),
        order=rng.random(count),
        hukou_no="4207" + identifiers.running_numbers(rng, count, 9),
        account_no="4207" + identifiers.running_numbers(rng, count, 9),
        certificate_no="",
        rural_no="",
    )


def settle(city: City, households: int) -> None:
    """Fill the empty city with its first households and people."""
    rng = city.rng("people")
    weight = city.places.weight * (1 + 0.6 * city.places.urban)
    village = rng.choice(len(weight), households, p=weight / weight.sum())
    make_households(city, rng, households, village)
    urban = city.places.urban[village]
    kind = np.where(urban, _draw_kind(rng, households, "urban"), _draw_kind(rng, households, "rural"))
    spared = rng.random(households) < 0.5
    for position, description in enumerate(KINDS):
        _populate(city, rng, np.flatnonzero(kind == position), description, spared)
    _educate(city, rng)
    _link_kin(city, rng)
    _separate_hukou(city, rng)
    _send_away(city, rng)


def _draw_kind(rng: np.random.Generator, count: int, area: str) -> Ints:
    shares = np.array([getattr(kind, area) for kind in KINDS])
    return rng.choice(len(KINDS), count, p=shares / shares.sum())


def _populate(city: City, rng: np.random.Generator, homes: Ints, kind: Kind, spared: np.ndarray[Any, Any]) -> None:
    count = len(homes)
    head_age = rng.integers(kind.head_age[0], kind.head_age[1] + 1, count)
    head_sex = np.where(rng.random(count) < kind.female_head, 2, 1)
    family = rng.integers(0, len(names.SURNAMES), count)
    members: dict[int, list[Ints]] = {}
    absent: list[Ints] = []
    for slot in kind.slots:
        age = np.maximum(head_age + rng.integers(slot.gap[0], slot.gap[1] + 1, count), 0)
        sex = _sex_of(rng, slot, head_sex, len(members.get(slot.role, [])))
        own_name = slot.role == SPOUSE or (slot.role == PARENT and len(members.get(PARENT, [])) == 1)
        surname = rng.integers(0, len(names.SURNAMES), count) if own_name else family
        # Births of the running year may not lie ahead of the first month.
        born = city.today - (age * 365.25 + rng.integers(1, 365, count)).astype(np.int64)
        people = make_people(
            city, rng, count, household=homes, hukou=homes, role=slot.role, hukou_role=slot.role, born=born, sex=sex,
            surname=surname, spared=spared[homes], away=slot.absent, away_place=rng.integers(0, len(ELSEWHERE), count),
        )  # fmt: skip
        members.setdefault(slot.role, []).append(people)
        if slot.absent:
            absent.append(people)
    _relate(city, rng, members, absent, kind)


def _sex_of(rng: np.random.Generator, slot: Slot, head_sex: Ints, already: int) -> Ints:
    if slot.role == HEAD:
        return head_sex
    if slot.role == SPOUSE:
        return 3 - head_sex
    if slot.role == PARENT:
        return np.full(len(head_sex), 2 if already == 0 else 1)
    return rng.integers(1, 3, len(head_sex))


def _relate(
    city: City, rng: np.random.Generator, members: dict[int, list[Ints]], absent: list[Ints], kind: Kind
) -> None:
    people = city.persons
    head = members[HEAD][0]
    if SPOUSE in members:
        _marry(city, head, members[SPOUSE][0])
    elif kind.name in ("lone elder", "lone parent, one child", "lone parent, two children", "single in middle age"):
        elder = kind.name == "lone elder"
        people.marital[head] = rng.choice([10, 30, 40], len(head), p=[0.12, 0.8, 0.08] if elder else [0.3, 0.15, 0.55])
    for children in members.get(CHILD, []):
        _give_parent(city, children, head)
        if SPOUSE in members:
            _give_parent(city, children, members[SPOUSE][0])
    elders = members.get(PARENT, [])
    for parent in elders:
        _give_parent(city, head, parent)
        people.marital[parent] = 30 if len(elders) == 1 else 20
    if len(elders) == 2:
        _marry(city, elders[0], elders[1])
    for grandchildren in members.get(GRANDCHILD, []):
        _give_parent(city, grandchildren, absent[0])


def _marry(city: City, first: Ints, second: Ints) -> None:
    people = city.persons
    people.marital[first] = people.marital[second] = 20
    people.spouse[first], people.spouse[second] = second, first


def _give_parent(city: City, children: Ints, parents: Ints) -> None:
    people = city.persons
    male = people.sex[parents] == 1
    people.father[children[male]] = parents[male]
    people.mother[children[~male]] = parents[~male]


def _educate(city: City, rng: np.random.Generator) -> None:
    """Years of schooling in five steps; older and rural people have less."""
    people = city.persons
    urban = city.places.urban[city.households.village[people.household]]
    level = 2.3 + 0.8 * urban - 0.028 * np.maximum(city.age - 30, 0) + rng.normal(0, 0.8, len(people))
    people.education[:] = np.clip(np.round(level), 0, 4)


def _link_kin(city: City, rng: np.random.Generator) -> None:
    """Give four of five elders living apart a grown child in another household."""
    people = city.persons
    heads = np.flatnonzero((people.role == HEAD) & (people.father < 0) & (people.mother < 0))
    age = city.age[heads]
    parents = rng.permutation(heads[age >= 62])
    children = rng.permutation(heads[(age >= 28) & (age < 56)])
    count = min(int(len(parents) * 0.8), len(children))
    parents, children = parents[:count], children[:count]
    gap = city.age[parents] - city.age[children]
    fits = (gap >= 18) & (gap <= 45)
    _give_parent(city, children[fits], parents[fits])
    male = people.sex[children[fits]] == 1
    people.surname[children[fits][male]] = people.surname[parents[fits][male]]
    spouse = people.spouse[parents[fits]]
    married = spouse >= 0
    _give_parent(city, children[fits][married], spouse[married])


def _separate_hukou(city: City, rng: np.random.Generator) -> None:
    """Some grown children stay in their parents' hukou though they live apart, some elders keep their own."""
    people = city.persons
    parent = np.where(people.father >= 0, people.father, people.mother)
    linked = np.flatnonzero((people.role == HEAD) & (parent >= 0))
    linked = linked[people.household[parent[linked]] != people.household[linked]]
    stay = linked[rng.random(len(linked)) < 0.18]
    people.hukou[stay] = people.hukou[parent[stay]]
    people.hukou_role[stay] = CHILD
    elders = np.flatnonzero(people.role == PARENT)
    apart = elders[rng.random(len(elders)) < 0.12]
    homes = make_households(city, rng, len(apart), city.households.village[people.household[apart]])
    people.hukou[apart], people.hukou_role[apart] = homes, HEAD


def _send_away(city: City, rng: np.random.Generator) -> None:
    """Working-age villagers who live in another city; the household stays where it is."""
    people = city.persons
    rural = ~city.places.urban[city.households.village[people.household]]
    has_spouse = people.spouse >= 0
    chance = 0.06 * rural * ((city.age >= 20) & (city.age < 50)) * has_spouse * (people.role <= CHILD)
    leaves = rng.random(len(people)) < chance
    people.away |= leaves


def kin_households(city: City) -> tuple[Ints, Ints]:
    """Pairs of households that are kin: where a person lives and where the person's living parent lives."""
    people = city.persons
    pairs = []
    for parent in (people.father, people.mother):
        child = np.flatnonzero((parent >= 0) & city.alive)
        pairs.append(np.column_stack([people.household[child], people.household[parent[child]]]))
    both = np.concatenate(pairs)
    both = both[both[:, 0] != both[:, 1]]
    return both[:, 0], both[:, 1]


def kin_share(city: City, flag: np.ndarray[Any, np.dtype[np.bool_]]) -> Floats:
    """Number of kin households with the flag, by household, in both directions."""
    child, parent = kin_households(city)
    size = len(city.households)
    near = np.bincount(child, weights=flag[parent], minlength=size)
    return np.asarray(near + np.bincount(parent, weights=flag[child], minlength=size))
