"""``zhaoren report``: what leaders and auditors read of a month."""

from __future__ import annotations

import enum
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from models.labels import LANGUAGES
from orchestration.commands.arguments import JsonOption, month_of
from orchestration.console import CommandError, show_json, show_table, tell
from orchestration.home.outputs import REPORTS, month_folder
from orchestration.home.published import NotPublishedError
from orchestration.home.settings import find_home

group = typer.Typer(name="report", help="What leaders and auditors read of a month.", no_args_is_help=True)
COLUMNS = {"report": "report", "language": "language", "form": "form", "size": "bytes", "path": "file"}
Language = enum.Enum("Language", {name: name for name in (*LANGUAGES, "both")}, type=str)  # type: ignore[misc]

MonthArgument = Annotated[
    str | None, typer.Option("--month", metavar="YYYY-MM", help="Data month; default: the newest.")
]
LangOption = Annotated[Language | None, typer.Option(help="zh, en or both; default: as the lists.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder to write into; default: the month's in the data home.")]


@group.command()
def bulletin(
    month: MonthArgument = None, lang: LangOption = None, out: OutOption = None, as_json: JsonOption = False
) -> None:
    """Write the monthly bulletin for leaders: page, PDF, workbook and data. It names nobody, small counts are hidden.

    Example: [bold]zhaoren report bulletin --month 2024-06 --lang both[/]
    """
    _write("bulletin", month, lang, out, as_json=as_json)


@group.command()
def quality(
    month: MonthArgument = None, lang: LangOption = None, out: OutOption = None, as_json: JsonOption = False
) -> None:
    """Write the monthly report on data quality: page, PDF, workbook and data. No value of any row stands in it.

    Example: [bold]zhaoren report quality --month 2024-06 --lang en --out reports/[/]
    """
    _write("quality", month, lang, out, as_json=as_json)


def _write(report: str, month: str | None, lang: Language | None, out: Path | None, *, as_json: bool) -> None:
    from orchestration.reporting.reports import newest_month, write_reports  # slow to import

    home, asked = find_home(), month_of(month)
    try:
        newest = newest_month(home)
        day = asked or newest
        if day > newest:
            raise CommandError(f"nothing is known of {day:%Y-%m}", f"the newest month is {newest:%Y-%m}")
        chosen = lang.value if lang else home.settings().lists.language
        languages = LANGUAGES if chosen == "both" else (chosen,)
        written = write_reports(home, day, out or month_folder(home, day) / REPORTS, (report,), languages)
    except NotPublishedError as error:
        raise CommandError(f"no table {error} has been published", "run `zhaoren run` first") from error
    rows = [asdict(one) for one in written]
    if as_json:
        show_json({"month": f"{day:%Y-%m}", "files": rows})
        return
    show_table(f"{report} of {day:%Y-%m}", rows, COLUMNS)
    tell("the manifest beside them has the SHA-256 of each file")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(group)
