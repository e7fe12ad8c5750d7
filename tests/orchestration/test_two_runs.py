"""Two runs at once through a real Dagster instance: what needs the warehouse or its turn waits, deliveries do not.

The jobs are cheap ones with the pool, the resources and the instance of the real ones; ``test_definitions`` says which
real steps have them.
"""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from ingestion.database import Address, postgresql, write_address
from orchestration.automation import MONTH_JOB
from orchestration.home.lock import RUN_LOCK
from orchestration.home.operations import Operations
from orchestration.home.settings import DataHome
from orchestration.home.turn import HomeInTurn
from orchestration.instance import instance_of, storage_schema
from orchestration.resources import WAREHOUSE_POOL, HomeResource
from orchestration.warehouse.run_plan import RunPlan, write_plan
from tests.ingestion.test_lock import held_elsewhere

PATIENCE_SECONDS = 90


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    return DataHome(tmp_path / "home").create()


def note(folder: Path, name: str, what: str) -> None:
    (folder / f"{name}.{what}").write_text(json.dumps(time.time()))


def noted_at(folder: Path, name: str, what: str) -> float:
    return float(json.loads((folder / f"{name}.{what}").read_text()))


def noted(folder: Path, name: str) -> tuple[float, float]:
    return noted_at(folder, name, "begin"), noted_at(folder, name, "end")


def is_apart(folder: Path) -> bool:
    one, two = sorted(noted(folder, name) for name in ("one", "two"))
    return one[1] <= two[0]


def pooled(folder: Path, name: str) -> dg.JobDefinition:
    @dg.op(pool=WAREHOUSE_POOL)
    def build() -> None:
        note(folder, name, "begin")
        time.sleep(2)
        note(folder, name, "end")

    @dg.job(name="pooled")
    def job() -> None:
        build()

    return job


def delivery(folder: Path, name: str) -> dg.JobDefinition:
    @dg.op(required_resource_keys={"intake"})
    def take_in() -> None:
        note(folder, name, "begin")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(list(folder.glob("*.begin"))) < 2:
            assert time.monotonic() < deadline, "the other one never began"
            time.sleep(0.05)
        note(folder, name, "end")

    @dg.job(name="delivery")
    def job() -> None:
        take_in()

    return job


def month(folder: Path, name: str) -> dg.JobDefinition:
    """Two steps that must not come between those of another run."""

    @dg.op(required_resource_keys={"home"})
    def first() -> int:
        note(folder, name, "begin")
        return 1

    @dg.op(required_resource_keys={"home"})
    def second(value: int) -> None:
        time.sleep(0.5)
        note(folder, name, "end")
        if name == "fails":
            raise dg.Failure("planted", allow_retries=False)

    @dg.job(name=MONTH_JOB)
    def job() -> None:
        second(first())

    return job


JOBS: dict[str, Callable[[Path, str], dg.JobDefinition]] = {"pooled": pooled, "delivery": delivery, "month": month}


def run(kind: str, root: Path, folder: Path, name: str) -> bool:
    resources = {"home": HomeInTurn(root=str(root)), "intake": HomeResource(root=str(root))}
    with instance_of(DataHome(root)) as instance:
        return (
            JOBS[kind](folder, name)
            .execute_in_process(instance=instance, resources=resources, raise_on_error=False)
            .success
        )


def two_at_once(kind: str, home: DataHome, folder: Path, *, first: bool = False) -> None:
    """Two processes; with ``first`` the second starts once the first has begun its work."""
    with instance_of(home):
        pass  # its tables are there before two want to make them, as `zhaoren dagster` sees to it
    both = ("one", "two")
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=run, args=(kind, home.root, folder, name), daemon=True) for name in both]
    for process in processes:
        process.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while first and not list(folder.glob("*.begin")):
            assert time.monotonic() < deadline, "the first one never began"
            time.sleep(0.01)
    for process in processes:
        process.join(PATIENCE_SECONDS)
        assert process.exitcode == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "noted").mkdir()
    return tmp_path / "noted"


@pytest.mark.usefixtures("both_places")
def test_only_one_at_a_time_is_in_the_pool_of_the_warehouse(home: DataHome, folder: Path) -> None:
    """One that comes while another is in the pool waits. Two that ask SQLite within the same milliseconds may both get
    in, since it has no locks on rows; what keeps those apart is the turn (below), which is a lock of a file."""
    two_at_once("pooled", home, folder, first=True)
    assert is_apart(folder)


def test_deliveries_are_taken_in_while_another_run_has_its_turn(home: DataHome, folder: Path) -> None:
    two_at_once("delivery", home, folder)
    assert not is_apart(folder)


def plan(home: DataHome) -> None:
    last = date(2024, 3, 1)
    told = RunPlan(last, last, (last,), datetime(2024, 4, 12, tzinfo=UTC), last)
    write_plan(told, "policy", "code", home.plan_file)


def test_runs_of_the_month_have_their_turn_whoever_starts_them_and_are_on_record(home: DataHome, folder: Path) -> None:
    """Another process has its turn, as a run of the command line would; ours begins when that one has ended."""
    plan(home)
    with held_elsewhere(home.root / RUN_LOCK) as process:
        waiting = threading.Timer(1.0, lambda: (note(folder, "other", "end"), process.kill()))
        waiting.start()
        assert run("month", home.root, folder, "one")
    assert noted_at(folder, "other", "end") <= noted_at(folder, "one", "begin")
    assert Operations(home.operations).months_done() == {date(2024, 3, 1)}
    assert not run("month", home.root, folder, "fails")
    assert [(item.status, item.failed_step) for item in Operations(home.operations).last_runs()] == [
        ("failed", "second"), ("done", None),
    ]  # fmt: skip


def test_events_of_a_run_lie_in_the_database(tmp_path: Path, address: Address, folder: Path) -> None:
    home = DataHome(tmp_path / "home").create()
    write_address(home.root, address)
    assert run("pooled", home.root, folder, "one")
    with postgresql(Address(address.url, storage_schema(address))).connect() as connection:
        count = connection.execute(sa.text("select count(*) from event_logs")).scalar()
        assert count is not None
        assert count > 5
    assert not list(home.dagster.rglob("*.db"))
    settings = (home.dagster / "dagster.yaml").read_text()
    assert "postgresql://" not in settings, "the URL, which may hold the password, is not written down"
