"""``zhaoren docs``: the data dictionary and front page of the warehouse."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from models.labels import LANGUAGES
from orchestration.commands.arguments import JsonOption
from orchestration.console import CommandError, Exit, finish, say, show_json, show_table
from orchestration.home.settings import find_home

group = typer.Typer(name="docs", help="What the warehouse holds: its data dictionary.", no_args_is_help=True)
GAP_COLUMNS = {"table": "table", "column": "column", "what": "lacks"}


@group.command()
def build(
    out: Annotated[Path | None, typer.Option(help="Folder to write into; default: outputs/docs of the home.")] = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; default: as the lists.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the data dictionary as pages that need no server: every table, grain, column, source, sensitivity.

    Made from the contracts of the feeds, dbt's models and the SQL they compile to. Ends with 1 where an entry lacks
    something.

    Example: [bold]zhaoren docs build --out docs-site --lang en[/]
    """
    from orchestration.reporting.dictionary import dictionary_of
    from orchestration.warehouse.dbt import DbtError  # slow to import
    from workbench.dictionary import gaps
    from workbench.dictionary_site import FRONT, Site

    home = find_home()
    language = lang or home.settings().lists.language
    if language not in LANGUAGES:
        raise typer.BadParameter(f"{language} is none of {', '.join(LANGUAGES)}", param_hint="--lang")
    if not any(home.reference.glob("*.parquet")):
        raise CommandError("this data home has no reference tables yet", "run `zhaoren run` first")
    try:
        tables = dictionary_of(home)
    except DbtError as error:
        raise CommandError(f"the models could not be read: {error}", "run `zhaoren doctor`") from error
    folder = out or home.outputs / "docs"
    pages, missing = Site(tables, language).write(folder), gaps(tables)
    columns = sum(len(table.columns) for table in tables)
    if as_json:
        found = {"tables": len(tables), "columns": columns, "pages": len(pages), "front": str(folder / FRONT)}
        show_json({**found, "gaps": [asdict(gap) for gap in missing]})
    else:
        say(f"{len(tables)} tables, {columns} columns -> {folder / FRONT}")
        if missing:
            show_table("what is missing", [asdict(gap) for gap in missing], GAP_COLUMNS)
    if missing:
        finish(Exit.FINISHED_WITH_PROBLEMS)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(group)
