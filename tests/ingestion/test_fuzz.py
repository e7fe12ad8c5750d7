"""Damaged files, the same ones every time: taken, held or rejected, never a failure, counts that balance.

The long run is ``python -m benchmarks.fuzz_ingest``; what it finds becomes a case here or in the catalogue.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from benchmarks.fuzz_ingest import Intake, Specimen, case, made_specimens
from ingestion import Delivery

CASES, SECONDS = 240, 30
FILES = list(made_specimens())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_damaged_files_never_make_ingestion_fail(tmp_path: Path, seed: int) -> None:
    intake = Intake(tmp_path)
    until = time.monotonic() + SECONDS / 3
    outcomes = set()
    for number in range(CASES // 3):
        if time.monotonic() > until:
            break
        specimen, data = case(seed, number, FILES)
        delivery = intake.take(specimen, data)
        assert delivery is None or not str(delivery.detail).startswith("unforeseen")
        outcomes.add(delivery.status if delivery else None)
    assert outcomes >= {"accepted", "rejected"}


@pytest.mark.parametrize("kept", sorted((Path(__file__).parent / "fuzzed").glob("*")), ids=lambda path: path.name)
def test_what_was_found_once(tmp_path: Path, kept: Path) -> None:
    specimen = Specimen(kept.name.split(".")[0], kept.suffix, kept.read_bytes())
    assert isinstance(Intake(tmp_path).take(specimen, specimen.data), Delivery)
