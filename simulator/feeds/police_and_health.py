"""Frames of police, health, insurance, justice and the disabled persons' federation.

Belongs here: population, vehicles, deaths, settlements, certificates, custody. Does not belong here: civil affairs.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.city import GRANDCHILD, City
from simulator.feeds.frame import addresses, build, codes, days, events, ids, names, phones, village_codes
from simulator.holdings import MODELS, VEHICLE_CODES
from simulator.months import NEVER
from simulator.places import ELSEWHERE
from simulator.randomness import Ints

# How long a cancelled entry stays in a register that still lists it, in days.
KEPT = 365


def relation(role: Ints, sex: Ints) -> pl.Series:
    """GB/T 4761 codes of a member, by role and sex; the head is 02."""
    table = np.array([["02", "02"], ["10", "10"], ["20", "30"], ["51", "52"], ["40", "40"], ["80", "80"]])
    return pl.Series(table[np.minimum(role, GRANDCHILD + 1), sex - 1])


def population_register(city: City) -> pl.DataFrame:
    people = city.persons
    known_dead = (people.died != NEVER) & (people.death_known <= city.month)
    gone = people.moved_out != NEVER
    listed = (~known_dead | (city.today - people.died < KEPT)) & (~gone | (city.today - people.moved_out < KEPT))
    who = np.flatnonzero(listed)
    who = who[np.argsort(people.order[who], kind="stable")]
    elsewhere = pl.Series(np.array(ELSEWHERE)[people.away_place[who]])
    here = village_codes(city, city.village_of(who))
    absent = pl.Series(people.away[who] | gone[who])
    hukou = people.hukou[who]
    status = np.where(known_dead[who], 3, np.where(gone[who], 2, 1))
    return build(
        "population_register", city, who, households=hukou,
        id_number=ids(city, who), name=names(city, who), sex=codes(people.sex[who]),
        ethnicity=codes(people.ethnicity[who], 2), born_on=days(people.born[who]),
        hukou_no=city.households.hukou_no.gather(hukou.astype(np.uint32)),
        relation_to_head=relation(people.hukou_role[who], people.sex[who]),
        hukou_type=codes(np.where(city.places.urban[city.households.village[hukou]], 1, 2)),
        registered_division=village_codes(city, city.households.village[hukou]),
        residence_division=pl.select(pl.when(pl.lit(absent)).then(pl.lit(elsewhere)).otherwise(pl.lit(here))).to_series(),
        marital_status=codes(people.marital[who]), status=codes(status), changed_on=days(people.changed[who]),
        address=addresses(city, people.household[who]), phone=phones(city, who),
    )  # fmt: skip


def vehicle_register(city: City) -> pl.DataFrame:
    vehicles = city.vehicles
    owner = vehicles.owner
    return build(
        "vehicle_register", city, owner,
        plate_no=vehicles.plate, vehicle_type=pl.Series(VEHICLE_CODES[vehicles.kind]), id_number=ids(city, owner),
        name=names(city, owner), model=pl.Series(MODELS[vehicles.model]),
        price=pl.Series((vehicles.price / 10_000).round(4)),
        registered_on=days(vehicles.registered), status=codes(vehicles.status),
    )  # fmt: skip


def death_record(city: City) -> pl.DataFrame:
    rows = events(city, "death_record") or {
        name: np.empty(0, np.int64) for name in ("person", "died_on", "cremated_on", "source")
    }
    who = rows["person"]
    return build(
        "death_record", city, who, id_number=ids(city, who), name=names(city, who),
        died_on=days(rows["died_on"]), cremated_on=days(rows["cremated_on"]), source=codes(rows["source"]),
    )  # fmt: skip


def medical_settlement(city: City) -> pl.DataFrame:
    rows = events(city, "medical_settlement")
    who = rows["person"]
    return build(
        "medical_settlement", city, who, settlement_no=rows["settlement_no"], id_number=ids(city, who),
        name=names(city, who), settled_on=days(rows["settled_on"]), care_type=codes(rows["care_type"]),
        icd10=rows["icd10"], total_cost=pl.Series(rows["total_cost"]), basic_paid=pl.Series(rows["basic_paid"]),
        catastrophic_paid=pl.Series(rows["catastrophic_paid"]), medical_aid_paid=pl.Series(rows["medical_aid_paid"]),
        out_of_pocket=pl.Series(rows["out_of_pocket"]),
    )  # fmt: skip


def disability_register(city: City) -> pl.DataFrame:
    people = city.persons
    known_dead = (people.died != NEVER) & (people.death_known <= city.month)
    listed = (
        (people.disability > 0) & (people.moved_out == NEVER) & (~known_dead | (city.today - people.died < KEPT // 2))
    )
    who = np.flatnonzero(listed)
    number = ids(city, who) + codes(people.disability[who]) + codes(people.grade[who])
    reissued = pl.Series(people.reissue[who] > 0)
    again = number + "B" + codes(people.reissue[who])
    number = pl.select(pl.when(pl.lit(reissued)).then(pl.lit(again)).otherwise(pl.lit(number))).to_series()
    status = np.where(known_dead[who], 2, np.where(people.valid_until[who] < city.start, 4, 1))
    return build(
        "disability_register", city, who, certificate_no=number, id_number=ids(city, who), name=names(city, who),
        disability_type=codes(people.disability[who]), disability_grade=codes(people.grade[who]),
        issued_on=days(people.issued[who]), valid_until=days(people.valid_until[who]), status=codes(status),
    )  # fmt: skip


def custody_record(city: City) -> pl.DataFrame:
    people = city.persons
    who = np.flatnonzero((people.custody_until > city.today - 90) & city.alive)
    return build(
        "custody_record", city, who, id_number=ids(city, who), name=names(city, who),
        custody_type=codes(people.custody[who]), from_date=days(people.custody_from[who]),
        until_date=days(people.custody_until[who]),
        status=codes(np.where(people.custody_until[who] >= city.today, 1, 2)),
    )  # fmt: skip


def marriage_register(city: City) -> pl.DataFrame:
    rows = events(city, "marriage_register")
    if not rows:
        return build("marriage_register", city, np.empty(0, np.int64))
    husband, wife = rows["husband"], rows["wife"]
    return build(
        "marriage_register", city, husband, certificate_no=rows["certificate_no"], event=codes(rows["event"]),
        registered_on=days(rows["registered_on"]), husband_id=ids(city, husband), husband_name=names(city, husband),
        wife_id=ids(city, wife), wife_name=names(city, wife),
    )  # fmt: skip
