"""Who may import whom: the rule of the house, made executable (design: the house)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("models", "ingestion", "expectations", "ml", "workbench", "simulator", "orchestration")
MAY_IMPORT = {room: {room, "models"} for room in ROOMS} | {"models": {"models"}, "orchestration": set(ROOMS)}
# Rules about people and money have their homes; orchestration only wires. ingestion knows no Dagster.
ONLY_IN = {"dagster": {"orchestration"}, "dagster_dbt": {"orchestration"}, "duckdb": {"orchestration"}}
LONGEST_FILE = 500


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported_packages(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def forbidden(room: str, imported: set[str]) -> set[str]:
    foreign = (imported & set(ROOMS)) - MAY_IMPORT[room]
    return foreign | {package for package, rooms in ONLY_IN.items() if package in imported and room not in rooms}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    assert not forbidden(room, set(imported_packages(path)))


def test_a_forbidden_import_is_seen() -> None:
    assert forbidden("ingestion", {"polars", "dagster", "workbench"}) == {"dagster", "workbench"}
    assert not forbidden("orchestration", {"dagster", "ml", "models"})


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_first_what_belongs_in_it_and_stays_one_room(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "the first line says what belongs here"
    assert len(text.splitlines()) <= LONGEST_FILE
