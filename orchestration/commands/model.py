"""``zhaoren train``, ``models`` and ``promote``: the registry of models."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import polars as pl
import typer

from orchestration.commands.arguments import JsonOption, MonthOption, month_of
from orchestration.commands.deciding import ByOption, ReasonOption, checked_reason, decider
from orchestration.console import CommandError, answer, say, show_json
from orchestration.home.lock import locked
from orchestration.home.settings import find_home
from orchestration.warehouse.run_plan import read_plan


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
    """Registered models: champion and challengers, on what basis each speaks, as of which month, who decided and why.

    Example: [bold]zhaoren models[/]
    """
    from ml.registry import decisions, list_models  # slow to import

    registry = find_home().registry
    entries = list_models(registry)
    last = {one.model_version: one for one in decisions(registry)}
    rows = [
        {
            **asdict(entry),
            "standing": "champion" if entry.is_champion else "challenger",
            **{name: getattr(last.get(entry.model_version), name, "") for name in ("by", "at", "reason")},
        }
        for entry in entries
    ]
    columns = {"model_version": "version", "basis": "basis", "kind": "kind", "as_of_month": "as of"}
    told = {
        "standing": "standing",
        "by": "decided by",
        "at": "when",
        "reason": "reason",
        "message": "why it was chosen",
    }
    answer(pl.DataFrame(rows, infer_schema_length=None), "models", {**columns, **told}, as_json=as_json)


def promote_model(
    version: Annotated[str | None, typer.Argument(help="Version as `zhaoren models` lists it.")] = None,
    reason: ReasonOption = "",
    by: ByOption = None,
    *,
    back: Annotated[
        bool, typer.Option("--back", help="Take the model in force out again; the one before speaks.")
    ] = False,
) -> None:
    """Put a registered model in force; it scores from its as-of month on, earlier months keep theirs.

    Who decided, when and why is kept with the registry.

    Example: [bold]zhaoren promote VERSION --by "Li Hua" --reason "recall on the last three origins"[/]
    """
    from ml.registry import RegistryError, promote, roll_back  # slow to import

    if back == (version is not None):
        raise typer.BadParameter("name one version, or go --back", param_hint="VERSION")
    home, why, who = find_home(), checked_reason(reason), decider(by)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with locked(home):
            if version is not None:
                promote(home.registry, version, who, why, at)
            else:
                version = roll_back(home.registry, who, why, at)
    except RegistryError as error:
        raise CommandError(str(error), "copy the version from `zhaoren models`") from error
    say(f"{version} is in force; the next `zhaoren run` scores with it")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(train)
    app.command()(models)
    app.command("promote")(promote_model)
