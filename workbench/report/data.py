"""A report as data: every figure with where it is read from, every sentence and table by the figures it prints.

Belongs here: the JSON form, for other programs and for whoever checks a report by queries of their own.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from workbench.report.document import Document, Sentence, Table
from workbench.report.figure import Figure


def as_json(document: Document) -> bytes:
    """The document as UTF-8 JSON; what is hidden has no value."""
    content = {
        "name": document.name,
        "title": document.title,
        "month": f"{document.month:%Y-%m}",
        "language": document.lang,
        "made_on": document.made_on.isoformat(),
        "figures": [_figure(figure, document.lang) for _, figure in sorted(document.figures().items())],
        "sentences": [_sentence(one) for one in document.sentences()],
        "tables": [_table(table) for table in document.tables()],
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _figure(figure: Figure, lang: str) -> dict[str, Any]:
    """A figure: ``table``, ``column`` and ``where`` find it in the published tables, ``formula`` makes it of others."""
    return {
        "id": figure.id,
        "value": _number(figure.value) if figure.is_known else None,
        "shown": figure.shown(lang),
        "unit": figure.unit,
        "hidden": figure.hidden or None,
        "is_complete": figure.is_complete,
        "table": figure.table or None,
        "column": figure.column if figure.table else None,
        "where": dict(figure.where),
        "formula": list(figure.formula),
    }


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _sentence(sentence: Sentence) -> dict[str, Any]:
    figures = [piece.figure.id for piece in sentence.pieces if piece.figure]
    return {"text": sentence.text, "tone": sentence.tone or None, "figures": figures}


def _table(table: Table) -> dict[str, Any]:
    rows = [[{"figure": cell.id} if isinstance(cell, Figure) else cell for cell in row.cells] for row in table.rows]
    return {"key": table.key, "title": table.title, "columns": [one.title for one in table.columns], "rows": rows}
