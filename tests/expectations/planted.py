"""A delivery with one planted defect, and one with a near miss, for every check of the rows of a feed.

Generated from catalogue and contracts; only checks written by hand say in ``every_check.yaml`` what makes them fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from expectations.catalogue import resolve_feed_checks
from expectations.check import Check, judged
from expectations.flags import Reference, prepared
from expectations.lake import InForce, lake_schema
from expectations.row_checks import ROW_KINDS, check_rows
from models.codes import load_code_tables
from models.contract import Feed, LakeField, load_feeds
from models.documents import read_document
from tests.expectations.city import letters

WRITTEN = read_document((Path(__file__).parent / "every_check.yaml").read_text(encoding="utf-8"))
FEEDS = load_feeds()
ROWS = 20
PERIOD, START, RECEIVED = "2024-04", date(2024, 4, 1), date(2024, 5, 6)
OLD_DAY, BORN = date(2020, 1, 1), date(1950, 5, 5)
FACTS = "facts"
Row = dict[str, Any]


@dataclass
class Case:
    """One delivery; ``fires`` is the only check that may fail on it (None: no check)."""

    feed: str
    delivery_id: str
    fires: str | None
    about: str
    rows: list[Row]


@dataclass
class Planted:
    """All cases, and what other feeds say of their persons."""

    cases: list[Case] = field(default_factory=list)
    persons: dict[str, tuple[date, str]] = field(default_factory=dict)
    facts: dict[str, list[Row]] = field(default_factory=dict)
    in_force: set[str] = field(default_factory=set)

    def add(self, feed: Feed, check: Check, cells: Row, count: int, *, fails: bool) -> None:
        number = len(self.cases)
        case = Case(
            feed.name,
            f"{feed.name}.{PERIOD}.{letters(number)}",
            check.check_id if fails else None,
            check.check_id,
            [],
        )
        listed = check.options.get("other") == feed.name
        if listed:
            self.in_force.add(case.delivery_id)
        for position in range(ROWS):
            extra = dict(cells) if position < count else {}
            repeated = extra.pop("_repeat", ())
            if position:
                extra |= {name: case.rows[0][name] for name in repeated}
            case.rows.append(self._row(feed, number * ROWS + position, position, extra, listed=listed))
        self.cases.append(case)

    def _row(self, feed: Feed, number: int, position: int, cells: Row, *, listed: bool) -> Row:
        person = f"person{letters(number)}"
        row = clean_row(feed, number, position, person) | cells
        own = {name: row.pop(name) for name in list(row) if name.startswith("_")}
        self.persons[person] = (own.get("_born", BORN), own.get("_sex", "1"))
        for other, told in own.get("_facts", {}).items():
            self.facts.setdefault(other, []).append({"person_key": person} | told)
        if own.get("_twin"):
            self.facts.setdefault(feed.name, []).append({"person_key": person, "status": "1"})
        elif not own.get("_unknown") and not (listed and feed.name == "population_register"):
            self.facts.setdefault("population_register", []).append({"person_key": person, "status": "1"})
        return row


def clean_row(feed: Feed, number: int, position: int, person: str) -> Row:
    """A row in which no check of the feed finds anything; keys differ from row to row."""
    row = {item.name: _clean_cell(feed, item, number, position) for item in feed.lake_fields}
    if "person_key" in row:
        row["person_key"] = person
    return row | WRITTEN["clean"].get(feed.name, {})


def _clean_cell(feed: Feed, item: LakeField, number: int, position: int) -> Any:
    column = feed.column(item.source)
    if column.type == "code":
        codes = list(load_code_tables()[str(column.code_table)].labels)
        return "1" if "1" in codes else codes[0]
    if column.type == "month":
        # Where the month alone is the key, each row has its own.
        return _months_before(position) if len(feed.key_columns) == 1 and column.key else START
    if column.type == "uscc":
        return f"A{number:017d}"
    plain = {"date": OLD_DAY, "division": "420702001001", "money": 100.0, "wan": 100.0, "int": 1, "decimal": 1.0}
    return plain.get(column.type, f"{item.name}{letters(number)}")


def _months_before(count: int) -> date:
    months = START.year * 12 + START.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)


def row_checks() -> dict[str, Check]:
    """Every check of rows of every feed."""
    return {check.check_id: check for check in resolve_feed_checks(FEEDS) if check.kind in ROW_KINDS}


def planted() -> Planted:
    """A defect and a near miss for each check of rows."""
    made = Planted()
    for check in row_checks().values():
        feed = FEEDS[check.subject]
        for cells, count, fails in _cells_of(check, feed):
            made.add(feed, check, cells, count, fails=fails)
    return made


def _cells_of(check: Check, feed: Feed) -> Iterator[tuple[Row, int, bool]]:
    name = check.check_id.removeprefix(f"{check.subject}.")
    if name in WRITTEN["cases"]:
        yield from _written_cells(check, WRITTEN["cases"][name], feed)
        return
    bad, near = (_with_beside(check, cells) for cells in _generated_cells(check, feed))
    yield bad, 2 if check.kind == "unique" else 1, True
    yield near, 2 if check.kind == "unique" else 1, False


def _with_beside(check: Check, cells: Row) -> Row:
    """What must go with a changed cell, so that other checks of the same row are told nothing."""
    column = check.columns[0]
    beside = WRITTEN["beside"].get(f"{check.subject}.{column}", {})
    made = cells | beside.get("cells", {})
    if cells.get(column) is None:
        return made
    if "same" in beside:
        made[beside["same"]] = cells[column]
    made |= {name: total - cells[column] for name, total in beside.get("balance", {}).items()}
    made |= {name: cells[column] - less for name, less in beside.get("difference", {}).items()}
    return made


def _written_cells(check: Check, case: Mapping[str, Any], feed: Feed) -> Iterator[tuple[Row, int, bool]]:
    allowed = int(check.threshold * ROWS)
    known = {item.name for item in feed.lake_fields}
    fails = {key: value for key, value in case["fails"].items() if key.startswith("_") or key in known}
    near = {key: value for key, value in case.get("near", {}).items() if key.startswith("_") or key in known}
    yield fails, case.get("rows", allowed + 1), True
    if "near" in case:
        yield near, case.get("rows", 1), False
    else:
        assert allowed, f"{check.check_id} allows nothing: its near miss must be written"
        yield fails, allowed, False


def _generated_cells(check: Check, feed: Feed) -> tuple[Row, Row]:
    """Cells that break a check of a contract, and cells at the very edge of what it allows."""
    column = check.columns[0]
    if check.kind == "not_null":
        return {column: None}, {}
    if check.kind == "unique":
        return {"_repeat": check.columns}, {"_repeat": check.columns[1:]}
    if check.kind == "in_set":
        codes = list(load_code_tables()[check.options["code_table"]].labels)
        return {column: "no code"}, {column: None if feed_column(feed, column).required is False else codes[-1]}
    if check.kind == "between":
        return _limits(check, column)
    if check.kind == "matches":
        return {column: "12345"}, {}
    return {column: RECEIVED + timedelta(days=1)}, {column: RECEIVED}


def feed_column(feed: Feed, name: str) -> Any:
    item = next(item for item in feed.lake_fields if item.name == name)
    return feed.column(item.source)


def _limits(check: Check, column: str) -> tuple[Row, Row]:
    low, high = check.options.get("minimum"), check.options.get("maximum")
    if low is not None:
        return {column: low if check.options.get("exclusive") else low - 1}, {
            column: low + 0.01 if check.options.get("exclusive") else low
        }
    assert high is not None
    return {column: high + 1}, {column: high}


def failing_by_case(made: Planted, lake: Path, feed: str, without: str | None = None) -> dict[str, set[str]]:
    """Failed checks of each case of a feed (by delivery), through Great Expectations; ``without`` is switched off."""
    own = [case for case in made.cases if case.feed == feed]
    checks = [check for check in row_checks().values() if check.subject == feed and check.check_id != without]
    rows = pl.concat([_frame(feed, case.delivery_id, case.rows) for case in own])
    rows = rows.with_columns(received_on=pl.lit(RECEIVED))
    flagged = prepared(rows, checks, _reference(made, lake))
    results = judged(check_rows(feed, flagged, checks, ("delivery_id", "period")).counts, checks)
    assert "could_not_run" not in set(results["state"]), results.filter(pl.col("state") == "could_not_run")
    failed = results.filter(pl.col("state") == "failed")
    found: dict[str, set[str]] = {case.delivery_id: set() for case in own}
    for delivery_id, check_id in failed.select("delivery_id", "check_id").iter_rows():
        found[delivery_id].add(check_id)
    return found


def _frame(feed: str, delivery_id: str, rows: list[Row]) -> pl.DataFrame:
    schema = lake_schema(FEEDS[feed])
    own = {"delivery_id": delivery_id, "period": PERIOD}
    full = [{**dict.fromkeys(schema), **row, **own, "row_number": at} for at, row in enumerate(rows, start=2)]
    return pl.DataFrame(full, schema=schema)


def write_lake(made: Planted, lake: Path) -> None:
    """What other feeds say, one delivery each, and the cases that must be in force themselves."""
    for feed, rows in made.facts.items():
        _write(lake, feed, f"{feed}.{PERIOD}.{FACTS}", rows)
    for case in made.cases:
        if case.delivery_id in made.in_force:
            _write(lake, case.feed, case.delivery_id, case.rows)
    for feed in FEEDS:
        if feed not in made.facts:
            _write(lake, feed, f"{feed}.{PERIOD}.{FACTS}", [])


def _write(lake: Path, feed: str, delivery_id: str, rows: list[Row]) -> None:
    path = lake / feed / f"period={PERIOD}" / f"{delivery_id}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    _frame(feed, delivery_id, rows).write_parquet(path)


def _reference(made: Planted, lake: Path) -> Reference:
    ids = [f"{feed}.{PERIOD}.{FACTS}" for feed in FEEDS] + sorted(made.in_force)
    validity = pl.DataFrame(
        {
            "delivery_id": ids,
            "feed": [name.split(".")[0] for name in ids],
            "area": [None] * len(ids),
            "excepted": [None] * len(ids),
            "valid_from": [START] * len(ids),
            "valid_to": [date(9999, 12, 31)] * len(ids),
        },
        schema_overrides={"area": pl.String, "excepted": pl.String},
    )
    persons = pl.DataFrame(
        [(key, born, sex) for key, (born, sex) in made.persons.items()],
        schema={"person_key": pl.String, "born_on": pl.Date, "sex": pl.String},
        orient="row",
    )
    return Reference(FEEDS, InForce(lake, validity), persons)
