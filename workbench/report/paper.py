"""A report on paper: set by typst as tagged PDF/A with its fonts in it.

Belongs here: a document as the content of the template. Does not belong here: its look (``templates/document.typ``).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

from workbench.pdf import FONTS, FontMissingError
from workbench.report.document import (
    Block,
    Column,
    Document,
    Fold,
    Pair,
    Plot,
    Sentence,
    Sentences,
    StateGrid,
    Table,
    Terms,
)
from workbench.report.figure import Figure

TEMPLATE = Path(__file__).parent.parent / "templates" / "document.typ"
# Archivable, tagged (a), with Unicode for every glyph.
STANDARDS: list[Literal["a-2a"]] = ["a-2a"]
# A table on paper is cut after so many rows, where the page does not cut it before; the workbook has them all.
PAPER_ROWS = 90


@cache
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    if "Noto Sans SC" not in fonts.families():
        raise FontMissingError(f"no font Noto Sans SC in {FONTS}")
    return typst.Compiler(str(TEMPLATE), root=str(TEMPLATE.parent), font_paths=fonts)


def pdf(document: Document) -> bytes:
    """The document as PDF; the same document has the same bytes."""
    day = document.made_on
    made = datetime(day.year, day.month, day.day, tzinfo=UTC)
    data = _compiler().compile(
        format="pdf",
        sys_inputs={"content": json.dumps(_content(document), ensure_ascii=False)},
        timestamp=made,
        pdf_standards=list(STANDARDS),
    )
    if not isinstance(data, bytes):
        raise TypeError("typst gave no document")
    return data


def _content(document: Document) -> dict[str, Any]:
    cards = [
        {
            "title": card.title,
            "shown": card.figure.shown(document.lang),
            "beside": card.beside.text if card.beside else "",
            "tone": card.tone,
        }
        for card in document.cards
    ]
    parts = [
        {
            "title": part.title,
            "note": part.note,
            "new-page": part.on_new_page,
            # A table that is called as its part needs no second heading.
            "blocks": [
                made | ({"caption": False} if made.get("title") == part.title else {})
                for block in part.blocks
                if (made := _block(block, document))
            ],
        }
        for part in document.parts
    ]
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "verdict": _sentence(document.verdict),
        "cards": cards,
        "parts": parts,
        "footer": document.footer,
        "page": document.words["page"],
        "language": document.lang,
    }


def _block(block: Block, document: Document) -> dict[str, Any]:
    match block:
        case Table():
            return {} if block.is_annex else _table(block, document)
        case Plot():
            return {"kind": "plot", "title": block.title, "svg": block.svg, "summary": block.summary}
        case StateGrid():
            return _grid(block, document.lang)
        case Fold():
            inner = [_block(one, document) for one in block.blocks]
            return {"kind": "fold", "title": block.title, "facts": block.facts, "tone": block.tone, "blocks": inner}
        case Pair():
            return {"kind": "pair", "blocks": [_block(one, document) for one in block.blocks]}
        case Terms():
            return {"kind": "terms", "items": [list(item) for item in block.items]}
        case Sentences():
            return {"kind": "sentences", "title": block.title, "sentences": [_sentence(one) for one in block.sentences]}


def _table(table: Table, document: Document) -> dict[str, Any]:
    limit = min(table.shown or PAPER_ROWS, PAPER_ROWS)
    rest = len(table.rows) - limit
    return {
        "kind": "table",
        "caption": True,
        "title": table.title,
        "note": table.note,
        "empty": table.empty or document.words["nothing"],
        "more": document.words["more"].format(count=rest) if rest > 0 else "",
        "columns": [
            {"title": column.title, "kind": column.kind, "share": _share(column, at)}
            for at, column in enumerate(table.columns)
        ],
        "rows": [
            {"rank": row.rank, "tone": row.tone, "cells": [_shown(cell, document.lang) for cell in row.cells]}
            for row in table.rows[:limit]
        ],
    }


def _share(column: Column, at: int) -> float:
    """Width of a column: numbers share evenly, texts by what they usually hold."""
    if column.kind == "number":
        return 1.0
    return max(1.0, min(column.width / 14, 3.0)) + (0.4 if at == 0 else 0)


def _grid(grid: StateGrid, lang: str) -> dict[str, Any]:
    rows = [
        {
            "heading": heading,
            "cells": [
                [
                    {"state": state, "word": word, "shown": count.shown(lang), "value": int(count.value or 0)}
                    for state, word, count in states
                ]
                for states in cells
            ],
        }
        for heading, cells in grid.rows
    ]
    columns = [grid.table.columns[0].title, *grid.columns]
    return {"kind": "grid", "columns": columns, "rows": rows, "none": grid.none}


def _sentence(sentence: Sentence) -> dict[str, Any]:
    pieces = [{"text": piece.text, "figure": piece.figure is not None} for piece in sentence.pieces]
    return {"tone": sentence.tone, "pieces": pieces}


def _shown(cell: str | Figure, lang: str) -> str:
    return cell.shown(lang) if isinstance(cell, Figure) else cell
