"""The door between the warehouse and its readers: exposed tables as Parquet, all of one generation.

Belongs here: copying out of the warehouse file. dbt may be writing there at other times, so nobody else opens it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import polars as pl

from orchestration.decisions.alerts import keep_alerts
from orchestration.home.generation import FOLDER, clear_mark, copy_basis
from orchestration.home.given import keep_given
from orchestration.home.machine import duckdb_config
from orchestration.home.settings import DataHome


class NotPublishedError(LookupError):
    """Nothing has been published under that name yet."""


def copy_out(
    warehouse: Path, tables: Mapping[str, str], folder: Path, config: Mapping[str, str | int] | None = None
) -> dict[str, int]:
    """Copy tables (name -> schema) into ``folder/<name>.parquet``; returns their row counts."""
    counts: dict[str, int] = {}
    with duckdb.connect(str(warehouse), read_only=True, config=dict(config or {})) as connection:
        for name, schema in tables.items():
            file = folder / f"{name}.parquet"
            written = connection.execute(
                f'copy (select * from "{schema}"."{name}" order by all) to \'{file}\' (format parquet)'
            ).fetchone()
            counts[name] = int(written[0]) if written else 0
    return counts


def publish(
    home: DataHome, tables: Mapping[str, str], inspect: Callable[[Path], None] = lambda _: None
) -> dict[str, int]:
    """Publish all tables at once: readers see the old generation until the new one is whole.

    ``inspect`` looks at the new generation before anybody sees it; what it raises stops the publication.
    """
    generations = home.root / "generations"
    generations.mkdir(exist_ok=True)
    numbers = [int(path.name) for path in generations.iterdir() if path.name.isdigit()]
    folder = generations / str(max(numbers, default=0) + 1)
    folder.mkdir()
    counts = copy_out(home.warehouse, tables, folder, duckdb_config(home))
    try:
        inspect(folder)
    except Exception:
        shutil.rmtree(folder)
        raise
    copy_basis(home.basis, folder / FOLDER)
    # Before readers see them: a key that was read must resolve whatever happens after.
    keep_given(folder, home.reference)
    keep_alerts(folder, home.reference)
    _point(home.published, folder)
    clear_mark(home.root)
    for number in sorted(numbers)[:-1]:
        shutil.rmtree(generations / str(number))
    return counts


def _point(link: Path, folder: Path) -> None:
    """Turn the link to the new generation in one rename."""
    if link.is_dir() and not link.is_symlink():
        link.rmdir()
    aside = link.with_name(link.name + ".aside")
    aside.unlink(missing_ok=True)
    aside.symlink_to(os.path.relpath(folder, link.parent))
    aside.replace(link)


def read_published(home: DataHome, table: str) -> pl.DataFrame:
    """A published table; ``NotPublishedError`` before the first complete run."""
    file = home.published / f"{table}.parquet"
    if not file.is_file():
        raise NotPublishedError(table)
    return pl.read_parquet(file)
