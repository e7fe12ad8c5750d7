"""``zhaoren records``: where ledger, decisions and audit log lie, and moving them.

Belongs here: arguments and answers. The move itself is in ``orchestration.home.records``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from ingestion.database import Address, address_of
from orchestration.commands.arguments import JsonOption
from orchestration.console import say, show_json, show_table
from orchestration.home.settings import DatabaseSettings, address_in, find_home

app = typer.Typer(no_args_is_help=True, help="Where ledger, decisions and audit log lie: files or PostgreSQL.")
FILES = "files"


@app.command("show")
def show_records(as_json: JsonOption = False) -> None:
    """Where the records of the data home lie.

    Example: [bold]zhaoren records show[/]
    """
    home = find_home()
    address = address_of(home.root)
    if as_json:
        show_json({"place": address.url if address else FILES, "schema": address.schema if address else None})
    else:
        say(f"records: {address.url}, schema {address.schema}" if address else f"records: files of {home.root}")


@app.command("move")
def move_records(
    to: Annotated[str, typer.Option("--to", help="postgresql://user@host:5432/database, or files.")],
    schema: Annotated[str, typer.Option(help="Schema of this data home in that database.")] = "zhaoren",
    password_file: Annotated[Path | None, typer.Option(help="File that holds the database's password.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy all records to another place, compare every row, and work there from now on.

    The password comes from ZHAOREN_DATABASE__PASSWORD, a file, or ~/.pgpass; it is never part of the URL.

    Example: [bold]zhaoren records move --to postgresql://zhaoren@db/zhaoren[/]
    """
    from orchestration.home.records import move_to_database, move_to_files  # slow to import

    home = find_home()
    counts = move_to_files(home) if to == FILES else move_to_database(home, _address(to, schema, password_file))
    if as_json:
        show_json(counts)
        return
    rows = [{"table": table, "rows": count} for table, count in sorted(counts.items())]
    show_table("rows copied and compared", rows, {"table": "table", "rows": "rows"})
    say("done" if to == FILES else "the files of before lie in records_before_move: delete them once you have a backup")


def _address(url: str, schema: str, password_file: Path | None) -> Address:
    """The address; a usage error (which quotes nothing of the URL) where it is none."""
    try:
        wanted = DatabaseSettings(url=url, schema_name=schema, password_file=password_file and password_file.resolve())
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors(include_input=False)[0]["msg"]), param_hint="--to") from None
    address = address_in(wanted)
    assert address is not None
    return address


def register(group: typer.Typer) -> None:
    """Add the commands of this module."""
    group.add_typer(app, name="records")
