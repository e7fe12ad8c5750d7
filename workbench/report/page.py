"""A report as one HTML page without any outside address: drawings inline, usable by keyboard, readable on a telephone.

Belongs here: rendering a document. Does not belong here: what stands in it.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from workbench.report.document import (
    Block,
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

TEMPLATE_DIRECTORY = Path(__file__).parent.parent / "templates"


def html_page(document: Document) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_DIRECTORY),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sentence"] = _sentence
    environment.tests |= {"figure": lambda value: isinstance(value, Figure), "kind": _is_kind}
    # Our own style sheet, not a text that came in.
    css = Markup((TEMPLATE_DIRECTORY / "document.css").read_text(encoding="utf-8"))
    template = environment.get_template("document.html.j2")
    return template.render(d=document, css=css, w=document.words, drawn=_drawn, figure=_figure)


def _sentence(sentence: Sentence) -> Markup:
    parts = [_figure(piece.figure, piece.text) if piece.figure else escape(piece.text) for piece in sentence.pieces]
    return Markup("").join(parts)


def _figure(figure: Figure, text: str) -> Markup:
    """A printed number knows which figure it is."""
    return Markup('<data value="{}" data-figure="{}">{}</data>').format(
        "" if not figure.is_known else str(figure.value), figure.id, text
    )


def _drawn(plot: Plot) -> Markup:
    # Drawn by ``plots``, which escapes every name.
    return Markup(plot.svg)


KINDS: dict[str, type] = {
    "table": Table,
    "plot": Plot,
    "grid": StateGrid,
    "fold": Fold,
    "terms": Terms,
    "sentences": Sentences,
    "pair": Pair,
}


def _is_kind(block: Block, name: str) -> bool:
    return isinstance(block, KINDS[name])
