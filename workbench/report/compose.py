"""Sentences from templates and figures, grammatical in both languages.

Belongs here: filling a template so that each number in the sentence stays a figure. Does not belong here: the templates
(``models/labels``) and which sentence is right (the report).

A place is ``{name}`` for text or a bare number, ``{name:noun}`` for a number with its noun in the right form.
"""

from __future__ import annotations

import string

from models.labels import load_labels
from workbench.report.document import Piece, Sentence, Tone
from workbench.report.figure import Figure


def compose(key: str, lang: str, tone: Tone = "", /, **places: Figure | str) -> Sentence:
    """The sentence of a template; ``LabelError`` is raised by an unknown key, ``KeyError`` by a place without value."""
    text = load_labels()[key]
    pieces: list[Piece] = []
    for before, name, spec, _ in string.Formatter().parse(text.zh if lang == "zh" else text.en):
        if before:
            pieces.append(Piece(before))
        if name:
            pieces.append(_piece(places[name], spec or "", lang))
    return Sentence(_capital(pieces), tone)


def joined(sentences: list[Sentence], lang: str, tone: Tone = "") -> Sentence:
    """Several sentences as one paragraph."""
    pieces: list[Piece] = []
    for sentence in sentences:
        if pieces and lang != "zh":
            pieces.append(Piece(" "))
        pieces += sentence.pieces
    return Sentence(tuple(pieces), tone)


def _piece(value: Figure | str, noun: str, lang: str) -> Piece:
    if isinstance(value, str):
        return Piece(value)
    return Piece(value.phrase(noun, lang) if noun else value.shown(lang), value)


def _capital(pieces: list[Piece]) -> tuple[Piece, ...]:
    if pieces:
        first = pieces[0]
        pieces[0] = Piece(first.text[:1].upper() + first.text[1:], first.figure)
    return tuple(pieces)
