"""``zhaoren dagster``: Dagster's own pages with its daemon, on this data home."""

from __future__ import annotations

import subprocess
import time
from typing import Annotated

import typer

from orchestration.console import CommandError, say
from orchestration.settings import find_home

LOOK_SECONDS = 0.5


def dagster(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open Dagster's UI and start its daemon (inbox sensor, schedules). Ctrl-C ends both.

    Example: [bold]zhaoren dagster --port 3000[/]
    """
    from orchestration.runner import dagster_processes, instance_of  # slow to import

    home = find_home().create()
    with instance_of(home):
        pass  # writes Dagster's settings into the data home
    commands, environment = dagster_processes(home, host, port)
    say(f"Dagster on http://{host}:{port} for {home.root}; Ctrl-C to stop")
    processes = [subprocess.Popen(command, env=environment) for command in commands]
    try:
        code = _first_to_end(processes)
    except KeyboardInterrupt:
        return
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    raise CommandError(f"Dagster ended with code {code}", "is the port free? try another --port")


def _first_to_end(processes: list[subprocess.Popen[bytes]]) -> int:
    """Wait until one of the two ends, since neither is of use without the other."""
    while True:
        for process in processes:
            code = process.poll()
            if code is not None:
                return code
        time.sleep(LOOK_SECONDS)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(dagster)
