"""Limits of the settings reach the engines that do the work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.home.machine import duckdb_config, spill_folder, thread_environment
from orchestration.home.settings import DataHome
from orchestration.warehouse.dbt import PROJECT, dbt_environment

ROOT = Path(__file__).parents[2]
# Runs the entry point, whose command then is to look at what the engines made of it.
LOOK = """
import sys, types
def look():
    import polars as pl
    import sklearn.ensemble
    from threadpoolctl import threadpool_info
    omp = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"}
    print(pl.thread_pool_size(), *omp)
sys.modules["orchestration.cli"] = types.SimpleNamespace(main=look)
from orchestration.start import main
main()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataHome:
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    home = DataHome(tmp_path / "home").create()
    limits = f'threads = 3\nmemory_limit = "100MB"\nspill_folder = "{tmp_path}/fast disk"'
    home.settings_file.write_text(f"[limits]\n{limits}\n", encoding="utf-8")
    return home


def test_threads_reach_polars_and_scikit_learn(home: DataHome) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, "--home", str(home.root)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.split() == ["3", "3"]


def test_what_was_set_for_a_process_stays(home: DataHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    assert thread_environment(home) == {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "3"}


def test_memory_threads_and_spill_folder_reach_duckdb(home: DataHome, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb"), config=dict(duckdb_config(home))) as connection:
        query = "select name, value from duckdb_settings() where name in ('threads', 'temp_directory', 'memory_limit')"
        told = dict(connection.execute(query).fetchall())
        assert told == {"threads": "3", "temp_directory": f"{tmp_path}/fast disk", "memory_limit": "95.3 MiB"}
        larger = "select range as number, md5(range::varchar) as text from range(1500000) order by text, number"
        connection.execute(f"create table larger_than_memory as {larger}")
        assert (tmp_path / "fast disk").is_dir(), "spilled there"


def test_dbt_is_told_the_same(home: DataHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile reads variables that are set for every home."""
    from jinja2 import Environment

    given = dbt_environment(home)
    assert given["ZHAOREN_SPILL"] == str(spill_folder(home))
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text(encoding="utf-8"))["zhaoren"]["outputs"]["duckdb"]
    render = Environment().from_string

    def read(text: str, variables: dict[str, str]) -> str:
        return render(text).render(env_var=lambda name, default="": variables.get(name, default))

    settings = profile["settings"]
    assert read(settings["memory_limit"], given) == "100MB"
    assert read(settings["temp_directory"], given) == str(spill_folder(home))
    assert read(profile["threads"], given) == "3"
    bare = {"ZHAOREN_WAREHOUSE": "/w.duckdb"}
    assert read(settings["temp_directory"], bare) == "/w.duckdb.tmp", "an empty name would forbid to spill"
