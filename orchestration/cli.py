"""The command ``zhaoren``: which commands there are, and how a failure is told.

Belongs here: the entry point alone. Each command is a function in ``commands``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ingestion.database import RecordsError
from orchestration.commands import (
    alert,
    audit,
    backup,
    chain,
    check,
    city,
    dagster_ui,
    deliveries,
    docs,
    environment,
    explain,
    identity,
    model,
    parity,
    policy,
    quality,
    quarantine,
    rebuild,
    records,
    report,
    returns,
    runs,
    sources,
    tables,
    vault,
    what_if,
)
from orchestration.console import CommandError, Exit, show_error
from orchestration.home.settings import SettingsError

app = typer.Typer(
    name="zhaoren",
    help="找人 · policy finds people: from the deliveries of a city's departments to the lists of caseworkers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    add_completion=False,
)


@app.callback()
def options(
    home: Annotated[
        Path | None, typer.Option(envvar="ZHAOREN_HOME", help="Data home; default: ./var", show_envvar=True)
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False,
) -> None:
    """Options that all commands have."""
    if home:
        os.environ["ZHAOREN_HOME"] = str(home.resolve())
    if debug:
        os.environ["ZHAOREN_DEBUG"] = "1"


for group in (
    city,
    deliveries,
    quality,
    quarantine,
    identity,
    runs,
    sources,
    returns,
    report,
    docs,
    alert,
    tables,
    chain,
    audit,
    explain,
    rebuild,
    parity,
    vault,
    check,
    what_if,
    model,
    policy,
    environment,
    backup,
    records,
    dagster_ui,
):
    group.register(app)


def main() -> None:
    """Run the command; every failure says what, where and what to do next."""
    try:
        app()
    except CommandError as error:
        show_error(str(error), error.next_step)
        sys.exit(Exit.FAILURE)
    except RecordsError as error:
        show_error(str(error), error.next_step)
        sys.exit(Exit.FAILURE)
    except SettingsError as error:
        show_error(str(error), "mend that key; `zhaoren doctor` lists all settings with their values")
        sys.exit(Exit.USAGE)
    except Exception as error:
        if os.environ.get("ZHAOREN_DEBUG"):
            raise
        # The text of an unforeseen error may quote a value, so only its kind is shown.
        show_error(f"unforeseen failure ({type(error).__name__})", "run the same command with `zhaoren --debug …`")
        sys.exit(Exit.FAILURE)


if __name__ == "__main__":
    main()
