"""The data dictionary read together: contracts, dbt's manifest and compiled SQL, the columns of the reference tables.

Belongs here: which entry says what. Does not belong here: what an entry has (``workbench.dictionary``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from expectations import resolve_table_checks
from models.contract import Feed, load_feeds
from models.dictionary import chinese_names, column_meanings, join_questions
from models.labels import label
from orchestration.home.settings import DataHome
from orchestration.warehouse.column_lineage import (
    LAKE,
    LAKE_ROWS,
    REFERENCE,
    ColumnName,
    Model,
    all_origins,
    column_origins,
)
from orchestration.warehouse.dbt import PROJECT, TARGET, DbtError, dbt_environment, prepared_manifest
from orchestration.warehouse.inspection import TABLE_CHECKS, TABLE_RESULT_TYPES
from workbench.dictionary import SENSITIVITIES, Column, Table

# Beside the columns of the contract, every row of the lake has these.
LAKE_COLUMNS = ("delivery_id", "row_number", "period", "division")
KEY_ENDINGS = ("_key", "_keys", "household_id", "alert_id", "unit_id")
# Beside the models: what is made of them when they are published.
INSPECTED = "published"
DELIVERED, PUBLISHED, COUNTED = "delivered", "published", "counted"
IDENTITY, PSEUDONYM, INTERNAL = "identity", "pseudonym", "internal"


def dictionary_of(home: DataHome) -> tuple[Table, ...]:
    """Every table: feeds of the lake, reference tables, models; in the order of layer and name."""
    manifest = json.loads(prepared_manifest(home).read_text(encoding="utf-8"))
    compiled = compiled_sql(home, manifest)
    schemas = {path.stem: dict(pl.read_parquet_schema(path)) for path in sorted(home.reference.glob("*.parquet"))}
    return Dictionary(manifest, compiled, schemas).tables()


def compiled_sql(home: DataHome, manifest: Mapping[str, Any]) -> dict[str, str]:
    """The SQL of each model as dbt compiled it last; compiled now where a model has none."""
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    folder = home.dbt / TARGET / "compiled" / manifest["metadata"]["project_name"]
    places = {str(node["name"]): folder / node["original_file_path"] for node in models}
    if not all(path.is_file() for path in places.values()):
        _compile(home)
    return {name: path.read_text(encoding="utf-8") for name, path in places.items()}


def _compile(home: DataHome) -> None:
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "--no-use-colors", "compile"]
    environment = {**os.environ, **dbt_environment(home)}
    result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DbtError(f"dbt compile: {result.stdout.strip()[-2000:]}{result.stderr.strip()[-500:]}")


@dataclass(frozen=True)
class Dictionary:
    """What is read, and the entries made of it. ``reference`` are the columns of the reference tables by name."""

    manifest: Mapping[str, Any]
    compiled: Mapping[str, str]
    reference: Mapping[str, Mapping[str, Any]]

    def tables(self) -> tuple[Table, ...]:
        """All entries."""
        lake = [self._feed(feed) for feed in load_feeds().values()]
        references = [self._reference(name) for name in sorted(self._references)]
        models = [self._model(node) for node in sorted(self._models.values(), key=lambda one: one["name"])]
        layers = sorted({table.schema for table in models}, key=self._layer_order)
        layered = (table for layer in layers for table in models if table.schema == layer)
        return (*lake, *references, *layered, self._inspected())

    # --- what there is -------------------------------------------------------------------------------------------

    @cached_property
    def _models(self) -> dict[str, dict[str, Any]]:
        nodes = self.manifest["nodes"].values()
        return {node["name"]: node for node in nodes if node["resource_type"] == "model"}

    @cached_property
    def _references(self) -> dict[str, str]:
        """Reference tables that models read or that lie in the data home, with what the project says of them."""
        sources = self.manifest["sources"].values()
        told = {one["name"]: one["description"] for one in sources if one["source_name"] == REFERENCE}
        return {name: text for name, text in told.items() if name in self.reference}

    @cached_property
    def _keys(self) -> dict[str, tuple[str, ...]]:
        """The columns that make a row unique, by the test that says so."""
        found = {}
        for node in self.manifest["nodes"].values():
            test = node.get("test_metadata") or {}
            if node["resource_type"] == "test" and test.get("name") == "unique_grain":
                found[str(node["attached_node"])] = tuple(test["kwargs"]["columns"])
        return found

    @cached_property
    def _origins(self) -> dict[ColumnName, frozenset[ColumnName]]:
        models = [
            Model(node["schema"], node["name"], tuple(node["columns"]), self.compiled[node["name"]])
            for node in self._models.values()
        ]
        sources: dict[tuple[str, str], Iterable[str]] = {
            (LAKE, feed.name): [*LAKE_COLUMNS, *(field.name for field in feed.lake_fields)]
            for feed in load_feeds().values()
        }
        sources |= {(REFERENCE, name): list(columns) for name, columns in self.reference.items()}
        sources[(LAKE, LAKE_ROWS)] = LAKE_COLUMNS
        return column_origins(models, sources)

    @cached_property
    def _ends(self) -> dict[ColumnName, frozenset[ColumnName]]:
        return all_origins(self._origins)

    @cached_property
    def _readers(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """Which models read a table."""
        found = defaultdict(set)
        for node in self._models.values():
            for place in self._upstream(node):
                found[place].add((node["schema"], node["name"]))
        return found

    def _upstream(self, node: Mapping[str, Any]) -> list[tuple[str, str]]:
        places = []
        for name in node["depends_on"]["nodes"]:
            above = self.manifest["nodes"].get(name) or self.manifest["sources"].get(name)
            if above and above["resource_type"] in ("model", "source"):
                schema = above["schema"] if above["resource_type"] == "model" else above["source_name"]
                places.append((LAKE if schema == "lake_rows" else schema, above["name"]))
        return sorted(set(places))

    def _layer_order(self, layer: str) -> int:
        layers = ("staging", "identity", "indicators", "monitoring", "alerts", "statistics", "quality")
        return layers.index(layer) if layer in layers else len(layers)

    # --- entries -------------------------------------------------------------------------------------------------

    def _feed(self, feed: Feed) -> Table:
        """A feed as the lake has it; what identifies people is kept in the vault alone."""
        columns = [self._bookkeeping(name, "varchar") for name in LAKE_COLUMNS]
        in_lake = {field.source for field in feed.lake_fields}
        for field in feed.lake_fields:
            source = feed.column(field.source)
            text = source.description if field.name == source.name else f"{source.description} (as a pseudonym)"
            sensitivity = self._classified(feed, field.name)
            told = ((feed.name, source.header),)
            columns.append(Column(field.name, field.type, source.header, text, (), told, DELIVERED, sensitivity))
        columns += [
            Column(one.name, one.type, one.header, one.description, (), ((feed.name, one.header),), DELIVERED, IDENTITY)
            for one in feed.columns
            if one.is_direct_identifier and (one.name not in in_lake or one.name not in {c.name for c in columns})
        ]
        grain = feed.grain[:1].upper() + feed.grain[1:]
        keys = tuple(column.name for column in feed.key_columns)
        description = f"{feed.title_en}; {feed.mode}, {feed.frequency}, from {feed.department}."
        return self._table(LAKE, feed.name, feed.title_zh, grain, description, keys, LAKE, columns, (), (feed.name,))

    def _reference(self, name: str) -> Table:
        columns = [self._bookkeeping(column, str(kind)) for column, kind in self.reference[name].items()]
        text = self._references[name]
        return self._table(REFERENCE, name, "", _first_sentence(text), text, (), REFERENCE, columns, (), ())

    def _inspected(self) -> Table:
        """What the checks of the published tables found: made when they are published, and with them."""
        # The words are those of the results of deliveries, which mean the same.
        alike = self._models["check_result"]["columns"]
        columns = [
            replace(one, description=alike[one.name]["description"]) if one.name in alike else one
            for one in (self._bookkeeping(name, kind) for name, kind in TABLE_RESULT_TYPES.items())
        ]
        checked = {check.subject for check in resolve_table_checks()}
        above = sorted((node["schema"], name) for name, node in self._models.items() if name in checked)
        grain = "One row per check of a published table."
        text = f"{grain} What it found in the table as a whole, before the table was shown to anybody."
        return self._table(INSPECTED, TABLE_CHECKS, "", grain, text, ("check_id",), "public", columns, above, ())

    def _bookkeeping(self, name: str, kind: str) -> Column:
        meaning = column_meanings().get(name)
        description = meaning.en if meaning else self._same_name.get(name, "")
        sensitivity = PSEUDONYM if name.endswith(KEY_ENDINGS) else INTERNAL
        return Column(name, kind, chinese_names().get(name, ""), description, (), (), PUBLISHED, sensitivity)

    @cached_property
    def _same_name(self) -> dict[str, str]:
        """What models say of a column of that name, the first by layer and name."""
        found: dict[str, str] = {}
        for node in sorted(self._models.values(), key=lambda one: (self._layer_order(one["schema"]), one["name"])):
            for column in node["columns"].values():
                if column["description"]:
                    found.setdefault(column["name"], column["description"])
        return found

    def _model(self, node: Mapping[str, Any]) -> Table:
        columns = [self._column(node, column) for column in node["columns"].values()]
        upstream = self._upstream(node)
        feeds = sorted({feed for column in columns for feed, _ in column.feeds})
        feeds = sorted({*feeds, *(name for schema, name in upstream if schema == LAKE and name != LAKE_ROWS)})
        text = " ".join(node["description"].split())
        keys = self._keys.get(node["unique_id"], ())
        return self._table(
            node["schema"],
            node["name"],
            "",
            _first_sentence(text),
            text,
            keys,
            node["access"],
            columns,
            upstream,
            feeds,
        )

    def _column(self, node: Mapping[str, Any], told: Mapping[str, Any]) -> Column:
        place = ColumnName(node["schema"], node["name"], told["name"])
        sources, ends = sorted(self._origins[place]), sorted(self._ends[place])
        headings = [(end.table, _heading(end)) for end in ends if end.schema == LAKE and end.table in load_feeds()]
        only = {heading for _, heading in headings if heading} if len(ends) == 1 else set()
        return Column(
            name=told["name"],
            type=told.get("data_type") or "",
            heading_zh=next(iter(only), "") or chinese_names().get(told["name"], ""),
            description=" ".join((told["description"] or self._inherited(sources, told["name"])).split()),
            sources=tuple((one.schema, one.table, one.column) for one in sources),
            feeds=tuple(sorted({(feed, heading) for feed, heading in headings if heading})),
            made="" if sources else COUNTED,
            sensitivity=self._sensitivity(told["name"], ends),
        )

    def _inherited(self, sources: list[ColumnName], name: str) -> str:
        """The words of the contract for a column that is passed on as it is, else those of bookkeeping."""
        for source in sources:
            if source.schema == LAKE and source.table in load_feeds() and source.column == name:
                described = _contract_text(load_feeds()[source.table], name)
                if described:
                    return described
        meaning = column_meanings().get(name)
        return meaning.en if meaning else ""

    def _sensitivity(self, name: str, ends: Iterable[ColumnName]) -> str:
        """The gravest of what the column rests on; a key stands for somebody, whatever it was derived from."""
        if name.endswith(KEY_ENDINGS):
            return PSEUDONYM
        known = [
            self._classified(load_feeds()[end.table], end.column)
            for end in ends
            if end.schema == LAKE and end.table in load_feeds()
        ]
        # What is derived from a key (a count, a flag) is no key.
        graves = [INTERNAL if one == PSEUDONYM else one for one in known]
        return max(graves, key=SENSITIVITIES.index, default=INTERNAL)

    def _classified(self, feed: Feed, column: str) -> str:
        source = next((feed.column(one.source) for one in feed.lake_fields if one.name == column), None)
        if source is None:
            return INTERNAL
        return PSEUDONYM if source.is_direct_identifier else source.classification

    def _table(
        self,
        schema: str,
        name: str,
        title_zh: str,
        grain: str,
        description: str,
        keys: tuple[str, ...],
        access: str,
        columns: list[Column],
        upstream: Iterable[tuple[str, str]],
        feeds: Iterable[str],
    ) -> Table:
        gravest = max((column.sensitivity for column in columns), key=SENSITIVITIES.index, default=INTERNAL)
        names = [column.name for column in columns]
        asked = [one.id for one in join_questions() if one.is_asked(names, keys, schema, gravest)]
        downstream = tuple(sorted(self._readers.get((schema, name), ())))
        headings = {column.name: column.heading_zh for column in columns}
        named = [headings.get(key) or chinese_names().get(key, "") for key in keys]
        grain_zh = label("dictionary.one_row", keys="、".join(named)) if keys and all(named) else ""
        return Table(
            schema, name, title_zh, grain, grain_zh, description, keys, access, tuple(columns), tuple(upstream),
            downstream, tuple(feeds), gravest, tuple(asked),
        )  # fmt: skip


def _first_sentence(text: str) -> str:
    whole = " ".join(text.split())
    head, dot, _ = whole.partition(". ")
    return head + ("." if dot else "")


def _heading(column: ColumnName) -> str:
    feed = load_feeds()[column.table]
    source = next((one.source for one in feed.lake_fields if one.name == column.column), None)
    return feed.column(source).header if source else ""


def _contract_text(feed: Feed, name: str) -> str:
    source = next((one.source for one in feed.lake_fields if one.name == name), None)
    return feed.column(source).description if source else ""
