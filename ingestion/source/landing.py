"""The landing: where fetched deliveries lie between their source and the ledger, laid out as the inbox is.

Belongs here: putting a file in whole, or not at all, and taking it away. Does not belong here: when (``files``,
``tables``, ``settle``). Everything in it is personal data: folders and files are closed to other users.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingestion.atomic import sync
from ingestion.reason import FileRejectedError
from ingestion.source.problem import SourceError
from ingestion.statement import NO_SIDECAR, SIDECAR_SUFFIX, read_sidecar

# Begins with a dot, so that it is never taken for a source.
_WORKBENCH = ".fetching"


class Draft:
    """A file being written beside the landing: counts and hashes what goes through it."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.size = 0
        self._stream = stream
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
        except OSError as error:
            raise SourceError(
                f"cannot write into the landing ({error.strerror})", "make room on the disk of the data home"
            ) from None
        self._digest.update(data)
        self.size += len(data)

    def sync(self) -> None:
        """Everything written is on the disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


@dataclass(frozen=True)
class Landing:
    """The landing of one source in a data home."""

    home: Path
    source: str

    @property
    def inbox(self) -> Path:
        """What ingestion reads: ``<feed>/<file>`` below it."""
        return self.home / "landing" / self.source

    def path(self, feed: str, name: str) -> Path:
        return self.inbox / feed / name

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A new file aside; what was not put into the landing by the end is gone."""
        bench = self.home / "landing" / _WORKBENCH
        _closed_folder(bench)
        path = bench / f"{self.source}.{secrets.token_hex(8)}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield Draft(path, stream)
        finally:
            path.unlink(missing_ok=True)

    def put(self, feed: str, name: str, draft: Draft, sidecar: bytes | None, modified: float) -> None:
        """Draft and sidecar in place. A kill in between leaves no file beside a sidecar that is not its own."""
        target = self.path(feed, name)
        _closed_folder(target.parent)
        draft.sync()
        os.utime(draft.path, (modified, modified))
        self.discard(feed, name)
        if sidecar is not None:
            with self.draft() as beside:
                beside.write(sidecar)
                beside.sync()
                beside.path.rename(_sidecar(target))
        draft.path.rename(target)
        sync(target.parent)

    def discard(self, feed: str, name: str) -> None:
        """Take a file and its sidecar away; in that order, since a file alone would be another delivery."""
        target = self.path(feed, name)
        target.unlink(missing_ok=True)
        _sidecar(target).unlink(missing_ok=True)

    def has(self, feed: str, name: str) -> bool:
        return self.path(feed, name).is_file()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with this source; ``SourceError`` where another process fetches from it.

        What a killed process left on the workbench is cleared away then.
        """
        bench = self.home / "landing" / _WORKBENCH
        _closed_folder(bench)
        with (bench / f"{self.source}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SourceError("another process is fetching from it", "wait for it to end", may_pass=True) from None
            for left in bench.glob(f"{self.source}.{'[0-9a-f]' * 16}"):
                left.unlink(missing_ok=True)
            yield


def landing_folders(home: Path) -> list[Path]:
    """The landings that are there, each an inbox for ingestion; also of sources no longer configured."""
    root = home / "landing"
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name != _WORKBENCH) if root.is_dir() else []


def statement_key(sidecar: bytes | None) -> str:
    """What the ledger keeps of a sidecar; of one that cannot be read, as of none."""
    try:
        return (NO_SIDECAR if sidecar is None else read_sidecar(sidecar)).key
    except FileRejectedError:
        return NO_SIDECAR.key


def _closed_folder(path: Path) -> None:
    for folder in (path.parent.parent, path.parent, path):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True, parents=True)


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + SIDECAR_SUFFIX)
