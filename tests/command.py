"""The installed command, called as a person would."""

import subprocess
import sys
from pathlib import Path

RUN_SECONDS = 900


def zhaoren(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the installed command as a person would."""
    command = [str(Path(sys.executable).parent / "zhaoren"), "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
