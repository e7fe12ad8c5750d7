"""Cities for the simulator's tests: a small one with many faults, the same without, and what is expected of them."""

import json
from typing import Any

import pytest

from simulator import SimulationSummary, simulate

HOUSEHOLDS, MONTHS = 400, 4


@pytest.fixture(scope="session")
def faulty_city(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate(tmp_path_factory.mktemp("faulty"), HOUSEHOLDS, MONTHS, seed=3, defects=3.0)


@pytest.fixture(scope="session")
def clean_city(tmp_path_factory: pytest.TempPathFactory) -> SimulationSummary:
    return simulate(tmp_path_factory.mktemp("clean"), HOUSEHOLDS, MONTHS, seed=3, defects=0.0)


@pytest.fixture(scope="session")
def faulty_expected(faulty_city: SimulationSummary) -> list[dict[str, Any]]:
    return _records(faulty_city, "deliveries_expected.jsonl")


@pytest.fixture(scope="session")
def clean_expected(clean_city: SimulationSummary) -> list[dict[str, Any]]:
    return _records(clean_city, "deliveries_expected.jsonl")


def _records(city: SimulationSummary, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (city.truth / name).read_text(encoding="utf-8").splitlines()]
