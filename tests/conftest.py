"""Fixtures that every room's tests share: where the sample city lies, and that city run all the way to its lists."""

import subprocess
from pathlib import Path

import pytest

from orchestration.settings import DataHome
from tests.command import zhaoren

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def sample_city() -> Path:
    """The folder of the sample city's deliveries; skips where a checkout stands without it."""
    folder = ROOT.parent / "shared" / "sample_city"
    if not folder.is_dir():
        pytest.skip("the sample city (../shared/sample_city) is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def sample_run(
    sample_city: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DataHome, subprocess.CompletedProcess[str]]:
    """The sample city run once for the whole session: its data home, and what the command said."""
    home = tmp_path_factory.mktemp("sample") / "home"
    return DataHome(home), zhaoren(home, "run", "--inbox", str(sample_city / "inbox"))


@pytest.fixture(scope="session")
def sample_home(sample_run: tuple[DataHome, subprocess.CompletedProcess[str]]) -> DataHome:
    """The data home of the sample city after its run; read only."""
    home, result = sample_run
    assert result.returncode in (0, 1), result.stderr
    return home
