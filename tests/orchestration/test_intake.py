"""Feeds taken in side by side before a run: the run shows of each what came of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from ingestion import FeedsLostError, parallel
from models.contract import load_feeds
from orchestration.assets import feeds
from orchestration.assets.feeds import feed_asset, feed_key
from orchestration.feeds import intake
from orchestration.feeds.intake import NOT_TAKEN, take_in_side_by_side
from orchestration.home.settings import DataHome
from orchestration.resources import HomeResource
from tests.ingestion.conftest import City

DEATH, PENSION = "death_record", "pension_payment"


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.ended: list[str] = []

    def begin(self, steps: int) -> None:
        assert steps == len(load_feeds())

    def step(self, name: str) -> None:
        self.steps.append(name)

    def done(self, name: str) -> None:
        self.ended.append(name)


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> City:
    monkeypatch.setattr(parallel, "_WORTH_FILES", 1)
    city = City(tmp_path)
    for feed in (DEATH, PENSION):
        city.put(feed, city.rows(feed))
    return city


@pytest.fixture
def home(tmp_path: Path) -> DataHome:
    return DataHome(tmp_path / "home").create()


def resource(home: DataHome, city: City, taken: intake.Taken) -> HomeResource:
    return HomeResource(root=str(home.root), inbox=str(city.inbox), taken_at=taken.at, lost=dict(taken.lost))


def materialised(home: HomeResource, feed: str) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [feed_asset(load_feeds()[feed])],
            resources={"intake": home},
            instance=instance,
            raise_on_error=False,
            tags={
                "dagster/asset_partition_range_start": "2023-03-01",
                "dagster/asset_partition_range_end": "2023-03-01",
            },
        )


def test_steps_show_what_was_taken_in_before_them(home: DataHome, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    taken = take_in_side_by_side(home, city.inbox, heard)
    assert sorted(heard.steps) == sorted(heard.ended) == [f"ingest_{DEATH}", f"ingest_{PENSION}"]
    monkeypatch.setattr(feeds, "ingest", lambda *_, **__: pytest.fail("taken in twice"))
    result = materialised(resource(home, city, taken), PENSION)
    assert result.success
    (event,) = result.asset_materializations_for_node(f"ingest_{PENSION}")
    assert (event.asset_key, event.partition) == (feed_key(PENSION), f"{date(2023, 3, 1)}")
    assert event.metadata["rows_accepted"].value == 12


def test_a_feed_whose_process_died_fails_its_step_and_no_other(
    home: DataHome, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = intake.ingest

    def killed(*arguments: object, **named: object) -> list[object]:
        real(*arguments, only_feed=PENSION, **named)  # type: ignore[arg-type]
        raise FeedsLostError({DEATH: "its process was killed by SIGKILL"})

    monkeypatch.setattr(intake, "ingest", killed)
    taken = take_in_side_by_side(home, city.inbox, Heard())
    assert taken.lost == {DEATH: "its process was killed by SIGKILL"}
    lost = materialised(resource(home, city, taken), DEATH)
    assert not lost.success
    (failure,) = [event for event in lost.all_events if event.is_step_failure]
    assert "killed by SIGKILL" in str(failure.step_failure_data.error_display_string)
    assert materialised(resource(home, city, taken), PENSION).success


@pytest.mark.parametrize("why", ["little", "one thread", "no inbox"])
def test_what_does_not_pay_is_left_to_the_steps(
    home: DataHome, city: City, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "little":
        monkeypatch.setattr(parallel, "_WORTH_FILES", 100)
    if why == "one thread":
        monkeypatch.setenv("ZHAOREN_LIMITS__THREADS", "1")
    inbox = city.inbox / "nowhere" if why == "no inbox" else city.inbox
    assert take_in_side_by_side(home, inbox, Heard()) == NOT_TAKEN
    assert materialised(resource(home, city, NOT_TAKEN), DEATH).success
