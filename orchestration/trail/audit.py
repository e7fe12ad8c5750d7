"""The audit log of a data home: every look at an identity, every identified export, every manifest of reports.

Belongs here: appending to the chain (one at a time, on disk before anything is handed out) and reading it. What a
chain is and what may be wrong with one is in ``audit_chain``. Never in it: names, numbers, phones, whom it was about.

Records lie in ``operations.db``; their heads in a file of their own (setting ``audit.anchor``), which belongs on
another disk: whoever can rewrite the database cannot then rewrite what vouches for it. The record is committed first,
its head follows: a process killed in between leaves one record without a head, which the next one adds.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from ingestion.database import Text, in_order, is_there, open_database
from models.codes import city_code
from models.masking import mask_text
from orchestration.console import CommandError
from orchestration.home.settings import DataHome
from orchestration.trail.audit_chain import (
    UNANCHORED_BY_A_KILL,
    Entry,
    Fault,
    Head,
    first_fault,
    following,
    head_line,
    read_heads,
)

METADATA = sa.MetaData()
RECORD = sa.Table(
    "audit_record",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", Text, nullable=False),
    sa.Column("digest", Text, nullable=False),
)
LOCK_FILE = "audit.lock"
# The table of homes made before there was a chain.
FORMER = "identified_export"

Act = Literal["look", "export", "list", "report", "change"]


@dataclass(frozen=True)
class State:
    """What a verification found: how many records, how many heads, the newest head, the first fault."""

    records: int
    heads: int
    head: Head | None
    fault: Fault | None

    @property
    def is_whole(self) -> bool:
        """Whether every record is as it was written."""
        return self.fault is None


def record_access(
    home: DataHome,
    act: Act,
    what: str,
    *,
    who: str,
    count: int,
    reason: str,
    area: str | None = None,
    month: str | None = None,
    files: Mapping[str, str] | None = None,
) -> int:
    """Append who did what to which area (division code; default: the whole city), how many rows, and why.

    ``files`` are names and SHA-256 of what was written. Returns the number of the record, which is on disk then, with
    its head; ``CommandError`` where it cannot be, so that nothing is handed out unseen.
    """
    record: dict[str, object] = {
        "at": _now(), "act": act, "what": mask_text(what), "who": mask_text(who), "area": area or city_code()[:6],
        "month": month, "count": count, "reason": mask_text(reason),
    }  # fmt: skip
    if files is not None:
        record["files"] = dict(sorted(files.items()))
    try:
        with _alone(home) as engine:
            return _append(engine, anchor_of(home), record)
    except OSError as error:
        raise CommandError(
            f"the audit log cannot be written ({error.strerror}), so nothing is shown",
            "make the file of `audit.anchor` writable, or set another one in zhaoren.toml",
        ) from error


def user_of_the_system() -> str:
    """Who is at work: the user of the system, by number where there is no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def anchor_of(home: DataHome) -> Path:
    """Where the heads lie."""
    return home.settings().audit.anchor or home.root / "audit" / "anchor.ndjson"


def entries_of(home: DataHome) -> list[Entry]:
    """All records in the order of their places; empty before the first."""
    if not is_there(home.operations):
        return []
    query = sa.select(RECORD).order_by(RECORD.c.number)
    with open_database(home.operations, METADATA).connect() as connection:
        return [Entry(row.number, row.content, row.digest) for row in connection.execute(query)]


def verify(home: DataHome) -> State:
    """Compare every record with its digest, its place and its head. Reads only, while nobody appends."""
    with _alone(home):
        entries, heads = entries_of(home), _heads(anchor_of(home))
    return State(len(entries), len(heads), heads[-1] if heads else None, first_fault(entries, heads))


def _heads(anchor: Path) -> list[Head]:
    if not anchor.is_file():
        return []
    with anchor.open(encoding="utf-8", errors="replace", newline="") as lines:
        return read_heads(lines)


@contextlib.contextmanager
def _alone(home: DataHome) -> Iterator[sa.Engine]:
    """One appender at a time, in whatever process; the system gives the lock back where a holder dies."""
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / LOCK_FILE).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield open_database(home.operations, METADATA, pragmas=("synchronous=FULL",))


def _append(engine: sa.Engine, anchor: Path, record: Mapping[str, object]) -> int:
    anchor.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with anchor.open("a+b") as file:  # before anything is committed: a missing disk is found here
        _mend(engine, file.fileno(), anchor)
        with engine.begin() as connection:
            in_order(connection, RECORD)
            last = _last(connection)
            if last is None:
                last = _taken_over(connection, file.fileno())
            entry = following(last, record)
            _insert(connection, entry)
        _add_head(file.fileno(), entry)
    return entry.number


def _last(connection: sa.Connection) -> Entry | None:
    row = connection.execute(sa.select(RECORD).order_by(RECORD.c.number.desc()).limit(1)).first()
    return Entry(row.number, row.content, row.digest) if row else None


def _insert(connection: sa.Connection, entry: Entry) -> None:
    connection.execute(RECORD.insert().values(number=entry.number, content=entry.content, digest=entry.digest))


def _mend(engine: sa.Engine, anchor: int, path: Path) -> None:
    """Take off half a line that a kill left, and add the head that it kept from being written; no more than one."""
    size = os.fstat(anchor).st_size
    whole = path.read_bytes()
    end = whole.rfind(b"\n") + 1
    if end < size:
        os.ftruncate(anchor, end)
    heads = _heads(path)
    with engine.connect() as connection:
        last = _last(connection)
    anchored = heads[-1].count if heads else 0
    if last and 0 < last.number - anchored <= UNANCHORED_BY_A_KILL:
        _add_head(anchor, last)


def _add_head(anchor: int, entry: Entry) -> None:
    os.write(anchor, head_line(Head(entry.number, entry.digest, _now())).encode())
    os.fsync(anchor)


def _taken_over(connection: sa.Connection, anchor: int) -> Entry | None:
    """What a home of before logged without a chain opens it, as it stands now."""
    if not sa.inspect(connection).has_table(FORMER):
        return None
    last = None
    for row in connection.execute(sa.text(f"select * from {FORMER} order by export_id")).mappings().all():
        told = {"at": row["exported_at"], "act": "export", "what": row["what"], "who": row["who"], "area": None}
        last = following(last, told | {"month": row["month"], "count": row["row_count"], "reason": row["reason"]})
        _insert(connection, last)
        _add_head(anchor, last)
    return last


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def changed_files(home: DataHome) -> list[dict[str, object]]:
    """Files of the data home that are gone or are not those of the newest record that names them.

    Reports of a folder outside of the home are not known by name there and are left out.
    """
    newest: dict[str, tuple[int, str]] = {}
    for entry in entries_of(home):
        for name, digest in json.loads(entry.content).get("files", {}).items():
            newest[name] = (entry.number, digest)
    found: list[dict[str, object]] = []
    for name, (number, digest) in sorted(newest.items()):
        path = home.root / name
        if "/" not in name:
            continue
        if not path.is_file():
            found.append({"file": name, "what": "gone", "number": number})
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            found.append({"file": name, "what": "changed", "number": number})
    return found
