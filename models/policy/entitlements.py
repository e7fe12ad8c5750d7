"""The catalogue of what a household or person may be entitled to, read from ``entitlements.yaml``.

Belongs here: reading it into typed rows. Does not belong here: when a condition holds (``dbt_project/models/alerts``)
and any number (``parameters``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.documents import read_document
from models.policy.catalogue import POLICY_DIRECTORY

KINDS = ("programme", "benefit", "aid")
PAID = ("monthly", "once", "none")
ANYWHERE = "any"


@dataclass(frozen=True)
class Assistance:
    """One programme, benefit or aid; ``codes`` by area (``any``, or ``urban`` and ``rural``), empty where it has none.

    ``conditions`` and ``verify`` are keys of texts; ``after`` are indicators that let one think of it.
    """

    assistance: str
    kind: str
    codes: dict[str, str]
    paid: str
    conditions: tuple[str, ...]
    verify: tuple[str, ...]
    after: tuple[str, ...]
    sort_order: int

    def code(self, area: str | None) -> str | None:
        """The code of the table ``programme`` or ``benefit`` for a place; None where there is none."""
        return self.codes.get(ANYWHERE) or self.codes.get(area or "")


@cache
def load_assistance(path: Path = POLICY_DIRECTORY / "entitlements.yaml") -> dict[str, Assistance]:
    """The catalogue by name, in the order in which it is shown; ``ValueError`` where an entry cannot be used."""
    items = read_document(path.read_text(encoding="utf-8"))["assistance"]
    found = [_assistance_of(item, position) for position, item in enumerate(items, start=1)]
    if len({item.assistance for item in found}) != len(found):
        raise ValueError(f"{path.name}: an assistance stands twice")
    return {item.assistance: item for item in found}


def _assistance_of(item: dict[str, Any], position: int) -> Assistance:
    if item["kind"] not in KINDS or item["paid"] not in PAID:
        raise ValueError(f"entitlements.yaml, entry {position}: kind or paid is none of {(*KINDS, *PAID)}")
    return Assistance(
        assistance=item["assistance"],
        kind=item["kind"],
        codes={str(area): str(code) for area, code in item["codes"].items()},
        paid=item["paid"],
        conditions=tuple(item["conditions"]),
        verify=tuple(item["verify"]),
        after=tuple(item.get("after", ())),
        sort_order=position,
    )
