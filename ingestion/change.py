"""Many files of a data home replaced or deleted as one: all of the old ones or all of the new ones.

Belongs here: staging, the journal that is the commit, finishing what was cut short. Does not belong here: what
is changed (``vault.purge``, ``vault.rotation``).

A change is built aside, under ``.change/`` in the home. Its commit is one file, the journal, that lists every step.
From then on the change is done as soon as anybody opens the home: each step may be repeated without harm. Before,
it is as if nothing had been: what was staged is cleared by the next change.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.atomic import sync

FOLDER = ".change"
_JOURNAL = "journal.json"
_LOCK = "change.lock"


@dataclass(frozen=True)
class _Step:
    """Move ``source`` onto ``target``; without a source delete the target, be it a file or a folder."""

    source: str | None
    target: str


@dataclass
class Change:
    """What is to be replaced or deleted in a home. Steps are taken in the order in which they were asked for."""

    home: Path
    _steps: list[_Step] = field(default_factory=list)

    def stage(self, target: Path) -> Path:
        """Where to write what shall take the place of ``target``; the folder is closed to others."""
        inside = target.is_relative_to(self.home)
        # A file elsewhere (the key file on another disk) is staged beside its place, since a move must be a rename.
        folder = self.home / FOLDER / "staged" if inside else target.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{len(self._steps)}{target.suffix}" if inside else f".{target.name}.staged"
        self._steps.append(_Step(str(folder / name), str(target)))
        return folder / name

    def delete(self, target: Path) -> None:
        """Delete a file or a whole folder; one that is not there is no fault."""
        self._steps.append(_Step(None, str(target)))

    def commit(self) -> None:
        """Make it so. After the journal is written a kill only delays it."""
        for step in self._steps:
            if step.source is not None:
                sync(Path(step.source))
        journal = self.home / FOLDER / _JOURNAL
        journal.parent.mkdir(exist_ok=True, mode=0o700)
        pending = journal.with_suffix(".aside")
        pending.write_text(json.dumps([step.__dict__ for step in self._steps]), encoding="utf-8")
        sync(pending)
        pending.replace(journal)
        sync(journal.parent)
        _carry_out(self.home)


@contextmanager
def changing(home: Path) -> Iterator[Change]:
    """One change of a home at a time; what an earlier one left is finished or cleared first.

    Nothing happens unless the block calls ``commit``.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        _carry_out(home)
        _clear(home)
        try:
            yield Change(home)
        finally:
            _clear(home)


def finish_change(home: Path) -> None:
    """Finish a change that was committed and then cut short; to be called before a home is read."""
    if (home / FOLDER / _JOURNAL).exists():
        with _locked(home):
            _carry_out(home)
            _clear(home)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _carry_out(home: Path) -> None:
    journal = home / FOLDER / _JOURNAL
    if not journal.exists():
        return
    steps = [_Step(**step) for step in json.loads(journal.read_text(encoding="utf-8"))]
    for step in steps:
        _take(step)
    for folder in {Path(step.target).parent for step in steps}:
        if folder.is_dir():
            sync(folder)
    journal.unlink()
    sync(journal.parent)


def _take(step: _Step) -> None:
    target = Path(step.target)
    if step.source is None:
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        return
    # A source that is gone was moved before the change was cut short.
    if Path(step.source).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(step.source).replace(target)


def _clear(home: Path) -> None:
    """Clear what was staged, unless a journal still stands that needs it."""
    if not (home / FOLDER / _JOURNAL).exists():
        shutil.rmtree(home / FOLDER, ignore_errors=True)
