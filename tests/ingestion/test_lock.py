"""Two at once: the second waits and says for whom, or says so and ends; a dead holder holds nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingestion import BusyError, Ledger, exclusive, ingest
from ingestion.lock import LOCK_FILE, alone, feed_lock, only_one_of
from tests.ingestion.conftest import NOW, City

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from ingestion.lock import alone
with alone(Path(sys.argv[1]), 5):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_waits_says_for_whom_and_goes_on_when_the_first_has_ended(city: City) -> None:
    city.put("death_record", city.rows("death_record"))
    with held_elsewhere(city.store.home / LOCK_FILE) as process:
        told: list[str] = []

        def tell(text: str) -> None:
            told.append(text)
            assert process.stdin
            process.stdin.write("end\n")
            process.stdin.flush()

        with exclusive(city.store, 60, tell):
            assert [item.status for item in city.take()] == ["accepted"]
    assert len(told) == 1
    assert f"process {process.pid}" in told[0]
    assert "since 20" in told[0]


def test_out_of_patience_it_names_process_and_start(city: City) -> None:
    with held_elsewhere(city.store.home / LOCK_FILE) as process:
        with pytest.raises(BusyError, match=f"process {process.pid} .* since ") as caught, exclusive(city.store, 0):
            pass
        assert (caught.value.pid, bool(caught.value.since)) == (process.pid, True)


def test_a_killed_holder_holds_nothing_and_leaves_its_mark(city: City) -> None:
    with held_elsewhere(city.store.home / LOCK_FILE) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with exclusive(city.store, 0) as hold:
            assert hold.unclean_since is not None
        with exclusive(city.store, 0) as hold:
            assert hold.unclean_since is not None
        city.take()
        with exclusive(city.store, 0) as hold:
            assert hold.unclean_since is None


def test_one_thread_may_take_it_again_another_may_not(tmp_path: Path) -> None:
    refused = []

    def other() -> None:
        try:
            with alone(tmp_path / "a.lock", 0.05):
                pass
        except BusyError:
            refused.append(True)

    with alone(tmp_path / "a.lock", 0), alone(tmp_path / "a.lock", 0):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert refused == [True]
    other()
    assert refused == [True]


def test_two_ingests_at_once_enter_each_file_once(city: City) -> None:
    for month in range(1, 7):
        city.put("death_record", city.rows("death_record"), f"x_2023{month:02d}.csv")
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.ingestion.killing import KEYS, Store, take_in\n"
        "take_in(Store(Path(sys.argv[1]), KEYS), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(city.store.home), str(city.inbox)]
    both = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    with Ledger(city.store.ledger_file) as ledger:
        assert len(ledger.deliveries()) == 6
    assert city.take(NOW) == []


def test_feeds_are_taken_in_side_by_side_and_whoever_must_be_alone_waits_for_all(city: City) -> None:
    for feed in ("death_record", "income_tax"):
        city.put(feed, city.rows(feed))
    with held_elsewhere(city.store.home / feed_lock("death_record")), shared_elsewhere(city.store.home / LOCK_FILE):
        (taken,) = ingest(city.inbox, city.store, city.feeds, NOW, only_feed="income_tax")
        assert taken.status == "accepted"
        with pytest.raises(BusyError), only_one_of(city.store, "death_record", 0):
            pass
        with pytest.raises(BusyError), exclusive(city.store, 0):
            pass
    assert [item.feed for item in city.take()] == ["death_record"]


@pytest.mark.parametrize("only", ["death_record", None])
def test_what_one_left_that_died_over_a_feed_is_mended_by_the_next_and_nothing_else_is(
    city: City, only: str | None
) -> None:
    """Files of a delivery that the ledger does not know: of the feed of the dead one, and of one being taken in."""
    city.put("death_record", city.rows("death_record"))
    with held_elsewhere(city.store.home / feed_lock("death_record")) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    left, other = (
        city.store.lake_file(feed, "2023-03", f"{feed}.2023-03.abcdefgh") for feed in ("death_record", "income_tax")
    )
    for path in (left, other):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    assert len(ingest(city.inbox, city.store, city.feeds, NOW, only_feed=only)) == 1
    assert (left.exists(), other.exists()) == (False, only is not None)
    with only_one_of(city.store, "death_record", 0) as hold:
        assert hold.unclean_since is None


@contextmanager
def shared_elsewhere(path: Path) -> Iterator[None]:
    """Another process that takes in a feed of its own holds the home's lock with others."""
    code = HOLD.replace("5):", "5, shared=True):")
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()
