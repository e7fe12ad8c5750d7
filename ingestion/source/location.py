"""A place with folders of files, as the fetching sees it; and the plainest one, a directory.

Belongs here: what all such places can do, mounted shares. Does not belong here: S3 and SFTP (their own modules),
what is fetched and when (``files``).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol, cast

from ingestion.source.problem import SourceError
from ingestion.source.settings import DirectorySource

EntryKind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True)
class Remote:
    """One entry of a folder as it was seen; ``mark`` is another when the content is another."""

    folder: str
    name: str
    kind: EntryKind
    size: int
    mark: str
    modified: float


class Location(Protocol):
    """Folders of files somewhere. Reading what is gone raises ``FileNotFoundError``."""

    def folders(self) -> list[str]:
        """The folders of the location, by name."""

    def entries(self, folder: str) -> list[Remote]:
        """Everything in a folder, links not followed; none where the folder is not there."""

    def look(self, remote: Remote) -> Remote | None:
        """The same entry as it is now; None where it is gone."""

    def open(self, remote: Remote) -> BinaryIO:
        """Its bytes."""

    def explain(self, error: Exception) -> SourceError:
        """What an error of ``open`` and the others means, without the words of the library."""

    def close(self) -> None:
        """Give connections back."""


class Directory:
    """A folder of this machine."""

    def __init__(self, source: DirectorySource) -> None:
        self._root = source.path
        if not self._root.is_dir():
            raise SourceError(
                f"{self._root} is not there", "mount the share, or correct path in zhaoren.toml", may_pass=True
            )

    def folders(self) -> list[str]:
        return sorted(path.name for path in self._root.iterdir() if path.is_dir() and not path.is_symlink())

    def entries(self, folder: str) -> list[Remote]:
        path = self._root / folder
        if not path.is_dir():
            return []
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise SourceError(f"folder {folder} leads out of {self._root}", "put the files there instead of a link")
        found = (self._entry(folder, name) for name in sorted(item.name for item in path.iterdir()))
        return [entry for entry in found if entry is not None]

    def look(self, remote: Remote) -> Remote | None:
        return self._entry(remote.folder, remote.name)

    def open(self, remote: Remote) -> BinaryIO:
        """Opened so that a link or a pipe put in its place is not followed."""
        path = self._root / remote.folder / remote.name
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        stream = cast(BinaryIO, os.fdopen(descriptor, "rb"))
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            stream.close()
            raise FileNotFoundError(remote.name)
        return stream

    def explain(self, error: Exception) -> SourceError:
        if isinstance(error, PermissionError):
            return SourceError(f"no permission to read in {self._root}", "give the user of zhaoren read permission")
        return SourceError(
            f"reading {self._root} failed ({type(error).__name__})", "see that the share is mounted", may_pass=True
        )

    def close(self) -> None:
        """Nothing is held."""

    def _entry(self, folder: str, name: str) -> Remote | None:
        try:
            facts = (self._root / folder / name).lstat()
        except FileNotFoundError:
            return None
        mark = f"{facts.st_mtime_ns}.{facts.st_ino}"
        return Remote(folder, name, kind_of(facts.st_mode), facts.st_size, mark, facts.st_mtime)


def kind_of(mode: int) -> EntryKind:
    """What kind of entry a Unix mode tells of."""
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_ISREG(mode) else "other"
