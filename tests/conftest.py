"""What every room's tests share: where the sample city lies, that city run all the way to its lists, how drawn
examples are told, and which tests stay in one process where several run at once.
"""

import subprocess
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from orchestration.settings import DataHome
from tests.command import zhaoren

ROOT = Path(__file__).parent.parent

# A failing example is told as it was drawn, with the line that draws it again. To make it small may take minutes,
# which the whole suite has not got: pytest --hypothesis-profile=small tests/that/test_file.py
settings.register_profile("small", deadline=None)
settings.register_profile(
    "as_drawn", deadline=None, database=None, print_blob=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("as_drawn")


# Tests that share something dear are done by one process; the dearest begin first, so that none is left for the end.
SHARED_CITIES = ("sample_run", "built")
SHARED_FOLDERS = ("ml", "simulator", "source", "workbench")
DEAREST = ("sample_run", "tests/policy/test_cases.py", "tests/dbt_project/months/test_months.py", "source", "ml")


# First, since the scheduler reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests stay together, for `pytest -n 2 --dist loadgroup`; alone, only the order changes."""
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: DEAREST.index(groups[item]) if groups[item] in DEAREST else len(DEAREST))


def _group(item: pytest.Item) -> str:
    cities = [city for city in SHARED_CITIES if city in getattr(item, "fixturenames", ())]
    folders = [folder for folder in SHARED_FOLDERS if item.path.parent.name == folder]
    return (cities or folders or [item.path.relative_to(ROOT).as_posix()])[0]


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
