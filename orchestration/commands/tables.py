"""``zhaoren export``: tables for other systems, with columns that stay."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from orchestration.commands.arguments import MonthOption, month_of
from orchestration.commands.deciding import checked_reason, decider
from orchestration.console import CommandError, tell
from orchestration.home.published import NotPublishedError
from orchestration.home.settings import find_home
from orchestration.questions.exports import EXPORTS, Format, as_bytes
from orchestration.trail.audit import record_access

Table = enum.Enum("Table", {name: name for name in EXPORTS}, type=str)  # type: ignore[misc]


class FileFormat(enum.StrEnum):
    """File formats of an export."""

    csv = "csv"
    jsonl = "jsonl"
    parquet = "parquet"


def export(
    table: Annotated[Table, typer.Argument(help="Which table.")],
    out: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
    month: MonthOption = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="csv, jsonl or parquet.")] = FileFormat.csv,
    identified: Annotated[bool, typer.Option("--identified", help="With ID numbers and names; logged.")] = False,
    reason: Annotated[str, typer.Option(help="Why identities are needed (required with --identified).")] = "",
) -> None:
    """Write one table to a file or to standard output. Lists and maps are JSON text in CSV.

    Example: [bold]zhaoren export alerts --month 2024-03 --format jsonl --out alerts.jsonl[/]
    """
    why, home = checked_reason(reason) if identified else "", find_home()
    day = month_of(month)
    try:
        frame = EXPORTS[table.value](home, day, identified)
    except (NotPublishedError, FileNotFoundError) as error:
        raise CommandError("nothing has been published yet", "run `zhaoren run` first") from error
    if identified:
        record_access(home, "export", table.value, who=decider(None), month=month, count=frame.height, reason=why)
    _deliver(frame, out, file_format.value, identified)
    tell(f"{frame.height} rows of {table.value} -> {out or 'standard output'}")


def _deliver(frame: pl.DataFrame, out: Path | None, form: Format, identified: bool) -> None:
    if out is None:
        sys.stdout.buffer.write(as_bytes(frame, form))
        sys.stdout.buffer.flush()
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(out.name + ".aside")
    # Identities are for the reader alone from the first byte on.
    aside.touch(mode=0o600 if identified else 0o644)
    aside.write_bytes(as_bytes(frame, form))
    aside.replace(out)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(export)
