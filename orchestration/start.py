"""The entry point of ``zhaoren``: bounds the threads of this process before anything is loaded that makes some.

Belongs here: what must be done first, with the standard library alone. Polars makes its threads when it is loaded, so
that its settings cannot wait for those of the data home to be read properly; that a value is wrong is said by them.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

DEFAULT_HOME = Path("var")
DEFAULT_THREADS = 2
SETTINGS_FILE = "zhaoren.toml"
HOME_VARIABLE, THREADS_VARIABLE = "ZHAOREN_HOME", "ZHAOREN_LIMITS__THREADS"
# Polars and OpenMP (scikit-learn) read these once.
THREAD_VARIABLES = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS")


def main() -> None:
    """Bound this process, then run the command."""
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, str(threads_of(sys.argv[1:])))
    from orchestration.cli import main as command

    command()


def threads_of(arguments: Sequence[str]) -> int:
    """``limits.threads`` as the environment or the home's file sets it."""
    told = os.environ.get(THREADS_VARIABLE) or _in_file(_home(arguments) / SETTINGS_FILE)
    try:
        return max(1, int(str(told)))
    except ValueError:
        return DEFAULT_THREADS


def _home(arguments: Sequence[str]) -> Path:
    for at, word in enumerate(arguments):
        if word == "--home" and at + 1 < len(arguments):
            return Path(arguments[at + 1])
        if word.startswith("--home="):
            return Path(word.removeprefix("--home="))
    return Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)


def _in_file(file: Path) -> object:
    try:
        limits = tomllib.loads(file.read_text(encoding="utf-8")).get("limits", {})
    except (OSError, ValueError):
        return None
    return limits.get("threads") if isinstance(limits, dict) else None
