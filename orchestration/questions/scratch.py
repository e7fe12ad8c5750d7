"""A warehouse for one question: published tables as views, some of them in another form, what follows built anew.

Belongs here: the scratch folder, which models have to be built again, calling dbt in it. Does not belong here: what is
asked (``commands``), any rule of people or money: rules are the models of ``dbt_project``, written once.

The warehouse file itself is not touched: a model that is built here reads published tables (``access: public``), and
what is not published is built with it, from the lake if need be.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from ingestion import BusyError
from ingestion.lock import alone
from orchestration.home.published import NotPublishedError
from orchestration.home.settings import DataHome
from orchestration.warehouse.dbt import LOGS, TARGET, dbt_environment, prepared_manifest

# Relation names of a manifest begin with the name of the database, which is that of the file.
WAREHOUSE = "warehouse.duckdb"
PARSED = "partial_parse.msgpack"
_SAID = 2000
PREFIX, IN_USE, GUARD = "scratch-", "in_use.lock", "scratch.lock"
# To make or clear a folder takes a moment.
_PATIENCE = 30.0


class ScratchError(RuntimeError):
    """dbt could not build in the scratch warehouse; carries what dbt said (never values of rows)."""


@dataclass(frozen=True)
class Build:
    """What has to be built again for some tables, and which tables that reads as they are: names with their schemas."""

    built: Mapping[str, str]
    read: Mapping[str, str]
    is_touched: bool = True
    """Whether anything that is built names what is changed."""


def needed(
    manifest: Mapping[str, Any],
    targets: Iterable[str],
    changed: Iterable[str],
    parameters: Iterable[str] = (),
) -> Build:
    """The targets with all models between them and what is changed (names of models or of reference tables).

    Of the models that read policy, only those count as changed that name one of ``parameters``, in their text or in
    that of a macro they use. A model that is given in another form is read, not built; one that is not published has
    to be built, whatever it takes. ``LookupError`` where a name is unknown.
    """
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    given, wanted = set(changed), set(targets)
    keys = {node["name"]: key for key, node in (*manifest["sources"].items(), *nodes.items())}
    unknown = sorted((given | wanted) - set(keys))
    if unknown:
        raise LookupError(f"no model or reference table is called {', '.join(unknown)}")
    moved = _followers(nodes, {keys[name] for name in given} | _readers_of(manifest, nodes, frozenset(parameters)))
    built, read, open_keys = {}, {}, [keys[name] for name in wanted]
    while open_keys:
        key = open_keys.pop()
        node = nodes.get(key)
        if node is None or node["name"] in built:
            continue
        name = node["name"]
        if name not in given and (key in moved or name in wanted or node["access"] != "public"):
            built[name] = node
            open_keys += node["depends_on"]["nodes"]
        else:
            read[name] = node
    touched = {node["name"] for key, node in nodes.items() if key in moved} & set(built)
    return Build(_schemas(built), _schemas(read), bool(touched))


def _readers_of(manifest: Mapping[str, Any], nodes: Mapping[str, Any], parameters: frozenset[str]) -> set[str]:
    """The models in whose text, or in that of their macros, one of those parameters is named."""
    macros = manifest["macros"]
    names = re.compile("|".join(rf"""['"]{re.escape(name)}['"]""" for name in sorted(parameters)) or r"(?!)")
    naming = {key for key, macro in macros.items() if names.search(macro["macro_sql"])}
    while True:
        more = {
            key for key, macro in macros.items() if key not in naming and naming & set(macro["depends_on"]["macros"])
        }
        if not more:
            break
        naming |= more
    return {
        key
        for key, node in nodes.items()
        if names.search(node["raw_code"]) or naming & set(node["depends_on"]["macros"])
    }


def _followers(nodes: Mapping[str, Any], changed: set[str]) -> set[str]:
    """Everything that rests on what is changed."""
    moved = set(changed)
    while True:
        more = {key for key, node in nodes.items() if key not in moved and moved & set(node["depends_on"]["nodes"])}
        if not more:
            return moved
        moved |= more


def _schemas(nodes: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(nodes[name]["schema"]) for name in sorted(nodes)}


class Scratch:
    """One scratch warehouse; ``read`` gives what was built."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.warehouse = folder / WAREHOUSE
        self.reference = folder / "reference"

    def read(self, schema: str, table: str, where: str = "true") -> pl.DataFrame:
        """A table of the scratch warehouse, in an order that is always the same."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(f'select * from "{schema}"."{table}" where {where} order by all').pl()


@contextmanager
def scratch_warehouse(
    home: DataHome,
    targets: Iterable[str],
    *,
    tables: Mapping[str, pl.DataFrame] | None = None,
    reference: Mapping[str, pl.DataFrame] | None = None,
    parameters: Iterable[str] = (),
    rows: Mapping[str, str] | None = None,
) -> Iterator[Scratch]:
    """Build ``targets`` from the published tables, with some tables and reference tables in another form.

    ``rows`` limits published tables to the rows of which a SQL condition holds, by name: months that nobody asks for
    need not be computed. With ``parameters`` the reference tables given are policy, in which those have other values.
    Everything is gone when the block ends.
    """
    tables, reference, targets = tables or {}, reference or {}, list(targets)
    manifest_file, parameters = prepared_manifest(home), list(parameters)
    # Other parameters change the models that name them, not all that read any.
    changed = [*tables, *(name for name in reference if not parameters)]
    build = needed(json.loads(manifest_file.read_text(encoding="utf-8")), targets, changed, parameters)
    if not build.is_touched:
        raise LookupError(f"{', '.join(targets)} does not rest on {', '.join([*changed, *parameters])}")
    with scratch_folder(home.dbt) as folder:
        scratch = Scratch(folder)
        _lay_reference(home, scratch, reference)
        _lay_tables(home, scratch, build, tables, rows or {})
        _run(home, scratch, home.dbt / TARGET / PARSED, build)
        yield scratch


@contextmanager
def scratch_folder(place: Path) -> Iterator[Path]:
    """A folder that is gone when the block ends; those of processes that were killed go first.

    Each is locked by who works in it. The lock is the kernel's, so a folder whose lock is free has nobody left.
    """
    place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        # Nobody may find a folder between its making and its lock.
        with alone(place / GUARD, _PATIENCE):
            _clear_left_behind(place)
            folder = Path(stack.enter_context(TemporaryDirectory(prefix=PREFIX, dir=place)))
            stack.enter_context(alone(folder / IN_USE, 0))
        yield folder


def _clear_left_behind(place: Path) -> None:
    for folder in sorted(place.glob(f"{PREFIX}*/")):
        with suppress(BusyError), alone(folder / IN_USE, 0):
            rmtree(folder, ignore_errors=True)


def _lay_reference(home: DataHome, scratch: Scratch, changed: Mapping[str, pl.DataFrame]) -> None:
    """The reference tables of the home as links, the changed ones as files of their own."""
    scratch.reference.mkdir()
    for path in sorted(home.reference.glob("*.parquet")):
        if path.stem not in changed:
            (scratch.reference / path.name).symlink_to(path)
    for table, frame in changed.items():
        frame.write_parquet(scratch.reference / f"{table}.parquet")


def _lay_tables(
    home: DataHome, scratch: Scratch, build: Build, given: Mapping[str, pl.DataFrame], rows: Mapping[str, str]
) -> None:
    with duckdb.connect(str(scratch.warehouse)) as connection:
        for schema in sorted({*build.read.values(), *build.built.values()}):
            connection.execute(f'create schema if not exists "{schema}"')
        for table, schema in build.read.items():
            if table in given:
                connection.register("given", given[table].to_arrow())
                connection.execute(f'create table "{schema}"."{table}" as select * from given')
                connection.unregister("given")
                continue
            file = (home.published / f"{table}.parquet").resolve()
            if not file.is_file():
                raise NotPublishedError(table)
            select = f"select * from read_parquet('{file}') where {rows.get(table, 'true')}"
            connection.execute(f'create view "{schema}"."{table}" as {select}')


def _run(home: DataHome, scratch: Scratch, parsed: Path, build: Build) -> None:
    """Call dbt in a process of its own, with the project as it was parsed for the home."""
    folder = scratch.warehouse.parent
    environment = {
        **os.environ,
        **dbt_environment(home),
        "ZHAOREN_WAREHOUSE": str(scratch.warehouse),
        "ZHAOREN_REFERENCE": str(scratch.reference),
        "DBT_TARGET_PATH": str(folder / TARGET),
        "DBT_LOG_PATH": str(folder / LOGS),
    }
    order = {
        "manifest": str(parsed),
        "reference": [str(home.reference), str(scratch.reference)],
        "models": sorted(build.built),
    }
    result = subprocess.run(
        [sys.executable, "-m", "orchestration.questions.scratch_dbt"],
        input=json.dumps(order),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if result.returncode != 0:
        raise ScratchError(f"{result.stdout.strip()[-_SAID:]}{result.stderr.strip()[-_SAID:]}")
