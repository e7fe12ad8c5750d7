"""``zhaoren parity``: the same data home built on DuckDB and on Spark, compared row by row."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.arguments import JsonOption
from orchestration.console import CommandError, Exit, finish, say, show_json, show_table
from orchestration.home.settings import find_home

if TYPE_CHECKING:
    from orchestration.warehouse.parity import Parity

HEADINGS = {
    "table": "table",
    "rows_duckdb": "rows DuckDB",
    "rows_spark": "rows Spark",
    "only_duckdb": "only DuckDB",
    "only_spark": "only Spark",
    "columns": "rows that differ, by column",
}


def parity(
    select: Annotated[
        list[str] | None, typer.Option(help="Only these models, in dbt's words; may be given more than once.")
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder for both warehouses, kept afterwards.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Build the warehouse on both engines from the same files and compare every table, row by row.

    The data home is only read. Told are names of tables and columns and counts of rows, never a value. Exit code 1
    where a row differs. Needs Java 17 and the extra `spark`; about ten times the time of a build on DuckDB.

    Example: [bold]zhaoren parity[/] · [bold]zhaoren parity --select +household_month_income --keep both[/]
    """
    from orchestration.warehouse.parity import ParityError, parity_of  # slow to import

    home = find_home()
    if not home.plan_file.is_file():
        raise CommandError("nothing has been built in this data home yet", "run `zhaoren run` first")
    try:
        with nullcontext(keep.resolve()) if keep else TemporaryDirectory(prefix="parity-", dir=home.root) as folder:
            found = parity_of(home, Path(folder), select or [])
    except ParityError as error:
        raise CommandError(str(error), "see docs/spark.md; `--keep FOLDER` leaves the logs of both engines") from error
    _show(found, as_json)
    if found.differences:
        finish(Exit.FINISHED_WITH_PROBLEMS)


def _show(found: Parity, as_json: bool) -> None:
    if as_json:
        show_json(asdict(found))
        return
    built = ", ".join(f"{engine} {seconds} s" for engine, seconds in found.seconds.items())
    say(f"{found.tables} tables ({found.published} published), {found.rows} rows; built by {built}")
    if not found.differences:
        say("no row differs")
        return
    rows = [
        {**asdict(item), "columns": ", ".join(f"{name} {count}" for name, count in item.columns.items())}
        for item in found.differences
    ]
    show_table("tables that differ", rows, HEADINGS)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(parity)
