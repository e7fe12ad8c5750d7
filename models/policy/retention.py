"""How long identities are kept: classes of record with their feeds and months, read from ``retention/*.yaml``.

Belongs here: the file format and its checks. Does not belong here: the numbers themselves, and who is past them
(``ingestion.vault``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from models.documents import read_document
from models.policy.place import POLICY_DIRECTORY

RETENTION_DIRECTORY = POLICY_DIRECTORY / "retention"
CLOCKS = ("after_last_appearance", "after_death", "after_leaving_register")


class RetentionError(ValueError):
    """A retention policy that cannot be used, or none of that name; says which and why."""


@dataclass(frozen=True)
class RetentionClass:
    """One class of record; months by clock (``CLOCKS``)."""

    name: str
    label_zh: str
    label_en: str
    feeds: tuple[str, ...]
    after_last_appearance: int
    after_death: int
    after_leaving_register: int
    source: str


@dataclass(frozen=True)
class DeathSource:
    """A column of days of death in a feed; where given, only rows with that content tell of one."""

    feed: str
    column: str
    where: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RetentionPolicy:
    """One policy; ``version`` is the SHA-256 of its file."""

    name: str
    label_zh: str
    label_en: str
    valid_from: date
    source: str
    register: str
    deaths: tuple[DeathSource, ...]
    classes: tuple[RetentionClass, ...]
    version: str

    def class_of(self, feed: str) -> RetentionClass | None:
        """The class of a feed; None for a feed without identities."""
        return next((item for item in self.classes if feed in item.feeds), None)


@cache
def load_retention(name: str, directory: Path = RETENTION_DIRECTORY) -> RetentionPolicy:
    """The policy of that name; ``RetentionError`` where there is none or its file cannot be used."""
    path = directory / f"{name}.yaml"
    known = sorted(item.stem for item in directory.glob("*.yaml"))
    if name not in known:
        raise RetentionError(f"no retention policy {name!r}; there are: {', '.join(known)}")
    return read_retention(path)


def read_retention(path: Path) -> RetentionPolicy:
    """Read one file."""
    data = path.read_bytes()
    try:
        return _policy_of(read_document(data), path.stem, hashlib.sha256(data).hexdigest())
    except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise RetentionError(f"{path.name}: {error}") from error


def _policy_of(document: Mapping[str, Any], stem: str, version: str) -> RetentionPolicy:
    if document["policy"] != stem:
        raise ValueError(f"the file must be named after its policy {document['policy']}")
    if not isinstance(document["from"], date):
        raise ValueError("from is no date")
    classes = tuple(_class_of(item) for item in document["classes"])
    feeds = [feed for item in classes for feed in item.feeds]
    twice = sorted({feed for feed in feeds if feeds.count(feed) > 1})
    if twice:
        raise ValueError(f"in two classes: {', '.join(twice)}")
    return RetentionPolicy(
        name=stem,
        label_zh=document["label"]["zh"],
        label_en=document["label"]["en"],
        valid_from=document["from"],
        source=document["source"],
        register=document["register"],
        deaths=tuple(
            DeathSource(item["feed"], item["column"], tuple((item.get("where") or {}).items()))
            for item in document["deaths"]
        ),
        classes=classes,
        version=version,
    )


def _class_of(item: Mapping[str, Any]) -> RetentionClass:
    months = item["months"]
    if set(months) != set(CLOCKS) or not all(isinstance(count, int) and count >= 0 for count in months.values()):
        raise ValueError(f"{item['class']}: months must say {', '.join(CLOCKS)} as whole numbers")
    return RetentionClass(
        name=item["class"],
        label_zh=item["label"]["zh"],
        label_en=item["label"]["en"],
        feeds=tuple(item["feeds"]),
        after_last_appearance=months["after_last_appearance"],
        after_death=months["after_death"],
        after_leaving_register=months["after_leaving_register"],
        source=item["source"],
    )
