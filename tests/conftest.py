"""Fixtures that every room's tests share: where the sample city lies."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def sample_city() -> Path:
    """The folder of the sample city's deliveries; skips where a checkout stands without it."""
    folder = ROOT.parent / "shared" / "sample_city"
    if not folder.is_dir():
        pytest.skip("the sample city (../shared/sample_city) is not beside this checkout")
    return folder
