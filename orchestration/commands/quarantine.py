"""``zhaoren quarantine``: rows that were set aside - see them, take them out to be mended, bring them back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from ingestion import Delivery, DeliveryNotFoundError, Quarantine
from ingestion.mending import OPEN, ResubmissionError, export_rows, resubmit, row_states, with_state
from models.contract import load_feeds
from orchestration.commands.arguments import JsonOption
from orchestration.commands.deciding import ByOption, ReasonOption, checked_reason, decider
from orchestration.console import CommandError, Exit, answer, finish, say, show_json
from orchestration.feeds.quarantine import by_delivery, quarantined_rows
from orchestration.home.lock import BusyError, taking_in
from orchestration.home.settings import DataHome, find_home
from orchestration.home.stores import ledger_of, store_of
from orchestration.trail.audit import record_access

ROWS_SHOWN = 50
SUMMARY_COLUMNS = {
    "delivery_id": "delivery",
    "period": "month",
    "status": "delivery is",
    "open": "open rows",
    "mended": "mended",
    "superseded": "set aside again later",
    "withdrawn": "not sent again",
    "age_days": "days here",
}
ROW_COLUMNS = {
    "delivery_id": "delivery",
    "row_number": "row in the file",
    "reasons": "reasons",
    "state": "state",
    "by_delivery": "by delivery",
    "by_row": "row there",
}
quarantine_app = typer.Typer(help="Rows that were set aside: list, export, resubmit.", no_args_is_help=True)


@quarantine_app.command("list")
def list_rows(
    feed: Annotated[str | None, typer.Option(help="Only this feed.")] = None,
    delivery: Annotated[str | None, typer.Option(help="Only this delivery.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also rows that were mended, left out or sent again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Rows set aside and still open: counts and age by delivery, then the rows with their reasons. No personal data.

    Examples: [bold]zhaoren quarantine list[/] · [bold]zhaoren quarantine list --delivery DELIVERY --all[/]
    """
    home = find_home()
    _check_known(home, delivery)
    known = quarantined_rows(home, feed, delivery, every=True)
    rows = known if every else known.filter(pl.col("state") == OPEN)
    deliveries = by_delivery(home, known.join(rows, on="delivery_id", how="semi"), datetime.now(UTC))
    if as_json:
        show_json({"deliveries": deliveries.to_dicts(), "rows": rows.to_dicts()})
        return
    if rows.is_empty():
        say("no row is set aside" if every else "no row is open; `--all` shows what became of earlier ones")
        return
    open_rows = int(deliveries["open"].sum())
    answer(deliveries, f"{open_rows} open rows in {deliveries.height} deliveries", SUMMARY_COLUMNS, as_json=False)
    answer(rows.head(ROWS_SHOWN), "rows", ROW_COLUMNS, as_json=False)
    if rows.height > ROWS_SHOWN:
        say(f"… and {rows.height - ROWS_SHOWN} more: `--delivery ID`, or `--json` for all")
    say("to mend them: `zhaoren quarantine export --delivery ID --out rows.xlsx --reason …`, then `resubmit`")


@quarantine_app.command("export")
def export(
    delivery: Annotated[str, typer.Option(help="Delivery whose rows are wanted.")],
    out: Annotated[Path, typer.Option(help=".csv or .xlsx to write; holds personal data, mode 0600.")],
    reason: ReasonOption,
    every: Annotated[bool, typer.Option("--all", help="Also rows that are no longer open.")] = False,
    by: ByOption = None,
) -> None:
    """Write a delivery's open rows as they were delivered, to be mended by an authorised person; logged.

    Mend the cells, leave the column 行号 as it is, and bring the file back with [bold]quarantine resubmit[/].
    A .xlsx keeps ID numbers whole when it is opened in a spreadsheet; a .csv does not.

    Example: [bold]zhaoren quarantine export --delivery DELIVERY --out rows.xlsx --reason "mended with the office"[/]
    """
    why, home = checked_reason(reason), find_home()
    item = _check_known(home, delivery)
    assert item is not None
    rows = _raw_rows(home, item, every=every)
    if rows.is_empty():
        raise CommandError(f"{delivery} has no row that is still set aside", "`--all` exports the earlier ones too")
    record_access(
        home, "export", f"quarantine {delivery}", who=decider(by), month=item.period, count=rows.height, reason=why
    )
    try:
        count = export_rows(rows, load_feeds()[item.feed], out)
    except OSError as error:
        raise CommandError(f"{out} cannot be written ({error.strerror})", "name another file") from error
    say(f"{count} rows -> {out} (personal data: pass it on protected, then delete it)")
    say(f'mended? `zhaoren quarantine resubmit {delivery} {out} --reason "…"`')


@quarantine_app.command("resubmit")
def resubmit_rows(
    delivery_id: Annotated[str, typer.Argument(help="Delivery that the rows were set aside from.")],
    file: Annotated[Path, typer.Argument(help="The mended rows: .csv, .xlsx or .jsonl.")],
    reason: ReasonOption,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take mended rows in: they pass the same checks and count wherever their delivery counts.

    Exit code 1 where rows are still at fault, or the file could not be used; the table says why.

    Example: [bold]zhaoren quarantine resubmit DELIVERY rows.xlsx --reason "numbers from the office's files"[/]
    """
    why, home = checked_reason(reason), find_home()
    _check_known(home, delivery_id)
    if not file.is_file():
        raise CommandError(f"there is no file {file}", "name the file that `quarantine export` wrote and you mended")
    try:
        with taking_in(home):
            now = datetime.now(UTC)
            taken = resubmit(store_of(home), delivery_id, file, why, decider(by), load_feeds(), now)
    except ResubmissionError as error:
        raise CommandError(str(error), "`zhaoren quarantine list` shows what is open") from error
    except BusyError as error:
        raise CommandError(str(error), "try again when it has ended") from error
    _tell(home, taken, as_json=as_json)


def _tell(home: DataHome, taken: Delivery, *, as_json: bool) -> None:
    left = quarantined_rows(home, taken.feed, taken.delivery_id, every=True)
    facts = {
        "delivery_id": taken.delivery_id,
        "supplements": taken.supplements,
        "status": taken.status,
        "reason": taken.reason,
        "detail": taken.detail,
        "mended": taken.rows_accepted,
        "still_at_fault": left.select("row_number", "reasons").to_dicts(),
        "still_open": quarantined_rows(home, taken.feed, taken.supplements, every=False).height,
    }
    if as_json:
        show_json(facts)
    elif taken.status == "accepted":
        say(f"{taken.rows_accepted} rows mended by {taken.delivery_id}; {facts['still_open']} still open")
        if left.height:
            columns = {"row_number": "row in your file", "reasons": "reasons"}
            answer(left, "still at fault", columns, as_json=False)
            say("mend those rows in the file and resubmit it; what was taken already is left alone")
        say("`zhaoren run` brings the months up to date")
    elif taken.status == "duplicate":
        say(f"nothing new: the same file was taken in before as {taken.detail}")
    else:
        say(f"not taken: {taken.reason} ({taken.detail}); nothing has changed")
        say("the file needs the headers of the export; mend it and resubmit")
    if taken.status == "rejected" or taken.rows_quarantined:
        finish(Exit.FINISHED_WITH_PROBLEMS)


def _raw_rows(home: DataHome, item: Delivery, *, every: bool) -> pl.DataFrame:
    store, deliveries = store_of(home), ledger_of(home).deliveries(item.feed)
    raw = Quarantine(store).raw_rows(item.feed, item.delivery_id)
    named = raw.with_columns(pl.lit(item.delivery_id).alias("delivery_id"))
    known = with_state(named, row_states(store, deliveries), deliveries)
    return (known if every else known.filter(pl.col("state") == OPEN)).select(raw.columns)


def _check_known(home: DataHome, delivery_id: str | None) -> Delivery | None:
    if delivery_id is None:
        return None
    try:
        return ledger_of(home).delivery(delivery_id)
    except DeliveryNotFoundError as error:
        raise CommandError(str(error), "`zhaoren quarantine list` names deliveries with open rows") from error


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(quarantine_app, name="quarantine")
