"""The cases of the catalogue as typed objects, read from ``cases/*.yaml`` and ``rules.yaml``.

Belongs here: the fields of a case and their defaults. Does not belong here: making the file of a case (``files``),
taking it in (``tests/ingestion/test_defects.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

FOLDER = Path(__file__).parent
NEAR_MISS = "near_miss"


@dataclass(frozen=True)
class Case:
    """One file (or several one after another) and everything that the ledger must say of it.

    ``is_`` is ``hit`` where the defect or treatment of the rule occurs, ``near_miss`` where it only seems to.
    The file has ``rows`` good rows but for what is said: ``cell`` changes the second row, ``values`` put one text
    each into ``column`` of the rows from the second on, ``layout`` says row by row what stands in the file,
    ``build`` names a function of ``broken``. What is not stated of the outcome is zero, empty or none.
    """

    id: str
    rule: str
    is_: Literal["hit", "near_miss"]
    feed: str = "death_record"
    forms: tuple[str, ...] = ("csv",)
    rows: int = 12
    cell: dict[str, str] = field(default_factory=dict)
    column: str = ""
    values: dict[str, Any] | list[str] = field(default_factory=list)
    layout: list[Any] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    extra: dict[str, str] = field(default_factory=dict)
    build: str = ""
    name: str = "报送_202303"
    extension: str = ""
    sidecar: dict[str, Any] | str | None = None
    before: tuple[dict[str, Any], ...] = ()
    note: str = ""
    xfail: str = ""
    # What the ledger must say.
    status: str = "accepted"
    reason: str | None = None
    detail: str | None = None
    data: int | None = None
    framing: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    defects: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    period: str | None = "2023-03"
    division: str | None = None
    stored: dict[str, Any] = field(default_factory=dict)


@cache
def load_rules() -> dict[str, str]:
    """The sentences of feeds.md by the names under which cases prove them."""
    text = (FOLDER / "rules.yaml").read_text(encoding="utf-8")
    return {str(name): str(sentence) for name, sentence in yaml.safe_load(text).items()}


@cache
def load_cases() -> tuple[Case, ...]:
    """All cases in the order of the files."""
    cases = []
    for path in sorted((FOLDER / "cases").glob("*.yaml")):
        cases += [_case(item, path) for item in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return tuple(cases)


def _case(item: dict[str, Any], path: Path) -> Case:
    known = {one.name: one for one in fields(Case)}
    item = {"is_" if name == "is" else name: value for name, value in item.items()}
    unknown = set(item) - set(known)
    if unknown:
        raise ValueError(f"{path.name}: {item.get('id')}: {', '.join(sorted(unknown))}")
    tuples = {"forms", "without", "warnings", "drift", "before"}
    return Case(**{name: tuple(value) if name in tuples else value for name, value in item.items()})
