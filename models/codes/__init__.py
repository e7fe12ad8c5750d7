"""Code tables and the division list, read from the files beside this module into typed rows.

Belongs here: what a code is called and where a place belongs. Does not belong here: turning a cell of a
delivery into a code (``ingestion``) or the titles of our own things (``labels``).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from models.documents import read_document

CODE_DIRECTORY = Path(__file__).parent

DivisionLevel = Literal["city", "county", "township", "village"]
AreaType = Literal["urban", "rural"]
# Digits that are not zeros by rank: 4207 | 420702 | 420702100 | 420702100001.
SHORT_LENGTH: dict[DivisionLevel, int] = {"city": 4, "county": 6, "township": 9, "village": 12}


@dataclass(frozen=True)
class Label:
    """What a code is called."""

    zh: str
    en: str


@dataclass(frozen=True)
class CodeTable:
    """One code table; ``standard`` is the national standard it follows, if any."""

    name: str
    standard: str | None
    labels: dict[str, Label]


@dataclass(frozen=True)
class Division:
    """One place of the statistical division list; ``code`` and ``parent_code`` have 12 digits."""

    code: str
    name: str
    level: DivisionLevel
    parent_code: str

    @property
    def county_code(self) -> str | None:
        """The six digits of its county; None for the city."""
        return None if self.level == "city" else self.code[:6]

    @property
    def township_code(self) -> str | None:
        """The nine digits of its township or street; None above that."""
        return self.code[:9] if self.level in ("township", "village") else None

    @property
    def short_code(self) -> str:
        """The code without the zeros that only fill up: four, six, nine or twelve digits."""
        return self.code[: SHORT_LENGTH[self.level]]

    @property
    def area_type(self) -> AreaType | None:
        """Urban under a residents' committee, rural under a village committee; None above the village."""
        return area_type(self.code) if self.level == "village" else None


def area_type(village_code: str) -> AreaType:
    """Urban or rural by the last three digits of a 12-digit code of the statistical division list.

    001-199 residents' committee and 400-499 places like one are urban; 200-399 village committee and 500-599
    places like one are rural. Anything else (``000`` is a township) raises ``ValueError``.
    """
    kind = int(village_code[-3:]) if len(village_code) == 12 and village_code.isdigit() else 0
    if 1 <= kind <= 199 or 400 <= kind <= 499:
        return "urban"
    if 200 <= kind <= 399 or 500 <= kind <= 599:
        return "rural"
    raise ValueError(f"{village_code} is not the code of a village")


@cache
def load_code_tables(directory: Path = CODE_DIRECTORY) -> dict[str, CodeTable]:
    """All code tables by name, those of ``tables.yaml`` and the ethnic groups of GB/T 3304."""
    document = read_document((directory / "tables.yaml").read_text(encoding="utf-8"))
    tables = {name: _table_of(name, item) for name, item in document.items()}
    rows = _read_csv(directory / "ethnicity.csv")
    labels = {row["code"]: Label(row["label"], row["label_en"]) for row in rows}
    return {**tables, "ethnicity": CodeTable("ethnicity", "GB/T 3304", labels)}


@cache
def load_divisions(directory: Path = CODE_DIRECTORY) -> tuple[Division, ...]:
    """The divisions of the city in the order of the list: city, counties, townships, villages."""
    return tuple(
        Division(row["code"], row["name"], cast(DivisionLevel, row["level"]), row["parent_code"])
        for row in _read_csv(directory / "divisions.csv")
    )


def city_code() -> str:
    """The 12-digit code of the city that this installation serves."""
    (city,) = (division for division in load_divisions() if division.level == "city")
    return city.code


def code_label(table: str, code: str, lang: str = "zh") -> str:
    """What a code is called; ``KeyError`` where the table or the code is unknown."""
    label = load_code_tables()[table].labels[code]
    return label.en if lang == "en" else label.zh


def _table_of(name: str, item: dict[str, Any]) -> CodeTable:
    labels = {str(code): Label(label["zh"], label["en"]) for code, label in item["codes"].items()}
    return CodeTable(name, item.get("standard"), labels)


def _read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
