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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import ml.registry
from expectations import lay_results
from ingestion.lake import write_empty_tables
from ingestion.past import Gap, lay_past, link
from ingestion.records import copy_database
from models.contract import load_feeds
from models.policy.place import POLICY_VARIABLE
from orchestration.console import CommandError
from orchestration.home.outputs import month_folder
from orchestration.home.records import DATABASE_VARIABLES, OPERATIONS_TABLES
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, store_of
from orchestration.home.versions import code_version
from orchestration.questions.scratch import scratch_folder
from orchestration.trail.archive import JOURNALS, KeptRun, kept_runs, policy_folder, run_of
from orchestration.trail.audit import entries_of
from orchestration.trail.manifest import fingerprint

# Settings that say how to work, or where from, and not what comes out.
NOT_SET = frozenset({"source", "audit", "database", "backup"})
SAID = 2000
SCRATCH = ".rebuild"
SAME, DIFFERENT, NOT_LOGGED, NOT_MADE = "same", "different", "not in the log", "not made"
# Written for the newest month of a run alone.
OF_THE_NEWEST_MONTH = ["outputs/visit_lists", "outputs/reports"]


@dataclass(frozen=True)
class Rebuilt:
    """What came of a rebuild.

    ``compared`` says of each file whether the audit log knows it as it is now: same, different, not in the log; or
    not made, where the log has a file of that run which did not come about.
    """

    run: KeptRun
    folder: Path
    compared: dict[str, str]
    gaps: tuple[Gap, ...]
    same_code: bool

    @property
    def is_same(self) -> bool:
        """Whether all files of the run are there as they were, and nothing else."""
        return not self.gaps and set(self.compared.values()) <= {SAME}


def rebuild_month(home: DataHome, month: date, moment: datetime, out: Path) -> Rebuilt:
    """Make the outputs of ``month`` as of the last run before ``moment`` into ``out``."""
    run = run_of(home, month, moment)
    if run is None:
        raise CommandError(
            f"no run by {moment:%Y-%m-%d %H:%M} that wrote {month:%Y-%m} was kept",
            "runs are kept in `archive/run` of the data home, from the first run of this version on",
        )
    with scratch_home(home, run, month) as (scratch, gaps):
        _run(home, scratch, run, month)
        made = month_folder(scratch, month)
        compared = compare(made, _logged(home, run, month))
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(made, out, dirs_exist_ok=True)
    return Rebuilt(run, out, compared, tuple(gaps), run.code_version == code_version())


@contextmanager
def scratch_home(home: DataHome, run: KeptRun, month: date) -> Iterator[tuple[DataHome, list[Gap]]]:
    """A data home as it was before that run, closed to others; gone when the block ends, or at the
    next rebuild."""
    with scratch_folder(home.root / SCRATCH) as folder:
        scratch = DataHome(folder / "home").create()
        gaps = lay_past(store_of(home), scratch.root, run.known_until)
        if home.keys.is_file():
            link(home.keys, scratch.keys)
        write_empty_tables(scratch.lake, load_feeds())
        known = [item.delivery_id for item in ledger_of(scratch).deliveries()]
        lay_results(home.reference, home.checks, (scratch.reference, scratch.checks), known)
        _write_settings(home, scratch)
        _lay_operations(home, scratch)
        for journal in JOURNALS:
            if (run.folder / journal).is_file():
                shutil.copy2(run.folder / journal, scratch.reference / journal)
        lay_models(home, scratch, run)
        left_out = [] if month == max(run.plan.months) else OF_THE_NEWEST_MONTH
        scratch.past_mark.write_text(json.dumps(left_out))
        yield scratch, gaps


def _write_settings(home: DataHome, scratch: DataHome) -> None:
    """The settings of now: they are not dated."""
    told = home.settings().model_dump(exclude=set(NOT_SET), exclude_none=True)
    tables = {name: value for name, value in told.items() if isinstance(value, dict)}
    lines = [f"{name} = {json.dumps(value)}" for name, value in told.items() if name not in tables]
    for table, values in tables.items():
        lines += [f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    scratch.settings_file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _lay_operations(home: DataHome, scratch: DataHome) -> None:
    """Decisions about alerts and data quality carry their times; what runs and readers did is another matter."""
    copy_database(home.operations, scratch.operations, OPERATIONS_TABLES)
    if not scratch.operations.is_file():
        return
    with sqlite3.connect(scratch.operations) as connection:
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        for table in tables & {"run", "month_done", "audit_record", "identified_export"}:
            connection.execute(f'delete from "{table}"')
    connection.close()


def lay_models(home: DataHome, scratch: DataHome, run: KeptRun) -> None:
    """The models that had been promoted by then, in that order, each as its manifest has it; a newer one is not there.

    ``CommandError`` where one is gone, is not the one registered, or cannot be read by this version of the program.
    """
    champions = run.champions() or []
    scratch.registry.mkdir()
    for version in champions:
        if not (home.registry / version).is_dir():
            raise CommandError(f"the model {version} is no longer in the registry", "restore it from a backup")
        shutil.copytree(home.registry / version, scratch.registry / version)
    if champions:
        (scratch.registry / ml.registry.CHAMPION).write_text(json.dumps({"champions": champions}, indent=1))
    for version in champions:
        try:
            ml.registry.load_scorers(scratch.registry, version)
        except ml.registry.RegistryError as error:
            raise CommandError(
                f"the model of that day cannot be used: {error}",
                f"rebuild with the program of that day ({run.code_version}), or restore the model from a backup",
            ) from error


def _run(home: DataHome, scratch: DataHome, run: KeptRun, month: date) -> None:
    policy = policy_folder(home, run.policy_version)
    if not policy.is_dir():
        raise CommandError(f"the policy {run.policy_version} was not kept", "restore `archive/policy` from a backup")
    command = [sys.executable, "-m", "orchestration.cli", "--home", str(scratch.root), "run"]
    command += ["--month", f"{month:%Y-%m}", "--as-of", run.plan.as_of.isoformat()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(DATABASE_VARIABLES)}
    environment |= {POLICY_VARIABLE: str(policy), "ZHAOREN_HOME": str(scratch.root)}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not month_folder(scratch, month).is_dir():
        raise CommandError(
            f"the run in the scratch home ended with code {done.returncode}: {done.stderr.strip()[-SAID:]}",
            "`zhaoren doctor` says whether keys and settings are in order",
        )


def compare(made: Path, logged: Mapping[str, str]) -> dict[str, str]:
    """State of each file below ``made``, and of each in the log that is not there; names are those in the folder."""
    files = {path.relative_to(made).as_posix(): fingerprint(path) for path in sorted(made.rglob("*")) if path.is_file()}
    found = {
        name: NOT_LOGGED if name not in logged else SAME if logged[name] == digest else DIFFERENT
        for name, digest in files.items()
    }
    return found | dict.fromkeys(sorted(set(logged) - set(files)), NOT_MADE)


def _logged(home: DataHome, run: KeptRun, month: date) -> dict[str, str]:
    """Files of the month with the SHA-256 that was logged first between that run and the next."""
    since = run.known_until.replace(microsecond=0).isoformat()
    later = [one.known_until for one in kept_runs(home) if one.known_until > run.known_until]
    until = min(later).isoformat() if later else None
    place = month_folder(home, month).relative_to(home.root).as_posix() + "/"
    found: dict[str, str] = {}
    for entry in entries_of(home):
        record = json.loads(entry.content)
        if record["at"] < since or (until and record["at"] >= until):
            continue
        for name, digest in record.get("files", {}).items():
            if name.startswith(place):
                found.setdefault(name.removeprefix(place), digest)
    return found
