"""``zhaoren dagster``: Dagster's own pages with its daemon, on this data home."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Annotated, Literal

import typer

from orchestration.console import CommandError, say
from orchestration.home.settings import find_home

LOOK_SECONDS = 0.5


def dagster(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    part: Annotated[
        Literal["web", "daemon", "code"] | None,
        typer.Option("--only", help="Only the pages, the daemon, or the server of the code: one a container."),
    ] = None,
    *,
    alive: Annotated[
        bool, typer.Option("--alive", help="With --only daemon: end with code 0 if the daemon has a heartbeat.")
    ] = False,
) -> None:
    """Open Dagster's UI and start its daemon (inbox sensor, schedules). Ctrl-C ends both.

    With ZHAOREN_CODE_ADDRESS=host:port, UI and daemon use the code served there by `--only code`.

    Example: [bold]zhaoren dagster --port 3000[/]
    """
    from orchestration.instance import instance_of  # slow to import
    from orchestration.runner import dagster_processes, heartbeat_command

    home = find_home().create()
    commands, environment = dagster_processes(home, host, port)
    if alive:
        raise typer.Exit(subprocess.run(heartbeat_command(), env=environment, check=False).returncode)
    if part is not None:
        os.execve(commands[part][0], commands[part], environment)
    with instance_of(home):
        pass  # makes its tables before two processes do
    say(f"Dagster on http://{host}:{port} for {home.root}; Ctrl-C to stop")
    processes = [subprocess.Popen(commands[name], env=environment) for name in ("web", "daemon")]
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
