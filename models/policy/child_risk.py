"""What a parent's state means for a child, and the reasons behind the four colours.

Belongs here: reading ``child_risk.yaml``. Does not belong here: finding out which child has which reason (dbt,
``monitoring.child_risk_reason``) and how often a colour is visited (parameter ``child_visit_interval_months``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.documents import read_document
from models.policy.catalogue import LEVELS
from models.policy.place import POLICY_DIRECTORY

CHILD_RISK_FILE = POLICY_DIRECTORY / "child_risk.yaml"
CARE = ("gone", "unable", "to_verify", "away", "able")


@dataclass(frozen=True)
class ParentState:
    """One state a parent may be in. ``told`` is false where no feed tells it."""

    state: str
    care: str
    waits: bool
    told: bool
    title_zh: str
    title_en: str


@dataclass(frozen=True)
class ChildRiskReason:
    """One reason of a colour; ``sort_order`` is the position in the catalogue, the gravest first."""

    reason: str
    level: str
    sort_order: int
    title_zh: str
    title_en: str


@cache
def load_parent_states(path: Path = CHILD_RISK_FILE) -> tuple[ParentState, ...]:
    """All states, told by a feed or not; ``ValueError`` where one means nothing known."""
    items = read_document(path.read_text(encoding="utf-8"))["parent_states"]
    for item in items:
        if item["care"] not in CARE:
            raise ValueError(f"{path.name}: {item['state']}: {item['care']!r} is none of {', '.join(CARE)}")
    return tuple(
        ParentState(item["state"], item["care"], item["waits"], item["told"], item["title"]["zh"], item["title"]["en"])
        for item in items
    )


@cache
def load_child_risk_reasons(path: Path = CHILD_RISK_FILE) -> tuple[ChildRiskReason, ...]:
    """All reasons in their order; ``ValueError`` where a level is unknown or graver than that of the one before."""
    items = read_document(path.read_text(encoding="utf-8"))["reasons"]
    levels = [LEVELS.index(item["level"]) for item in items]
    if levels != sorted(levels):
        raise ValueError(f"{path.name}: reasons are not ordered by level")
    return tuple(
        ChildRiskReason(item["reason"], item["level"], at, item["title"]["zh"], item["title"]["en"])
        for at, item in enumerate(items, start=1)
    )
