"""The installed command, called as a person would."""

import os
import subprocess
import sys
from pathlib import Path

RUN_SECONDS = 900


GUARD = Path(__file__).parent / "guard"


def guarded(attempts: Path) -> dict[str, str]:
    """An environment in which a process and its children are refused every other machine; attempts stand in a file."""
    return {**os.environ, "PYTHONPATH": str(GUARD), "ZHAOREN_TEST_ATTEMPTS": str(attempts)}


def zhaoren(home: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Call the installed command as a person would."""
    command = [str(Path(sys.executable).parent / "zhaoren"), "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False, env=environment)
