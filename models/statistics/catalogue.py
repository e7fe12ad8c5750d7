"""The three lists of the statistics as typed rows: figures, checks, measures by which townships are compared.

Belongs here: reading and proving the lists. Every figure of the warehouse is one entry; a figure without a definition
in both languages, a rate of unknown figures, a check nobody uses is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from models.documents import read_document

STATISTICS_DIRECTORY = Path(__file__).parent
SUBJECTS = (
    "register",
    "flow",
    "payment",
    "assistance",
    "alert",
    "funnel",
    "visit",
    "review",
    "check",
    "layers",
    "elder",
    "child",
)
UNITS = ("person", "household", "yuan", "alert", "visit", "case", "ratio")
CHECK_KINDS = ("horizontal", "vertical")
CHECK_RULES = ("identity", "explainable")
Row = TypeVar("Row")


@dataclass(frozen=True)
class Figure:
    """One statistical figure. Counts have ``source`` and ``expression``, rates ``numerator`` and ``denominator``.

    ``by`` is the column of the source by which the figure is split beside area and layer; ``total`` says whether the
    parts add up; ``sums`` whether the areas below add up; ``layers``
    whether a rate means anything within a layer; ``feed`` without whose delivery it is not known;
    ``people`` the counts of people that an amount rests on, which decide whether the public sees it.
    """

    figure: str
    subject: str
    title_zh: str
    title_en: str
    definition_zh: str
    definition_en: str
    unit: str
    source: str | None
    expression: str | None
    by: str | None
    total: bool
    sums: bool
    layers: bool
    feed: str | None
    numerator: str | None
    denominator: str | None
    people: tuple[str, ...]
    checks: tuple[str, ...]
    sort_order: int

    @property
    def is_rate(self) -> bool:
        """Whether the figure is a quotient of two others."""
        return self.numerator is not None


@dataclass(frozen=True)
class StatisticsCheck:
    """One check: of what against what, and by which reasons a difference may be explained."""

    check: str
    kind: str
    rule: str
    title_zh: str
    title_en: str
    left_zh: str
    left_en: str
    right_zh: str
    right_en: str
    reasons: tuple[str, ...]
    sort_order: int


@dataclass(frozen=True)
class OutlierMeasure:
    """One rate by which townships are compared; what a high and a low value mean: strict, loose, slow or quick."""

    measure: str
    title_zh: str
    title_en: str
    definition_zh: str
    definition_en: str
    strata_zh: str
    strata_en: str
    high: str
    low: str
    sort_order: int


@cache
def load_figures(path: Path = STATISTICS_DIRECTORY / "figures.yaml") -> dict[str, Figure]:
    """All figures by name, in their order."""
    figures = [_figure(item, at) for at, item in enumerate(_read(path)["figures"], start=1)]
    named = _by_name(figures, "figure", path)
    checks = load_checks()
    for figure in figures:
        unknown = {figure.numerator, figure.denominator, *figure.people} - {None, *named} | set(figure.checks) - set(
            checks
        )
        if unknown:
            raise ValueError(f"{path.name}: {figure.figure} names {', '.join(sorted(map(str, unknown)))}, unknown")
    return named


@cache
def load_checks(path: Path = STATISTICS_DIRECTORY / "checks.yaml") -> dict[str, StatisticsCheck]:
    """All checks by name, in their order."""
    checks = [_check(item, at) for at, item in enumerate(_read(path)["checks"], start=1)]
    return _by_name(checks, "check", path)


@cache
def load_outlier_measures(path: Path = STATISTICS_DIRECTORY / "outliers.yaml") -> dict[str, OutlierMeasure]:
    """All measures by name, in their order."""
    measures = [_measure(item, at) for at, item in enumerate(_read(path)["measures"], start=1)]
    return _by_name(measures, "measure", path)


def _figure(item: dict[str, Any], position: int) -> Figure:
    counted, rated = {"source", "expression"} <= set(item), {"numerator", "denominator"} <= set(item)
    if counted == rated:
        raise ValueError(f"figures.yaml: {item.get('figure')} is neither a count nor a rate")
    return Figure(
        figure=item["figure"],
        subject=_one_of(item["subject"], SUBJECTS),
        title_zh=item["title"]["zh"],
        title_en=item["title"]["en"],
        definition_zh=item["definition"]["zh"],
        definition_en=item["definition"]["en"],
        unit=_one_of(item["unit"], UNITS),
        source=item.get("source"),
        expression=item.get("expression"),
        by=item.get("by"),
        total=bool(item.get("total", False)),
        sums=bool(item.get("sums", True)) and not rated,
        layers=bool(item.get("layers", True)),
        feed=item.get("feed"),
        numerator=item.get("numerator"),
        denominator=item.get("denominator"),
        people=tuple(item.get("people", ())),
        checks=tuple(item.get("checks", ())),
        sort_order=position,
    )


def _check(item: dict[str, Any], position: int) -> StatisticsCheck:
    rule, reasons = _one_of(item["rule"], CHECK_RULES), tuple(item.get("reasons", ()))
    if (rule == "explainable") != bool(reasons):
        raise ValueError(f"checks.yaml: {item['check']}: reasons belong to what is explainable, and to that always")
    return StatisticsCheck(
        check=item["check"],
        kind=_one_of(item["kind"], CHECK_KINDS),
        rule=rule,
        title_zh=item["title"]["zh"],
        title_en=item["title"]["en"],
        left_zh=item["left"]["zh"],
        left_en=item["left"]["en"],
        right_zh=item["right"]["zh"],
        right_en=item["right"]["en"],
        reasons=reasons,
        sort_order=position,
    )


def _measure(item: dict[str, Any], position: int) -> OutlierMeasure:
    return OutlierMeasure(
        measure=item["measure"],
        title_zh=item["title"]["zh"],
        title_en=item["title"]["en"],
        definition_zh=item["definition"]["zh"],
        definition_en=item["definition"]["en"],
        strata_zh=item["strata"]["zh"],
        strata_en=item["strata"]["en"],
        high=_one_of(item["high"], ("strict", "loose", "slow")),
        low=_one_of(item["low"], ("strict", "loose", "quick")),
        sort_order=position,
    )


def _by_name(rows: list[Row], name: str, path: Path) -> dict[str, Row]:
    named = {str(getattr(row, name)): row for row in rows}
    if len(named) != len(rows):
        raise ValueError(f"{path.name}: a name stands twice")
    return named


def _one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{value} is none of {', '.join(known)}")
    return value


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = read_document(path.read_text(encoding="utf-8"))
    return content
