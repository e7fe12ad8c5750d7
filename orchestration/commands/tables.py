"""``zhaoren export``: tables for other systems, with columns that stay."""

from __future__ import annotations

import enum
import getpass
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.arguments import MonthOption, month_of
from orchestration.console import CommandError, say
from orchestration.exports import EXPORTS, write
from orchestration.operations import Operations
from orchestration.published import NotPublishedError
from orchestration.settings import find_home

Table = enum.Enum("Table", {name: name for name in EXPORTS}, type=str)  # type: ignore[misc]


class FileFormat(enum.StrEnum):
    """File formats of an export."""

    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


def export(
    table: Annotated[Table, typer.Argument(help="Which table.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    month: MonthOption = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="csv, jsonl or parquet.")] = FileFormat.csv,
    identified: Annotated[bool, typer.Option("--identified", help="With ID numbers and names; logged.")] = False,
    reason: Annotated[str, typer.Option(help="Why identities are needed (required with --identified).")] = "",
) -> None:
    """Write one table to a file. Lists and maps are JSON text in CSV.

    Example: [bold]zhaoren export alerts --month 2024-03 --format jsonl --out alerts.jsonl[/]
    """
    if identified and not reason.strip():
        raise typer.BadParameter("say why identities are needed: --reason TEXT", param_hint="--reason")
    home = find_home()
    day = month_of(month)
    try:
        frame = EXPORTS[table.value](home, day, identified)
    except (NotPublishedError, FileNotFoundError) as error:
        raise CommandError("nothing has been published yet", "run `zhaoren run` first") from error
    if identified:
        Operations(home.operations).log_identified_export(getpass.getuser(), table.value, month, frame.height, reason)
    out.parent.mkdir(parents=True, exist_ok=True)
    write(frame, out, file_format.value)
    if identified:
        out.chmod(0o600)
    say(f"{frame.height} rows of {table.value} -> {out}")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(export)
