"""``zhaoren backup`` and ``zhaoren restore``: a copy of the data home at another place, and back.

Belongs here: arguments and answers. What is copied is in ``orchestration.home.backup``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.commands.arguments import JsonOption
from orchestration.console import CommandError, say, show_json
from orchestration.home.settings import DataHome, find_home

if TYPE_CHECKING:
    from orchestration.home.copy_place import CopyPlace

PlaceOption = Annotated[
    str | None, typer.Option(help="Folder or s3://bucket/prefix; default: `backup.to` of the settings.")
]


def backup(
    to: PlaceOption = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A folder of the home to leave out; may be repeated.")
    ] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Keep so many copies, take older ones away.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the data home as of now to a folder or into object storage; only what is new is carried.

    Keys are not copied: keep them apart. Waits for a run that is at work.

    Example: [bold]zhaoren backup --to s3://backup/huarong --keep 30[/]
    """
    from orchestration.home.backup import back_up  # slow to import

    home = find_home()
    if not home.root.is_dir():
        raise CommandError(f"{home.root} does not exist", "name the data home: zhaoren --home DIR backup …")
    done = back_up(home, _place(home, to), without or [], keep)
    if as_json:
        show_json(asdict(done))
        return
    say(f"copy {done.generation}: {done.files} files, {done.bytes / 1e6:.1f} MB, {done.carried} of them carried")
    say("keys are not in it: `zhaoren doctor` names them")


def restore(
    source: Annotated[
        str | None, typer.Option("--from", help="Folder or s3://bucket/prefix; default: `backup.to`.")
    ] = None,
    generation: Annotated[str | None, typer.Option(help="Name of the copy; default: the newest.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this folder of the home, without records.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a copy into an empty data home; every file is compared, records go where the settings say.

    Put the keys back first (`secrets/keys.json` or the environment).

    Example: [bold]zhaoren --home /srv/zhaoren restore --from s3://backup/huarong[/]
    """
    from orchestration.home.backup import restore as bring_back  # slow to import

    home = find_home()
    done = bring_back(home, _place(home, source), generation, only or [])
    if as_json:
        show_json(asdict(done))
        return
    say(f"{home.root}: {done.files} files, {done.bytes / 1e6:.1f} MB, {sum(done.records.values())} rows of records")
    say("next: `zhaoren doctor`, then `zhaoren audit verify --files`")


def _place(home: DataHome, given: str | None) -> CopyPlace:
    from orchestration.home.copy_place import CopyPlace  # slow to import

    told = home.settings().backup
    where = given or told.to
    if where is None:
        raise CommandError("no place for copies is named", "give one, or set backup.to in zhaoren.toml")
    return CopyPlace.open(where, told.endpoint, told.region)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(backup)
    app.command()(restore)
