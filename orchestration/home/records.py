"""Where the records of a data home lie, and moving them from its files into a database or back.

Belongs here: which tables there are in all rooms, and when a move may happen. How tables are copied is in
``ingestion.records``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ingestion.database import Address, RecordsError, address_of, write_address
from ingestion.past import LEDGER_TABLES
from ingestion.records import export_records, import_records
from ingestion.source.record import METADATA as SOURCES
from orchestration.decisions.quality_decisions import METADATA as QUALITY
from orchestration.home.lock import locked, taking_in
from orchestration.home.operations import METADATA as OPERATIONS
from orchestration.home.settings import DataHome
from orchestration.trail.audit import METADATA as AUDIT

OPERATIONS_TABLES = (OPERATIONS, AUDIT, QUALITY)
ROOMS: dict[str, tuple[sa.MetaData, ...]] = {
    "ledger.db": LEDGER_TABLES,
    "sources.db": (SOURCES,),
    "operations.db": OPERATIONS_TABLES,
}
# Settings of the environment that bind a home to a database: a scratch home is never to see them.
DATABASE_VARIABLES = "ZHAOREN_DATABASE__"
ASIDE = ".records"
BEFORE = "records_before_move"


def move_to_database(home: DataHome, address: Address) -> dict[str, int]:
    """Copy the files of a home into a database, compare, and let the home know; rows by table.

    The files stay in ``records_before_move`` until somebody deletes them. Waits for a run that is at work.
    """
    if address_of(home.root) is not None:
        raise RecordsError("the records of this home lie in a database already", "`zhaoren records show` says in which")
    with _alone(home) as folder:
        export_records(home.root, ROOMS, folder)
        counts = import_records(folder, ROOMS, address)
        write_address(home.root, address)
        kept = home.root / BEFORE
        kept.mkdir(exist_ok=True, mode=0o700)
        for name in ROOMS:
            for ending in ("", "-wal", "-shm"):
                path = home.root / f"{name}{ending}"
                if path.exists():
                    path.replace(kept / path.name)
    return counts


def move_to_files(home: DataHome) -> dict[str, int]:
    """Copy the records of a home out of its database into its files; those of the database stay as they are."""
    if address_of(home.root) is None:
        raise RecordsError("the records of this home are files already", "nothing is to be done")
    with _alone(home) as folder:
        counts = export_records(home.root, ROOMS, folder)
        for name in ROOMS:
            (folder / name).replace(home.root / name)
            (home.root / name).chmod(0o600)
        write_address(home.root, None)
    return counts


@contextmanager
def _alone(home: DataHome) -> Iterator[Path]:
    """A folder to copy through, while no run is at work and nobody takes deliveries in."""
    folder = home.root / ASIDE
    with locked(home), taking_in(home):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
