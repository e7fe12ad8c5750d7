"""The data dictionary: every table and column with what it is, where it comes from, and who may see it.

Belongs here: what an entry has, and what is missing of it. Does not belong here: reading dbt and contracts
(``orchestration.reporting.dictionary``), how a page looks (``dictionary_site``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# From what anybody may see to what only few need.
SENSITIVITIES = ("public", "internal", "pseudonym", "sensitive", "identity")


@dataclass(frozen=True)
class Column:
    """A column. ``sources`` are columns of other tables, ``feeds`` what departments delivered in the end."""

    name: str
    type: str
    heading_zh: str
    description: str
    sources: tuple[tuple[str, str, str], ...]
    """Schema, table, column."""
    feeds: tuple[tuple[str, str], ...]
    """Feed and heading."""
    made: str
    """Where no column is copied or computed from: how it comes about (``counted``, ``published``, ``delivered``)."""
    sensitivity: str


@dataclass(frozen=True)
class Table:
    """A table of the warehouse, the lake or the reference tables."""

    schema: str
    name: str
    title_zh: str
    grain: str
    grain_zh: str
    """Made of the Chinese names of the keys; empty where one has none."""
    description: str
    keys: tuple[str, ...]
    access: str
    """``public`` (published to readers), ``protected`` (other layers), ``private`` (its own group), ``lake``,
    ``reference``."""
    columns: tuple[Column, ...]
    upstream: tuple[tuple[str, str], ...]
    downstream: tuple[tuple[str, str], ...]
    feeds: tuple[str, ...]
    sensitivity: str
    questions: tuple[str, ...]
    """Ids of the questions to ask before a join."""

    @property
    def id(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Gap:
    """Something that an entry lacks."""

    table: str
    column: str
    what: str


def gaps(tables: tuple[Table, ...]) -> list[Gap]:
    """What is missing: grain, description, source or sensitivity of a table or column."""
    return [gap for table in tables for gap in (*_table_gaps(table), *_column_gaps(table))]


def _table_gaps(table: Table) -> Iterator[Gap]:
    needed = {
        "grain": table.grain.lower().startswith(("one row", "at most one row")),
        "description": bool(table.description),
        "source": bool(table.upstream or table.feeds or table.access == "reference"),
        "sensitivity": table.sensitivity in SENSITIVITIES,
        "columns": bool(table.columns),
        "questions": bool(table.questions),
    }
    yield from (Gap(table.id, "", name) for name, there in needed.items() if not there)


def _column_gaps(table: Table) -> Iterator[Gap]:
    for column in table.columns:
        needed = {
            "description": bool(column.description),
            "source": bool(column.sources or column.made),
            "sensitivity": column.sensitivity in SENSITIVITIES,
        }
        yield from (Gap(table.id, column.name, name) for name, there in needed.items() if not there)
