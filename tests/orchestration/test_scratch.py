"""Which models a scratch warehouse has to build, what it may read as it is, and what is left of it."""

import fcntl
from pathlib import Path
from typing import Any

import pytest

from orchestration.questions.scratch import IN_USE, needed, scratch_folder


def node(name: str, access: str, *rests_on: str, code: str = "", macros: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "name": name, "resource_type": "model", "access": access, "schema": "s", "raw_code": code,
        "depends_on": {"nodes": [f"model.{other}" for other in rests_on], "macros": list(macros)},
    }  # fmt: skip


def manifest(*nodes: dict[str, Any]) -> dict[str, Any]:
    macros = {
        "line": {"macro_sql": "policy_parameter('dibao_standard')", "depends_on": {"macros": []}},
        "layer": {"macro_sql": "{{ line() }}", "depends_on": {"macros": ["line"]}},
    }
    sources = {"model.policy": {"name": "policy"}, "model.codes": {"name": "codes"}}
    return {"nodes": {f"model.{item['name']}": item for item in nodes}, "sources": sources, "macros": macros}


PUBLISHED = node("member", "public", "policy")
HIDDEN = node("month", "protected", "codes")
REQUEST = node("request", "protected")
TARGET = node("answer", "public", "request", "member", "month", "policy", macros=("layer",))


def test_a_published_table_is_read_and_a_hidden_one_is_built() -> None:
    build = needed(manifest(PUBLISHED, HIDDEN, REQUEST, TARGET), ["answer"], ["request"])
    assert set(build.built) == {"answer", "month"}
    assert set(build.read) == {"member", "request"}


def test_what_rests_on_a_changed_table_is_built_though_it_is_published() -> None:
    build = needed(manifest(PUBLISHED, HIDDEN, REQUEST, TARGET), ["answer"], ["request", "policy"])
    assert set(build.built) == {"answer", "month", "member"}


def test_a_parameter_moves_only_the_models_that_name_it() -> None:
    build = needed(manifest(PUBLISHED, HIDDEN, REQUEST, TARGET), ["answer"], [], ["dibao_standard"])
    assert "member" in build.read
    assert build.is_touched
    assert not needed(manifest(PUBLISHED, HIDDEN, REQUEST, TARGET), ["answer"], [], ["n01_medical_line"]).is_touched


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(LookupError, match="nothing_such"):
        needed(manifest(PUBLISHED), ["member"], ["nothing_such"])


def test_what_a_killed_process_left_behind_goes_and_what_is_in_use_stays(tmp_path: Path) -> None:
    left, used = tmp_path / "scratch-left", tmp_path / "scratch-used"
    for folder in (left, used):
        folder.mkdir()
        (folder / "warehouse.duckdb").touch()
    # Another process at work, as the kernel sees it: a lock of its own on the file.
    with (used / IN_USE).open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with scratch_folder(tmp_path) as folder:
            assert sorted(tmp_path.glob("scratch-*/")) == sorted([folder, used])
    assert list(tmp_path.glob("scratch-*/")) == [used]
