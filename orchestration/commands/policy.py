"""``zhaoren policy``: what the rules say in a place on a day, and whether the files can be used."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import typer

from models.codes import city_code
from models.policy import load_parameters, policy_version
from models.policy.inspection import holidays_unknown_from, policy_faults
from models.policy.page import values_on
from orchestration.commands.arguments import JsonOption
from orchestration.console import CommandError, Exit, finish, say, show_json, show_table

group = typer.Typer(
    name="policy", help="What the rules say, and whether their files can be used.", no_args_is_help=True
)
COLUMNS = {
    "parameter": "parameter", "label_zh": "内容", "key": "for", "value": "value", "unit": "unit", "region": "region",
    "since": "from", "until": "to", "source": "source",
}  # fmt: skip


@group.command()
def show(
    parameter: Annotated[
        str | None, typer.Argument(help="One parameter, or the beginning of its name; default: all.")
    ] = None,
    region: Annotated[str, typer.Option(help="Code of a county, city or village; default: the city.")] = "",
    on: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The day; default: today.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the values that hold, each with where it was set, since when and by which document.

    Example: [bold]zhaoren policy show dibao_standard --region 420702 --on 2024-06-01[/]
    """
    names = [name for name in load_parameters() if parameter is None or name.startswith(parameter)]
    if not names:
        raise CommandError(f"{parameter} is no parameter", "`zhaoren policy show` lists all of them")
    day = _day(on)
    found = [asdict(one) for one in values_on(region or city_code(), day, names)]
    if as_json:
        show_json({"policy": policy_version(), "on": day, "values": found})
        return
    show_table(f"policy {policy_version()} on {day}", found, COLUMNS)
    if not found:
        say(f"nothing is set for region {region or city_code()[:6]} on {day}")


@group.command()
def check(as_json: JsonOption = False) -> None:
    """Read all policy files; say in which file and line something is wrong, and from when on holidays are unknown.

    Example: [bold]zhaoren policy check[/]
    """
    faults = policy_faults()
    unknown = holidays_unknown_from()
    if as_json:
        show_json({"faults": [asdict(fault) for fault in faults], "holidays_unknown_from": unknown})
    else:
        for fault in faults:
            say(f"{fault.file}{f':{fault.line}' if fault.line else ''}: {fault.what}")
        say(f"{len(faults)} faults; holidays are known until {unknown}, after that weekends alone count as free")
    finish(Exit.FINISHED_WITH_PROBLEMS if faults else Exit.DONE)


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now().astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2024-06-01", param_hint="--on") from error


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(group)
