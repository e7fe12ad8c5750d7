"""The indicator catalogue, the benefits and their overlaps, and the version of the whole policy.

Belongs here: reading ``indicators.yaml`` and ``benefits.yaml`` into typed rows. Does not belong here: the
thresholds (``parameters``) and the SQL of an indicator (``dbt_project/models/monitoring``).

``indicators.yaml`` is a list; one entry reads::

    - indicator: N01
      side: need                            # need | exit
      family: spending                      # spending, income, members, event, ... as in the catalogue
      title: {zh: 医疗自付超预警线, en: Out-of-pocket medical spending above the line}
      subject: household                    # household | person: whom the value is about
      level: orange                         # the default level; SQL may raise it
      owner: 社会救助科                     # who answers for the rule
      unit: yuan                            # of value and threshold; a unit of the parameters, or text
      reason:                               # one plain sentence for the caseworker; {value} {threshold}
        zh: 近12个月医疗自付{value}，超过本类家庭的预警线{threshold}
        en: Out-of-pocket medical spending of {value} in 12 months, above the line of {threshold}
      programmes: ['31', '41']              # assistance the household may be entitled to, codes of `programme`
      benefits: []                          # benefits it may be entitled to, codes of `benefit`
      parameters: [n01_medical_line]        # every parameter its SQL reads
      sensitive: false                      # true: shows health, disability, custody or children
      built: true                           # false: in the catalogue, not computed yet

Days to answer go by level (parameter ``answer_days``); ``days_to_answer: 5`` overrides them for one indicator.
The order of the list is the order of strength within a level.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

POLICY_DIRECTORY = Path(__file__).parent
LEVELS = ("red", "orange", "yellow", "blue")
SIDES = ("need", "exit")


@dataclass(frozen=True)
class Indicator:
    """One row of the catalogue; ``sort_order`` is the position in it, strongest first."""

    indicator: str
    side: str
    family: str
    title_zh: str
    title_en: str
    subject: str
    default_level: str
    owner: str
    unit: str
    reason_zh: str
    reason_en: str
    programmes: tuple[str, ...]
    benefits: tuple[str, ...]
    parameters: tuple[str, ...]
    sensitive: bool
    built: bool
    days_to_answer: int | None
    sort_order: int


@dataclass(frozen=True)
class Benefit:
    """One kind of money paid: to whom, and until which event."""

    code: str
    paid_to: str
    stops_at: tuple[str, ...]
    counts_as_income: bool


@dataclass(frozen=True)
class Overlap:
    """Two benefits (or a benefit and a fact) and whether one person may have both in one month.

    ``rule`` is ``excluded`` (never both), ``once`` (one payment though entitled by both) or ``allowed``.
    """

    benefit_a: str
    benefit_b: str
    rule: str
    reason_zh: str
    reason_en: str
    source: str


@cache
def load_indicators(path: Path = POLICY_DIRECTORY / "indicators.yaml") -> dict[str, Indicator]:
    """The catalogue by indicator, in its order; empty where there is no catalogue."""
    items = _read(path, [])
    indicators = [_indicator_of(item, position) for position, item in enumerate(items, start=1)]
    return {indicator.indicator: indicator for indicator in indicators}


@cache
def load_benefits(path: Path = POLICY_DIRECTORY / "benefits.yaml") -> dict[str, Benefit]:
    """What each benefit is, by code."""
    return {
        str(code): Benefit(str(code), item["paid_to"], tuple(item["stops_at"]), bool(item["counts_as_income"]))
        for code, item in _read(path, {})["benefits"].items()
    }


@cache
def load_overlaps(path: Path = POLICY_DIRECTORY / "benefits.yaml") -> tuple[Overlap, ...]:
    """The overlap matrix, each unordered pair once."""
    return tuple(
        Overlap(
            benefit_a=item["pair"][0],
            benefit_b=item["pair"][1],
            rule=_one_of(item["rule"], ("excluded", "once", "allowed")),
            reason_zh=item["reason"]["zh"],
            reason_en=item["reason"]["en"],
            source=item["source"],
        )
        for item in _read(path, {})["overlaps"]
    )


def policy_version(directory: Path = POLICY_DIRECTORY) -> str:
    """Twelve letters that change with any byte of any policy file; letters only, so never like an ID number."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.yaml")):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return "".join(chr(ord("a") + byte % 26) for byte in digest.digest()[:12])


def _indicator_of(item: dict[str, Any], position: int) -> Indicator:
    name = item["indicator"]
    try:
        return Indicator(
            indicator=name,
            side=_one_of(item["side"], SIDES),
            family=item["family"],
            title_zh=item["title"]["zh"],
            title_en=item["title"]["en"],
            subject=_one_of(item["subject"], ("household", "person")),
            default_level=_one_of(item["level"], LEVELS),
            owner=item["owner"],
            unit=item["unit"],
            reason_zh=item["reason"]["zh"],
            reason_en=item["reason"]["en"],
            programmes=tuple(map(str, item.get("programmes", ()))),
            benefits=tuple(map(str, item.get("benefits", ()))),
            parameters=tuple(item.get("parameters", ())),
            sensitive=bool(item.get("sensitive", False)),
            built=bool(item.get("built", True)),
            days_to_answer=item.get("days_to_answer"),
            sort_order=position,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"indicator {name}: {error}") from error


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value


def _read(path: Path, empty: Any) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else empty
