"""``zhaoren identity``: who a row is about, and persons who turn out to be one; every decision is a person's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from ingestion.linkage import regroup
from ingestion.linkage.decisions import LinkDecisions, Said, undecided
from ingestion.linkage.events import IdentityError, IdentityEvents
from ingestion.linkage.proposals import propose
from ingestion.linkage.resolve import Event, key_of_today
from ingestion.linkage.sheet import SheetError, read_sheet, write_sheet
from ingestion.linkage.verdict import Outcome, accept_pass, carry_out
from ingestion.vault.alias import PERSON, Aliases
from models.contract import load_feeds
from models.labels import label
from models.linkage import load_linkage
from models.masking import masked_id, masked_name
from orchestration.commands.arguments import JsonOption
from orchestration.commands.deciding import ByOption, ReasonOption, checked_reason, decider
from orchestration.console import CommandError, Exit, answer, finish, say, show_json, show_table
from orchestration.feeds.deliveries import LANGUAGE
from orchestration.home.lock import BusyError, taking_in
from orchestration.home.settings import DataHome, find_home
from orchestration.home.stores import store_of
from orchestration.questions.people import checked_key
from orchestration.trail.audit import record_access

PassOption = Annotated[list[str] | None, typer.Option("--pass", help="Only this pass; may be given several times.")]
KeyArgument = Annotated[str, typer.Argument(callback=checked_key, help="Person key, as exports and tables have it.")]
COUNT_COLUMNS = {"pass": "pass", "title": "what it is", "state": "state", "rows": "proposals", "in_bulk": "in bulk"}
EVENT_COLUMNS = {
    "event_id": "event",
    "kind": "kind",
    "person_key": "person",
    "other_key": "is / rows go to",
    "undoes": "undoes",
    "decided_at": "when",
    "decided_by": "who",
    "reason": "why",
}
SHOWN = ("proposal_id", "pass", "state", "feed", "delivery_id", "row_number", "column", "confirmed_by", "against")

identity_app = typer.Typer(help="Proposed persons, merges and splits.", no_args_is_help=True)


@identity_app.command()
def proposals(
    passes: PassOption = None,
    rows: Annotated[bool, typer.Option("--rows", help="One line a proposal, names and numbers masked.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What the passes propose for rows in quarantine, and pairs of persons to be judged. Nothing is applied.

    Example: [bold]zhaoren identity proposals --rows --pass typing_error[/]
    """
    home = find_home()
    found = _open(home, passes)
    counts = _counts(found)
    masked = found.select(
        *SHOWN,
        masked_name(pl.col("name")).alias("name"),
        masked_id(pl.col("id_number")).alias("id_number"),
        masked_name(pl.col("name_written")).alias("name_written"),
    )
    if as_json:
        show_json({"counts": counts.to_dicts(), "proposals": masked.to_dicts()})
    elif rows:
        answer(masked, f"{masked.height} open proposals", {name: name for name in masked.columns}, as_json=False)
    else:
        answer(counts, f"{found.height} open proposals", COUNT_COLUMNS, as_json=False)


@identity_app.command()
def export(
    file: Annotated[Path, typer.Argument(help="XLSX or CSV to write; holds personal data, mode 0600.")],
    reason: Annotated[str, typer.Option(help="Why identities are needed; logged.")],
    passes: PassOption = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
) -> None:
    """Write open proposals for a reviewer, both sides beside each other, with a column to decide in; logged.

    Example: [bold]zhaoren identity export review.xlsx --reason "monthly review"[/]
    """
    why, home = checked_reason(reason), find_home()
    found = _open(home, passes)
    record_access(home, "export", "identity proposals", who=decider(None), count=found.height, reason=why)
    count = write_sheet(found, file, language)
    say(f"{count} proposals -> {file} (personal data: pass it on protected, then delete it)")


@identity_app.command("import")
def import_decisions(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The sheet with its decisions.")],
    reason: Annotated[str, typer.Option(help="Stands in where a line gives no reason.")] = "",
    who: Annotated[str, typer.Option("--by", help="Stands in where a line names nobody who decided.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Carry out the decisions of a reviewer's sheet: accept, reject, merge, split. Lines that cannot be are told.

    Exit code 1 where lines were refused or mended rows are still set aside.

    Example: [bold]zhaoren identity import review.xlsx --by "Chen, bureau of civil affairs"[/]
    """
    home = find_home()
    try:
        answers = read_sheet(file)
        with taking_in(home):
            _propose(home)
            done = carry_out(store_of(home), load_feeds(), answers, Said(reason, who, datetime.now(UTC)))
    except SheetError as error:
        raise CommandError(str(error), "use the file that `zhaoren identity export` wrote") from error
    except BusyError as error:
        raise CommandError(str(error), "import when it has ended") from error
    _tell(done, as_json=as_json)


@identity_app.command()
def accept(
    passes: Annotated[list[str], typer.Option("--pass", help="The pass; may be given several times.")],
    reason: ReasonOption,
    who: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept all proposals of a pass that are certain: the rows are mended and resubmitted, checks included.

    Example: [bold]zhaoren identity accept --pass typing_error --pass precision_lost --reason "sampled 50, all right"[/]
    """
    certain = [item.name for item in load_linkage().passes if item.state == "proposed"]
    for name in passes:
        if name not in certain:
            raise typer.BadParameter(f"{name} is none of {', '.join(certain)}", param_hint="--pass")
    home, said = find_home(), _said(reason, who)
    try:
        with taking_in(home):
            _propose(home)
            done = accept_pass(store_of(home), load_feeds(), passes, said)
    except BusyError as error:
        raise CommandError(str(error), "accept when it has ended") from error
    _tell(done, as_json=as_json)


@identity_app.command()
def merge(key: KeyArgument, into: KeyArgument, reason: ReasonOption, who: ByOption = None) -> None:
    """The first person is the second, whose key and number survive; the first key still resolves. Can be undone.

    Example: [bold]zhaoren identity merge KEY INTO --reason "two numbers, confirmed by the police station"[/]
    """
    said = _said(reason, who)
    event = _decided(lambda home: regroup.merge(store_of(home), key, into, said))
    say(f"{event.event_id}: {key} is {into}; `zhaoren run` brings the months up to date")


@identity_app.command()
def split(
    key: KeyArgument,
    rows: Annotated[Path, typer.Option(exists=True, help="CSV: delivery_id, row_number, column (else person_key).")],
    reason: ReasonOption,
    to: Annotated[str | None, typer.Option(help="Person the rows are about; default: one without a number.")] = None,
    who: ByOption = None,
) -> None:
    """Rows that bear a person's number are about somebody else: take them away from that person. Can be undone.

    Example: [bold]zhaoren identity split KEY --rows rows.csv --reason "number of the father typed for the child"[/]
    """
    said, other = _said(reason, who), checked_key(to) if to else None
    event = _decided(lambda home: regroup.split(store_of(home), key, regroup.rows_in(rows, load_feeds()), said, other))
    say(
        f"{event.event_id}: {len(event.rows)} rows are about {event.other_key}; "
        "`zhaoren run` brings the months up to date"
    )


@identity_app.command()
def undo(
    event_id: Annotated[str, typer.Argument(help="Event, as `zhaoren identity history` names it.")],
    reason: ReasonOption,
    who: ByOption = None,
) -> None:
    """Take a merge or split back; everything else that was decided stays.

    Example: [bold]zhaoren identity undo EVENT --reason "the station has corrected itself"[/]
    """
    said = _said(reason, who)
    event = _decided(lambda home: regroup.undo(store_of(home), event_id, said))
    say(f"{event.event_id}: {event_id} is undone; `zhaoren run` brings the months up to date")


@identity_app.command()
def resolve(key: KeyArgument, as_json: JsonOption = False) -> None:
    """The key of today of a key that was given out earlier, and what was decided about it.

    Example: [bold]zhaoren identity resolve KEY[/]
    """
    store = store_of(find_home())
    events = IdentityEvents(store).all()
    # A key of before a change of the pseudonym key stands in events under its new form.
    rekeyed = Aliases(store).resolve(key).filter(pl.col("kind") == PERSON)["new_key"].to_list()
    now = str(rekeyed[0]) if rekeyed else key
    today = key_of_today(now, events)
    # What was decided about any key on the way is told, not only about this one.
    about = [event for event in events if {now, today} & {event.person_key, event.other_key}]
    about += [event for event in events if event.undoes in {item.event_id for item in about}]
    if as_json:
        show_json({"person_key": key, "resolved_key": today, "events": [asdict(event) for event in about]})
        return
    say(f"{key} is {today}" if key != today else f"{key} stands for itself")
    if about:
        show_table("decisions", [asdict(event) for event in about], EVENT_COLUMNS)


@identity_app.command()
def history(as_json: JsonOption = False) -> None:
    """Every merge, split and undoing, with who, when and why.

    Example: [bold]zhaoren identity history[/]
    """
    events = [asdict(event) for event in IdentityEvents(store_of(find_home())).all()]
    if as_json:
        show_json({"events": events})
    else:
        show_table(f"{len(events)} decisions about persons", events, EVENT_COLUMNS)


def _open(home: DataHome, passes: list[str] | None) -> pl.DataFrame:
    try:
        with taking_in(home):
            found = _propose(home)
    except BusyError as error:
        raise CommandError(str(error), "ask again when it has ended") from error
    opened = undecided(found, LinkDecisions(store_of(home)).frame())
    return opened.filter(pl.col("pass").is_in(passes)) if passes else opened


def _propose(home: DataHome) -> pl.DataFrame:
    return propose(store_of(home), load_feeds())


def _counts(found: pl.DataFrame) -> pl.DataFrame:
    in_bulk = ((pl.col("state") == "proposed") & pl.col("is_alone")).sum().alias("in_bulk")
    counts = found.group_by("pass", "state").agg(pl.len().alias("rows"), in_bulk).sort("pass", "state")
    titles = [label(f"linkage.pass.{name}", LANGUAGE) for name in counts["pass"]]
    return counts.with_columns(pl.Series("title", titles, dtype=pl.String))


def _said(reason: str, who: str | None) -> Said:
    return Said(checked_reason(reason), decider(who), datetime.now(UTC))


def _decided(decide: Callable[[DataHome], Event]) -> Event:
    home = find_home()
    try:
        with taking_in(home):
            return decide(home)
    except IdentityError as error:
        raise CommandError(str(error), "`zhaoren identity resolve KEY` and `history` show what holds") from error
    except BusyError as error:
        raise CommandError(str(error), "decide when it has ended") from error


def _tell(done: Outcome, *, as_json: bool) -> None:
    """What came of it; exit code 1 where a line was refused or a mended row is still set aside."""
    refused = [{**asdict(item), "why": label(f"linkage.refusal.{item.why}", LANGUAGE)} for item in done.refused]
    accepted = [asdict(item) for item in done.accepted]
    if as_json:
        show_json({**asdict(done), "refused": refused})
    else:
        say(f"{done.rejected} rejected, {done.merged} merged, {done.split} split")
        columns = {"delivery_id": "delivery", "supplement": "supplement", "rows": "rows mended"}
        columns |= {"in_force": "in force", "left": "left as they are"}
        show_table("rows accepted", accepted, columns)
        if refused:
            show_table("lines refused", refused, {"line": "line", "proposal_id": "proposal", "why": "why"})
    if refused or any(item.in_force < item.rows or item.left for item in done.accepted):
        finish(Exit.FINISHED_WITH_PROBLEMS)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(identity_app, name="identity")
