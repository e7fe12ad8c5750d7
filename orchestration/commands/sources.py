"""``zhaoren sources``: where deliveries come from besides the inbox, and how each of them is doing."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

import typer

from ingestion.source import SourceError, Standing, new_in, standing
from orchestration.commands.arguments import JsonOption
from orchestration.console import Exit, finish, say, show_json, show_table
from orchestration.home.settings import DataHome, find_home

COLUMNS = {
    "name": "source",
    "kind": "kind",
    "where": "where",
    "fetched_at": "last fetched",
    "watermark": "watermark",
    "deliveries": "fetched",
    "landed": "landed",
    "new": "new",
    "problem": "problem",
    "next_step": "what to do",
}
LookOption = Annotated[bool, typer.Option("--look", help="Connect to each and say what is new; nothing is fetched.")]


def sources(look: LookOption = False, as_json: JsonOption = False) -> None:
    """The configured sources: last fetch, watermark, what waits and why. `ingest` and `run` fetch from them.

    Exit code 1 where one could not be read. Examples: [bold]zhaoren sources[/] · [bold]zhaoren sources --look[/]
    """
    home = find_home()
    found = [_looked(home, item) if look else item for item in _standings(home)]
    if as_json:
        show_json([asdict(item) for item in found])
    elif not found:
        say("no sources; deliveries come by the inbox alone (docs/sources.md tells how to add one)")
    else:
        show_table("sources", [asdict(item) for item in found], COLUMNS)
        waiting = [{"source": item.name, **what} for item in found for what in item.waiting]
        if waiting:
            show_table("what waits", waiting, {"source": "source", "what": "what", "why": "why"})
    if any(item.problem for item in found):
        finish(Exit.FINISHED_WITH_PROBLEMS)


def _standings(home: DataHome) -> list[Standing]:
    return [standing(source, home.root) for source in home.settings().source] if home.root.is_dir() else []


def _looked(home: DataHome, item: Standing) -> Standing:
    source = next(source for source in home.settings().source if source.name == item.name)
    try:
        return replace(item, new=new_in(source, home.root), problem=None, next_step=None)
    except SourceError as error:
        return replace(item, problem=str(error), next_step=error.next_step)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(sources)
