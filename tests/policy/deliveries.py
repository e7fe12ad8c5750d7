"""The deliveries of a city in which every household is a case of a rule.

Belongs here: from cases to the CSV files that the departments would send. Does not belong here: what a case
expects. Whatever a case does not say is filled in from ``defaults.yaml``.
"""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from models.calendar import months_between, next_month
from models.contract import Column, Feed, load_feeds
from simulator.identifiers import credit_codes, id_numbers
from tests.policy.case import Case, Row, load_cases, parse_month

FIRST_MONTH, LAST_MONTH = date(2023, 1, 1), date(2024, 6, 1)
MONTHS = tuple(months_between(FIRST_MONTH, LAST_MONTH))
# Urban and rural households live where all feeds come in; the district of the third misses some (see defaults.yaml).
PLACES = {"urban": "420702100001", "rural": "420702100201", "without_feeds": "420703100001"}
DISTRICTS = ("420702", "420703")
MALE, FEMALE = "1", "2"
# Registers stand month by month; of all others a month without rows is no file.
MONTHLY = (
    "assistance_register", "assistance_payment", "income_tax", "pension_payment", "social_insurance", "utility_usage",
    "visit_outcome",
)  # fmt: skip
_SENT_DAY = 8


@cache
def defaults() -> dict[str, Any]:
    return dict(yaml.safe_load((Path(__file__).parent / "defaults.yaml").read_text(encoding="utf-8")))


@cache
def persons() -> dict[tuple[str, str], Row]:
    """Every person of every case, by case and name in it: ``id_number``, ``name``, and what the case says."""
    rng, taken, found = np.random.default_rng(7), np.zeros(0, dtype=np.int64), {}
    listed = [(case, who, said) for case in load_cases() for who, said in case.people.items()]
    for number, (case, who, said) in enumerate(listed):
        born = np.array([said["born"]], dtype="datetime64[D]")
        sex = np.array([2 if said.get("sex") == FEMALE or said.get("sex") == "女" else 1])
        text, stem = id_numbers(rng, np.array([int(PLACES[case.place][:6])]), born, sex, taken)
        taken = np.concatenate([taken, stem])
        found[case.label, who] = {**said, "id_number": text[0], "name": _name(number), "sex": str(sex[0])}
    return found


def _name(number: int) -> str:
    characters = "安宝城德恩芳光海佳康立民宁平秋瑞山天文雪"
    return "张" + characters[number // len(characters) % len(characters)] + characters[number % len(characters)]


def write_inbox(inbox: Path) -> None:
    """Write all deliveries of all months, each with a sidecar that says when it was sent."""
    rows = all_rows()
    for name, feed in load_feeds().items():
        for month in MONTHS:
            if feed.mode == "snapshot" and name not in MONTHLY and not _is_news(rows[name], month):
                continue
            for district in DISTRICTS if name in MONTHLY else (None,):
                _write_month(inbox, feed, rows[name], month, district)


def _write_month(inbox: Path, feed: Feed, rows: list[Row], month: date, district: str | None) -> None:
    sent_on = next_month(month) + timedelta(days=_SENT_DAY - 1)
    standing = (row for row in rows if _stands(row, month) and district in (None, row["_place"][:6]))
    said = [known for row in standing if (known := _known(row, feed, sent_on))]
    missing = defaults()["missing"].get(feed.name, ())
    if district == DISTRICTS[1] and f"{month:%Y-%m}" in missing:
        return
    if not said and (feed.mode == "snapshot" or feed.name not in MONTHLY):
        return
    path = inbox / feed.name / f"{feed.title_zh}_{district or ''}_{month:%Y%m}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    headers = {column.name: column.header for column in feed.columns}
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(headers.values()))
        writer.writeheader()
        for row in said:
            writer.writerow({header: row[name] for name, header in headers.items() if row.get(name) is not None})
    sidecar = {"sent_at": f"{sent_on}T09:00:00+08:00", "rows": len(said)}
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(sidecar), encoding="utf-8")
    # Ingestion leaves alone what was written within the last seconds.
    os.utime(path, (_seconds(sent_on),) * 2)


def _stands(row: Row, month: date) -> bool:
    return bool(row["_from"] <= month <= row["_until"])


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _known(row: Row, feed: Feed, sent_on: date) -> Row | None:
    """The row as a register can tell it by that day: a day still to come is an empty cell, or no row yet."""
    future = [
        column
        for column in feed.columns
        if column.type == "date" and not column.may_lie_in_future and (row.get(column.name) or date.min) > sent_on
    ]
    if any(column.required for column in future):
        return None
    return {**row, **dict.fromkeys([column.name for column in future])}


def _is_news(rows: list[Row], month: date) -> bool:
    """A register is sent in the first month, each quarter, and whenever what it says has changed."""
    starts = {row["_from"] for row in rows} | {next_month(row["_until"]) for row in rows}
    return month == FIRST_MONTH or month.month % 3 == 1 or month in starts


def all_rows() -> dict[str, list[Row]]:
    """Rows of every feed, with the months for which they are delivered and the place of the household."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for case in load_cases():
        for feed, said in {**case.facts, "population_register": _registrations(case)}.items():
            for number, row in enumerate(said):
                rows[feed] += [_filled(load_feeds()[feed], case, number, one) for one in _by_month(row, feed)]
    for feed, said in defaults()["city"].items():
        rows[feed] += [_of_the_city(row) for row in said]
    return rows


def _of_the_city(row: Row) -> Row:
    """A row that is no household's, delivered for its month or, where it came late, for the month ``told``."""
    told = parse_month(str(row.get("told", row["month"])))
    return {**row, "_from": told, "_until": told, "_place": PLACES["urban"]}


def _registrations(case: Case) -> list[Row]:
    """Rows of the population register; what changes is said in the person's ``register``, by month."""
    rows = []
    for who, person in case.people.items():
        changes = sorted(person.get("register", ()), key=lambda change: str(change["from"]))
        stated = {key: value for key, value in person.items() if key not in ("register", "born", "sex")}
        since = max(FIRST_MONTH, person["born"].replace(day=1))
        steps = [{"from": stated.pop("from", f"{since:%Y-%m}")}, *changes]
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            until = {} if following is None else {"until": f"{_month_before(parse_month(following['from'])):%Y-%m}"}
            stated = {**stated, **{key: value for key, value in step.items() if key != "from"}}
            if not stated.get("absent"):
                rows.append({"who": who, **stated, "from": step["from"], **until})
    return rows


def _by_month(row: Row, feed: str) -> list[Row]:
    """A row with ``months: 2023-07..2024-06`` is one row for each of those months, delivered in it."""
    if "months" not in row:
        return [row]
    first, _, last = row["months"].partition("..")
    rest = {key: value for key, value in row.items() if key != "months"}
    months = tuple(months_between(parse_month(first), parse_month(last or first)))
    if load_feeds()[feed].mode == "snapshot":
        return [{**rest, "from": f"{months[0]:%Y-%m}", "until": f"{months[-1]:%Y-%m}"}]
    return [{**rest, "_month": month} for month in months]


def _filled(feed: Feed, case: Case, number: int, row: Row) -> Row:
    said = {**defaults()["feeds"].get(feed.name, {}), **row}
    month = said.pop("_month", None)
    filled: Row = {}
    for column in feed.columns:
        filled[column.name] = _cell(column, case, feed, number, said, month)
    for column in feed.columns:
        if column.type == "name" and filled[column.name] is None:
            filled[column.name] = _name_beside(column, case, said)
    if feed.name == "population_register":
        filled |= {"born_on": case.people[said["who"]]["born"], "sex": persons()[case.label, said["who"]]["sex"]}
    filled["_place"] = PLACES[case.place]
    filled["_from"], filled["_until"] = _delivered(feed, filled, said, month)
    return filled


def _cell(column: Column, case: Case, feed: Feed, number: int, said: Row, month: date | None) -> Any:
    """What the case says, else what a register would hold there."""
    value = said.get(column.name)
    if column.type == "id":
        who = value or (said.get("who") if column.name in ("id_number", "applicant_id") else None)
        return persons()[case.label, who]["id_number"] if who else None
    if value is not None:
        return value
    if month is not None and (column.type == "month" or (column.type == "date" and column.required)):
        return f"{month:%Y%m}" if column.type == "month" else month + timedelta(days=14)
    if column.carries_id_number:
        return _certificate_number(case, said)
    own = {
        **dict.fromkeys(("division", "registered_division", "residence_division"), PLACES[case.place]),
        "uscc": _credit_code(case, number),
        "hukou_no": f"H{case.label}",
        "total_cost": said.get("out_of_pocket"),
    }
    if column.type == "text" and column.key:
        own[column.name] = f"{feed.name[:2].upper()}{case.label}-{number:02d}" + (f"-{month:%Y%m}" if month else "")
    return own.get(column.name)


def _certificate_number(case: Case, said: Row) -> str:
    """ID number, category, grade; a reissued one with its number."""
    person = persons()[case.label, said["who"]]
    reissue = f"B{said['reissue']}" if "reissue" in said else ""
    return f"{person['id_number']}{said['disability_type']}{said['disability_grade']}{reissue}"


def _credit_code(case: Case, number: int) -> str:
    rng = np.random.default_rng(sum(map(ord, case.label)) * 100 + number)
    return str(credit_codes(rng, np.array([420702]), "92")[0])


def _name_beside(column: Column, case: Case, said: Row) -> str | None:
    """The name of the person whose number stands in the column beside it."""
    beside = "who" if column.name == "name" else column.name.replace("_name", "_id")
    who = said.get(beside) or (said.get("id_number") if column.name == "name" else None)
    return str(persons()[case.label, who]["name"]) if who else None


def _delivered(feed: Feed, filled: Row, said: Row, month: date | None) -> tuple[date, date]:
    """The months in whose files a row stands: of a register as long as it is said, of an event its own."""
    if feed.mode == "snapshot":
        first = parse_month(said["from"]) if "from" in said else FIRST_MONTH
        return first, parse_month(said["until"]) if "until" in said else LAST_MONTH
    told = parse_month(said["told"]) if "told" in said else month or _first_date(feed, filled).replace(day=1)
    return told, told


def _first_date(feed: Feed, filled: Row) -> date:
    return next(filled[column.name] for column in feed.columns if column.type == "date" and filled[column.name])


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
