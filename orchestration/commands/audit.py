"""``zhaoren audit``: who looked at identities and took them out, and whether that log is as it was written."""

from __future__ import annotations

import json
from typing import Annotated

import polars as pl
import typer

from orchestration.commands.arguments import JsonOption
from orchestration.console import CommandError, Exit, finish, say, show_json, show_table
from orchestration.home.settings import find_home
from orchestration.trail.audit import Act, anchor_of, changed_files, entries_of, verify

audit_app = typer.Typer(
    name="audit", help="Who looked at identities; whether the log is as written.", no_args_is_help=True
)
COLUMNS = {
    "number": "no.",
    "at": "when",
    "act": "act",
    "who": "who",
    "what": "what",
    "area": "area",
    "month": "month",
    "count": "rows",
    "reason": "why",
}
CHANGED_COLUMNS = {"file": "file", "what": "what", "number": "record"}
ACTS: tuple[Act, ...] = ("look", "export", "list", "report", "change")


@audit_app.command("verify")
def verify_log(
    files: Annotated[bool, typer.Option("--files", help="Also compare lists and reports with their SHA-256.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare every record of the audit log with its digest, its place and its head at the other place.

    Exit code 1 where a record was altered, taken out, moved or cut off; the first one is named.

    Example: [bold]zhaoren audit verify --files[/]
    """
    home = find_home()
    if not home.root.is_dir():
        raise CommandError(f"there is no data home at {home.root}", "say which: `zhaoren --home FOLDER audit verify`")
    state = verify(home)
    changed = changed_files(home) if files and state.is_whole else []
    if as_json:
        show_json(
            {
                "whole": state.is_whole,
                "records": state.records,
                "heads": state.heads,
                "head": vars(state.head) if state.head else None,
                "anchor": str(anchor_of(home)),
                "fault": vars(state.fault) if state.fault else None,
                "changed_files": changed,
            }
        )
    elif state.fault:
        say(f"the audit log is not as it was written: {state.fault.what}")
    else:
        say(f"{state.records} records, all as they were written; heads in {anchor_of(home)}")
        if state.head:
            say(f"newest head: {state.head.digest} (record {state.head.count}, {state.head.at})")
    if changed and not as_json:
        show_table("files that are not as they were written", changed, CHANGED_COLUMNS)
    if state.fault or changed:
        finish(Exit.FINISHED_WITH_PROBLEMS)


@audit_app.command("log")
def show_log(
    who: Annotated[str | None, typer.Option(help="Only what this person did.")] = None,
    act: Annotated[str | None, typer.Option(help=f"Only one kind: {', '.join(ACTS)}.")] = None,
    area: Annotated[str | None, typer.Option(help="Only this division and those within it, by code.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this day on (UTC).")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Up to this day (UTC), included.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV on standard output.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Every look at an identity, identified export, list, report and change of keys, oldest first.

    Example: [bold]zhaoren audit log --act look --since 2024-03-01 --csv[/]
    """
    if act is not None and act not in ACTS:
        raise typer.BadParameter(f"none of {', '.join(ACTS)}", param_hint="--act")
    records = [json.loads(entry.content) for entry in entries_of(find_home())]
    shown = [
        record
        for record in records
        if (who is None or record["who"] == who)
        and (act is None or record["act"] == act)
        and (area is None or str(record["area"] or "").startswith(area))
        and (since is None or record["at"][:10] >= since)
        and (until is None or record["at"][:10] <= until)
    ]
    if as_json:
        show_json(shown)
    elif csv:
        rows = [{name: record[name] for name in COLUMNS} for record in shown]
        typer.echo(pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), strict=False).write_csv(), nl=False)
    else:
        show_table(f"{len(shown)} records", shown, COLUMNS)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(audit_app)
