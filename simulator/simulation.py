"""Simulates a city: an inbox of deliveries, and the truth about it apart from the inbox.

Belongs here: putting course, feeds, deliveries and truth together. Does not belong here: any of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from simulator import planted, world
from simulator.course import months_of
from simulator.delivery import schedule, truth
from simulator.delivery.outbox import Outbox
from simulator.feeds.registry import frame_of
from simulator.months import first_date, month_number

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class SimulationSummary:
    """What was made. ``planted`` counts true cases without near misses."""

    inbox: Path
    truth: Path
    households: int
    persons: int
    months: int
    files: int
    rows: int
    planted: int
    by_status: dict[str, int]


class SimulationError(ValueError):
    """The city cannot be simulated as asked; says why."""


def simulate(
    out: Path,
    households: int,
    months: int,
    seed: int,
    first_month: date = date(2023, 1, 1),
    defects: float = 1.0,
    formats: Literal["mixed", "csv"] = "mixed",
    progress: Progress | None = None,
) -> SimulationSummary:
    """Write ``out/inbox`` and ``out/truth`` for a synthetic city.

    ``defects`` scales faulty rows and files, 0 means none; ``formats='csv'`` writes plain UTF-8 CSV only.
    ``progress`` is told (months done, months in all, month). The same arguments give the same bytes.
    Raises ``SimulationError`` where the folder holds an inbox already or the size makes no sense.
    """
    _check(out, households, months)
    inbox, truth_folder = out / "inbox", out / "truth"
    inbox.mkdir(parents=True)
    truth_folder.mkdir()
    first = month_number(first_month)
    outbox = Outbox(
        inbox, seed, defects, formats == "csv", schedule.incidents(seed, first, first + months - 1, defects)
    )
    stage = planted.stage(seed, households, first, first + months - 1)
    witness = planted.Witness(stage=stage)
    with world.Recorder(truth_folder) as recorder:
        for done, city in enumerate(months_of(seed, households, months, first_month), start=1):
            stage.begin(city, witness.memory)
            for feed in {slot.feed: None for slot in schedule.slots_of(city.month, first)}:
                frame = stage.apply(feed, frame_of(feed, city), city)
                for slot in schedule.slots_of(city.month, first):
                    if slot.feed == feed:
                        outbox.deliver(slot, _part(frame, slot.division))
            recorder.record(city)
            witness.observe(city)
            if progress:
                progress(done, months, f"{first_date(city.month):%Y-%m}")
    truth.write(outbox.expected, truth_folder / "deliveries_expected.jsonl")
    cases = witness.write(truth_folder / "planted.jsonl")
    return SimulationSummary(
        inbox=inbox, truth=truth_folder, households=households, persons=len(city.persons), months=months,
        files=len(outbox.expected), rows=sum(record.data_rows for record in outbox.expected), planted=cases,
        by_status=dict(truth.summary(outbox.expected)),
    )  # fmt: skip


def _part(frame: pl.DataFrame, division: str | None) -> pl.DataFrame:
    return frame if division is None else frame.filter(pl.col("_county") == int(division))


def _check(out: Path, households: int, months: int) -> None:
    if households < 1 or months < 1:
        raise SimulationError("a city needs at least one household and one month")
    for name in ("inbox", "truth"):
        folder = out / name
        if folder.exists() and any(folder.iterdir()):
            raise SimulationError(f"{folder} is not empty; choose another folder or empty it first")
        if folder.exists():
            shutil.rmtree(folder)
