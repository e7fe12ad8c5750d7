"""Why an alert stands and what became of a delivery, as tables in a language and as one page without a name in it.

Belongs here: words and form. Does not belong here: finding the rows (``orchestration.trail.explain``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Literal

import polars as pl

from models.labels import label
from models.policy import load_parameters
from models.policy.source import source_in
from workbench.pages import render_page

NUMBERS = frozenset({"value", "threshold", "row_number", "count"})
MONTHS = frozenset({"month", "first_month"})
# Codes that a reader has words for, by column: the group of their labels.
WORDS = {"level": "level", "side": "side", "status": "alert_state"}


@dataclass(frozen=True)
class Explanation:
    """One subject and its tables, by the name of their heading, in the order in which they are read."""

    kind: Literal["alert", "delivery"]
    subject: str
    lang: str
    tables: Mapping[str, pl.DataFrame]

    @property
    def title(self) -> str:
        """What is explained."""
        return label(f"explain.title_{self.kind}", self.lang, id=self.subject)

    def heading(self, table: str) -> str:
        """The heading of a table."""
        return label(f"explain.{table}", self.lang)

    def column(self, name: str) -> str:
        """The heading of a column."""
        return label(f"explain.column.{name}", self.lang)

    def document(self) -> dict[str, Any]:
        """The same for other programs: names of columns stay, words are in the language."""
        tables = {name: _plain_rows(table) for name, table in self.tables.items()}
        return {"kind": self.kind, "subject": self.subject, **tables}


def explanation_page(found: Explanation) -> str:
    """One HTML page that loads nothing; every text that came in is escaped."""
    tables = [(name, table.columns, table.rows(named=True)) for name, table in found.tables.items()]
    return render_page(
        "explanation.html.j2",
        found=found,
        tables=tables,
        numbers=NUMBERS,
        shown=partial(shown, found.lang),
        note=label("explain.nobody", found.lang),
        none=label("explain.none", found.lang),
    )


def shown(lang: str, column: str, value: object) -> str:
    """A cell for people: codes in words, months and days short, numbers without zeros at the end, no open end."""
    if value is None or value == date(9999, 12, 31):
        return ""
    if column in WORDS:
        return label(f"{WORDS[column]}.{value}", lang)
    if column == "parameter" and value in load_parameters():
        parameter = load_parameters()[str(value)]
        return parameter.label_zh if lang == "zh" else parameter.label_en
    if column == "source_document":
        return source_in(str(value), lang)
    if column in MONTHS and isinstance(value, date):
        return f"{value:%Y-%m}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "✓" if value else ""
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text and text.replace(".", "").lstrip("-").isdigit() else text


def _plain_rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    return table.with_columns(pl.selectors.decimal().cast(pl.Float64)).to_dicts()
