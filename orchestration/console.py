"""How the command line speaks: tables, JSON, progress, errors and exit codes.

Belongs here: what all commands share on the screen. What they do belongs to ``commands``.
"""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

# Piped into a file or a pager there is no width to keep to; 80 columns would cut tables to shreds.
PIPED_WIDTH = 180
OUT = Console(emoji=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
# Bound to the stream of now: what is printed while steps run is redirected into a file, the progress is not.
ERR = Console(emoji=False, file=sys.stderr, width=None if sys.stderr.isatty() else PIPED_WIDTH)


class Exit(enum.IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FINISHED_WITH_PROBLEMS = 1
    USAGE = 2
    FAILURE = 3


class CommandError(Exception):
    """A failure to be told to a person: what happened, and what to do next."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.next_step = next_step


def finish(code: Exit) -> None:
    """End the command with that exit code."""
    raise typer.Exit(int(code))


def say(text: str) -> None:
    """One plain line for a person."""
    OUT.print(text, markup=False, highlight=False)


def tell(text: str) -> None:
    """One plain line beside the answer, on stderr."""
    ERR.print(text, markup=False, highlight=False)


def show_error(what: str, next_step: str) -> None:
    """A failure on stderr: what, and what to do next."""
    ERR.print(f"[bold red]zhaoren:[/] {escape(what)}", highlight=False)
    ERR.print(f"  -> {next_step}", markup=False, highlight=False)


def show_json(value: object) -> None:
    """Machine-readable answer on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain, indent=1) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def show_table(title: str, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """A table for people; ``columns`` maps the keys of the rows to their headings.

    Cells are shown to the letter: a file may be called ``[/x].csv``.
    """
    table = Table(title=escape(title), title_justify="left", header_style="bold", expand=False)
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(row.get(name))) for name in columns))
    OUT.print(table, highlight=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return str(value)


def answer(frame: pl.DataFrame, title: str, columns: Mapping[str, str], *, as_json: bool) -> None:
    """The same rows as JSON (all columns) or as a table (those named)."""
    if as_json:
        show_json(frame.to_dicts())
    else:
        show_table(title, frame.iter_rows(named=True), columns)


class StepProgress:
    """A progress bar on a terminal, plain lines otherwise; told by ``runner`` which step runs."""

    def __init__(self, label: Callable[[str], str] = str) -> None:
        self._label = label
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=ERR,
            transient=True,
        )
        self._task: Any = None
        self._on_terminal = ERR.is_terminal

    def __enter__(self) -> StepProgress:
        if self._on_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._on_terminal:
            self._bar.stop()

    def begin(self, steps: int) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("", total=steps)

    def step(self, name: str) -> None:
        self._bar.update(self._task, description=self._label(name))
        if not self._on_terminal:
            ERR.print(f"{datetime.now().astimezone():%H:%M:%S} {self._label(name)}", highlight=False)

    def done(self, name: str) -> None:
        del name
        self._bar.advance(self._task)
