"""Feeds side by side in processes: the same outcome as one after the other, and a process that dies costs its feed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from ingestion import Delivery, Ledger, ingest, parallel
from ingestion.parallel import FeedsLostError, Task, _told
from ingestion.pipeline import take_folder
from tests.ingestion.conftest import NOW, City, id_number

FEEDS = ("death_record", "pension_payment", "housing_fund")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def worth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_WORTH_FILES", 1)


def filled(city: City) -> City:
    for feed in FEEDS:
        for month in range(1, 3):
            city.put(feed, city.rows(feed, 12 + month), f"报送_2023{month:02d}.csv")
        city.put(feed, "nothing", "坏_202303.csv")
        city.put(feed, city.rows(feed, 15), "更正_202303.csv")
    city.put("no_feed", "x", "x_202303.csv")
    return city


def export(city: City) -> pl.DataFrame:
    with Ledger(city.store.ledger_file) as ledger:
        return ledger.frame()


def lake(city: City) -> dict[str, bytes]:
    return {str(path.relative_to(city.store.lake)): path.read_bytes() for path in city.store.lake.rglob("*.parquet")}


@pytest.mark.usefixtures("worth")
def test_side_by_side_is_the_same_as_one_after_the_other(tmp_path: Path) -> None:
    one, two = (filled(City(path)) for path in (tmp_path / "one", tmp_path / "two") if path.mkdir() is None)
    told: list[str] = []
    taken = ingest(one.inbox, one.store, one.feeds, NOW)
    beside = ingest(
        two.inbox, two.store, two.feeds, NOW, progress=lambda item: told.append(item.delivery_id), workers=2
    )
    assert [item.delivery_id for item in beside] == [item.delivery_id for item in taken]
    assert sorted(told) == sorted(item.delivery_id for item in taken)
    assert export(two).write_csv() == export(one).write_csv()
    assert lake(two) == lake(one)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("worth")
def test_process_that_is_killed_costs_its_feed_and_no_other(tmp_path: Path) -> None:
    one, two = (filled(City(path)) for path in (tmp_path / "one", tmp_path / "two") if path.mkdir() is None)
    ingest(one.inbox, one.store, one.feeds, NOW)
    killed: list[str] = []

    def kill(delivery: Delivery) -> None:
        if not killed and delivery.feed in FEEDS:
            killed.append(delivery.feed)
            for child in multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGKILL)

    with pytest.raises(FeedsLostError, match="killed by SIGKILL") as raised:
        ingest(two.inbox, two.store, two.feeds, NOW, progress=kill, workers=2)
    assert killed[0] in raised.value.why
    assert len(raised.value.why) <= 2
    done = export(two)["feed"].value_counts()
    for feed in set(FEEDS) - raised.value.why.keys():
        assert done.filter(pl.col("feed") == feed)["count"].item() == 4
    ingest(two.inbox, two.store, two.feeds, NOW)
    assert export(two).write_csv() == export(one).write_csv()
    assert lake(two) == lake(one)


def test_failure_in_a_process_is_told_without_values(tmp_path: Path, worth: None) -> None:
    city = filled(City(tmp_path))
    blocked = city.store.lake / "housing_fund"
    ingest(city.inbox, city.store, city.feeds, NOW, only_feed="no_feed")
    for path in sorted(blocked.rglob("*"), reverse=True):
        path.unlink()
    blocked.rmdir()
    city.store.lake.mkdir(exist_ok=True)
    folders = {city.inbox / feed: city.feeds[feed] for feed in FEEDS}
    blocked.write_text("a file where a folder should be")
    told: list[Delivery] = []
    with pytest.raises(FeedsLostError) as raised:
        parallel.take_in_folders(folders, city.store, NOW, take_folder, 2, told.append)
    assert list(raised.value.why) == ["housing_fund"]
    assert {item.feed for item in told if item.status == "accepted"} == set(FEEDS) - {"housing_fund"}


_RUN = """
import sys
from pathlib import Path
from datetime import datetime, UTC
from ingestion import Store, ingest, parallel
from ingestion.keys import Keys
from models.contract import load_feeds
if __name__ == "__main__":
    parallel._WORTH_FILES = 1
    store = Store(Path(sys.argv[2]), Keys(b"p" * 32, b"v" * 32))
    print("begin", flush=True)
    ingest(Path(sys.argv[1]), store, load_feeds(), datetime(2023, 6, 1, 4, tzinfo=UTC), workers=2,
           progress=lambda item: print(item.delivery_id, flush=True))
"""


def test_processes_die_with_their_parent(tmp_path: Path) -> None:
    """Killed, it leaves nobody who writes without the lock; the next run has the outcome of an undisturbed one."""
    city = filled(City(tmp_path))
    script = tmp_path / "run.py"
    script.write_text(_RUN)
    command = [sys.executable, str(script), str(city.inbox), str(city.store.home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begin\n"
        assert run.stdout.readline()
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        run.kill()
    assert children
    for _ in range(100):
        alive = [child for child in children if _is_alive(int(child))]
        if not alive:
            break
        time.sleep(0.05)
    assert not alive
    ingest(city.inbox, city.store, city.feeds, NOW)
    other = tmp_path / "other"
    other.mkdir()
    undisturbed = filled(City(other))
    ingest(undisturbed.inbox, undisturbed.store, undisturbed.feeds, NOW)
    columns = pl.exclude("ingested_at")
    assert (
        export(city).sort("delivery_id").select(columns).equals(export(undisturbed).sort("delivery_id").select(columns))
    )


def _is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_large_folders_come_first_and_never_together_beyond_memory() -> None:
    pool = parallel._Pool(3, None, memory=1000)  # type: ignore[arg-type]
    large, other, small = (Task(Path(name), None, memory) for name, memory in (("a", 900), ("b", 800), ("c", 90)))
    assert pool._next([large, other, small]) == large
    pool._workers.append(parallel._Worker(None, None, large))  # type: ignore[arg-type]
    assert pool._next([other, small]) == small
    pool._workers.append(parallel._Worker(None, None, small))  # type: ignore[arg-type]
    assert pool._next([other]) is None
    pool._workers.clear()
    assert pool._next([Task(Path("d"), None, 5000)]) is not None


def test_memory_of_a_folder_goes_by_its_largest_file(tmp_path: Path) -> None:
    for name, size in (("a.csv", 10_000_000), ("b.csv", 1_500_000_000), ("c.xlsx", 10_000_000)):
        with (tmp_path / name).open("wb") as stream:
            stream.truncate(size)
    assert parallel._memory_of(tmp_path) == 400_000_000 + 800_000_000
    (tmp_path / "b.csv").unlink()
    assert parallel._memory_of(tmp_path) == 400_000_000 + 400_000_000


def test_what_is_said_of_a_failure_names_no_number() -> None:
    number = id_number(1)
    assert number not in _told(OSError(5, "Input/output error", f"/inbox/death_record/{number}.csv"))
    assert _told(ValueError(number)) == "ValueError"
