"""What a run was made with, kept so that its lists can be rebuilt: policy, models in force, what had been published.

Belongs here: keeping, and finding the run of a day. What ingestion, ledger and decisions know carries its own times
and is not kept twice; rebuilding is in ``rebuild``.

    archive/policy/<version>/    every policy file, once for each version
    archive/run/<as-of>/         the plan of the run, the journals as they stood before it, the models it scored with
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import ml.registry
from models.policy.place import POLICY_DIRECTORY
from orchestration.home.settings import DataHome
from orchestration.home.versions import code_version, current_policy_version
from orchestration.warehouse.run_plan import RunPlan, read_plan

JOURNALS = ("alert_journal.parquet", "household_given.parquet")
FACTS, MODELS, PLAN = "run.json", "models.json", "run.parquet"


@dataclass(frozen=True)
class KeptRun:
    """One run as it was kept: its plan, when its plan was made (what ingestion knew by then counts), its versions."""

    folder: Path
    plan: RunPlan
    known_until: datetime
    policy_version: str
    code_version: str

    def champions(self) -> list[str] | None:
        """The models promoted by then, None where the run did not come so far."""
        file = self.folder / MODELS
        return list(json.loads(file.read_text(encoding="utf-8"))["champions"]) if file.is_file() else None


def policy_folder(home: DataHome, version: str) -> Path:
    """Where the policy files of a version are kept."""
    return home.root / "archive" / "policy" / version


def keep_inputs(home: DataHome, plan: RunPlan) -> None:
    """Keep the policy and the journals before a run changes anything; files of the journals are linked, not copied."""
    version = current_policy_version()
    _keep_policy(policy_folder(home, version))
    folder = _run_folder(home, plan)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in JOURNALS:
        if (home.reference / name).is_file():
            os.link(home.reference / name, folder / name)
    os.link(home.plan_file, folder / PLAN)
    told = {"known_until": _now().isoformat(), "policy_version": version, "code_version": code_version()}
    (folder / FACTS).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def keep_models(home: DataHome, plan: RunPlan) -> None:
    """Keep which models were promoted when a run scored."""
    folder = _run_folder(home, plan)
    if folder.is_dir():
        champions = json.dumps({"champions": ml.registry.champion_line(home.registry)}, indent=1)
        (folder / MODELS).write_text(champions + "\n", encoding="utf-8")


def kept_runs(home: DataHome) -> list[KeptRun]:
    """Every run that was kept, oldest first."""
    found = []
    for facts in sorted((home.root / "archive" / "run").glob(f"*/{FACTS}")):
        told = json.loads(facts.read_text(encoding="utf-8"))
        until = datetime.fromisoformat(told["known_until"])
        plan = read_plan(facts.with_name(PLAN))
        found.append(KeptRun(facts.parent, plan, until, told["policy_version"], told["code_version"]))
    return sorted(found, key=lambda run: run.known_until)


def run_of(home: DataHome, month: date, moment: datetime) -> KeptRun | None:
    """The last run by then that wrote the lists of a month, None where there is none."""
    wrote = [run for run in kept_runs(home) if run.known_until <= moment and month in run.plan.months]
    done = [run for run in wrote if run.champions() is not None]
    return done[-1] if done else None


def _keep_policy(folder: Path) -> None:
    if folder.is_dir():
        return
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(POLICY_DIRECTORY, aside, ignore=lambda _, names: [name for name in names if name.endswith(".py")])
    shutil.rmtree(aside / "__pycache__", ignore_errors=True)
    aside.rename(folder)


def _run_folder(home: DataHome, plan: RunPlan) -> Path:
    return home.root / "archive" / "run" / plan.as_of.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _now() -> datetime:
    return datetime.now(UTC)
