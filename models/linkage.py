"""The declared passes that link rows to persons, read from ``linkage.yaml`` into typed objects.

Belongs here: which passes there are, in which order, what must agree, which columns count as second facts. Does
not belong here: how it is searched for (``ingestion.linkage``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from models.contract import Feed, load_feeds
from models.documents import read_document

LINKAGE_FILE = Path(__file__).parent / "linkage.yaml"

State = Literal["applied", "proposed", "review"]
Method = Literal["equal", "fifteen_digits", "one_edit", "leading_digits", "facts", "carried", "valid"]
# Words of evidence besides the second facts that the file names.
WORDS = (
    "name",
    "similar_name",
    "no_name",
    "birth_date",
    "birth_digits",
    "fifteenth_digit",
    "near_number",
    "one_edit",
    "new_person",
    "second_fact",
    "household",
)


class LinkageError(ValueError):
    """A declaration that cannot be used; says what is wrong with it."""


@dataclass(frozen=True)
class LinkagePass:
    """One pass; ``certain`` and ``review`` are sets of words of evidence of which one must agree wholly."""

    name: str
    order: int
    state: State
    method: Method
    reasons: tuple[str, ...] = ()
    tolerance: int = 0
    certain: tuple[frozenset[str], ...] = ()
    review: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Fact:
    """One kind of second fact; ``columns`` are pairs of feed and column, ``length`` of values that count."""

    name: str
    is_household: bool
    columns: tuple[tuple[str, str], ...]
    length: int | None = None


@dataclass(frozen=True)
class Carried:
    """In that feed, ``source`` holds the number of the same person as ``column`` (where the condition holds)."""

    feed: str
    column: str
    source: str
    when: tuple[str, str] | None = None


@dataclass(frozen=True)
class Linkage:
    """All that is declared, passes in their order."""

    passes: tuple[LinkagePass, ...]
    against: tuple[str, ...]
    facts: tuple[Fact, ...]
    carried: tuple[Carried, ...]

    def named(self, name: str) -> LinkagePass:
        """The pass of that name; ``KeyError`` where there is none."""
        for item in self.passes:
            if item.name == name:
                return item
        raise KeyError(f"no pass {name}")

    @property
    def household_facts(self) -> tuple[str, ...]:
        return tuple(fact.name for fact in self.facts if fact.is_household)


@cache
def load_linkage(path: Path = LINKAGE_FILE) -> Linkage:
    """The declaration; ``LinkageError`` where it names what does not exist."""
    document = read_document(path.read_text(encoding="utf-8"))
    try:
        linkage = Linkage(
            tuple(_pass_of(order, item) for order, item in enumerate(document["passes"], start=1)),
            tuple(document["against"]),
            tuple(_fact_of(item) for item in document["facts"]),
            tuple(_carried_of(item) for item in document["carried"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LinkageError(f"{path.name}: {error}") from error
    _check(linkage, load_feeds(), path.name)
    return linkage


def _pass_of(order: int, item: dict[str, Any]) -> LinkagePass:
    return LinkagePass(
        name=item["name"],
        order=order,
        state=cast(State, item["state"]),
        method=cast(Method, item["number"]),
        reasons=tuple(item.get("reasons", ())),
        tolerance=int(item.get("tolerance", 0)),
        certain=tuple(frozenset(words) for words in item.get("certain", ())),
        review=tuple(frozenset(words) for words in item.get("review", ())),
    )


def _fact_of(item: dict[str, Any]) -> Fact:
    columns = tuple((feed, column) for feed, _, column in (text.partition(".") for text in item["columns"]))
    return Fact(item["name"], bool(item.get("household", False)), columns, item.get("length"))


def _carried_of(item: dict[str, Any]) -> Carried:
    when = item.get("when")
    return Carried(item["feed"], item["column"], item["source"], (when["column"], str(when["value"])) if when else None)


def _check(linkage: Linkage, feeds: dict[str, Feed], file: str) -> None:
    """Every column must be one of a contract, every word one that is known."""
    named = [pair for fact in linkage.facts for pair in fact.columns]
    named += [(item.feed, column) for item in linkage.carried for column in (item.column, item.source)]
    for feed, column in named:
        if feed not in feeds or all(known.name != column for known in feeds[feed].columns):
            raise LinkageError(f"{file}: no column {feed}.{column}")
    words = {word for item in linkage.passes for group in (*item.certain, *item.review) for word in group}
    if unknown := words - {*WORDS, *(fact.name for fact in linkage.facts)}:
        raise LinkageError(f"{file}: {', '.join(sorted(unknown))} is no word of evidence")
    if any(item.certain and item.state != "proposed" for item in linkage.passes):
        raise LinkageError(f"{file}: only a proposed pass can be certain")
