"""Both engines side by side for single expressions: a dispatched macro rendered in its two forms, and run.

Belongs here: how a macro is rendered without dbt and how one query runs on each engine. The cases are in
``test_macros_on_both_engines.py``.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"
# What is not plain text with places: read by dbt alone, or of no use without a run.
NOT_PLAIN = re.compile(r"\{% (test|materialization)\b.*?\{%-? end(test|materialization)", re.DOTALL)
PREFIX = {"duckdb": "default__", "spark": "spark__"}


def dispatched() -> dict[str, set[str]]:
    """The macros that ask for the engine, with the forms that there are of each."""
    texts = "\n".join(path.read_text(encoding="utf-8") for path in MACROS.glob("*.sql"))
    names = set(re.findall(r"adapter\.dispatch\('(\w+)'\)", texts))
    forms = set(re.findall(r"\{% macro (\w+)\(", texts))
    return {name: {engine for engine, prefix in PREFIX.items() if prefix + name in forms} for name in names}


def rendered(template: str, engine: str) -> str:
    """A query with macros in it, as dbt would render it for that engine."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(MACROS.glob("*.sql"))]
    plain = [text for text in texts if not NOT_PLAIN.search(text)]
    macros: dict[str, Callable[..., str]] = {}

    class Adapter:
        @staticmethod
        def dispatch(name: str) -> Callable[..., str]:
            return macros.get(PREFIX[engine] + name) or macros["default__" + name]

    environment = Environment(extensions=["jinja2.ext.do"])
    module = environment.from_string("\n".join(plain)).make_module({"adapter": Adapter})
    macros |= {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return environment.from_string(template).render(macros)


def on_duckdb(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return [tuple(plain(value) for value in row) for row in connection.execute(query).fetchall()]


def on_spark(session: Any, query: str) -> list[tuple[Any, ...]]:
    return [tuple(plain(value) for value in row) for row in session.sql(query).collect()]


def plain(value: Any) -> Any:
    """A value without its engine's clothes: structs as mappings, lists as lists."""
    if hasattr(value, "asDict"):
        value = value.asDict()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def small_session(folder: Path) -> Any:
    """A Spark session for few rows: nothing is compiled that runs once."""
    logging.getLogger("SQLQueryContextLogger").disabled = True
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        # dbt-spark has it so.
        "spark.sql.ansi.enabled": "false",
        "spark.sql.warehouse.dir": str(folder),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
