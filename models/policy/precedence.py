"""Who is believed where two departments say different things of one person.

Belongs here: reading ``precedence.yaml``. Does not belong here: finding what differs (``identity.contradiction`` in
dbt, names in ``ingestion.name_conflict``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.documents import read_document
from models.policy.place import POLICY_DIRECTORY

PRECEDENCE_FILE = POLICY_DIRECTORY / "precedence.yaml"
# The ID number is a source of its own: it carries birth date and sex.
ID_NUMBER = "id_number"


@dataclass(frozen=True)
class SourceRank:
    """One source of one attribute: the lowest rank that tells the attribute is used."""

    attribute: str
    source: str
    rank: int
    reason_zh: str
    reason_en: str


@cache
def load_precedence(path: Path = PRECEDENCE_FILE) -> tuple[SourceRank, ...]:
    """All attributes with their sources in order; ``ValueError`` where a source is named twice."""
    ranks = []
    for attribute, entry in read_document(path.read_text(encoding="utf-8")).items():
        sources = entry["sources"]
        if len(set(sources)) != len(sources):
            raise ValueError(f"{path.name}: {attribute} names a source twice")
        reason = entry["reason"]
        ranks += [SourceRank(attribute, name, at, reason["zh"], reason["en"]) for at, name in enumerate(sources, 1)]
    return tuple(ranks)
