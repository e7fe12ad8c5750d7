"""``zhaoren ingest``, ``delivery`` and ``quarantine``: what came in, what was set aside, what a person decides."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from ingestion import DeliveryNotFoundError, ingest
from ingestion.review import reject, release
from models.contract import load_feeds
from orchestration.commands.arguments import InboxOption, JsonOption
from orchestration.console import CommandError, Exit, answer, finish, say, show_json, show_table
from orchestration.deliveries import frame_of, problems_of
from orchestration.lock import BusyError, locked
from orchestration.operations import Operations
from orchestration.settings import find_home
from orchestration.stores import ledger_of, quarantine_of, store_of

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
DeliveryArgument = Annotated[str, typer.Argument(help="Delivery, as `zhaoren run` or `status` names it.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept with the decision.")]

delivery_app = typer.Typer(help="Work on one delivery: show, release, reject.", no_args_is_help=True)
quarantine_app = typer.Typer(help="Rows that were set aside: list, export.", no_args_is_help=True)


def ingest_inbox(inbox: InboxOption = None, as_json: JsonOption = False) -> None:
    """Take in what lies in the inbox (never changing it) and show each delivery. Nothing else is run.

    Example: [bold]zhaoren ingest --inbox /srv/inbox[/]
    """
    home = find_home().create()
    known = ledger_of(home).frame().height
    try:
        with locked(home):
            taken = ingest(inbox or home.inbox, store_of(home), load_feeds(), datetime.now(UTC))
    except BusyError as error:
        raise CommandError(str(error), "see `zhaoren status`") from error
    deliveries, problems = frame_of(taken), problems_of(home, known)
    if as_json:
        show_json({"deliveries": deliveries.to_dicts(), "problems": problems.to_dicts()})
    elif deliveries.is_empty():
        say("nothing new in the inbox; deliveries belong into inbox/<feed>/<file>")
    else:
        answer(deliveries, "deliveries", DELIVERY_COLUMNS, as_json=False)
    if not problems.is_empty():
        if not as_json:
            answer(problems, "rejected and held deliveries", PROBLEM_COLUMNS, as_json=False)
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
    decisions = ledger_of(home).decisions(delivery_id)
    faults = quarantine_of(home).faults("row", load_feeds()).filter(pl.col("delivery_id") == delivery_id)
    defects = quarantine_of(home).faults("cell", load_feeds()).filter(pl.col("delivery_id") == delivery_id)
    if as_json:
        show_json({**facts, "decisions": decisions})
        return
    show_table(
        delivery_id, [{"fact": name, "value": value} for name, value in facts.items()], {"fact": "", "value": ""}
    )
    for title, frame in (("faults that set rows aside", faults), ("cells emptied", defects)):
        counts = frame.group_by("column", "reason").agg(rows=pl.len(), first=pl.col("row_number").min()).sort("column")
        if not counts.is_empty():
            columns = {"column": "column", "reason": "reason", "rows": "rows", "first": "first row in the file"}
            answer(counts, title, columns, as_json=False)
    if decisions:
        columns = {"decided_at": "when", "decided_by": "who", "status": "decision", "reason": "why"}
        show_table("decisions", decisions, columns)


@delivery_app.command("release")
def release_delivery(delivery_id: DeliveryArgument, reason: ReasonOption) -> None:
    """Let a held delivery in after all; its rows count from the next run on.

    Example: [bold]zhaoren delivery release DELIVERY --reason "checked with the department"[/]
    """
    _decide(delivery_id, reason, released=True)


@delivery_app.command("reject")
def reject_delivery(delivery_id: DeliveryArgument, reason: ReasonOption) -> None:
    """Turn a held delivery down for good; the month keeps its last good one.

    Example: [bold]zhaoren delivery reject DELIVERY --reason "wrong month, new file promised"[/]
    """
    _decide(delivery_id, reason, released=False)


def _decide(delivery_id: str, reason: str, *, released: bool) -> None:
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    home = find_home()
    decide = release if released else reject
    try:
        with locked(home):
            decide(store_of(home), delivery_id, reason, getpass.getuser(), datetime.now(UTC))
    except DeliveryNotFoundError as error:
        raise CommandError(str(error), "`zhaoren status` lists held deliveries") from error
    except BusyError as error:
        raise CommandError(str(error), "decide when it has ended") from error
    say(f"{delivery_id} {'released' if released else 'rejected'}; `zhaoren run` brings the months up to date")


@quarantine_app.command("list")
def list_rows(
    feed: Annotated[str | None, typer.Option(help="Only this feed.")] = None,
    delivery: Annotated[str | None, typer.Option(help="Only this delivery.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Rows set aside, with reasons and the masked shape of their values; no personal data.

    Example: [bold]zhaoren quarantine list --feed medical_settlement[/]
    """
    rows = quarantine_of(find_home()).rows(feed, delivery)
    columns = {"delivery_id": "delivery", "row_number": "row in the file", "reasons": "reasons", "masked": "masked row"}
    answer(rows, f"{rows.height} quarantined rows", columns, as_json=as_json)


@quarantine_app.command("export")
def export_rows(
    delivery: Annotated[str, typer.Option(help="Delivery whose rows are wanted.")],
    out: Annotated[Path, typer.Option(help="CSV to write; holds personal data, mode 0600.")],
    reason: ReasonOption,
) -> None:
    """Write a delivery's quarantined rows as they were delivered, to be mended by an authorised person; logged.

    Example: [bold]zhaoren quarantine export --delivery DELIVERY --out rows.csv --reason "back to the department"[/]
    """
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    home = find_home()
    count = quarantine_of(home).export(delivery, out)
    Operations(home.operations).log_identified_export(getpass.getuser(), f"quarantine {delivery}", None, count, reason)
    say(f"{count} rows -> {out} (personal data: pass it on protected, then delete it)")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("ingest")(ingest_inbox)
    app.add_typer(delivery_app, name="delivery")
    app.add_typer(quarantine_app, name="quarantine")
