"""A report as one HTML page without any outside address: drawings inline, usable by keyboard, readable on a telephone.

Belongs here: rendering a document. Does not belong here: what stands in it.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from workbench.pages import page_environment, style
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


def html_page(document: Document) -> str:
    """The page."""
    environment = page_environment()
    environment.filters["sentence"] = _sentence
    environment.tests |= {"figure": lambda value: isinstance(value, Figure), "kind": _is_kind}
    template = environment.get_template("document.html.j2")
    return template.render(d=document, css=style("document.css"), w=document.words, drawn=_drawn, figure=_figure)


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
