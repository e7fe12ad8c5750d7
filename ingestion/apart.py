"""A file that is read as a delivery of its feed is, without becoming one: nothing of it is kept.

Belongs here: the accepted and the refused rows of such a file, with person keys. Does not belong here: what is done
with them; the way of a delivery (``intake``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from ingestion.checking import CheckedPart, check_file, readers_never_fail
from ingestion.mending.comparison import quarantined_view
from ingestion.pseudonym import identity_keys
from ingestion.quarantine import faults_of
from ingestion.reading.read import check_columns, open_source, warnings_of
from ingestion.reading.spool import FileChangedError, copy_file
from ingestion.reason import DUPLICATE_KEY, DUPLICATE_ROW, UNREADABLE, FileRejectedError
from ingestion.segments import Segments
from ingestion.store import Store
from ingestion.table import ROW_NUMBER
from models.contract import Feed, person_key_name

# Of two rows under one key one stays, so nobody is left out where the other goes.
_HARMLESS = (DUPLICATE_KEY, DUPLICATE_ROW)


@dataclass(frozen=True)
class ReadApart:
    """What a file comes to: ``accepted`` has every column of the contract (direct identifiers included), the row number
    and person keys as the lake names them; ``refused`` the readable columns of the other rows; ``faults`` of these row
    number, column (null: the whole row) and reason.
    """

    accepted: pl.DataFrame
    refused: pl.DataFrame
    faults: pl.DataFrame
    warnings: tuple[str, ...] = ()


def read_apart(path: Path, feed: Feed, store: Store, received_on: date) -> ReadApart:
    """Read one file of a feed, whatever its format; ``FileRejectedError`` where it cannot be taken as a whole."""
    try:
        copied = copy_file(path, store.home)
    except FileChangedError as error:
        raise FileRejectedError(UNREADABLE, "it is not there, or changed while it was read") from error
    with copied.spool as raw, Segments(store.home) as segments, readers_never_fail():
        source = open_source(raw, store.home, feed)
        check_columns(source, feed)
        checked = check_file(source, feed, received_on, segments)
        if checked.fault is not None:
            raise checked.fault
        parts = list(checked.parts())
        warnings = (*warnings_of(source, path.suffix), *checked.warnings)
    return _read(parts, feed, store, received_on, warnings)


def _read(
    parts: list[CheckedPart], feed: Feed, store: Store, received_on: date, warnings: tuple[str, ...]
) -> ReadApart:
    accepted = pl.concat([part.accepted for part in parts])
    keys = identity_keys(accepted, feed, store.keys.pseudonym, store.algorithm)
    named = [key.alias(person_key_name(name)) for name, key in keys.items()]
    quarantined = pl.concat([part.quarantined for part in parts])
    return ReadApart(
        accepted.with_columns(named), *refused_rows(quarantined, feed, store, received_on), warnings=warnings
    )


def refused_rows(
    quarantined: pl.DataFrame, feed: Feed, store: Store, received_on: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of quarantined rows (``row_number``, ``reasons``, ``raw``) the readable columns, and their faults; those that
    only gave way to another row under their key are left out."""
    faults = faults_of(quarantined).filter(~pl.col("reason").is_in(_HARMLESS))
    rows = quarantined.join(faults, on=ROW_NUMBER, how="semi")
    return quarantined_view(rows, feed, store, received_on), faults
