"""What the data dictionary says beside contracts and models: columns of bookkeeping, and questions before a join.

Belongs here: reading those two lists. Does not belong here: columns of feeds (their contracts) and of models (dbt).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.codes import Label
from models.contract import load_feeds
from models.documents import read_document

DICTIONARY_DIRECTORY = Path(__file__).parent
# Stands for the columns that make a row unique, whatever they are called.
ANY_KEY = "*key*"


@dataclass(frozen=True)
class Question:
    """Something to ask before a table is joined, with the tables of which it is asked."""

    id: str
    text: Label
    columns: frozenset[str]
    layers: frozenset[str]
    sensitivity: str

    def is_asked(self, columns: Iterable[str], keys: Iterable[str], layer: str, sensitivity: str) -> bool:
        """Whether it is asked of a table with these columns, unique keys, layer and sensitivity."""
        if self.layers and layer not in self.layers:
            return False
        if self.sensitivity:
            return self.sensitivity == sensitivity
        if ANY_KEY in self.columns:
            return any(True for _ in keys)
        return not self.columns or bool(self.columns & set(columns))


@cache
def column_meanings(directory: Path = DICTIONARY_DIRECTORY) -> dict[str, Label]:
    """What stands in a column of bookkeeping or of a reference table, by its name."""
    written = read_document((directory / "columns.yaml").read_text(encoding="utf-8"))
    return {str(name): Label(text["zh"], text["en"]) for name, text in written.items()}


@cache
def chinese_names(directory: Path = DICTIONARY_DIRECTORY) -> dict[str, str]:
    """Chinese names of columns by name: of models and of bookkeeping, and those that every contract calls alike."""
    headings: dict[str, set[str]] = {}
    for feed in load_feeds().values():
        for field in feed.lake_fields:
            headings.setdefault(field.name, set()).add(feed.column(field.source).header)
    alike = {name: found.copy().pop() for name, found in headings.items() if len(found) == 1}
    written = read_document((directory / "names.yaml").read_text(encoding="utf-8"))
    meant = {name: meaning.zh for name, meaning in column_meanings(directory).items()}
    return alike | {str(name): str(text) for name, text in written.items()} | meant


@cache
def join_questions(directory: Path = DICTIONARY_DIRECTORY) -> tuple[Question, ...]:
    """The questions in their order."""
    written = read_document((directory / "questions.yaml").read_text(encoding="utf-8"))["questions"]
    return tuple(
        Question(
            str(item["id"]),
            Label(item["text"]["zh"], item["text"]["en"]),
            frozenset(item.get("columns", ())),
            frozenset(item.get("layers", ())),
            str(item.get("sensitivity", "")),
        )
        for item in written
    )
