"""Texts that people read, Chinese and English side by side, one YAML file a room.

Belongs here: titles, headings, sentences. Does not belong here: labels of codes (``codes``), of parameters and
indicators (``policy``), of feeds (their contracts).

A file is a tree; the path of a leaf is its key: ``level: {red: {zh: 红色, en: Red}}`` is ``level.red``. A text
may carry ``{name}`` places to be filled.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from models.codes import Label
from models.documents import read_document

LABEL_DIRECTORY = Path(__file__).parent
LANGUAGES = ("zh", "en")


class LabelError(KeyError):
    """A text that nobody has written, or one written twice or in one language only."""


@cache
def load_labels(directory: Path = LABEL_DIRECTORY) -> dict[str, Label]:
    """All texts by key; a key in two files, or a text without its other language, is an error."""
    labels: dict[str, Label] = {}
    for path in sorted(directory.glob("*.yaml")):
        for key, text in _leaves(read_document(path.read_text(encoding="utf-8")) or {}, (), path.name):
            if key in labels:
                raise LabelError(f"{path.name}: {key} is also in another file")
            labels[key] = text
    return labels


def label(key: str, lang: str = "zh", **places: object) -> str:
    """The text of a key with its places filled; ``LabelError`` where key or language is unknown."""
    if lang not in LANGUAGES:
        raise LabelError(f"{lang} is none of {', '.join(LANGUAGES)}")
    known = load_labels()
    if key not in known:
        raise LabelError(f"no text for {key}")
    text = known[key].zh if lang == "zh" else known[key].en
    return text.format(**places) if places else text


def label_of_code(group: str, code: str | None, lang: str = "zh") -> str:
    """The text of a code; one that nobody has written (of a later version) stands for itself.

    What stands behind a colon is a detail of the code (a column, a number) and is kept in brackets.
    """
    head, _, detail = (code or "").partition(":")
    try:
        return label(f"{group}.{head}", lang) + (f" ({detail.strip()})" if detail else "") if head else ""
    except LabelError:
        return code or ""


def places_of(text: str) -> frozenset[str]:
    """The names of the places in a text."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def _leaves(tree: dict[str, Any], path: tuple[str, ...], file: str) -> Iterator[tuple[str, Label]]:
    for name, item in tree.items():
        here = (*path, str(name))
        if not isinstance(item, dict):
            raise LabelError(f"{file}: {'.'.join(here)} is neither a group nor a pair of zh and en")
        if set(item) & set(LANGUAGES):
            yield ".".join(here), _pair(item, ".".join(here), file)
        else:
            yield from _leaves(item, here, file)


def _pair(item: dict[str, Any], key: str, file: str) -> Label:
    if set(item) != set(LANGUAGES) or not all(isinstance(item[lang], str) and item[lang] for lang in LANGUAGES):
        raise LabelError(f"{file}: {key} needs exactly zh and en, both texts")
    return Label(item["zh"], item["en"])
