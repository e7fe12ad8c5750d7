"""What lies in the inbox: files in the order in which they count as received, and what is left alone.

Belongs here: listing, order, safety of paths. Does not belong here: reading what is in the files (but for
sidecars, which say when a file was sent).
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from ingestion.limits import MAX_SIDECAR_BYTES
from ingestion.reason import MANIFEST_MISMATCH, PERIOD_MISSING, UNREADABLE, UNSAFE, FileRejectedError
from ingestion.statement import LOCAL_ZONE, NO_SIDECAR, SIDECAR_SUFFIX, Sidecar, division_of, period_of, read_sidecar
from models.masking import mask_text

UNFINISHED_SUFFIXES = (".part", ".tmp", ".crdownload")
UNFINISHED_PREFIXES = ("~$", ".")
SETTLE_SECONDS = 5.0
# Files copied together bear times that differ by the order of copying alone.
_TOGETHER_SECONDS = 1.0

IgnoredReason = Literal["root_file", "subfolder", "orphan_sidecar", "unfinished"]


@dataclass(frozen=True)
class Ignored:
    """Something in the inbox that is not read, and why; names masked."""

    path: str
    reason: IgnoredReason


@dataclass(frozen=True)
class Arrival:
    """One file of a feed's folder with what it says of itself; ``fault`` where it is rejected unread."""

    path: Path
    feed: str
    received_at: datetime
    sidecar: Sidecar = NO_SIDECAR
    period: str | None = None
    division: str | None = None
    fault: FileRejectedError | None = None

    @property
    def file_name(self) -> str:
        """The name with ID numbers and phones masked."""
        return mask_text(self.path.name)

    @property
    def file_key(self) -> str:
        """The name as a digest: the same file is recognised without keeping its name."""
        return hashlib.sha256(self.path.name.encode("utf-8", "surrogateescape")).hexdigest()


def arrivals(folder: Path, now: datetime) -> list[Arrival]:
    """The files of one feed's folder in the order in which they are to be taken in: by data month, then by time
    of receipt, then by file name (``x.csv`` before ``x(1).csv``).
    """
    listed = {path: status for path, status in _listed(folder) if _is_delivery(path, status, now)}
    times = _mtimes(listed, now)
    found = []
    for path in listed:
        with suppress(FileNotFoundError):  # it, or its sidecar, vanished just now
            found.append((_arrival(path, folder.name, times[path][0], now), times[path][1]))
    ordered = sorted(
        found,
        key=lambda pair: (
            pair[0].period or "",
            pair[0].received_at if pair[0].sidecar.sent_at else pair[1],
            pair[0].path.stem,
            pair[0].path.name,
        ),
    )
    return _never_before_its_predecessor(ordered)


def _never_before_its_predecessor(ordered: list[tuple[Arrival, datetime]]) -> list[Arrival]:
    """Of files copied together the later by name is not received before the earlier, whatever was copied first."""
    latest: dict[tuple[str | None, str | None, datetime], datetime] = {}
    found = []
    for arrival, together in ordered:
        if arrival.sidecar.sent_at is None:
            extent = (arrival.period, arrival.division, together)
            latest[extent] = max(arrival.received_at, latest.get(extent, arrival.received_at))
            arrival = replace(arrival, received_at=latest[extent])
        found.append(arrival)
    return found


def feed_folders(inbox: Path) -> list[Path]:
    """The folders that are read; a link to one elsewhere is not."""
    return sorted(path for path in inbox.iterdir() if path.is_dir() and not path.is_symlink())


def ignored(inbox: Path, now: datetime) -> list[Ignored]:
    """What lies in the inbox and is not read: for ``status``."""
    folders = feed_folders(inbox)
    found = [Ignored(mask_text(path.name), "root_file") for path in sorted(inbox.iterdir()) if path not in folders]
    for folder in folders:
        for path, status in _listed(folder):
            reason = _ignored_reason(path, status, now)
            if reason is not None:
                found.append(Ignored(mask_text(f"{folder.name}/{path.name}"), reason))
    return found


def _listed(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """What lies in a folder, by name; what vanishes meanwhile does not."""
    found = []
    for path in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):
            found.append((path, path.lstat()))
    return found


def _ignored_reason(path: Path, status: os.stat_result, now: datetime) -> IgnoredReason | None:
    if stat.S_ISDIR(status.st_mode):
        return "subfolder"
    if path.name.endswith(SIDECAR_SUFFIX):
        return None if path.with_name(path.name.removesuffix(SIDECAR_SUFFIX)).exists() else "orphan_sidecar"
    return "unfinished" if _is_unfinished(path, status, now) else None


def _is_delivery(path: Path, status: os.stat_result, now: datetime) -> bool:
    if path.name.endswith(SIDECAR_SUFFIX) or stat.S_ISDIR(status.st_mode):
        return False
    return not _is_unfinished(path, status, now)


def _is_unfinished(path: Path, status: os.stat_result, now: datetime) -> bool:
    if path.name.startswith(UNFINISHED_PREFIXES) or path.name.lower().endswith(UNFINISHED_SUFFIXES):
        return True
    age = now.timestamp() - status.st_mtime
    if age < 0 and stat.S_ISREG(status.st_mode):
        # A pass may take long: what is written while it lasts is younger than ``now``.
        age = time.time() - status.st_mtime
    return 0 <= age < SETTLE_SECONDS


def _mtimes(listed: Mapping[Path, os.stat_result], now: datetime) -> dict[Path, tuple[datetime, datetime]]:
    """Time of arrival of each file, and the time that orders it: the first of those copied together."""
    stamps = sorted((min(status.st_mtime, now.timestamp()), path) for path, status in listed.items())
    times: dict[Path, tuple[datetime, datetime]] = {}
    first = last = float("-inf")
    for stamp, path in stamps:
        if stamp - last >= _TOGETHER_SECONDS:
            first = stamp
        last = stamp
        times[path] = (_moment(stamp), _moment(first))
    return times


def _moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(int(stamp), LOCAL_ZONE)


def _arrival(path: Path, feed: str, arrived_at: datetime, now: datetime) -> Arrival:
    try:
        _check_kind(path)
        sidecar = _sidecar_of(path)
    except FileRejectedError as error:
        return Arrival(
            path, feed, arrived_at, period=period_of(path.name), division=division_of(path.name)[0], fault=error
        )
    received = min(sidecar.sent_at or arrived_at, now)
    named_division, has_named = division_of(path.name)
    period = period_of(path.name) or sidecar.period
    division = named_division if has_named else sidecar.division
    return Arrival(path, feed, received, sidecar, period, division, _disagreement(path, feed, sidecar))


def _disagreement(path: Path, feed: str, sidecar: Sidecar) -> FileRejectedError | None:
    named_division, has_named = division_of(path.name)
    named_period = period_of(path.name)
    if sidecar.feed not in (None, feed):
        return FileRejectedError(MANIFEST_MISMATCH, "feed")
    if named_period and sidecar.period and named_period != sidecar.period:
        return FileRejectedError(MANIFEST_MISMATCH, "period")
    if has_named and sidecar.states_division and named_division != sidecar.division:
        return FileRejectedError(MANIFEST_MISMATCH, "division")
    if not (named_period or sidecar.period):
        return FileRejectedError(PERIOD_MISSING, "neither file name nor sidecar names a month")
    return None


def _check_kind(path: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise FileRejectedError(UNSAFE, "a symbolic link")
    if not stat.S_ISREG(mode):
        raise FileRejectedError(UNSAFE, "not a regular file")


def _sidecar_of(path: Path) -> Sidecar:
    sidecar = path.with_name(path.name + SIDECAR_SUFFIX)
    if not sidecar.exists() and not sidecar.is_symlink():
        return NO_SIDECAR
    _check_kind(sidecar)
    if sidecar.stat().st_size > MAX_SIDECAR_BYTES:
        raise FileRejectedError(MANIFEST_MISMATCH, "the sidecar is too long")
    try:
        return read_sidecar(sidecar.read_bytes())
    except FileNotFoundError:
        raise
    except OSError:
        raise FileRejectedError(UNREADABLE, "no permission to read the sidecar") from None
