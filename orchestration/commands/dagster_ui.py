"""``zhaoren dagster``: Dagster's own pages with its daemon, on this data home."""

from __future__ import annotations

import subprocess
from typing import Annotated

import typer

from orchestration.console import CommandError, say
from orchestration.settings import find_home


def dagster(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open Dagster's UI and start its daemon (inbox sensor, schedules). Ctrl-C ends both.

    Example: [bold]zhaoren dagster --port 3000[/]
    """
    from orchestration.runner import dagster_command, instance_of  # slow to import

    home = find_home().create()
    with instance_of(home):
        pass  # writes Dagster's settings into the data home
    command, environment = dagster_command(home)
    say(f"Dagster on http://{host}:{port} for {home.root}; Ctrl-C to stop")
    result = subprocess.run([*command, "--host", host, "--port", str(port)], env=environment, check=False)
    if result.returncode not in (0, 130, -2):
        raise CommandError(f"Dagster ended with code {result.returncode}", "is the port free? try another --port")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(dagster)
