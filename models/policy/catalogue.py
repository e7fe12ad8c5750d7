"""The indicator catalogue, the benefits and their overlaps, and the version of the whole policy.

Belongs here: reading ``indicators.yaml`` and ``benefits.yaml`` into typed rows. Does not
belong here: the thresholds (``parameters``) and the SQL of an indicator (``dbt_project/models/monitoring``).

The order of ``indicators.yaml`` is the order of strength within a level. Days to answer go by level (parameter
``answer_working_days``). What a reason lets one think of is in ``entitlements``: proposed, never decided.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.documents import read_document
from models.policy.place import POLICY_DIRECTORY as POLICY_DIRECTORY

LEVELS = ("red", "orange", "yellow", "blue")
SIDES = ("need", "exit")
# Of two benefits that exclude each other the higher is kept.
LOWER = "lower"


@dataclass(frozen=True)
class Indicator:
    """One row of the catalogue; ``sort_order`` is the position in it, strongest first."""

    indicator: str
    side: str
    family: str
    title_zh: str
    title_en: str
    explanation_zh: str
    explanation_en: str
    default_level: str
    owner_zh: str
    owner_en: str
    implemented: bool
    sort_order: int


@dataclass(frozen=True)
class Benefit:
    """One kind of money paid: to whom, and until which event."""

    code: str
    paid_to: str
    stops_at: tuple[str, ...]


@dataclass(frozen=True)
class Overlap:
    """Two benefits (or a benefit and a fact) and whether one person may have both in one month.

    ``rule`` is ``excluded`` (never both), ``once`` (one payment though entitled by both) or ``allowed``. Of an
    excluded pair ``goes`` is the benefit that was not due, or ``lower`` where the higher of the two is kept.
    """

    benefit_a: str
    benefit_b: str
    rule: str
    reason_zh: str
    reason_en: str
    source: str
    goes: str | None = None


@cache
def load_indicators(directory: Path = POLICY_DIRECTORY) -> dict[str, Indicator]:
    """The catalogue by indicator, in its order."""
    items = _read(directory / "indicators.yaml")["indicators"]
    indicators = [_indicator_of(item, position) for position, item in enumerate(items, start=1)]
    return {indicator.indicator: indicator for indicator in indicators}


@cache
def load_benefits(path: Path = POLICY_DIRECTORY / "benefits.yaml") -> dict[str, Benefit]:
    """What each benefit is, by code."""
    return {
        str(code): Benefit(str(code), item["paid_to"], tuple(item["stops_at"]))
        for code, item in _read(path)["benefits"].items()
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
            goes=_goes(item),
        )
        for item in _read(path)["overlaps"]
    )


def _goes(item: dict[str, Any]) -> str | None:
    if item["rule"] != "excluded":
        return None
    return _one_of(item["goes"], (*item["pair"], LOWER))


def policy_version(directory: Path = POLICY_DIRECTORY) -> str:
    """Twelve letters that change with any byte of any policy file; letters only, so never like an ID number."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.yaml")):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return "".join(chr(ord("a") + byte % 26) for byte in digest.digest()[:12])


def _indicator_of(item: dict[str, Any], position: int) -> Indicator:
    try:
        return Indicator(
            indicator=item["indicator"],
            side=_one_of(item["side"], SIDES),
            family=item["family"],
            title_zh=item["title"]["zh"],
            title_en=item["title"]["en"],
            explanation_zh=item["explanation"]["zh"],
            explanation_en=item["explanation"]["en"],
            default_level=_one_of(item["level"], LEVELS),
            owner_zh=item["owner"]["zh"],
            owner_en=item["owner"]["en"],
            implemented=bool(item["implemented"]),
            sort_order=position,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"indicators.yaml, entry {position}: {error}") from error


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value


def _read(path: Path) -> Any:
    return read_document(path.read_text(encoding="utf-8"))
