"""A report written in all its forms beside each other: page, PDF, workbook, data.

Belongs here: names of files, and that each appears at once or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.report.book import write_book
from workbench.report.data import as_json
from workbench.report.document import Document
from workbench.report.page import html_page
from workbench.report.paper import pdf

FORMS = ("html", "pdf", "xlsx", "json")


def write_report(document: Document, directory: Path, forms: Sequence[str] = FORMS) -> list[Path]:
    """Write the forms into ``directory``; returns the paths in the order of ``forms``."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for form in forms:
        path = directory / f"{document.name}_{document.lang}.{form}"
        if form == "xlsx":
            write_book(path, document)
        else:
            _put(path, _content(document, form))
        paths.append(path)
    return paths


def _content(document: Document, form: str) -> bytes:
    if form == "html":
        return html_page(document).encode()
    return pdf(document) if form == "pdf" else as_json(document)


def _put(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(content)
    aside.replace(path)
