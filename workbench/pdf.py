"""Reports on paper: facts, tables and notes set by typst as PDF, with the Chinese fonts embedded.

Belongs here: what all our PDFs share (fonts, look, the same bytes for the same content). Does not belong here: what
stands in a report, nor any word of it: everything arrives as text.

Fonts come with the package ``pylopdf-fonts-zh-cn`` (Noto Serif SC and Noto Sans SC), nothing else is looked for: a
report looks the same on every machine, and a machine without Chinese fonts sets it too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import typst
from pylopdf_fonts_zh_cn import sans_path

TEMPLATE = Path(__file__).parent / "templates" / "report.typ"
FONTS = sans_path().parent


class FontMissingError(RuntimeError):
    """The fonts of the reports are not where their package puts them."""


@dataclass(frozen=True)
class Column:
    """A column of a table: heading, alignment, and width as a share of the page (0: as wide as its words)."""

    title: str
    align: Literal["left", "right", "center"] = "left"
    share: float = 1.0
    small: bool = False


@dataclass(frozen=True)
class Section:
    """A heading with a table below it, or a sentence where there is no row; notes stand under the table."""

    title: str
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[str]] = ()
    empty: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """One report: all of it text, ready to be read."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    """Pairs of name and value, two pairs a line."""
    verdict: str
    """The one sentence for which the reader opened it."""
    findings: Sequence[tuple[str, str]]
    """Pairs that carry the verdict, beside each other."""
    sections: Sequence[Section] = field(default_factory=list)
    closing: Sequence[str] = ()
    footer: str = ""


@dataclass(frozen=True)
class PageWords:
    """The words of a page that are not part of a report."""

    page: str
    """With ``{page}`` and ``{pages}``."""
    language: Literal["zh", "en"]


class PdfRoom:
    """Sets reports; fonts are read once, so that a hundred reports cost little more than their pages."""

    def __init__(self, words: PageWords) -> None:
        self._words = words
        fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(FONTS)],
        )
        missing = {"Noto Sans SC", "Noto Serif SC"} - set(fonts.families())
        if missing:
            # typst would leave the words out without a word.
            raise FontMissingError(f"no font {', '.join(sorted(missing))} in {FONTS}")
        self._compiler = typst.Compiler(str(TEMPLATE), root=str(TEMPLATE.parent), font_paths=fonts)

    def pdf(self, reports: Sequence[Report], title: str, made_on: date) -> bytes:
        """Reports as one document, each beginning on a page of its own and counting its own pages."""
        content = {
            "title": title,
            "language": self._words.language,
            "page": self._words.page,
            "reports": [asdict(report) for report in reports],
        }
        made_at = datetime(made_on.year, made_on.month, made_on.day, tzinfo=UTC)
        data = self._compiler.compile(
            format="pdf", sys_inputs={"content": json.dumps(content, ensure_ascii=False)}, timestamp=made_at
        )
        if not isinstance(data, bytes):
            raise TypeError("typst gave no document")
        return data

    def write(self, path: Path, reports: Sequence[Report], title: str, made_on: date) -> None:
        """Write such a document in one step, for its reader alone."""
        write_private(path, self.pdf(reports, title, made_on))


def write_private(path: Path, content: bytes) -> None:
    """Put a file with identities in place at once, closed to others from the first byte on."""
    aside = path.with_name(f".{path.name}.part")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    aside.replace(path)
