"""How a feed is graded in a month: parts with weights, least scores of the grades.

Belongs here: the formula with its words, and the parameters of a month put into it. Does not belong here: computing it
(``dbt_project/models/quality/feed_scorecard``); weights, worst values and least scores are parameters of policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from models.codes import city_code
from models.policy import parameter_value
from models.quality.document import CATALOGUE_FILE, CatalogueError, catalogue_document

PARTS = ("on_time", "accepted", "mandatory", "verifying", "contradiction")
WEIGHT, WORST, LEAST_SCORE = "quality_grade_weight", "quality_grade_worst", "quality_grade_least_score"


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
def grades(path: Path = CATALOGUE_FILE) -> tuple[tuple[str, ...], str, str]:
    """The grades, the best first; the one that a failed mandatory check caps at; the one for what did not arrive."""
    written = catalogue_document(path)["grade"]
    names = tuple(str(name) for name in written["grades"])
    if not {written["cap_mandatory"], written["not_arrived"]} <= set(names):
        raise CatalogueError("grade: cap_mandatory and not_arrived must be grades")
    return names, written["cap_mandatory"], written["not_arrived"]


@cache
def load_grade(month: date, path: Path = CATALOGUE_FILE) -> Grade:
    """The formula as it holds in a month; ``CatalogueError`` where a part is missing or the bounds are in disorder."""
    written = catalogue_document(path)["grade"]
    parts = tuple(_part(part, month) for part in written["parts"])
    if tuple(part.part for part in parts) != PARTS:
        raise CatalogueError(f"grade: the parts must be {', '.join(PARTS)}")
    names, cap, not_arrived = grades(path)
    bounds = tuple((name, _value(LEAST_SCORE, month, name)) for name in names)
    least = [bound for _, bound in bounds]
    if least != sorted(least, reverse=True) or least[-1] != 0:
        raise CatalogueError(f"{LEAST_SCORE}: least scores must fall, to 0")
    title, formula = written["title"], written["formula"]
    return Grade(title["zh"], title["en"], formula["zh"], formula["en"], parts, bounds, cap, not_arrived)


def _part(written: dict[str, dict[str, str]], month: date) -> GradePart:
    part = str(written["part"])
    weight, worst = _value(WEIGHT, month, part), _value(WORST, month, part)
    reasons = (written["reason"][lang].format(worst=worst) for lang in ("zh", "en"))
    return GradePart(part, weight, worst, written["title"]["zh"], written["title"]["en"], *reasons)


def _value(parameter: str, month: date, key: str) -> float:
    return float(parameter_value(parameter, city_code()[:6], month, key))
