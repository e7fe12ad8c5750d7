"""``zhaoren ingest`` and ``delivery``: what came in, what a person decides about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import polars as pl
import typer

from ingestion import Delivery, DeliveryNotFoundError, FeedsLostError, TransitionError, hold, ingest, reject, release
from ingestion.in_force import touched_months
from models.contract import load_feeds
from orchestration.commands.arguments import InboxOption, JsonOption
from orchestration.commands.deciding import ByOption, ReasonOption, checked_reason, decider
from orchestration.console import CommandError, Exit, answer, finish, say, show_json, show_table, tell
from orchestration.feeds.deliveries import frame_of, problems_of, standing_of, validity_now
from orchestration.feeds.sources import fetch_sources, origin_of, problems_of_sources, take_in_landed
from orchestration.home.lock import BusyError, locked, taking_in
from orchestration.home.settings import find_home
from orchestration.home.stores import ledger_of, quarantine_of, store_of

PROBLEM_COLUMNS = {
    "status": "status",
    "feed": "feed",
    "file_name": "file",
    "reason": "reason",
    "detail": "detail",
    "next_step": "what to do",
    "delivery_id": "delivery",
}
DELIVERY_COLUMNS = {
    "feed": "feed",
    "file_name": "file",
    "period": "month",
    "division": "division",
    "status": "status",
    "reason": "reason",
    "rows_data": "rows",
    "rows_accepted": "accepted",
    "rows_quarantined": "quarantined",
    "warnings": "warnings",
}
SOURCE_COLUMNS = {"source": "source", "problem": "problem", "next_step": "what to do"}
# What to do where the delivery's state does not allow the wish.
NEXT_STEPS = {
    "released": "only a held delivery can be released; what was rejected must be delivered again",
    "rejected": "only a held delivery can be rejected; `zhaoren delivery hold ID` first takes an accepted one out",
    "held": "only what was accepted can be held; `zhaoren delivery show ID` tells its history",
}
DeliveryArgument = Annotated[str, typer.Argument(help="Delivery, as `zhaoren run` or `status` names it.")]

delivery_app = typer.Typer(help="Work on one delivery: show, release, reject, hold.", no_args_is_help=True)


def ingest_inbox(inbox: InboxOption = None, as_json: JsonOption = False) -> None:
    """Fetch from the sources, take in what came and what lies in the inbox (never changing it); show each delivery.

    Nothing else is run.

    Example: [bold]zhaoren ingest --inbox /srv/inbox[/]
    """
    home = find_home().create()
    known = ledger_of(home).frame().height
    try:
        with locked(home), taking_in(home):
            unread = problems_of_sources(fetch_sources(home, tell=tell))
            workers = home.settings().limits.threads
            taken = ingest(inbox or home.inbox, store_of(home), load_feeds(), datetime.now(UTC), workers=workers)
            taken += take_in_landed(home)
    except BusyError as error:
        raise CommandError(str(error), "see `zhaoren status`") from error
    except FeedsLostError as error:
        raise CommandError(
            str(error), "run `zhaoren ingest` again; with less memory set limits.threads lower"
        ) from error
    deliveries, problems = frame_of(taken), problems_of(home, known)
    if as_json:
        show_json({"deliveries": deliveries.to_dicts(), "problems": problems.to_dicts(), "sources": unread})
    elif deliveries.is_empty():
        say("nothing new in the inbox; deliveries belong into inbox/<feed>/<file>")
    else:
        answer(deliveries, "deliveries", DELIVERY_COLUMNS, as_json=False)
    if not as_json and not problems.is_empty():
        answer(problems, "rejected and held deliveries", PROBLEM_COLUMNS, as_json=False)
    if not as_json and unread:
        show_table("sources that could not be read", unread, SOURCE_COLUMNS)
    if unread or not problems.is_empty():
        finish(Exit.FINISHED_WITH_PROBLEMS)


@delivery_app.command()
def show(delivery_id: DeliveryArgument, as_json: JsonOption = False) -> None:
    """Everything the ledger knows of a delivery, its defects by column, and who decided what.

    Example: [bold]zhaoren delivery show DELIVERY[/]
    """
    home = find_home()
    try:
        delivery = ledger_of(home).delivery(delivery_id)
    except DeliveryNotFoundError as error:
        raise CommandError(str(error), "copy the id from `zhaoren status --json` or the run's table") from error
    facts = {name: value for name, value in asdict(delivery).items() if name not in {"file_key", "statement_key"}}
    facts |= {"source": origin_of(home, delivery_id), **standing_of(home, delivery)}
    if as_json:
        show_json({**facts, "decisions": ledger_of(home).decisions(delivery_id)})
        return
    history = facts.pop("history")
    show_table(
        delivery_id, [{"fact": name, "value": value} for name, value in facts.items()], {"fact": "", "value": ""}
    )
    for title, kind in (("faults that set rows aside", "row"), ("cells emptied", "cell")):
        faults = quarantine_of(home).faults(kind, load_feeds()).filter(pl.col("delivery_id") == delivery_id)
        counts = faults.group_by("column", "reason").agg(rows=pl.len(), first=pl.col("row_number").min()).sort("column")
        if not counts.is_empty():
            columns = {"column": "column", "reason": "reason", "rows": "rows", "first": "first row in the file"}
            answer(counts, title, columns, as_json=False)
    show_table("history", history, {"at": "when", "state": "state", "by": "who", "why": "why"})


@delivery_app.command("release")
def release_delivery(
    delivery_id: DeliveryArgument, reason: ReasonOption, by: ByOption = None, as_json: JsonOption = False
) -> None:
    """Let a held delivery in after all; its rows count from the next run on.

    Example: [bold]zhaoren delivery release DELIVERY --reason "checked with the department"[/]
    """
    _decide("released", release, delivery_id, reason, by, as_json=as_json)


@delivery_app.command("reject")
def reject_delivery(
    delivery_id: DeliveryArgument, reason: ReasonOption, by: ByOption = None, as_json: JsonOption = False
) -> None:
    """Turn a held delivery down for good; the month keeps its last good one.

    Example: [bold]zhaoren delivery reject DELIVERY --reason "wrong month, new file promised"[/]
    """
    _decide("rejected", reject, delivery_id, reason, by, as_json=as_json)


@delivery_app.command("hold")
def hold_delivery(
    delivery_id: DeliveryArgument, reason: ReasonOption, by: ByOption = None, as_json: JsonOption = False
) -> None:
    """Take an accepted delivery out again (it was found to be wrong); what it had superseded counts meanwhile.

    Afterwards it can be released or rejected like any held one.

    Example: [bold]zhaoren delivery hold DELIVERY --reason "the office says it is last year's file"[/]
    """
    _decide("held", hold, delivery_id, reason, by, as_json=as_json)


def _decide(
    done: str, decide: Callable[..., Delivery], delivery_id: str, reason: str, by: str | None, *, as_json: bool
) -> None:
    why, who, home = checked_reason(reason), decider(by), find_home()
    try:
        # No run may see the rows half moved.
        with locked(home), taking_in(home):
            before = validity_now(home)
            item = decide(store_of(home), delivery_id, why, who, datetime.now(UTC))
            touched = touched_months(before, validity_now(home))
    except DeliveryNotFoundError as error:
        raise CommandError(str(error), "`zhaoren status` names held deliveries, `zhaoren ingest` new ones") from error
    except TransitionError as error:
        raise CommandError(str(error), NEXT_STEPS[done]) from error
    except BusyError as error:
        raise CommandError(str(error), "decide when it has ended") from error
    standing = standing_of(home, item)
    if as_json:
        show_json({"delivery_id": delivery_id, "decided_by": who, "months_from": touched, **standing})
        return
    say(f"{delivery_id} {done} by {who}")
    if item.supersedes and not standing["superseded_by"]:
        say(f"  it takes the place of {item.supersedes}")
    if standing["superseded_by"]:
        say(f"  it had been superseded meanwhile by {', '.join(standing['superseded_by'])}")
    if touched is None:
        say("  no month changes by it")
    else:
        say(f"  `zhaoren run` brings the months from {touched:%Y-%m} on up to date")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("ingest")(ingest_inbox)
    app.add_typer(delivery_app, name="delivery")
