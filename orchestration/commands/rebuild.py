"""``zhaoren rebuild``: the lists and reports of a month as they were on a day gone by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.arguments import JsonOption, month_of, time_of
from orchestration.commands.deciding import ByOption, checked_reason, decider
from orchestration.console import CommandError, Exit, finish, say, show_json, show_table
from orchestration.home.settings import find_home
from orchestration.trail.audit import record_access

LENGTH_OF_A_DAY = len("2024-04-12")


def rebuild(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Data month.")],
    as_of: Annotated[str, typer.Option("--as-of", metavar="TIME", help="Day (its end) or time.")],
    out: Annotated[Path, typer.Option(help="Folder to write into; outside of the months handed out.")],
    reason: Annotated[str, typer.Option("--why", "--reason", help="Why; the lists name people, so it is logged.")] = "",
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the lists and reports of a month as the last run by that time made them, whatever came later.

    Files, decisions, policy and models of that time count. Each file is compared with what the audit log has of it;
    exit code 1 where one differs or is not made, or where rows of that time are gone. The data home is only read.

    Example: [bold]zhaoren rebuild --month 2024-03 --as-of 2024-04-12 --out rebuilt --why "audit no. 4"[/]
    """
    from orchestration.trail.rebuild import rebuild_month  # slow to import

    home, why, day = find_home(), checked_reason(reason), month_of(month)
    moment = time_of(as_of)
    assert day is not None
    assert moment is not None
    if len(as_of.strip()) == LENGTH_OF_A_DAY:
        moment += timedelta(days=1) - timedelta(microseconds=1)
    if out.resolve().is_relative_to(home.outputs):
        raise CommandError(f"{out} is among what was handed out", "name a folder elsewhere")
    record_access(home, "export", f"rebuild as of {as_of}", who=decider(by), month=month, count=0, reason=why)
    done = rebuild_month(home, day, min(moment, datetime.now(UTC)), out)
    if as_json:
        told = {"run": done.run.plan.as_of, "policy": done.run.policy_version, "models": done.run.champions()}
        told |= {"same_code": done.same_code, "files": done.compared, "gaps": [vars(gap) for gap in done.gaps]}
        show_json(told)
    else:
        say(f"as the run of {done.run.plan.as_of:%Y-%m-%d %H:%M} made it, policy {done.run.policy_version} -> {out}")
        if not done.same_code:
            say("the program or the policy beside it has changed since: files may differ for that reason alone")
        rows = [{"file": name, "state": state} for name, state in done.compared.items()]
        show_table("compared with the audit log", rows, {"file": "file", "state": "is"})
        for gap in done.gaps:
            say(f"{gap.delivery_id}: {gap.why}")
    if not done.is_same:
        finish(Exit.FINISHED_WITH_PROBLEMS)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(rebuild)
