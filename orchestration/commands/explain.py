"""``zhaoren explain``: why an alert stands, down to file and row; what became of a delivery.

Belongs here: the words of the command, and that the look is logged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from models.labels import LANGUAGES
from orchestration.commands.arguments import JsonOption
from orchestration.commands.deciding import ByOption, checked_reason, decider
from orchestration.console import CommandError, say, show_table, tell
from orchestration.home.published import NotPublishedError
from orchestration.home.settings import DataHome, find_home
from orchestration.trail.audit import record_access
from orchestration.trail.explain import as_json as text_of
from orchestration.trail.explain import explain_alert, explain_delivery, write_page
from workbench.explanation import Explanation, explanation_page, shown


def explain(
    alert_id: Annotated[str | None, typer.Argument(help="Number of an alert (N-… or X-…).")] = None,
    delivery: Annotated[str | None, typer.Option(help="Instead: what became of this delivery.")] = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Month of the alert; default: newest.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write it to FILE.html (a page) or FILE.json.")] = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; default: as set for lists.")] = None,
    reason: Annotated[str, typer.Option("--why", "--reason", help="Why; logged.")] = "",
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """What an alert rests on: indicators with value and line, policy with its source, facts, files and rows, models.

    With --delivery the other way: rows taken in, corrected, set aside; tables and alerts that rest on it.
    Nobody is named; a look at an alert is logged all the same.

    Examples: [bold]zhaoren explain N-aakgolgnkehj --out why.html[/] · [bold]zhaoren explain --delivery ID --json[/]
    """
    home = find_home()
    language = lang or home.settings().lists.language
    if language not in LANGUAGES:
        raise typer.BadParameter(f"none of {', '.join(LANGUAGES)}", param_hint="--lang")
    if (alert_id is None) == (delivery is None):
        raise typer.BadParameter("give the number of an alert, or --delivery", param_hint="ALERT_ID")
    found = _found(home, alert_id, delivery, month, language)
    if alert_id is not None:
        why = checked_reason(reason) if reason else "not stated"
        area, count = str(found.tables["alert"]["village_code"][0]), found.tables["facts"].height
        record_access(home, "look", "explanation of an alert", who=decider(by), area=area, count=count, reason=why)
    if out is not None:
        _write(found, out)
        tell(f"-> {out}")
    if as_json:
        typer.echo(text_of(found))
    elif out is None:
        _show(found)


def _found(home: DataHome, alert_id: str | None, delivery: str | None, month: str | None, lang: str) -> Explanation:
    try:
        if delivery is not None:
            return explain_delivery(home, delivery, lang)
        return explain_alert(home, str(alert_id), month, lang)
    except NotPublishedError as error:
        raise CommandError("nothing has been published yet", "run `zhaoren run` first") from error


def _write(found: Explanation, out: Path) -> None:
    forms: dict[str, Any] = {".html": explanation_page, ".json": text_of}
    if out.suffix.lower() not in forms:
        raise CommandError(f"{out.name}: no form of that name", "write it to .html or .json")
    write_page(forms[out.suffix.lower()](found), out)


def _show(found: Explanation) -> None:
    say(found.title)
    for name, table in found.tables.items():
        rows = [
            {name: shown(found.lang, name, value) for name, value in row.items()} for row in table.iter_rows(named=True)
        ]
        columns = {column: found.column(column) for column in table.columns}
        show_table(found.heading(name), rows, columns)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(explain)
