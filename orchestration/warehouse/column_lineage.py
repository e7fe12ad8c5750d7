"""From which columns each column of the warehouse comes: read out of the SQL that dbt compiled.

Belongs here: SQL as text in, names out. Does not belong here: what a column means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

DIALECT, DATABASE = "duckdb", "warehouse"
LAKE, REFERENCE, LAKE_ROWS = "lake", "reference", "lake_row"
# Sources stand as files in the compiled SQL: each is the table that it holds.
FILE = re.compile(
    r"read_parquet\(\s*'[^']*?/(?P<kind>lake|reference)/(?P<name>[a-z_]+)(?:/\*\*/\*)?\.parquet'[^()]*\)"
    r"|read_parquet\(\s*'[^']*?/lake/\*/\*\*/\*\.parquet'[^()]*\)"
)


@dataclass(frozen=True, order=True)
class ColumnName:
    """A column by schema, table and name."""

    schema: str
    table: str
    column: str


@dataclass(frozen=True)
class Model:
    """A model as far as lineage needs it: where it stands, its columns, its SQL."""

    schema: str
    name: str
    columns: tuple[str, ...]
    sql: str


def column_origins(
    models: Iterable[Model], sources: Mapping[tuple[str, str], Iterable[str]]
) -> dict[ColumnName, frozenset[ColumnName]]:
    """The columns that each column is made of directly; none where it is counted or set.

    ``sources`` are the columns of the tables that no model makes, by schema and name.
    """
    known = tuple(models)
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for model in known:
        schema.setdefault(model.schema, {})[model.name] = dict.fromkeys(model.columns, "text")
    for (place, name), columns in sources.items():
        schema.setdefault(place, {})[name] = dict.fromkeys(columns, "text")
    found: dict[ColumnName, frozenset[ColumnName]] = {}
    for model in known:
        scope = _scope(model.sql, schema)
        seen: dict[tuple[int, str], set[ColumnName]] = {}
        for column in model.columns:
            found[ColumnName(model.schema, model.name, column)] = frozenset(_origins(scope, column, seen))
    return found


def _scope(sql: str, schema: Mapping[str, object]) -> Scope:
    tree = sqlglot.parse_one(FILE.sub(_table_name, sql), dialect=DIALECT)
    whole = qualify(
        tree,
        dialect=DIALECT,
        schema={DATABASE: schema},
        validate_qualify_columns=False,
        quote_identifiers=False,
        identify=False,
    )
    scope = build_scope(whole)
    if scope is None:
        raise ValueError("no query")
    return scope


def _table_name(match: re.Match[str]) -> str:
    kind, name = match["kind"] or LAKE, match["name"] or LAKE_ROWS
    return f'"{DATABASE}"."{kind}"."{name}"'


def _origins(scope: Scope, column: str, seen: dict[tuple[int, str], set[ColumnName]]) -> set[ColumnName]:
    """Columns of tables that an output column of a query rests on, through all its common table expressions."""
    key = (id(scope), column)
    if key in seen:
        return seen[key]
    found: set[ColumnName] = set()
    seen[key] = found
    if isinstance(scope.expression, exp.SetOperation):
        left, right = scope.set_operation_scopes
        names = _names(left)
        if column in names:
            found |= _origins(left, column, seen)
            found |= _origins(right, _names(right)[names.index(column)], seen)
        return found
    chosen = _made(scope.expression, column)
    for part in chosen.find_all(exp.Column) if chosen is not None else ():
        for source in _sources_of(scope, part.table):
            if isinstance(source, Scope):
                found |= _origins(source, part.name, seen)
            elif isinstance(source, exp.Table):
                found.add(ColumnName(source.db, source.name, part.name))
    return found


def _made(whole: exp.Expr, column: str) -> exp.Expr | None:
    """What makes an output column; of an unfolded list the list, of rows that stand in the SQL nothing."""
    if not isinstance(whole, exp.Query):
        return None if isinstance(whole, exp.Values) else whole
    return next((one for one in whole.selects if one.alias_or_name.lower() == column.lower()), None)


def _names(scope: Scope) -> list[str]:
    return list(scope.expression.named_selects) if isinstance(scope.expression, exp.Query) else []


def _sources_of(scope: Scope, name: str) -> list[object]:
    if name in scope.sources:
        return [scope.sources[name]]
    return [inner.sources[name] for inner in scope.subquery_scopes if name in inner.sources]


def all_origins(
    origins: Mapping[ColumnName, frozenset[ColumnName]],
) -> dict[ColumnName, frozenset[ColumnName]]:
    """The columns that no model makes on which each column rests in the end."""
    found: dict[ColumnName, frozenset[ColumnName]] = {}

    def follow(column: ColumnName, path: frozenset[ColumnName]) -> frozenset[ColumnName]:
        if column in found:
            return found[column]
        if column not in origins:
            return frozenset({column})
        ends: set[ColumnName] = set()
        for one in sorted(origins[column]):
            if one not in path:
                ends |= follow(one, path | {one})
        found[column] = frozenset(ends)
        return found[column]

    for column in sorted(origins):
        follow(column, frozenset({column}))
    return found
