"""A data home copied to another place and brought back: its files and its records, of one moment.

Belongs here: what is copied and what is not, that nobody writes meanwhile, that what comes back is what was copied.
Where copies lie is in ``copy_place``. Keys are never copied: a copy without them tells nobody who anybody is, where
its owner sees to it that inbox and lists are left out or kept as their content asks.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion.change import finish_change
from ingestion.database import PLACE_FILE, address_of
from ingestion.records import count_records, export_records, import_records
from orchestration.console import CommandError
from orchestration.home.copy_place import CopyPlace
from orchestration.home.lock import locked, taking_in
from orchestration.home.records import BEFORE, ROOMS
from orchestration.home.settings import DataHome
from orchestration.home.versions import code_version
from orchestration.start import SETTINGS_FILE

# Keys; what every process makes anew; where the records of this very home lie.
NEVER = frozenset({"secrets", "keys.json", "dagster", "dbt", "spill", BEFORE, PLACE_FILE})
RECORDS = ".copied_records"
INCOMING = ".restore"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Copied:
    """What a copy consists of: files and bytes in it, how many of them had to be carried, rows of records by table."""

    generation: str
    files: int
    bytes: int
    carried: int
    records: dict[str, int]


def back_up(home: DataHome, place: CopyPlace, without: Collection[str] = (), keep: int | None = None) -> Copied:
    """Copy the home as of now; waits for a run that is at work and lets none begin.

    ``without`` names folders of the home to leave out. ``keep``: so many copies stay, older ones are taken away.
    """
    with locked(home), taking_in(home):
        finish_change(home.root)
        with _exported(home) as (folder, records):
            known = place.objects()
            files, links = _contents(home, folder, without, _digests_of_before(place))
            carried = 0
            for name, digest, *_ in files:
                if digest not in known:
                    place.put_object(_source(home, folder, name), digest)
                    known.add(digest)
                    carried += 1
            now = datetime.now(UTC)
            generation = now.strftime("%Y%m%dT%H%M%S.%fZ")
            told = {"made_at": now.isoformat(), "code_version": code_version(), "without": sorted(without)}
            place.commit(generation, {**told, "records": records, "files": files, "links": links})
    if keep is not None:
        place.drop(place.generations()[:-keep])
    return Copied(generation, len(files), sum(file[2] for file in files), carried, records)


def restore(home: DataHome, place: CopyPlace, generation: str | None = None, only: Collection[str] = ()) -> Copied:
    """Bring a copy (default: the newest) into an empty home, where its records lie as the settings say.

    Every file is compared with its digest before anything is put in place. ``only`` names folders: then no records.
    """
    names = place.generations()
    chosen = generation or (names[-1] if names else None)
    if chosen not in names:
        raise CommandError("there is no such copy", f"there are: {', '.join(names[-5:]) or 'none'}")
    _see_that_it_is_empty(home)
    manifest = place.manifest(chosen)
    wanted = [file for file in manifest["files"] if not only or file[0].split("/")[0] in only]
    incoming = home.root / INCOMING
    shutil.rmtree(incoming, ignore_errors=True)
    for name, digest, _, moment in wanted:
        _fetch(place, digest, incoming / name, moment)
    for name, target in manifest["links"].items():
        if not only or name.split("/")[0] in only:
            (incoming / name).parent.mkdir(parents=True, exist_ok=True)
            (incoming / name).symlink_to(target)
    records = {} if only else _put_records(home, incoming / RECORDS)
    for path in sorted(incoming.iterdir()) if incoming.is_dir() else []:
        if path.name != SETTINGS_FILE or not home.settings_file.exists():
            target = home.root / path.name
            if target.is_dir() and not target.is_symlink():
                target.rmdir()  # made empty by the first command
            path.rename(target)
    shutil.rmtree(incoming, ignore_errors=True)
    return Copied(chosen, len(wanted), sum(file[2] for file in wanted), len(wanted), records)


def _contents(
    home: DataHome, records: Path, without: Collection[str], before: dict[tuple[str, int, int], str]
) -> tuple[list[list[Any]], dict[str, str]]:
    """Files as name, digest, size, time of change; links as name and target."""
    files: list[list[Any]] = []
    links: dict[str, str] = {}
    for path in _paths(home, without):
        name = path.relative_to(home.root).as_posix()
        if path.is_symlink():
            links[name] = str(path.readlink())
            continue
        status = path.stat()
        digest = before.get((name, status.st_size, status.st_mtime_ns)) or _digest(path)
        files.append([name, digest, status.st_size, status.st_mtime_ns])
    for path in sorted(records.iterdir()):
        status = path.stat()
        files.append([f"{RECORDS}/{path.name}", _digest(path), status.st_size, status.st_mtime_ns])
    return files, links


def _paths(home: DataHome, without: Collection[str]) -> Iterator[Path]:
    left_out = NEVER | set(without) | {f"{name}{end}" for name in ROOMS for end in ("", "-wal", "-shm")}
    for top in sorted(home.root.iterdir()):
        if top.name in left_out or top.name.startswith(".") or top.suffix == ".lock":
            continue
        if top.is_symlink() or top.is_file():
            yield top
            continue
        for parent, folders, names in os.walk(top):
            linked = [name for name in folders if (Path(parent) / name).is_symlink()]
            folders.sort()
            yield from (Path(parent) / name for name in sorted([*names, *linked]))


def _source(home: DataHome, records: Path, name: str) -> Path:
    inside = Path(name)
    return records / inside.name if inside.parts[0] == RECORDS else home.root / inside


def _digests_of_before(place: CopyPlace) -> dict[tuple[str, int, int], str]:
    """What the newest copy says of files that have neither size nor time changed: they are not read again."""
    names = place.generations()
    files = place.manifest(names[-1])["files"] if names else []
    return {(name, size, moment): digest for name, digest, size, moment in files}


@contextmanager
def _exported(home: DataHome) -> Iterator[tuple[Path, dict[str, int]]]:
    folder = home.root / RECORDS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder, export_records(home.root, ROOMS, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_records(home: DataHome, folder: Path) -> dict[str, int]:
    address = address_of(home.root)
    if address is not None:
        counts = import_records(folder, ROOMS, address)
    else:
        counts = count_records(folder, ROOMS)
        for path in sorted(folder.iterdir()):
            path.chmod(0o600)
            path.rename(home.root / path.name)
    shutil.rmtree(folder)
    return counts


def _see_that_it_is_empty(home: DataHome) -> None:
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    allowed = NEVER | {SETTINGS_FILE, INCOMING}
    full = [
        path.name
        for path in sorted(home.root.iterdir())
        if path.name not in allowed and path.suffix != ".lock" and not (path.is_dir() and not any(path.iterdir()))
    ]
    if full:
        raise CommandError(
            f"{home.root} is not empty ({', '.join(full[:5])})", "name an empty folder: zhaoren --home DIR restore …"
        )


def _fetch(place: CopyPlace, digest: str, target: Path, moment: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.get_object(digest, target)
    if _digest(target) != digest:
        raise CommandError(f"the copy of {target.name} is damaged", "take an older copy: --generation NAME")
    target.chmod(0o600)
    os.utime(target, ns=(moment, moment))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
