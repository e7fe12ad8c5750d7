"""Lists and reports of a month as they were on a day gone by, made anew in a scratch home.

Belongs here: laying out that home, calling the run in it, comparing with the audit log. The live home is only read.
What ingestion knew then is ``ingestion.past``; what a run keeps of itself is ``archive``.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import ml.registry
from ingestion.past import Gap, lay_past, link
from ingestion.records import copy_database
from models.policy.place import POLICY_VARIABLE
from orchestration.archive import JOURNALS, KeptRun, policy_folder, run_of
from orchestration.audit import entries_of
from orchestration.console import CommandError
from orchestration.manifest import fingerprint
from orchestration.outputs import month_folder
from orchestration.records import DATABASE_VARIABLES, OPERATIONS_TABLES
from orchestration.scratch import scratch_folder
from orchestration.settings import DataHome
from orchestration.stores import store_of
from orchestration.versions import code_version

# Settings that say how to work, or where from, and not what comes out.
NOT_SET = frozenset({"source", "audit", "database"})
SAID = 2000
SCRATCH = ".rebuild"


@dataclass(frozen=True)
class Rebuilt:
    """What came of a rebuild; ``compared`` says of each file whether the audit log knows it as it is now."""

    run: KeptRun
    folder: Path
    compared: dict[str, str]
    gaps: tuple[Gap, ...]
    same_code: bool


def rebuild_month(home: DataHome, month: date, moment: datetime, out: Path) -> Rebuilt:
    """Make the outputs of ``month`` as of the last run before ``moment`` into ``out``."""
    run = run_of(home, month, moment)
    if run is None:
        raise CommandError(
            f"no run by {moment:%Y-%m-%d %H:%M} that wrote {month:%Y-%m} was kept",
            "runs are kept in `archive/run` of the data home, from the first run of this version on",
        )
    with scratch_home(home, run) as (scratch, gaps):
        _run(home, scratch, run, month)
        made = month_folder(scratch, month)
        files = sorted(path for path in made.rglob("*") if path.is_file())
        compared = {path.relative_to(made).as_posix(): _compared(home, run, scratch, path) for path in files}
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(made, out, dirs_exist_ok=True)
    return Rebuilt(run, out, compared, tuple(gaps), run.code_version == code_version())


@contextmanager
def scratch_home(home: DataHome, run: KeptRun) -> Iterator[tuple[DataHome, list[Gap]]]:
    """A data home as it was before that run, closed to others; gone when the block ends, or at the next rebuild."""
    with scratch_folder(home.root / SCRATCH) as folder:
        scratch = DataHome(folder / "home").create()
        gaps = lay_past(store_of(home), scratch.root, run.known_until)
        if home.keys.is_file():
            link(home.keys, scratch.keys)
        _write_settings(home, scratch)
        _lay_operations(home, scratch, run)
        for journal in JOURNALS:
            if (run.folder / journal).is_file():
                shutil.copy2(run.folder / journal, scratch.reference / journal)
        _lay_models(home, scratch, run)
        yield scratch, gaps


def _write_settings(home: DataHome, scratch: DataHome) -> None:
    """The settings of now: they are not dated."""
    told = home.settings().model_dump(exclude=set(NOT_SET), exclude_none=True)
    tables = {name: value for name, value in told.items() if isinstance(value, dict)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items() if name not in tables]
    for table, values in tables.items():
        lines += [f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    scratch.settings_file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lay_operations(home: DataHome, scratch: DataHome, run: KeptRun) -> None:
    """Decisions about alerts and data quality carry their times; which months were done follows from the run."""
    copy_database(home.operations, scratch.operations, OPERATIONS_TABLES)
    if not scratch.operations.is_file():
        return
    with sqlite3.connect(scratch.operations) as connection:
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        for table in tables & {"run", "month_done", "audit_record", "identified_export"}:
            connection.execute(f'delete from "{table}"')
        if "month_done" in tables:
            last = f"{run.plan.last_month:%Y-%m}"
            connection.execute("insert into month_done values (?, 0, ?)", (last, run.plan.as_of.isoformat()))
    connection.close()


def _lay_models(home: DataHome, scratch: DataHome, run: KeptRun) -> None:
    """The models that had been promoted by then, in that order; a newer one is not there."""
    champions = run.champions() or []
    scratch.registry.mkdir()
    for version in champions:
        source = home.registry / version
        if not source.is_dir():
            raise CommandError(f"the model {version} is no longer in the registry", "restore it from a backup")
        shutil.copytree(source, scratch.registry / version)
    if champions:
        (scratch.registry / ml.registry.CHAMPION).write_text(json.dumps({"champions": champions}, indent=1))


def _run(home: DataHome, scratch: DataHome, run: KeptRun, month: date) -> None:
    policy = policy_folder(home, run.policy_version)
    if not policy.is_dir():
        raise CommandError(f"the policy {run.policy_version} was not kept", "restore `archive/policy` from a backup")
    command = [sys.executable, "-m", "orchestration.cli", "--home", str(scratch.root), "run"]
    command += ["--month", f"{month:%Y-%m}", "--as-of", run.plan.as_of.isoformat()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(DATABASE_VARIABLES)}
    environment |= {POLICY_VARIABLE: str(policy), "ZHAOREN_HOME": str(scratch.root)}
    root = Path(__file__).parent.parent
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not month_folder(scratch, month).is_dir():
        raise CommandError(
            f"the run in the scratch home ended with code {done.returncode}: {done.stderr.strip()[-SAID:]}",
            "`zhaoren doctor` says whether keys and settings are in order",
        )


def _compared(home: DataHome, run: KeptRun, scratch: DataHome, path: Path) -> str:
    """same, different, or not in the log: against what was logged of that file first after the run's plan was made."""
    name = path.relative_to(scratch.root).as_posix()
    digest = fingerprint(path)
    since = run.known_until.replace(microsecond=0).isoformat()
    for entry in entries_of(home):
        record = json.loads(entry.content)
        if record["at"] >= since and name in record.get("files", {}):
            return "same" if record["files"][name] == digest else "different"
    return "not in the log"
