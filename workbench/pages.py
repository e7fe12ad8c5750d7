"""How pages are made of templates: where these lie, what is escaped, what a missing word does.

Belongs here: the one environment of all pages. Does not belong here: what stands in a page.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATE_DIRECTORY = Path(__file__).parent / "templates"


def page_environment() -> Environment:
    """Every text that comes in is escaped; a word that a template wants and nobody gives is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATE_DIRECTORY),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style(*sheets: str) -> Markup:
    """Our own style sheets, not texts that came in: the only markup that is not escaped."""
    return Markup("\n".join((TEMPLATE_DIRECTORY / name).read_text(encoding="utf-8") for name in sheets))


def render_page(template: str, **words: Any) -> str:
    """The page of a template that wants no filters of its own."""
    return page_environment().get_template(template).render(**words)
