"""A report as a tree of parts, whatever form it is written in.

Belongs here: the shapes. Does not belong here: HTML, typst, Excel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from workbench.report.figure import Figure

CellValue = str | Figure
Tone = Literal["", "good", "caution", "bad"]


@dataclass(frozen=True)
class Piece:
    """A stretch of a sentence; ``figure`` is set where it prints one."""

    text: str
    figure: Figure | None = None


@dataclass(frozen=True)
class Sentence:
    """A sentence whose numbers know where they come from."""

    pieces: tuple[Piece, ...]
    tone: Tone = ""

    @property
    def text(self) -> str:
        """The sentence as it is read."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True)
class Column:
    """A column of a table; ``kind`` says how it is set, ``width`` how many characters Excel gives it."""

    title: str
    kind: Literal["text", "number", "state", "code"] = "text"
    width: float = 14


@dataclass(frozen=True)
class Row:
    """A line of a table: the first cell is its heading."""

    cells: tuple[CellValue, ...]
    rank: Literal["", "total", "sub"] = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Table:
    """A table; ``shown`` rows stand on page and paper, all of them in workbook and data (0: all everywhere)."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    empty: str = ""
    shown: int = 0
    is_annex: bool = False
    """Only in workbook and data."""


@dataclass(frozen=True)
class Plot:
    """A drawing with what it says in words and the table it is drawn from."""

    key: str
    title: str
    svg: str
    summary: str
    table: Table
    figures: tuple[Figure, ...] = ()
    wide: bool = False


@dataclass(frozen=True)
class StateGrid:
    """Counts by two headings, each cell several states as a bar with its numbers."""

    table: Table
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[tuple[str, str, Figure], ...], ...]], ...]
    """Row heading; for each column: state, its word, its count."""
    none: str


@dataclass(frozen=True)
class Fold:
    """Blocks under a heading that opens."""

    title: str
    facts: str
    tone: Tone
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Terms:
    """Words and what they mean."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sentences:
    """A list of sentences; ``title`` may be empty."""

    sentences: tuple[Sentence, ...]
    title: str = ""


@dataclass(frozen=True)
class Pair:
    """Blocks beside each other where there is room."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Card:
    """A large number."""

    title: str
    figure: Figure
    beside: Sentence | None = None
    tone: Tone = ""


Block = Table | Plot | StateGrid | Fold | Terms | Sentences | Pair


@dataclass(frozen=True)
class Part:
    """A section; ``on_new_page`` begins a page on paper."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    note: str = ""
    on_new_page: bool = False


@dataclass(frozen=True)
class Document:
    """A report in one language."""

    name: str
    month: date
    lang: str
    title: str
    subtitle: str
    verdict: Sentence
    cards: tuple[Card, ...]
    parts: tuple[Part, ...]
    footer: str
    made_on: date
    words: dict[str, str] = field(default_factory=dict)
    """Words of the frame: contents, skip, page, more, close."""

    def tables(self) -> list[Table]:
        """Every table, in order; those behind plots and grids too."""
        return [table for part in self.parts for block in part.blocks for table in tables_of(block)]

    def sentences(self) -> list[Sentence]:
        """Every sentence, in order."""
        beside = [card.beside for card in self.cards if card.beside]
        blocks = [block for part in self.parts for block in part.blocks]
        return [self.verdict, *beside, *(one for block in blocks for one in sentences_of(block))]

    def figures(self) -> dict[str, Figure]:
        """Every figure that is printed somewhere, once."""
        found: dict[str, Figure] = {}
        for figure in self._printed():
            known = found.setdefault(figure.id, figure)
            if known != figure:
                raise ValueError(f"{figure.id} is printed with two values")
        return found

    def _printed(self) -> Iterator[Figure]:
        yield from (card.figure for card in self.cards)
        for sentence in self.sentences():
            yield from (piece.figure for piece in sentence.pieces if piece.figure)
        for table in self.tables():
            yield from (cell for row in table.rows for cell in row.cells if isinstance(cell, Figure))
        for part in self.parts:
            for block in part.blocks:
                yield from drawn_of(block)


def tables_of(block: Block) -> list[Table]:
    """The tables in a block, those of what is folded in it too."""
    match block:
        case Table():
            return [block]
        case Plot() | StateGrid():
            return [block.table]
        case Fold() | Pair():
            return [table for inner in block.blocks for table in tables_of(inner)]
        case _:
            return []


def sentences_of(block: Block) -> Sequence[Sentence]:
    """The sentences in a block."""
    match block:
        case Sentences():
            return block.sentences
        case Fold() | Pair():
            return [one for inner in block.blocks for one in sentences_of(inner)]
        case _:
            return []


def drawn_of(block: Block) -> Iterator[Figure]:
    """The figures that are drawn."""
    match block:
        case Plot():
            yield from block.figures
        case StateGrid():
            yield from (count for _, cells in block.rows for states in cells for _, _, count in states)
        case Fold() | Pair():
            for inner in block.blocks:
                yield from drawn_of(inner)
