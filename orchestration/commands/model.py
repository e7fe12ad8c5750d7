"""``zhaoren train``, ``models`` and ``promote``: the registry of models."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import polars as pl
import typer

from orchestration.commands.arguments import JsonOption, MonthOption, month_of
from orchestration.console import CommandError, answer, say, show_json
from orchestration.lock import locked
from orchestration.run_plan import read_plan
from orchestration.settings import find_home


def train(month: MonthOption = None, as_json: JsonOption = False) -> None:
    """Train anew as of a month (default: the newest one run) and say which candidate won and why.

    Example: [bold]zhaoren train --month 2024-06[/]
    """
    from orchestration.assets.model import EVENTS, FEATURES, exchange, train_model  # slow to import

    home = find_home()
    if not all((exchange(home) / f"{name}.parquet").is_file() for name in (FEATURES, EVENTS)):
        raise CommandError("there are no training tables yet", "run `zhaoren run` first")
    as_of = month_of(month) or read_plan(home.reference / "run.parquet").last_month
    with locked(home):
        result = train_model(home, as_of)
    if as_json:
        show_json({"model_version": result.model_version, "basis": result.basis, "message": result.message})
        return
    say(f"{result.model_version}: {result.message}")
    for warning in result.warnings:
        say(f"  warning: {warning}")
    say(f"card: {result.directory / 'card.zh.md'}; the next `zhaoren run` scores with the model in force")


def models(as_json: JsonOption = False) -> None:
    """Registered models: which is in force, on what basis it speaks, as of which month.

    Example: [bold]zhaoren models[/]
    """
    from ml.registry import list_models  # slow to import

    entries = [asdict(entry) for entry in list_models(find_home().registry)]
    columns = {"model_version": "version", "basis": "basis", "kind": "kind", "as_of_month": "as of"}
    answer(
        pl.DataFrame(entries),
        "models",
        {**columns, "is_champion": "in force", "message": "why"},
        as_json=as_json,
    )


def promote_model(version: Annotated[str, typer.Argument(help="Version as `zhaoren models` lists it.")]) -> None:
    """Put a registered model in force; it scores from its as-of month on, earlier months keep theirs.

    Example: [bold]zhaoren promote VERSION[/]
    """
    from ml.registry import RegistryError, promote  # slow to import

    try:
        promote(find_home().registry, version)
    except RegistryError as error:
        raise CommandError(str(error), "copy the version from `zhaoren models`") from error
    say(f"{version} is in force; the next `zhaoren run` scores with it")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(train)
    app.command()(models)
    app.command("promote")(promote_model)
