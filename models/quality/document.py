"""Where the catalogue lies, and its text as plain values.

Belongs here: reading the file once. Does not belong here: what its entries mean.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from models.documents import read_document

CATALOGUE_FILE = Path(__file__).parent / "catalogue.yaml"


class CatalogueError(ValueError):
    """A catalogue that cannot be used; says which entry and why."""


@cache
def catalogue_document(path: Path = CATALOGUE_FILE) -> dict[str, Any]:
    """The catalogue's values as written: kinds, over_time, checks, tables, contradictions, grade."""
    return dict(read_document(path.read_text(encoding="utf-8")))
