"""The hash chain of the audit log: what a record is, how one follows from another, what is wrong with a chain.

Belongs here: pure functions over records and heads. Where they lie, and who may append, is in ``audit``.

A record is canonical JSON (sorted keys, no blanks, UTF-8); its digest is the SHA-256 of the digest before and of the
record. Each record bears its number, so that one moved or taken out shows even where all later digests were made
anew; the heads, kept at another place, show that too, and what was cut off at the end.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

START = "0" * 64
Kind = Literal["altered", "missing", "reordered", "truncated", "not anchored"]
# A process killed between the record and its head leaves one record without a head; more were added by no command.
UNANCHORED_BY_A_KILL = 1


@dataclass(frozen=True)
class Entry:
    """One stored record: its place, its text and the digest stored beside it."""

    number: int
    content: str
    digest: str


@dataclass(frozen=True)
class Head:
    """What stands at the other place: so many records, and the digest of the last of them, at that time."""

    count: int
    digest: str
    at: str


@dataclass(frozen=True)
class Fault:
    """The first record that is not as it was written."""

    number: int
    kind: Kind
    what: str


def canonical(record: Mapping[str, object]) -> str:
    """The one text of a record."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest_of(previous: str, content: str) -> str:
    """The digest of a record that follows the one with digest ``previous``."""
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def following(last: Entry | None, record: Mapping[str, object]) -> Entry:
    """The entry of a record appended after ``last`` (None: the first)."""
    number, previous = (last.number + 1, last.digest) if last else (1, START)
    content = canonical({**record, "number": number})
    return Entry(number, content, digest_of(previous, content))


def first_fault(entries: Sequence[Entry], heads: Sequence[Head]) -> Fault | None:
    """The first thing wrong with a chain, None where it is whole.

    ``entries`` are in the order of their places, ``heads`` in that of the file at the other place.
    """
    anchored = {head.count: head.digest for head in heads}
    previous = START
    for place, entry in enumerate(entries, start=1):
        fault = _fault_of(place, entry, previous, anchored)
        if fault:
            return fault
        previous = entry.digest
    return _fault_at_the_end(len(entries), heads)


def _fault_of(place: int, entry: Entry, previous: str, anchored: Mapping[int, str]) -> Fault | None:
    if entry.number != place:
        return Fault(place, "missing", f"record {place} is missing: after {place - 1} comes {entry.number}")
    said = _number_in(entry.content)
    if said is not None and said != place:
        return Fault(place, "reordered", f"in the place of record {place} stands record {said}")
    if said is None or digest_of(previous, entry.content) != entry.digest:
        return Fault(place, "altered", f"record {place} is not what was written: its digest does not fit")
    if place in anchored and anchored[place] != entry.digest:
        return Fault(place, "altered", f"record {place} was written anew: its digest is not the one in the anchor")
    return None


def _number_in(content: str) -> int | None:
    try:
        number = json.loads(content)["number"]
    except (ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else None


def _fault_at_the_end(count: int, heads: Sequence[Head]) -> Fault | None:
    for place, head in enumerate(heads, start=1):
        if head.count != place:
            return Fault(place, "not anchored", f"the head of record {place} is not in the anchor")
    if len(heads) > count:
        return Fault(count + 1, "truncated", f"record {count + 1} was cut off: the anchor knows {len(heads)} records")
    if count - len(heads) > UNANCHORED_BY_A_KILL:
        first = len(heads) + 1
        return Fault(first, "not anchored", f"the anchor does not know record {first} and those after it")
    return None


def head_line(head: Head) -> str:
    """A head as one line of the anchor."""
    return canonical({"count": head.count, "digest": head.digest, "at": head.at}) + "\n"


def read_heads(lines: Iterable[str]) -> list[Head]:
    """The heads of an anchor up to the first line that is none (cut by a kill, or altered)."""
    return list(itertools.takewhile(lambda head: head is not None, map(_head, lines)))  # type: ignore[arg-type]


def _head(line: str) -> Head | None:
    try:
        told = json.loads(line)
        return Head(int(told["count"]), str(told["digest"]), str(told["at"])) if line.endswith("\n") else None
    except (ValueError, KeyError, TypeError):
        return None
