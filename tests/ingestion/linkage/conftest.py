"""Persons with valid numbers, the passes over them, and a city whose files have rows without a usable number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest

from ingestion.linkage.candidate import CLAIM, CLAIM_FACT
from ingestion.linkage.known import FACTS, PEOPLE, PRESENT, KnownFrames
from ingestion.linkage.match import link
from ingestion.parse_identity import check_character
from models.linkage import load_linkage


def number(first_17: str) -> str:
    return first_17 + check_character(first_17)


FATHER = number("42070219800101101")
TWIN = number("42070220100305204")
OTHER_TWIN = number("42070220100305206")
MOTHER = number("42070319820914224")
NAMES = {FATHER: "张伟", TWIN: "张文", OTHER_TWIN: "张武", MOTHER: "李秀英"}


class Passes:
    """Known persons with their second facts, and the links of a claim made of words."""

    def __init__(self) -> None:
        self.people = list(NAMES.items())
        self.facts: list[tuple[str, str, str]] = []
        self.rows: list[tuple[str, str]] = []

    def links(self, *claims: dict[str, Any]) -> list[dict[str, Any]]:
        """Links of these claims (their order is their number); ``facts`` of a claim are pairs of kind and value."""
        rows = [
            {**dict.fromkeys(CLAIM), "claim": at, "reason": "id_invalid", **claim} for at, claim in enumerate(claims)
        ]
        facts = [(at, *fact) for at, claim in enumerate(claims) for fact in claim.get("facts", ())]
        found = link(
            pl.DataFrame([{name: row[name] for name in CLAIM} for row in rows], schema=CLAIM),
            pl.DataFrame(facts, schema=CLAIM_FACT, orient="row"),
            KnownFrames(frame(self.people, PEOPLE), frame(self.facts, FACTS), frame(self.rows, PRESENT)),
            load_linkage(),
        )
        return found.to_dicts()

    def link(self, **claim: Any) -> dict[str, Any] | None:
        """The only link of one claim; None where there is none."""
        found = self.links(claim)
        assert len(found) <= 1, found
        return found[0] if found else None


def frame(rows: Sequence[Any], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture
def passes() -> Passes:
    return Passes()


BORN = date(1980, 1, 1)
