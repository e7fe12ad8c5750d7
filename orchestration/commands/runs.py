"""``zhaoren run`` and ``zhaoren status``: bring months up to date; see where things stand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from ingestion.database import is_there
from orchestration.commands.arguments import InboxOption, JsonOption, MonthOption, month_of, time_of
from orchestration.commands.deliveries import PROBLEM_COLUMNS, SOURCE_COLUMNS
from orchestration.console import CommandError, Exit, StepProgress, answer, finish, say, show_json, show_table
from orchestration.feeds.deliveries import ignored_files, ledger_frame, parts_missing
from orchestration.feeds.feed_calendar import feed_calendar, newest_month
from orchestration.feeds.quarantine import open_count
from orchestration.home.lock import BusyError
from orchestration.home.operations import Operations
from orchestration.home.outputs import output_places
from orchestration.home.settings import DataHome, find_home
from orchestration.warehouse.run_plan import RunPlan, Wish

if TYPE_CHECKING:
    from orchestration.flow import WholeRun

AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="Only deliveries received by then count; default: now.")
]
FullOption = Annotated[bool, typer.Option("--full", help="Build the tables of all months anew.")]
CALENDAR_COLUMNS = {
    "feed": "feed",
    "title": "title",
    "due_on": "due",
    "state": "state",
    "data_month": "data of",
    "is_stale": "stale",
    "rows_accepted": "rows",
    "rows_quarantined": "quarantined",
    "superseded": "superseded files",
    "note": "note",
}


def run(
    month: MonthOption = None,
    as_of: AsOfOption = None,
    inbox: InboxOption = None,
    full: FullOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a month (default: every month not yet done) up to date, from the inbox to the lists.

    Tables are built anew from the first month on that new or corrected deliveries touch.
    Exit code 1: done, but deliveries were rejected or held, or checks failed; the table says what to do.

    Examples: [bold]zhaoren run[/] · [bold]zhaoren run --month 2024-03 --inbox /srv/inbox[/]
    """
    home = find_home().create()
    wish = Wish(month_of(month), time_of(as_of) or datetime.now(UTC), full)
    result = whole_way(home, inbox or home.inbox, wish)
    report(home, result, as_json=as_json)


def whole_way(home: DataHome, inbox: Path, wish: Wish) -> WholeRun:
    """The run with its progress on the screen; a failed step or a busy home is a ``CommandError``."""
    # Dagster, Great Expectations and scikit-learn take seconds to import: only commands that run pay for it.
    from orchestration.flow import run_whole_way

    try:
        with StepProgress() as progress:
            result = run_whole_way(home, inbox, wish, progress)
    except BusyError as error:
        raise CommandError(str(error), "see `zhaoren status`") from error
    if result.outcome.failed_step:
        step, why = result.outcome.failed_step, result.outcome.error
        raise CommandError(
            f"step {step} failed: {why}", f"mend it and run again; nothing is lost (log: {home.dagster / 'steps.log'})"
        )
    return result


def report(home: DataHome, result: WholeRun, *, as_json: bool) -> None:
    """What was done, what needs a person, where the results are; ends with exit code 0 or 1."""
    problems = result.problems
    months = [f"{month:%Y-%m}" for month in result.plan.months] if result.plan else []
    if as_json:
        show_json(
            {
                "months": months,
                "rebuilt": rebuilt_text(result.plan) if result.plan else None,
                "nothing_to_run": result.why_no_plan,
                "new_deliveries": result.new_deliveries,
                "problems": problems.to_dicts(),
                "sources": list(result.unread_sources),
                "failed_checks": result.outcome.failed_checks,
                "outputs": output_places(home),
            }
        )
    else:
        _tell(home, result, months)
    if result.unread_sources or not problems.is_empty() or result.outcome.failed_checks:
        finish(Exit.FINISHED_WITH_PROBLEMS)


def _tell(home: DataHome, result: WholeRun, months: list[str]) -> None:
    say(f"{result.new_deliveries} new deliveries taken in")
    if not result.problems.is_empty():
        answer(result.problems, "rejected and held deliveries", PROBLEM_COLUMNS, as_json=False)
    if result.unread_sources:
        show_table("sources that could not be read", result.unread_sources, SOURCE_COLUMNS)
    for check in result.outcome.failed_checks:
        say(f"check failed: {check}")
    if result.why_no_plan:
        say(f"no month to bring up to date: {result.why_no_plan}")
        say("put deliveries into inbox/<feed>/ and run again; `zhaoren status` shows what is expected")
        return
    assert result.plan is not None
    say(rebuilt_text(result.plan))
    say(f"months done: {_span(months)}")
    show_table("where to look", output_places(home), {"what": "what", "where": "where", "count": "files"})


def rebuilt_text(plan: RunPlan) -> str:
    """Which months' tables were built anew, and why; lists and reports are another matter."""
    first, last = f"{plan.rebuild_from:%Y-%m}", f"{plan.last_month:%Y-%m}"
    months = first if first == last else f"{first} to {last}"
    return f"tables of {months} built anew: {'; '.join(plan.why) or 'the newest month'}"


def _span(months: list[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]} ({len(months)})"


def status(month: MonthOption = None, inbox: InboxOption = None, as_json: JsonOption = False) -> None:
    """The feed calendar of a month: arrived, late, held, rejected; files left alone; the last runs.

    Example: [bold]zhaoren status --month 2024-03[/]
    """
    home = find_home()
    ledger = ledger_frame(home)
    day = month_of(month) or newest_month(ledger) or datetime.now(UTC).date().replace(day=1)
    calendar = feed_calendar(ledger, day, datetime.now(UTC), parts_missing(home))
    set_aside = open_count(home)
    ignored = ignored_files(inbox or home.inbox)
    runs = Operations(home.operations).last_runs() if is_there(home.operations) else []
    if as_json:
        show_json(
            {
                "month": f"{day:%Y-%m}",
                "feeds": calendar.to_dicts(),
                "ignored": ignored,
                "runs": runs,
                "open_rows": set_aside,
            }
        )
        return
    shown = calendar.with_columns(is_stale=pl.when("is_stale").then(pl.lit("stale")))
    answer(shown, f"feed calendar of {day:%Y-%m}", CALENDAR_COLUMNS, as_json=False)
    held = ledger.filter(pl.col("status") == "held")
    if held.height:
        say(
            f"{held.height} held: {', '.join(held['delivery_id'])} (`zhaoren delivery show ID`, then release or reject)"
        )
    if set_aside:
        say(f"{set_aside} rows in quarantine are open: `zhaoren quarantine list`")
    if ignored:
        show_table("files in the inbox that were left alone", ignored, {"file": "file", "why": "why"})
    rows = [
        {
            "run": run.run_id,
            "at": run.started_at,
            "state": run.status,
            "months": _span(list(run.months)),
            "policy": run.policy_version,
        }
        for run in runs
    ]
    if rows:
        show_table(
            "last runs", rows, {"run": "run", "at": "started", "state": "state", "months": "months", "policy": "policy"}
        )


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(run)
    app.command()(status)
