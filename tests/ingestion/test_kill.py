"""Killed at any step: the old state or the new one, the next run heals, and what is left over goes and never counts."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingestion import Ledger, Quarantine, Store, ingest, publish
from ingestion.in_force import validity_rows
from ingestion.lock import LOCK_FILE
from ingestion.mending import export_rows
from models.contract import load_feeds
from tests.ingestion.conftest import City
from tests.ingestion.killing import KEYS, NOW

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
KEPT = ("lake", "held", "vault", "quarantine", "faults")
FEED = "death_record"
RANDOM_KILLS = 20


class Killer:
    """The process that forks children and has them killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ingestion.killing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def run(self, step: str, home: Path, inbox: Path, kill_at: int = 0, seconds: float = 0) -> tuple[int, int]:
        """Exit status (-9: killed) and number of points."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{step}\t{home}\t{inbox}\t{kill_at}\t{seconds}\n")
        self._process.stdin.flush()
        status, count = self._process.stdout.readline().split()
        return int(status), int(count)

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, killer: Killer) -> Path:
    """An inbox with a file to come, and a home that has one delivery accepted and one held."""
    folder = tmp_path_factory.mktemp("prepared")
    city = City(folder)
    bad = city.rows(FEED, 12)
    for row in bad[:5]:
        row["信息来源"] = "?"
    rows = city.rows(FEED, 12, source="?")
    rows[4]["火化日期"] = "不详"
    city.put(FEED, bad, "held_202302.csv")
    city.put(FEED, rows, "good_202301.csv")
    assert killer.run("ingest", city.store.home, city.inbox)[0] == 0
    accepted = next(item for item in city.deliveries() if item.status == "accepted")
    raw = Quarantine(city.store).raw_rows(FEED, accepted.delivery_id)
    export_rows(raw, city.feeds[FEED], folder / "mended.csv")
    text = (folder / "mended.csv").read_text(encoding="utf-8-sig")
    (folder / "mended.csv").write_text(text.replace("?", "1"), encoding="utf-8")
    correction = [dict(row, 火化日期="不知道") for row in rows]
    city.put(FEED, correction, "更正_202301.csv")
    city.put("custody_record", city.rows("custody_record"), "x_202303.csv")
    return folder


def copy_of(prepared: Path, target: Path) -> Path:
    shutil.copytree(prepared, target, dirs_exist_ok=True)
    return target


def state(home: Path) -> dict[str, Any]:
    """All that counts: ledger (without the order of entry), decisions, validity, the names of all files kept."""
    with Ledger(home / "ledger.db") as ledger:
        deliveries, decisions = ledger.deliveries(), ledger.decisions()
    return {
        "deliveries": sorted(
            (item.delivery_id, item.status, item.rows_data, item.rows_accepted) for item in deliveries
        ),
        "decisions": sorted((one["delivery_id"], one["status"]) for one in decisions),
        "validity": sorted(str(row) for row in validity_rows(deliveries)),
        "files": sorted(
            str(path.relative_to(home)) for name in KEPT for path in (home / name).rglob("*") if path.is_file()
        ),
    }


def counted(home: Path) -> dict[str, Any]:
    return {name: value for name, value in state(home).items() if name != "files"}


@pytest.mark.parametrize("step", ["ingest", "release", "reject", "hold", "resubmit"])
def test_killed_at_every_point_it_is_old_or_new_and_heals(
    killer: Killer, prepared: Path, tmp_path: Path, step: str
) -> None:
    old = counted(prepared / "home")
    whole = copy_of(prepared, tmp_path / "whole")
    status, points = killer.run(step, whole / "home", whole / "inbox")
    assert status == 0
    assert points >= 2
    done = counted(whole / "home")
    assert done != old
    ingest(whole / "inbox", store_of(whole), load_feeds(), NOW)
    healed = state(whole / "home")
    for at in range(1, points + 1):
        folder = copy_of(prepared, tmp_path / f"killed{at}")
        assert killer.run(step, folder / "home", folder / "inbox", kill_at=at)[0] == -9
        after = counted(folder / "home")
        if step == "ingest":
            assert set(after["deliveries"]) <= set(done["deliveries"])
        else:
            assert after in (old, done)
        if after != done and step != "ingest":
            assert killer.run(step, folder / "home", folder / "inbox")[0] == 0
        ingest(folder / "inbox", store_of(folder), load_feeds(), NOW)
        assert state(folder / "home") == healed
        shutil.rmtree(folder)


def test_killed_at_random_moments_and_run_again(killer: Killer, prepared: Path, tmp_path: Path) -> None:
    chance = random.Random(20230601)
    whole = copy_of(prepared, tmp_path / "whole")
    killer.run("ingest", whole / "home", whole / "inbox")
    done = state(whole / "home")
    folder = copy_of(prepared, tmp_path / "killed")
    killed = 0
    for _ in range(RANDOM_KILLS):
        if counted(folder / "home") == counted(whole / "home"):
            shutil.rmtree(folder)
            copy_of(prepared, folder)
        status, _ = killer.run("ingest", folder / "home", folder / "inbox", seconds=chance.uniform(0.01, 0.3))
        killed += status == -9
        after = counted(folder / "home")
        assert set(after["deliveries"]) <= set(done["deliveries"])
    assert killed
    assert killer.run("ingest", folder / "home", folder / "inbox")[0] == 0
    assert state(folder / "home") == done


def test_what_a_killed_run_left_is_neither_published_nor_deleted_where_nothing_died(
    killer: Killer, prepared: Path, tmp_path: Path
) -> None:
    folder = copy_of(prepared, tmp_path / "killed")
    killer.run("ingest", folder / "home", folder / "inbox", kill_at=6)
    store = store_of(folder)
    publish(store, load_feeds())
    strange = store.lake_file(FEED, "2023-05", "death_record.2023-05.abcdefghij")
    strange.parent.mkdir(parents=True)
    strange.write_bytes(b"from a backup")
    old = (folder / "home" / LOCK_FILE).stat().st_mtime - 3600
    os.utime(strange, (old, old))
    ingest(folder / "inbox", store, load_feeds(), NOW)
    assert strange.exists()
    assert (folder / "home" / LOCK_FILE).read_text(encoding="utf-8") == ""


def store_of(folder: Path) -> Store:
    return Store(folder / "home", KEYS)
