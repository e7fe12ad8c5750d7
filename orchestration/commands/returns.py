"""``zhaoren returns``: workbooks that caseworkers sent back become a delivery of the feed ``visit_outcome``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from ingestion.vault.alias import Aliases
from orchestration.commands.arguments import InboxOption, JsonOption
from orchestration.console import CommandError, Exit, finish, say, show_json, show_table
from orchestration.feeds.deliveries import LANGUAGE
from orchestration.home.published import NotPublishedError, read_published
from orchestration.home.settings import find_home
from orchestration.home.stores import store_of

PROBLEM_COLUMNS = {"file": "workbook", "sheet": "sheet", "row": "row", "reason": "what is wrong"}


def returns(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder with the filled-in workbooks.")],
    inbox: InboxOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read filled-in workbooks and deliver their answers into the inbox; the next run takes them in.

    Keep all workbooks of a month in the folder: a delivery holds every answer of its month.
    Exit code 1 where rows could not be used; the table says which.

    Example: [bold]zhaoren returns /srv/returned/2024-06[/]
    """
    from workbench.delivery import import_returns  # slow to import

    home = find_home().create()
    try:
        known = read_published(home, "alert")["alert_id"].unique()
        # Numbers given out before person keys were changed come back too; the warehouse knows whose they are.
        known = pl.concat([known, Aliases(store_of(home)).alert_numbers()]).unique()
    except NotPublishedError as error:
        raise CommandError("no list has been handed out yet", "run `zhaoren run` first") from error
    report = import_returns(folder, inbox or home.inbox, known, datetime.now(UTC).astimezone())
    problems = [{**asdict(problem), "reason": problem.text(LANGUAGE)} for problem in report.problems]
    if as_json:
        show_json({**asdict(report), "deliveries": [str(path) for path in report.deliveries]})
    else:
        say(f"{report.workbooks} workbooks, {report.answers} answers, {report.unanswered} rows without an answer")
        for path in report.deliveries:
            say(f"delivered: {path}")
        if problems:
            show_table("rows that could not be used", problems, PROBLEM_COLUMNS)
    if problems:
        finish(Exit.FINISHED_WITH_PROBLEMS)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(returns)
