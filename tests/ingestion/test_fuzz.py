"""Damaged files, the same ones every time: taken, held or rejected, never a failure, counts that balance.

The long run is ``python -m benchmarks.fuzz_ingest``; what it finds becomes a case of the catalogue (``defects/cases``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fuzz_ingest import Intake, case, made_specimens

CASES = 80
FILES = list(made_specimens())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_damaged_files_never_make_ingestion_fail(tmp_path: Path, seed: int) -> None:
    intake = Intake(tmp_path)
    outcomes = set()
    for number in range(CASES):
        delivery = intake.take(*case(seed, number, FILES))
        assert delivery is None or not str(delivery.detail).startswith("unforeseen")
        outcomes.add(delivery.status if delivery else None)
    assert outcomes >= {"accepted", "rejected"}
