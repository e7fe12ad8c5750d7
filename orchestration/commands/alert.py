"""``zhaoren alert``: who has to see to an alert, what was sent back, closed or opened again; always with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import polars as pl
import typer

from models.alert_life import OFFICES, TransitionRefusedError
from models.codes import load_divisions
from orchestration.commands.arguments import JsonOption
from orchestration.commands.deciding import ByOption, ReasonOption, checked_reason, decider
from orchestration.console import CommandError, answer, say, show_json, show_table
from orchestration.decisions.alert_desk import AlertDesk, Decision, Named
from orchestration.home.published import NotPublishedError
from orchestration.home.settings import find_home

AlertArgument = Annotated[str, typer.Argument(help="Number of the alert, as lists and exports have it (N-… or X-…).")]
RoleOption = Annotated[str, typer.Option("--as", help="For which office: township, county or city.")]
TownshipOption = Annotated[str | None, typer.Option(help="Code of the township, 9 digits.")]
VillageOption = Annotated[str | None, typer.Option(help="Code of the village, 12 digits.")]
WorkerOption = Annotated[str | None, typer.Option(help="Worker who is to go, by account or staff number.")]

LIST_COLUMNS = {
    "alert_id": "alert",
    "side": "side",
    "level": "level",
    "status": "state",
    "reasons": "reasons",
    "due_on": "visit by",
    "township_code": "township",
    "village_code": "village",
    "worker": "worker",
}
STEP_COLUMNS = {
    "month": "month",
    "event": "event",
    "from_state": "from",
    "to_state": "to",
    "by_role": "by",
    "who": "who",
    "reason": "why",
    "decided_at": "when",
}
RERUN = "`zhaoren run` brings it into the tables and the list"

alert_app = typer.Typer(help="The life of alerts: assign, transfer, return, close, reopen.", no_args_is_help=True)


@alert_app.command()
def assign(
    alert_id: AlertArgument,
    reason: ReasonOption,
    township: TownshipOption = None,
    village: VillageOption = None,
    worker: WorkerOption = None,
    role: RoleOption = "township",
    who: ByOption = None,
) -> None:
    """Name the township, village or worker that has to see to an alert.

    Example: [bold]zhaoren alert assign N-abcdefghijkl --village 420704001002 --reason "lives there by the landlord"[/]
    """
    _decide(alert_id, "assign", role, reason, who, _place(township, village, worker))


@alert_app.command()
def transfer(
    alert_id: AlertArgument,
    reason: ReasonOption,
    township: TownshipOption = None,
    village: VillageOption = None,
    role: RoleOption = "county",
    who: ByOption = None,
) -> None:
    """Pass an alert on to another township or village, where the household lives by what was found.

    Example: [bold]zhaoren alert transfer N-abcdefghijkl --township 420704002 --reason "moved there in May"[/]
    """
    _decide(alert_id, "transfer", role, reason, who, _place(township, village, None))


@alert_app.command("return")
def send_back(alert_id: AlertArgument, reason: ReasonOption, role: RoleOption = "county", who: ByOption = None) -> None:
    """Send an answer back: the visit has to be made again.

    Example: [bold]zhaoren alert return N-abcdefghijkl --reason "outcome without a visit to the home"[/]
    """
    _decide(alert_id, "return", role, reason, who)


@alert_app.command()
def close(alert_id: AlertArgument, reason: ReasonOption, role: RoleOption = "county", who: ByOption = None) -> None:
    """End an alert; the same reasons are silent until something new or worse comes.

    Example: [bold]zhaoren alert close N-abcdefghijkl --reason "family abroad, seen by video"[/]
    """
    _decide(alert_id, "close", role, reason, who)


@alert_app.command()
def reopen(alert_id: AlertArgument, reason: ReasonOption, role: RoleOption = "county", who: ByOption = None) -> None:
    """Open an answered alert again.

    Example: [bold]zhaoren alert reopen N-abcdefghijkl --reason "neighbours report that nothing has changed"[/]
    """
    _decide(alert_id, "reopen", role, reason, who)


@alert_app.command()
def show(alert_id: AlertArgument, as_json: JsonOption = False) -> None:
    """One alert as it stands now, with every step of its life and what may be done next.

    Example: [bold]zhaoren alert show N-abcdefghijkl[/]
    """
    desk = _desk()
    try:
        alert, steps, possible = desk.alert(alert_id), desk.steps(alert_id), desk.possible(alert_id)
    except LookupError as error:
        raise CommandError(str(error.args[0]), "`zhaoren alert list` names those of the newest month") from error
    if as_json:
        show_json({"alert": alert, "steps": steps, "possible": possible})
        return
    show_table(f"alert {alert_id} in {alert['month']:%Y-%m}", [alert], LIST_COLUMNS)
    show_table("its life", steps, STEP_COLUMNS)
    say("possible now: " + "; ".join(f"{event} ({', '.join(roles)})" for event, roles in possible.items()))


@alert_app.command("list")
def list_alerts(
    state: Annotated[list[str] | None, typer.Option(help="Only this state; may be given several times.")] = None,
    area: Annotated[str | None, typer.Option(help="Only places whose code begins so.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Alerts of the newest month with their state of now. No names.

    Example: [bold]zhaoren alert list --state overdue --area 420704[/]
    """
    found = _desk().alerts()
    if state:
        found = found.filter(pl.col("status").is_in(state))
    if area:
        found = found.filter(pl.col("township_code").str.starts_with(area))
    answer(found, f"{found.height} alerts", LIST_COLUMNS, as_json=as_json)


def _desk() -> AlertDesk:
    try:
        return AlertDesk.open(find_home())
    except NotPublishedError as error:
        raise CommandError("nothing has been published yet", "run `zhaoren run` first") from error


def _decide(alert_id: str, event: str, role: str, reason: str, who: str | None, named: Named | None = None) -> None:
    if role not in OFFICES:
        raise typer.BadParameter(f"{role} is none of {', '.join(OFFICES)}", param_hint="--as")
    decision = Decision(event, role, decider(who), checked_reason(reason), datetime.now(UTC), named or Named())
    try:
        before, after = _desk().decide(alert_id, decision)
    except LookupError as error:
        raise CommandError(str(error.args[0]), "`zhaoren alert list` names those of the newest month") from error
    except TransitionRefusedError as error:
        raise CommandError(f"refused: {error}", f"`zhaoren alert show {alert_id}` tells what is possible") from error
    say(f"{alert_id}: {before} -> {after}; {RERUN}")


def _place(township: str | None, village: str | None, worker: str | None) -> Named:
    known = {place.short_code: place.level for place in load_divisions()}
    for name, code in (("township", township), ("village", village)):
        if code is not None and known.get(code) != name:
            raise typer.BadParameter(f"{code} is no {name} of the division list", param_hint=f"--{name}")
    if township and village and not village.startswith(township):
        raise typer.BadParameter("the village is not in that township", param_hint="--village")
    if worker is not None and len(checked_reason(worker)) > 30:
        raise typer.BadParameter("name the worker by account or staff number", param_hint="--worker")
    return Named(township or (village[:9] if village else None), village, checked_reason(worker) if worker else None)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(alert_app, name="alert")
