"""What a table of the data-quality report is, and how its cells are worded.

Belongs here: columns and their kinds, texts of codes, shapes of numbers, months. Does not belong here: any figure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import polars as pl

from models.labels import LabelError, label

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness", "accuracy")
CLASSES = ("mandatory", "verifying")
STATES = ("passed", "failed", "not_applicable", "could_not_run")

ColumnKind = Literal["text", "number", "share", "state"]
NUMBER_COLUMNS = (
    "count",
    "files",
    "accepted_files",
    "rows_data",
    "rows_lake",
    "rows_framing",
    "rows_accepted",
    "rows_quarantined",
    "difference",
    "defects",
    "failed",
    "numerator",
    "denominator",
    "row_number",
)
SHARE_COLUMNS = ("accepted_share", "share", "threshold")


@dataclass(frozen=True)
class Table:
    """One table of the report: keys of its columns (``quality.column.*``) and rows of plain cells."""

    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def kind(self, column: str) -> ColumnKind:
        if column in STATES or column in NUMBER_COLUMNS:
            return "number"
        if column in SHARE_COLUMNS:
            return "share"
        return "state" if column == "state" else "text"

    def where(self, column: str, value: Any) -> Table:
        """The same table with only the rows of that value."""
        position = self.columns.index(column)
        return Table(self.key, self.columns, tuple(row for row in self.rows if row[position] == value))


def words(group: str, code: str | None, lang: str) -> str:
    """The text for a code of ours; an unknown one (of a later version) stands for itself."""
    if not code:
        return ""
    head, _, detail = code.partition(":")
    try:
        return label(f"{group}.{head}", lang) + (f" ({detail.strip()})" if detail else "")
    except LabelError:
        return code


def number(value: float) -> str:
    """A count or an amount, without decimals from 100 on."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"


def percent(value: float) -> str:
    """A share; one that is small but not nothing does not look like nothing."""
    if 0 < value < 0.0005:
        return "<0.1%"
    return f"{100 * value:.1f}%"


def counts_of(text: str | None) -> dict[str, int]:
    """A map of reason to count, as the ledger keeps it: JSON text."""
    found: dict[str, int] = json.loads(text or "{}")
    return found


def month_after(month: str) -> str:
    """The month after one written YYYY-MM."""
    return ((date.fromisoformat(f"{month}-01")) + timedelta(days=32)).strftime("%Y-%m")


def due_on(month: str, due_day: int) -> date:
    """The day of the following month, or its last where it is shorter."""
    following = date.fromisoformat(f"{month_after(month)}-01")
    last = (following.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return following.replace(day=min(due_day, last.day))


def months_until(month: str, count: int) -> tuple[str, ...]:
    """The last ``count`` months, ``month`` the last of them."""
    end = date.fromisoformat(f"{month}-01")
    months = [pl.select(pl.lit(end).dt.offset_by(f"-{back}mo")).item().strftime("%Y-%m") for back in range(count)]
    return tuple(reversed(months))
