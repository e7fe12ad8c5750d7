"""A small city whose deliveries come, are corrected, come late, are held and released; and persons merged and split.

Belongs here: random rows by the contracts and the state of deliveries after each step, in the form that ingestion
leaves them. Does not belong here: what the warehouse makes of it (``test_months``).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from expectations import ensure_tables
from ingestion.delivery import Delivery, delivery_frame
from ingestion.in_force import delivery_validity
from ingestion.lake import lake_schema, write_empty_tables
from ingestion.linkage.evidence import publish_links
from ingestion.name_conflict import SCHEMA as NAME_CONFLICT
from ingestion.quarantine import FAULT_COLUMNS
from models.calendar import months_between, next_month
from models.codes import load_code_tables, load_divisions
from models.contract import Column, Feed, load_feeds, person_key_name
from models.publish import publish_reference
from orchestration.decisions.alerts import ensure_alert_life
from orchestration.home.generation import (
    ALIAS_SCHEMA,
    ROW_ALIAS_SCHEMA,
    Basis,
    Rebuild,
    changed_persons,
    first_told,
    rebuild_since,
)
from orchestration.home.given import ensure_given
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of
from orchestration.warehouse.run_plan import RunPlan, with_rebuild, write_plan

FIRST = date(2023, 1, 1)
PEOPLE, HOUSEHOLDS = 48, 16
STRAY, STRAY_FROM = "stray", date(2023, 3, 1)
# In a calm city these die by the register, and each register says so in the same words.
DYING, DEATHS_FROM = 0, date(2023, 4, 1)
# Registers that come by districts, one of them quarterly.
PARTED = {"population_register": (1, 2, 4, 5), "assistance_register": ()}
# No rule looks further back than this: in a city of few months a look-back that is too short is seen only then. In the
# months from `RAISED_FROM` on the standard is another one.
LONGEST_MONTHS = 2
RAISED_FROM, RAISED = date(2023, 4, 1), 3
# Stands in a visit's row for the number of an alert that is not known before tables are built.
ANSWERED = "answers:"
Row = dict[str, Any]
Rows = Callable[["City", date, str | None], list[Row]]


@dataclass
class City:
    """What was ever delivered (``deliveries``, rows in ``lake``), who was merged, and the months so far."""

    lake: Path
    chance: random.Random
    last_month: date = FIRST
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    clock: datetime = datetime(2023, 2, 1, tzinfo=UTC)
    # In a calm city events are of the month whose file tells them, and told once: what follows from them need not go
    # back further than the deliveries do. Else it does, again and again, and little is left to be wrong.
    calm: bool = False
    # The version of the model that scores all months.
    model: int = 1

    def __post_init__(self) -> None:
        write_empty_tables(self.lake, load_feeds())
        self.villages = sorted(item.code for item in load_divisions() if item.level == "village")
        self.districts = sorted({village[:6] for village in self.villages})[:2]
        self.people = [f"person{number:03d}" for number in range(PEOPLE)]
        self.born = {key: date(1940, 1, 1) + timedelta(days=self.chance.randrange(29_000)) for key in self.people}
        self.born[STRAY] = date(1970, 5, 1)
        self.home = {key: number % HOUSEHOLDS for number, key in enumerate(self.people)}

    def month(self, month: date) -> None:
        """Everything that comes in a month; not every feed does."""
        self.last_month = max(self.last_month, month)
        for feed in load_feeds().values():
            if feed.name == "population_register" and month.month not in PARTED[feed.name]:
                continue
            if self.chance.random() < 0.85 or month == FIRST or feed.name in PARTED:
                self.deliver(feed.name, month)

    def deliver(self, feed: str, month: date, division: str | None = None) -> str:
        """A delivery of that month: of a part, or of all parts where the feed comes in such."""
        if division is None and feed in PARTED:
            return [self.deliver(feed, month, district) for district in self.districts][-1]
        contract = load_feeds()[feed]
        self.clock += timedelta(minutes=1)
        name = f"{feed}.{month:%Y-%m}.{letters(len(self.deliveries))}"
        rows = MAKERS.get(feed, _random_rows(contract))(self, month, division)
        self._write(contract, name, month, rows)
        self.deliveries[name] = Delivery(
            name, feed, contract.mode, f"{name}.csv", name, name, "", f"{month:%Y-%m}", division, "accepted",
            self.clock, self.clock, sequence=len(self.deliveries),
        )  # fmt: skip
        return name

    def deliver_again(self, name: str, more: Row) -> str:
        """A delivery once more, under another name, with one row more."""
        before = self.deliveries[name]
        file = self.lake / before.feed / f"period={before.period}" / f"{name}.parquet"
        rows = pl.read_parquet(file).drop("delivery_id", "row_number", "period").to_dicts()
        self.clock += timedelta(minutes=1)
        again = f"{before.feed}.{before.period}.{letters(len(self.deliveries))}"
        self._write(load_feeds()[before.feed], again, date.fromisoformat(f"{before.period}-01"), [*rows, more])
        self.deliveries[again] = replace(
            before, delivery_id=again, file_name=f"{again}.csv", sha256=again, received_at=self.clock,
            ingested_at=self.clock, sequence=len(self.deliveries),
        )  # fmt: skip
        return again

    def hold(self, name: str) -> None:
        self.deliveries[name] = replace(self.deliveries[name], status="held")

    def release(self, name: str) -> None:
        self.deliveries[name] = replace(self.deliveries[name], status="accepted")

    def in_force(self) -> list[str]:
        return sorted(delivery_validity(self.deliveries.values())["delivery_id"].unique())

    def basis(self) -> Basis:
        validity = delivery_validity(self.deliveries.values())
        aliases = pl.DataFrame(sorted(self.aliases.items()), schema=ALIAS_SCHEMA, orient="row")
        return Basis(FIRST, self.last_month, self.clock, {}, validity, aliases, pl.DataFrame(schema=ROW_ALIAS_SCHEMA))

    def publish(self, folder: Path, before: Basis | None) -> Rebuild:
        """Write what dbt reads of deliveries, with what it has to build anew since ``before``."""
        folder.mkdir(parents=True)
        now = self.basis()
        publish_reference(folder, FIRST, self.last_month)
        change_policy(folder / "parameter_month.parquet")
        told_of = first_told(self.lake, load_feeds(), changed_persons(before.aliases, now.aliases) if before else [])
        rebuild = rebuild_since(before, now, None, told_of)
        months = tuple(months_between(FIRST, self.last_month))
        plan = with_rebuild(RunPlan(FIRST, self.last_month, months, self.clock, FIRST), rebuild, None)
        write_plan(plan, "policy", "code", folder / "run.parquet")
        now.validity.write_parquet(folder / "delivery_validity.parquet")
        publish_links(store_of(DataHome(self.lake.parent / "home").create()), folder, [])
        ensure_given(folder)
        ensure_alert_life(folder)
        ensure_tables(folder)
        (folder / "model.json").write_text(json.dumps(self.model), encoding="utf-8")
        pl.DataFrame(schema=NAME_CONFLICT).write_parquet(folder / "name_conflict.parquet")
        for faults in ("quarantine_row", "cell_defect"):
            pl.DataFrame(schema=FAULT_COLUMNS).write_parquet(folder / f"{faults}.parquet")
        decided = pl.lit(self.clock.replace(tzinfo=None)).alias("decided_at")
        now.aliases.with_columns(decided).write_parquet(folder / "person_alias.parquet")
        delivery_frame(list(self.deliveries.values()), "mode", "supplements").write_parquet(folder / "delivery.parquet")
        told = [{"person_key": key, "born_on": self.born[key], "sex": "1"} for key in [*self.people, STRAY]]
        pl.DataFrame(told).write_parquet(folder / "person_key.parquet")
        return rebuild

    def _write(self, feed: Feed, name: str, month: date, rows: list[Row]) -> None:
        schema = lake_schema(feed)
        period = f"{month:%Y-%m}"
        filled = [
            dict.fromkeys(schema) | row | {"delivery_id": name, "row_number": at, "period": period}
            for at, row in enumerate(rows, start=2)
        ]
        folder = self.lake / feed.name / f"period={period}"
        folder.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(filled, schema=schema).write_parquet(folder / f"{name}.parquet")


def change_policy(file: Path) -> None:
    """Short windows everywhere, and a standard that is raised between two months."""
    parameters, value = pl.read_parquet(file), pl.col("value")
    is_long = pl.col("parameter").str.ends_with("_months") & (value > LONGEST_MONTHS)
    is_raised = (pl.col("parameter") == "dibao_standard") & (pl.col("month") >= RAISED_FROM)
    changed = pl.when(is_long).then(LONGEST_MONTHS).when(is_raised).then(value * RAISED).otherwise(value)
    parameters.with_columns(value=changed.cast(parameters.schema["value"])).write_parquet(file)


def letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:04d}")


def _register(city: City, month: date, division: str | None) -> list[Row]:
    """The population register of a district: who lives there, with some that moved, died, married, are missing."""
    rows = []
    for key in city.people:
        chance = random.Random(f"{key}{month}{city.chance.random()}")
        hukou = city.home[key] if chance.random() > 0.05 else chance.randrange(HOUSEHOLDS)
        village = city.villages[hukou * 7 % len(city.villages)]
        registered = city.districts[hukou % 2] + village[6:]
        if (division and registered[:6] != division) or chance.random() < 0.05 or city.born[key] > month:
            continue
        died = city.calm and city.people.index(key) % 12 == DYING and month >= DEATHS_FROM
        relation = ["02", "10", "20", "30", "51"][city.people.index(key) // HOUSEHOLDS % 5]
        rows.append({
            "person_key": key, "sex": "1", "born_on": city.born[key], "hukou_no": f"h{hukou}",
            "relation_to_head": relation, "hukou_type": "1", "registered_division": registered,
            "residence_division": chance.choice([None, registered, registered, registered, village]),
            "marital_status": chance.choice(["10", "20", "20", "40"]),
            "status": "3" if died else chance.choice(["1"] * 12 + ["2", "4"] + ["3"] * (not city.calm)),
            "changed_on": DEATHS_FROM if died else month - timedelta(days=chance.randrange(60)),
        })  # fmt: skip
    return rows


def _assisted(city: City, month: date, division: str | None) -> list[Row]:
    rows = []
    for number in range(10):
        members = [key for key in city.people if city.home[key] == number and city.chance.random() < 0.8]
        for key in members:
            village = (division or city.districts[0]) + city.villages[number][6:]
            rows.append({
                "certificate_no": f"c{division}{number}", "programme": ["11", "12", "21", "31"][number % 4],
                "applicant_key": members[0], "person_key": key, "relation": "01" if key == members[0] else "20",
                "household_size": len(members), "declared_income_pc": Decimal(300), "monthly_amount": Decimal(450),
                "approved_on": date(2022, 5, 1 + number), "division": village,
            })  # fmt: skip
    return rows


def _random_rows(feed: Feed) -> Rows:
    """Rows by the contract alone, from few persons and numbers, so that events come again; each key once."""

    def rows(city: City, month: date, division: str | None) -> list[Row]:
        made = [
            {name: value for column in feed.columns for name, value in _cell(city, column, month).items()}
            for _ in range(city.chance.randrange(6, 30))
        ]
        keys = [person_key_name(item.name) if item.type == "id" else item.name for item in feed.key_columns]
        return list({tuple(str(row.get(key)) for key in keys): row for row in made}.values())

    return rows


def _cell(city: City, column: Column, month: date) -> Row:
    chance = city.chance
    if column.carries_id_number:
        stem = column.name.removesuffix("_no")
        return {f"{stem}_key": f"k{chance.randrange(30)}", f"{stem}_category": "1", f"{stem}_grade": "1"}
    if column.is_direct_identifier and column.type != "id":
        return {}
    if not column.required and chance.random() < 0.3:
        return {}
    if column.type == "id":
        # From the third month on someone's number is now and then mistyped.
        known = city.people if month < STRAY_FROM else [*city.people, *[STRAY] * 3]
        if column.key and city.calm:
            # Nobody dies twice.
            known = known[month.month % 6 :: 6]
        return {person_key_name(column.name): chance.choice(known)}
    return {column.name: _value(city, column, month)}


def _value(city: City, column: Column, month: date) -> Any:
    chance = city.chance
    match column.type:
        case "code":
            return chance.choice(sorted(load_code_tables()[str(column.code_table)].labels))
        case "date":
            return month + timedelta(days=chance.randrange(0 if city.calm else -40, 28))
        case "month":
            return month if city.calm else chance.choice([month, month, month, next_month(month), FIRST])
        case "division":
            return chance.choice(city.villages)
        case "money" | "wan":
            return Decimal(chance.randrange(1, 9000))
        case "uscc":
            return f"uscc{chance.randrange(12)}"
        case "int" | "decimal":
            return chance.randrange(1, 9)
    return f"{column.name}{month if city.calm else ''}{chance.randrange(25)}"


def _visited(city: City, month: date, division: str | None) -> list[Row]:
    """Results of visits, of which two in three come back under the number of an alert (``build.answer``)."""
    rows = _random_rows(load_feeds()["visit_outcome"])(city, month, division)
    return [row | ({"alert_id": f"{ANSWERED}{at}"} if at % 3 else {}) for at, row in enumerate(rows)]


MAKERS: Mapping[str, Rows] = {
    "population_register": _register,
    "assistance_register": _assisted,
    "visit_outcome": _visited,
}
