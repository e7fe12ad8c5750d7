"""What departments say against each other, as checks: one for each kind and feed.

Belongs here: which feed's word is compared with which, and what share is still allowed. Does not belong here: finding
contradictions (``dbt_project/models/identity/contradiction``), who is believed (``models.policy.precedence``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from models.contract import Feed, load_feeds
from models.quality.document import CATALOGUE_FILE, CatalogueError, catalogue_document

NAMED = "named"
_KEYS = {"id", "against", "feeds", "compared", "dimension", "class", "threshold", "title", "reason"}


@dataclass(frozen=True)
class ContradictionCheck:
    """One feed's word against another's; ``owner`` is the department that is to look."""

    check_id: str
    contradiction: str
    feed: str
    against: str
    compared: str
    dimension: str
    check_class: str
    threshold: float
    owner: str
    title_zh: str
    title_en: str
    reason_zh: str
    reason_en: str

    @property
    def pair(self) -> str:
        """Both sides, as the results name them."""
        return f"{self.against}+{self.feed}"


@cache
def load_contradiction_checks(path: Path = CATALOGUE_FILE) -> tuple[ContradictionCheck, ...]:
    """Every kind of contradiction for each of its feeds, in the order of the catalogue."""
    entries = catalogue_document(path)["contradictions"]
    return tuple(check for entry in entries for check in _checks_of(entry, load_feeds()))


def _checks_of(entry: Mapping[str, Any], feeds: Mapping[str, Feed]) -> Iterator[ContradictionCheck]:
    if set(entry) != _KEYS:
        wrong = ", ".join(sorted(set(entry) ^ _KEYS))
        raise CatalogueError(f"{entry.get('id')}: unknown or missing {wrong}")
    names = _named(entry["against"], feeds) if entry["feeds"] == NAMED else entry["feeds"]
    for name in names:
        if name in feeds:
            yield _check(entry, feeds[name])


def _named(against: str, feeds: Mapping[str, Feed]) -> list[str]:
    """Feeds that give a name beside an ID number."""
    return [
        feed.name
        for feed in feeds.values()
        if feed.name != against and {"id", "name"} <= {column.type for column in feed.columns}
    ]


def _check(entry: Mapping[str, Any], feed: Feed) -> ContradictionCheck:
    return ContradictionCheck(
        check_id=f"{feed.name}.{entry['id']}",
        contradiction=entry["id"],
        feed=feed.name,
        against=entry["against"],
        compared=entry["compared"],
        dimension=entry["dimension"],
        check_class=entry["class"],
        threshold=float(entry["threshold"]),
        owner=feed.department,
        title_zh=entry["title"]["zh"],
        title_en=entry["title"]["en"],
        reason_zh=entry["reason"]["zh"],
        reason_en=entry["reason"]["en"],
    )
