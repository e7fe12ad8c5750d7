"""What every room's tests share: where the sample city lies, that city run all the way to its lists, how drawn
examples are told, and which tests stay in one process where several run at once.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, settings
from xdist.scheduler import LoadScopeScheduling

from ingestion.database import Address, write_address
from orchestration.home.settings import DataHome
from tests.command import guarded, zhaoren

ROOT = Path(__file__).parent.parent

# A worker of `pytest -n` has no main module with a file. PySpark takes such a process for doctests of its own and ends
# it, as soon as Great Expectations asks whether PySpark is there.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__

# A failing example is told as it was drawn, with the line that draws it again. To make it small may take minutes,
# which the whole suite has not got: pytest --hypothesis-profile=small tests/that/test_file.py
settings.register_profile("small", deadline=None)
settings.register_profile(
    "as_drawn", deadline=None, database=None, print_blob=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("as_drawn")


# Tests that share something dear are done by one process; the dearest begin first, so that none is left for the end.
SAMPLE_CITY = {"sample_run", "sample_home"}
SHARED_FOLDERS = ("ml", "simulator", "source", "workbench")
DEAREST = ("sample city", "tests/policy/test_cases.py", "tests/dbt_project/months/test_months.py", "source", "ml")


class Together(LoadScopeScheduling):
    """For `pytest -n 2`: a file is done by one process, and so are files that share a city, a server or a model."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The dearest first, also where one process does all."""
    items.sort(key=lambda item: DEAREST.index(together(item.nodeid)) if together(item.nodeid) in DEAREST else 99)


def together(nodeid: str) -> str:
    """The name of what a test shares with others: a city that its file names, else its folder or its file."""
    return _together(nodeid.split("::", 1)[0])


@cache
def _together(file: str) -> str:
    path = ROOT / file
    names = set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    folder = path.parent.name
    if folder in SHARED_FOLDERS:
        return folder
    return "sample city" if names & SAMPLE_CITY else file


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """The port of Debian's PostgreSQL on loopback, one for all tests of a process; skips where there is none."""
    from tests.ingestion.source.servers import postgres

    with postgres() as port:
        yield port


@pytest.fixture
def address(postgres_port: int) -> Address:
    """A schema that nobody used before."""
    return Address(f"postgresql://owner@127.0.0.1:{postgres_port}/postgres", f"t{uuid4().hex}")


@pytest.fixture(params=["files", "postgresql"])
def both_places(request: pytest.FixtureRequest, tmp_path: Path) -> Address | None:
    """The test with its records in files, and again in PostgreSQL: in ``tmp_path`` and in a home below it."""
    if request.param == "files":
        return None
    found: Address = request.getfixturevalue("address")
    for home in (tmp_path, tmp_path / "home"):
        home.mkdir(exist_ok=True)
        write_address(home, found)
    return found


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
    environment = guarded(home.with_name("attempts"))
    return DataHome(home), zhaoren(home, "run", "--inbox", str(sample_city / "inbox"), environment=environment)


@pytest.fixture(scope="session")
def sample_home(sample_run: tuple[DataHome, subprocess.CompletedProcess[str]]) -> DataHome:
    """The data home of the sample city after its run; read only."""
    home, result = sample_run
    assert result.returncode in (0, 1), result.stderr
    return home
