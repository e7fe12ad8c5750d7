"""``zhaoren doctor``: is this machine and this data home fit for work?

Belongs here: looking and telling. Nothing is changed.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import sqlalchemy as sa
import typer

from ingestion import SecretError
from ingestion.database import Address, RecordsError, address_of, postgresql
from ingestion.keys import key_states
from ingestion.source import SourceError, reachable
from orchestration.console import Exit, finish, say, show_json, show_table
from orchestration.home.settings import DataHome, find_home

State = Literal["ok", "warning", "problem"]
# Versions that are known to break, with the reason (pyproject.toml pins them; an altered environment may not).
PINS = {"dbt-core": ("1.11", "1.12"), "sqlalchemy": ("2.0", "2.1"), "great-expectations": ("1.24", "1.25")}
LEAST_FREE_BYTES = 2 * 1024**3


KEY_ADVICE = {
    "pseudonym": "keep a copy in a safe that is not this machine: without it no new delivery meets its persons",
    "vault": "keep a copy in a safe that is not this machine: without it no list can name anybody again",
}


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    what: str
    state: State
    detail: str
    next_step: str = ""


def examine(home: DataHome) -> list[Finding]:
    """All findings on environment, safety and state of a data home."""
    return [
        finding
        for check in (_python, _versions, _space, _home, _keys, _settings, _ledger, _sources)
        for finding in check(home)
    ]


def _python(_: DataHome) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    fits = sys.version_info >= (3, 11)
    yield Finding("Python", "ok" if fits else "problem", version, "" if fits else "install Python 3.11 or newer")


def _versions(_: DataHome) -> Iterator[Finding]:
    for package, (least, below) in PINS.items():
        version = importlib.metadata.version(package)
        fits = _parts(least) <= _parts(version) < _parts(below)
        step = "" if fits else f"run `make setup`; {package} must be at least {least} and below {below}"
        yield Finding(package, "ok" if fits else "problem", version, step)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _space(home: DataHome) -> Iterator[Finding]:
    existing = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding(
        "free disk", "ok" if enough else "warning", f"{free / 1024**3:.1f} GiB", "" if enough else "make room"
    )


def _home(home: DataHome) -> Iterator[Finding]:
    if not home.root.is_dir():
        yield Finding(
            "data home", "warning", f"{home.root} does not exist yet", "the first `zhaoren ingest` or `run` makes it"
        )
        return
    mode = stat.S_IMODE(home.root.stat().st_mode)
    closed = not mode & 0o077
    yield Finding(
        "data home",
        "ok" if closed else "problem",
        f"{home.root} ({mode:o})",
        "" if closed else f"chmod 700 {home.root}",
    )


def _keys(home: DataHome) -> Iterator[Finding]:
    """Which keys the home is written with, where they come from, how old they are; never what they are."""
    if home.keys.is_file() and stat.S_IMODE(home.keys.stat().st_mode) != 0o600:
        mode = stat.S_IMODE(home.keys.stat().st_mode)
        yield Finding("keys", "problem", f"{home.keys.name} ({mode:o})", f"chmod 600 {home.keys}")
        return
    try:
        states = key_states(home.root, home.keys)
    except SecretError as error:
        yield Finding("keys", "problem", str(error), "give the key that the home is written with, from your copy")
        return
    if not states:
        yield Finding("keys", "warning", "none yet", "made at the first ingestion")
    for state in states:
        place = f"{home.keys} (600)" if state.source == "file" else "the environment"
        age = f"in use since {state.since[:10]}" if state.since else "not used yet"
        yield Finding(f"{state.kind} key", "ok", f"{state.key_id}, from {place}, {age}", KEY_ADVICE[state.kind])


def _settings(home: DataHome) -> Iterator[Finding]:
    values = home.settings().model_dump()
    where = home.settings_file.name if home.settings_file.is_file() else "defaults"
    yield Finding("settings", "ok", f"{where}: {values}")


def _ledger(home: DataHome) -> Iterator[Finding]:
    address = address_of(home.root)
    if address is not None:
        yield _database(address)
        return
    if not home.ledger.is_file():
        yield Finding("ledger", "warning", "none yet", "made at the first ingestion")
        return
    connection = sqlite3.connect(f"file:{home.ledger}?mode=ro", uri=True)
    try:
        result = str(connection.execute("pragma integrity_check").fetchone()[0])
    finally:
        connection.close()
    yield Finding("ledger", "ok" if result == "ok" else "problem", result, "" if result == "ok" else "restore a backup")


def _database(address: Address) -> Finding:
    try:
        with postgresql(address).connect() as connection:
            version = connection.execute(sa.text("show server_version")).scalar()
    except RecordsError as error:
        return Finding("records", "problem", str(error), error.next_step)
    return Finding("records", "ok", f"PostgreSQL {version}, {address.url}, schema {address.schema}")


def _sources(home: DataHome) -> Iterator[Finding]:
    """Whether each is reached and readable; the words of servers are not passed on, they quote too much."""
    for source in home.settings().source:
        what = f"source {source.name}"
        try:
            yield Finding(what, "ok", reachable(source, home.root))
        except SourceError as error:
            yield Finding(what, "problem", str(error), error.next_step)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False) -> None:
    """Environment, safety and state of the data home. Exit code 1 where something is a problem.

    Example: [bold]zhaoren doctor[/]
    """
    findings = examine(find_home())
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        rows = [asdict(finding) for finding in findings]
        show_table(
            "zhaoren doctor", rows, {"what": "what", "state": "state", "detail": "detail", "next_step": "what to do"}
        )
    if any(finding.state == "problem" for finding in findings):
        finish(Exit.FINISHED_WITH_PROBLEMS)
    if not as_json:
        say("nothing stands in the way of a run")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(doctor)
