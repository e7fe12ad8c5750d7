"""Cases of the rules as an official writes them: a household, what the departments say of it, what must follow.

Belongs here: reading ``cases/*.yaml`` into typed cases. Does not belong here: making deliveries of them
(``deliveries``), asking the warehouse (``test_cases``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

DIRECTORY = Path(__file__).parent / "cases"
Kind = Literal["typical", "boundary", "near_miss"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Expectation:
    """What must stand in a month: the rule fires (with these figures, where stated) or is silent."""

    month: date
    fires: bool
    stated: Row
    alone: bool
    """No other rule stands for the household in that month."""


@dataclass(frozen=True)
class TableExpectation:
    """A row that a table must have of a person (or of the person's household or county), or must not have.

    ``stated`` are columns with their values; without ``stands`` no row may have these values.
    """

    table: str
    month: date
    who: str
    stated: Row
    stands: bool


@dataclass(frozen=True)
class Case:
    """One household with its facts; ``label`` tells it from all others."""

    rule: str
    number: int
    name: str
    kind: Kind
    place: str
    people: dict[str, Row]
    facts: dict[str, list[Row]]
    expectations: tuple[Expectation, ...]
    rows: tuple[TableExpectation, ...]

    @property
    def label(self) -> str:
        return f"{self.rule}-{self.number:02d}"


@cache
def load_cases() -> tuple[Case, ...]:
    """All cases of all files; a file is one rule."""
    return tuple(case for path in sorted(DIRECTORY.glob("*.yaml")) for case in _cases_of(path))


def _cases_of(path: Path) -> list[Case]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [_case(document["rule"], number, entry) for number, entry in enumerate(document["cases"], start=1)]


def _case(rule: str, number: int, entry: Row) -> Case:
    unknown = set(entry) - {"name", "kind", "place", "people", "facts", "expect", "expect_table"}
    if unknown:
        raise ValueError(f"{rule} case {number}: {sorted(unknown)}")
    expectations = tuple(_expectation(month, said) for month, said in entry.get("expect", {}).items())
    rows = tuple(_table_expectations(entry.get("expect_table", {})))
    facts = {feed: list(rows) for feed, rows in (entry.get("facts") or {}).items()}
    place = entry.get("place", "urban")
    return Case(rule, number, entry["name"], entry["kind"], place, entry["people"], facts, expectations, rows)


def _expectation(month: str, said: str | Row) -> Expectation:
    stated = dict(said) if isinstance(said, dict) else {}
    if isinstance(said, str) and said not in ("fires", "alone", "silent"):
        raise ValueError(f"{said} is neither fires, alone nor silent")
    alone = said == "alone" or bool(stated.pop("alone", False))
    return Expectation(parse_month(month), said != "silent", stated, alone)


def _table_expectations(tables: dict[str, dict[str, dict[str, Any]]]) -> Iterator[TableExpectation]:
    """``{table: {month: {person: row}}}``; a row is its columns, ``none``, or ``{none: columns}`` for no such row."""
    for table, months in tables.items():
        for month, people in months.items():
            for who, said in people.items():
                stated = {} if said == "none" else dict(said)
                absent = said == "none" or "none" in stated
                yield TableExpectation(table, parse_month(month), who, stated.get("none", stated), not absent)


def parse_month(text: str) -> date:
    """``2024-06`` as the first day of that month."""
    year, month = text.split("-")
    return date(int(year), int(month), 1)
