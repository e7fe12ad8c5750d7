"""Copies of delivered files, and other bytes, in temporary files that have no name.

Belongs here: opening a delivered file once, copying it while hashing, noticing that it changed meanwhile. Does
not belong here: what is in it (``decode``, ``archive``).
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import finalize

from ingestion.limits import MAX_BYTES
from ingestion.reason import UNREADABLE, UNSAFE, FileRejectedError

BLOCK_BYTES = 4 << 20


class FileChangedError(Exception):
    """The file grew, shrank, was replaced or vanished while it was read: it is left for the next pass."""


class Spool:
    """Bytes in a file without a name: nobody else can open it, and it is gone with the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._descriptor = _unnamed(folder)
        self._close = finalize(self, os.close, self._descriptor)
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the bytes up; what is forgotten is closed too."""
        self._close()

    def write(self, data: bytes | memoryview) -> int:
        """Append."""
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += os.pwrite(self._descriptor, view[done:], self.size + done)
        self.size += done
        return done

    def read(self, start: int, length: int) -> bytes:
        """The bytes from there on, as many as there are."""
        return os.pread(self._descriptor, max(0, min(length, self.size - start)), start) if start < self.size else b""

    def blocks(self, start: int = 0, length: int = BLOCK_BYTES) -> Iterator[bytes]:
        """All bytes from there on, block by block."""
        for at in range(start, self.size, length):
            yield self.read(at, length)

    def stream(self) -> io.BufferedReader:
        """The bytes as a stream of its own that can be sought in, for readers that want one."""
        return io.BufferedReader(_SpoolStream(self), BLOCK_BYTES // 16)


class _SpoolStream(io.RawIOBase):
    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._spool.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._spool.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at


@dataclass(frozen=True)
class CopiedFile:
    """A delivered file as it was read, once; ``sha256`` is that of exactly these bytes."""

    spool: Spool
    sha256: str


def copy_file(path: Path, folder: Path) -> CopiedFile:
    """Copy a delivered file into ``folder``, hashing it on the way.

    Raises ``FileRejectedError`` where it is no regular file, too large or not readable, and ``FileChangedError``
    where it is not the same file, of the same length, at the end as at the beginning.
    """
    descriptor = _opened(path)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FileRejectedError(UNSAFE, "not a regular file")
        if before.st_size > MAX_BYTES:
            raise FileRejectedError(UNSAFE, "larger than any delivery may be")
        spool = Spool(folder)
        try:
            digest = _copied(descriptor, spool, before.st_size)
            _check_unchanged(path, before, os.fstat(descriptor), spool.size)
        except BaseException:
            spool.close()
            raise
        return CopiedFile(spool, digest)
    finally:
        os.close(descriptor)


def copy_bytes(data: bytes, folder: Path) -> CopiedFile:
    """The same for a file that is in memory alone."""
    spool = Spool(folder)
    spool.write(data)
    return CopiedFile(spool, hashlib.sha256(data).hexdigest())


def _opened(path: Path) -> int:
    """Opened so that a link put in its place is not followed and a pipe does not block."""
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FileChangedError from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileRejectedError(UNSAFE, "a symbolic link") from None
        if error.errno in (errno.ENXIO, errno.ENODEV):
            raise FileRejectedError(UNSAFE, "not a regular file") from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise FileRejectedError(UNREADABLE, "no permission to read") from None
        raise


def _copied(descriptor: int, spool: Spool, size: int) -> str:
    """Copy up to one byte more than the stated size: a file that grows for ever is not followed."""
    digest = hashlib.sha256()
    while spool.size <= size:
        block = os.read(descriptor, min(BLOCK_BYTES, size + 1 - spool.size))
        if not block:
            break
        digest.update(block)
        spool.write(block)
    return digest.hexdigest()


def _check_unchanged(path: Path, before: os.stat_result, after: os.stat_result, copied: int) -> None:
    def identity(status: os.stat_result) -> tuple[int, ...]:
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

    try:
        there = path.lstat()
    except FileNotFoundError:
        raise FileChangedError from None
    if copied != before.st_size or not identity(before) == identity(after) == identity(there):
        raise FileChangedError


def _unnamed(folder: Path) -> int:
    with suppress(OSError, AttributeError):  # not every file system has files without a name
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    descriptor, name = tempfile.mkstemp(dir=folder)
    Path(name).unlink()
    return descriptor
