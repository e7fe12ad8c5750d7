"""How a feed is graded in a month: parts with weights, bounds of the grades.

Belongs here: the formula as data. Does not belong here: computing it (``dbt_project/models/quality/feed_scorecard``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.quality.document import CATALOGUE_FILE, CatalogueError, catalogue_document

PARTS = ("on_time", "accepted", "mandatory", "verifying", "contradiction")


@dataclass(frozen=True)
class GradePart:
    """One part of the score: its weight, and the value at which it earns nothing."""

    part: str
    weight: float
    worst: float
    title_zh: str
    title_en: str
    reason_zh: str
    reason_en: str


@dataclass(frozen=True)
class Grade:
    """The formula: parts, bounds (grade and least score, the best first) and what caps a grade."""

    title_zh: str
    title_en: str
    formula_zh: str
    formula_en: str
    parts: tuple[GradePart, ...]
    bounds: tuple[tuple[str, float], ...]
    cap_mandatory: str
    not_arrived: str


@cache
def load_grade(path: Path = CATALOGUE_FILE) -> Grade:
    """The grade of the catalogue; raises ``CatalogueError`` where a part is missing or the bounds are in disorder."""
    written = catalogue_document(path)["grade"]
    parts = tuple(
        GradePart(
            part["part"],
            float(part["weight"]),
            float(part["worst"]),
            part["title"]["zh"],
            part["title"]["en"],
            part["reason"]["zh"],
            part["reason"]["en"],
        )
        for part in written["parts"]
    )
    bounds = tuple((str(bound["grade"]), float(bound["least"])) for bound in written["bounds"])
    if tuple(part.part for part in parts) != PARTS:
        raise CatalogueError(f"grade: the parts must be {', '.join(PARTS)}")
    least = [bound for _, bound in bounds]
    if least != sorted(least, reverse=True) or least[-1] != 0:
        raise CatalogueError("grade: bounds must fall, to 0")
    if not {written["cap_mandatory"], written["not_arrived"]} <= {grade for grade, _ in bounds}:
        raise CatalogueError("grade: cap_mandatory and not_arrived must be grades with a bound")
    return Grade(
        written["title"]["zh"],
        written["title"]["en"],
        written["formula"]["zh"],
        written["formula"]["en"],
        parts,
        bounds,
        written["cap_mandatory"],
        written["not_arrived"],
    )
