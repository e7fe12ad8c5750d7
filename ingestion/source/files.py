"""Files of a location into the landing: each once, whole, and not before it is finished.

Belongs here: which remote file is new, which must wait, which is refused; the fetching of one file. Does not
belong here: how a location is reached (``location``, ``s3``, ``sftp``), what becomes of the file (the ledger).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from ingestion.arrival import SETTLE_SECONDS, UNFINISHED_PREFIXES, UNFINISHED_SUFFIXES
from ingestion.limits import MAX_BYTES, MAX_SIDECAR_BYTES
from ingestion.source.landing import Draft, Landing, statement_key
from ingestion.source.location import Location, Remote
from ingestion.source.name import fault_of_name, harmless
from ingestion.source.problem import ChangingError, SourceError
from ingestion.source.record import Fetched, Record, key_of
from ingestion.source.settings import FolderSource
from ingestion.statement import SIDECAR_SUFFIX
from models.masking import mask_text

_CHUNK_BYTES = 1 << 20
_MAX_FOLDERS = 200


@dataclass(frozen=True)
class NewFile:
    """A remote file that is to be fetched (or refused, where ``fault`` says why), with its sidecar."""

    feed: str
    remote: Remote
    sidecar: Remote | None
    fault: str | None = None

    @property
    def landing_name(self) -> str:
        """The name under which it lands."""
        return harmless(self.remote.name) if fault_of_name(self.remote.name) else self.remote.name

    @property
    def shown(self) -> str:
        """The name as it may be shown."""
        return mask_text(self.landing_name)

    @property
    def fingerprint(self) -> str:
        """Another one when file or sidecar is another."""
        return "|".join(f"{item.size}.{item.mark}" for item in (self.remote, self.sidecar) if item)


@dataclass(frozen=True)
class Waiting:
    """Something that is not fetched, and why; ``what`` is masked."""

    what: str
    why: str


def new_files(source: FolderSource, location: Location, record: Record, now: float) -> Iterator[NewFile | Waiting]:
    """What the record does not have, and what must wait."""
    for feed, folder in _folders(source, location):
        entries = {entry.name: entry for entry in location.entries(folder)}
        known = {item.file_key: item.fingerprint for item in record.all_fetched(source.name, feed)}
        for entry in entries.values():
            if entry.kind == "folder":
                yield Waiting(_shown(feed, entry.name), "subfolder")
            elif entry.name.endswith(SIDECAR_SUFFIX):
                if entry.name.removesuffix(SIDECAR_SUFFIX) not in entries:
                    yield Waiting(_shown(feed, entry.name), "sidecar without its file")
            else:
                yield from _judged(feed, entry, entries.get(entry.name + SIDECAR_SUFFIX), known, now)


def _folders(source: FolderSource, location: Location) -> list[tuple[str, str]]:
    """Feed and folder of each that is read; a folder that is no feed is fetched too, to be refused by name."""
    if source.feeds:
        return sorted((feed, folder.strip("/")) for feed, folder in source.feeds.items())
    names = [name for name in location.folders() if not name.startswith(".") and fault_of_name(name) is None]
    if len(names) > _MAX_FOLDERS:
        raise SourceError(
            f"more than {_MAX_FOLDERS} folders; this is no inbox", "name the folders of each feed under feeds"
        )
    return [(name, name) for name in names]


def _judged(
    feed: str, entry: Remote, sidecar: Remote | None, known: Mapping[str, str], now: float
) -> Iterator[NewFile | Waiting]:
    fault = _fault(entry, sidecar)
    found = NewFile(feed, entry, None if fault else sidecar, fault)
    if entry.name.startswith(UNFINISHED_PREFIXES) or entry.name.lower().endswith(UNFINISHED_SUFFIXES):
        yield Waiting(_shown(feed, entry.name), "unfinished")
    elif any(_is_fresh(item, now) for item in (entry, sidecar) if item):
        yield Waiting(_shown(feed, entry.name), "changed a moment ago")
    else:
        if known.get(key_of(found.landing_name)) != found.fingerprint:
            yield found


def _is_fresh(entry: Remote, now: float) -> bool:
    """Whether it changed a moment ago; a pass may take long, and what is written meanwhile is younger than it."""
    age = now - entry.modified
    return 0 <= (age if age >= 0 else time.time() - entry.modified) < SETTLE_SECONDS


def _fault(entry: Remote, sidecar: Remote | None) -> str | None:
    """Why a file is refused unread, as ingestion would refuse it in the inbox; None where it is not."""
    fault = fault_of_name(entry.name)
    if fault:
        return fault
    for item in (entry, *((sidecar,) if sidecar else ())):
        if item.kind != "file":
            return "a symbolic link" if item.kind == "link" else "not a regular file"
    return "larger than any delivery may be" if entry.size > MAX_BYTES else None


def _shown(feed: str, name: str) -> str:
    return mask_text(f"{feed}/{harmless(name) if fault_of_name(name) else name}")


def fetch_file(
    source: str, found: NewFile, location: Location, landing: Landing, record: Record, now: float
) -> Waiting | None:
    """One file and its sidecar into the landing; what it waits for where it changed meanwhile.

    What is refused is only noted: ``settle`` enters it into the ledger.
    """
    name = found.landing_name
    if found.fault is not None:
        record.note(_entry(source, found, name, None, None, now))
        return None
    try:
        with landing.draft() as draft:
            _copy(found.remote, location, draft, MAX_BYTES)
            sidecar = _sidecar_bytes(found.sidecar, location, landing) if found.sidecar else None
            landing.put(found.feed, name, draft, sidecar, found.remote.modified)
            record.note(_entry(source, found, name, draft.sha256, sidecar, now))
    except (ChangingError, FileNotFoundError):
        return Waiting(_shown(found.feed, found.remote.name), "changed or vanished while it was fetched")
    except PermissionError:
        return Waiting(_shown(found.feed, found.remote.name), "no permission to read it")
    return None


def _copy(remote: Remote, location: Location, draft: Draft, limit: int) -> None:
    """The bytes of a remote file that is the same before and after; else ``ChangingError``."""
    try:
        with closing(location.open(remote)) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                draft.write(chunk)
                if draft.size > min(remote.size, limit):
                    raise ChangingError
    except (ChangingError, SourceError, PermissionError, FileNotFoundError):
        raise
    except Exception:
        # A server may fail over what was exchanged under its hands; that is no fault of the network.
        if location.look(remote) != remote:
            raise ChangingError from None
        raise
    if draft.size != remote.size or location.look(remote) != remote:
        raise ChangingError


def _sidecar_bytes(sidecar: Remote, location: Location, landing: Landing) -> bytes:
    """A sidecar; one over the limit is cut just above it, so that ingestion refuses it as too long."""
    if sidecar.size > MAX_SIDECAR_BYTES:
        return b" " * (MAX_SIDECAR_BYTES + 1)
    with landing.draft() as draft:
        _copy(sidecar, location, draft, MAX_SIDECAR_BYTES)
        draft.sync()
        return draft.path.read_bytes()


def _entry(source: str, found: NewFile, name: str, sha256: str | None, sidecar: bytes | None, now: float) -> Fetched:
    return Fetched(
        source=source,
        feed=found.feed,
        file_key=key_of(name),
        shown_name=mask_text(name),
        fingerprint=found.fingerprint,
        sha256=sha256,
        statement_key=statement_key(sidecar),
        state="landed" if sha256 else "refused",
        received=found.remote.modified,
        fetched_at=now,
        fault=found.fault,
    )
