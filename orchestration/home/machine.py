"""How much of the machine a data home's work takes: threads, memory, and where what does not fit is spilled.

Belongs here: handing the settings to the engines that do the work. dbt's own environment is in ``dbt``.
"""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.home.settings import DataHome
from orchestration.start import THREAD_VARIABLES


def spill_folder(home: DataHome) -> Path:
    """Where DuckDB spills what is larger than its memory: as set, else in the home."""
    return home.settings().limits.spill_folder or home.root / "spill"


def thread_environment(home: DataHome) -> dict[str, str]:
    """Variables that bound the threads of processes that are started; what is set already stays."""
    threads = str(home.settings().limits.threads)
    return {name: os.environ.get(name) or threads for name in THREAD_VARIABLES}


def duckdb_config(home: DataHome) -> dict[str, str | int]:
    """Settings of a connection to the warehouse file outside of dbt: the same bounds as dbt's."""
    limits = home.settings().limits
    return {
        "memory_limit": limits.memory_limit,
        "threads": limits.threads,
        "temp_directory": str(spill_folder(home)),
        "preserve_insertion_order": "false",
    }
