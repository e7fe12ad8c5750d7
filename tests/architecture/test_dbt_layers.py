"""The rule of layers of the warehouse: who may read whom, and that every SQL has its YAML beside it.

Belongs here: what can be told from the files alone. Does not belong here: what the tables say
(``tests/dbt_project``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.contract import load_feeds, person_key_name

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
# Each layer reads itself and those before it; quality reads all.
LAYERS = ("staging", "identity", "indicators", "monitoring", "alerts", "statistics")
READS_ALL = "quality"
_REF = re.compile(r"""ref\(\s*['"](\w+)['"]\s*\)""")
_SOURCE = re.compile(r"""source\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]\s*\)""")


@dataclass(frozen=True)
class Model:
    """One SQL model: its layer and what it reads."""

    name: str
    layer: str
    refs: frozenset[str]
    sources: frozenset[tuple[str, str]]


def read_models(folder: Path = MODELS) -> dict[str, Model]:
    """All SQL models by name."""
    found = {}
    for path in sorted(folder.glob("*/*.sql")):
        text = path.read_text(encoding="utf-8")
        refs, sources = frozenset(_REF.findall(text)), frozenset(_SOURCE.findall(text))
        found[path.stem] = Model(path.stem, path.parent.name, refs, sources)
    return found


def person_staging() -> frozenset[str]:
    """Staging models that have a column of persons."""
    return frozenset(
        f"stg_{feed.department}__{feed.name}"
        for feed in load_feeds().values()
        if any(field.name.endswith("_key") for field in feed.lake_fields)
    )


def violations(models: Iterable[Model]) -> list[str]:
    """Sentences, one for each reading that the rule of layers does not allow."""
    by_name = {model.name: model for model in models}
    persons = person_staging()
    found = []
    for model in by_name.values():
        if model.layer != "staging" and any(source == "lake" for source, _ in model.sources):
            found.append(f"{model.name} reads the lake past staging")
        if model.layer == READS_ALL:
            continue
        for name in sorted(model.refs & by_name.keys()):
            other = by_name[name]
            if other.layer == READS_ALL or LAYERS.index(other.layer) > LAYERS.index(model.layer):
                found.append(f"{model.name} ({model.layer}) reads {name} of the later layer {other.layer}")
            if name in persons and model.layer not in ("staging", "identity"):
                found.append(f"{model.name} ({model.layer}) reads persons of {name} past identity")
    return found


def test_no_layer_reads_a_later_one_and_only_identity_reads_persons_of_staging() -> None:
    assert violations(read_models().values()) == []


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Model("early", "identity", frozenset({"late"}), frozenset()), "later layer monitoring"),
        (Model("past", "monitoring", frozenset({"stg_health__death_record"}), frozenset()), "past identity"),
        (Model("raw", "indicators", frozenset(), frozenset({("lake", "death_record")})), "past staging"),
    ],
)
def test_a_planted_breach_is_seen(model: Model, says: str) -> None:
    others = [
        Model("late", "monitoring", frozenset(), frozenset()),
        Model("stg_health__death_record", "staging", frozenset(), frozenset({("lake", "death_record")})),
    ]
    (sentence,) = violations([model, *others])
    assert says in sentence


def test_every_folder_is_a_known_layer() -> None:
    assert {model.layer for model in read_models().values()} <= {*LAYERS, READS_ALL}


@cache
def described(path: Path) -> dict[str, Any]:
    """The models that a YAML describes, by name."""
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {model["name"]: model for model in content.get("models", [])}


def test_every_model_has_its_yaml_beside_it_with_grain_and_columns() -> None:
    lacking = []
    for path in sorted(MODELS.glob("*/*.sql")):
        beside = [described(other) for other in sorted(path.parent.glob("*.yml"))]
        entry: dict[str, Any] = next((models[path.stem] for models in beside if path.stem in models), {})
        if not str(entry.get("description", "")).strip().lower().startswith("one row per"):
            lacking.append(f"{path.parent.name}/{path.stem}: the first sentence states no grain")
        if not entry.get("columns"):
            lacking.append(f"{path.parent.name}/{path.stem}: no columns")
    assert lacking == []


def test_staging_has_one_model_per_feed_with_the_columns_of_its_contract() -> None:
    added = ["delivery_id", "row_number", "period", "valid_from", "valid_to"]
    for feed in load_feeds().values():
        name = f"stg_{feed.department}__{feed.name}"
        columns = [column["name"] for column in described(MODELS / "staging" / f"{name}.yml")[name]["columns"]]
        assert columns == [field.name for field in feed.lake_fields] + added, name


def test_no_direct_identifier_is_a_column_of_staging() -> None:
    identifiers = {c.name for feed in load_feeds().values() for c in feed.columns if c.is_direct_identifier}
    # Keys keep their names where the register has no other word: a certificate number of assistance names nobody.
    text_columns = {c.name for feed in load_feeds().values() for c in feed.columns if not c.is_direct_identifier}
    for path in sorted((MODELS / "staging").glob("stg_*.yml")):
        for model in described(path).values():
            told = {column["name"] for column in model["columns"]}
            assert not told & (identifiers - text_columns), path.name


def test_every_person_column_of_staging_is_resolved_through_the_one_macro() -> None:
    """Keys that were merged are resolved where the lake is read, and nowhere else: the columns are the contract's."""
    for feed in load_feeds().values():
        path = MODELS / "staging" / f"stg_{feed.department}__{feed.name}.sql"
        text = path.read_text(encoding="utf-8")
        persons = [person_key_name(column.name) for column in feed.columns if column.type == "id"]
        if not persons:
            assert f"source('lake', '{feed.name}')" in text
            continue
        names = {field.source: field.name for field in feed.lake_fields}
        key = [names[column.name] for column in feed.key_columns]
        wanted = f"'{feed.name}', {persons}"
        if feed.mode == "snapshot" and "person_key" in key:
            wanted += f", key={key}"
        assert f"delivered_rows({wanted})" in text, path.name
        assert "source('lake'" not in text, path.name


PROJECT = MODELS.parent / "dbt_project.yml"
FOLLOWING = ("indicators", "monitoring", "alerts", "statistics", "quality")


def layer_defaults() -> dict[str, str]:
    """How the tables of each layer are made where their YAML says nothing."""
    layers = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))["models"]["zhaoren"]
    return {layer: layers[layer]["+materialized"] for layer in FOLLOWING}


def how_built(path: Path, default: str) -> tuple[str, str]:
    """A model's way of being made, and the reason it gives for being made anew each time."""
    entry = next(
        (models[path.stem] for models in map(described, sorted(path.parent.glob("*.yml"))) if path.stem in models), {}
    )
    config = entry.get("config", {})
    return config.get("materialized", default), str(config.get("meta", {}).get("built_whole", ""))


def test_a_table_after_identity_is_built_by_month_or_says_why_not() -> None:
    """Layers whose default is a whole build say it once, in the project file; a table without months is made anew."""
    lacking = []
    for layer, default in layer_defaults().items():
        for path in sorted((MODELS / layer).glob("*.sql")):
            way, reason = how_built(path, default)
            if way != default and way == "table" and not reason:
                lacking.append(f"{layer}/{path.stem} is made anew each time and gives no reason (meta: built_whole)")
    assert lacking == []
    assert layer_defaults() == {
        "indicators": "incremental",
        "monitoring": "incremental",
        "alerts": "incremental",
        "statistics": "incremental",
        "quality": "table",
    }
