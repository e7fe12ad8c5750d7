"""Usable answers as files of the feed ``visit_outcome``, put where ingestion finds them.

Belongs here: the form of that delivery. Does not belong here: which answers are usable (``returns``).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from models.contract import load_feeds
from workbench.returns import ANSWER_COLUMNS, FEED, Answer, Problem, read_returns

# One of the senders that the contract of visit_outcome names: answers of lists stand beside what a department sends.
SENDER = "workbench"
SIDECAR_SUFFIX = ".manifest.json"
_NAME_LETTERS = 8


@dataclass(frozen=True)
class ImportReport:
    """What an import did: files written (none where all were there already), answers taken, what was not usable."""

    deliveries: tuple[Path, ...]
    workbooks: int
    answers: int
    unanswered: int
    problems: tuple[Problem, ...]


def import_returns(folder: Path, inbox: Path, known_alerts: pl.Series, received_at: datetime) -> ImportReport:
    """Read the returned workbooks of a folder and deliver their answers, one file for each month of visits.

    The folder keeps all workbooks of a month: a delivery holds every answer of its month, so a later one
    corrects the earlier as a whole. The same answers give the same file, which is then not written again.
    ``received_at`` carries a zone; it becomes the sidecar's ``sent_at``.
    """
    returned = read_returns(folder, known_alerts, received_at.date())
    by_month: dict[str, list[Answer]] = defaultdict(list)
    for answer in returned.answers:
        by_month[f"{answer.visited_on:%Y-%m}"].append(answer)
    written = [_deliver(answers, month, inbox, received_at) for month, answers in sorted(by_month.items())]
    return ImportReport(
        deliveries=tuple(path for path in written if path),
        workbooks=returned.files,
        answers=len(returned.answers),
        unanswered=returned.unanswered,
        problems=returned.problems,
    )


def _deliver(answers: list[Answer], month: str, inbox: Path, received_at: datetime) -> Path | None:
    data = _csv_bytes(answers)
    digest = hashlib.sha256(data).hexdigest()
    folder = inbox / FEED
    if _newest_digest(folder, month) == digest:
        return None
    # The time is part of the name: going back to earlier answers is a correction too, and needs its own file.
    letters = hashlib.sha256(f"{digest}|{received_at.isoformat()}".encode()).digest()[:_NAME_LETTERS]
    path = folder / f"{FEED}_{month}_{''.join(chr(ord('a') + byte % 26) for byte in letters)}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    statement = {
        "feed": FEED,
        "period": month.replace("-", ""),
        "rows": len(answers),
        "sha256": digest,
        "sender": SENDER,
        "sent_at": received_at.isoformat(),
    }
    # The sidecar first: without its file it waits, while a file without its sidecar would be taken in alone.
    _put(folder / f"{path.name}{SIDECAR_SUFFIX}", json.dumps(statement, ensure_ascii=False, indent=1).encode())
    _put(path, data)
    return path


def _newest_digest(folder: Path, month: str) -> str | None:
    """The sha256 of the last delivery of that month that an import wrote."""
    statements = [json.loads(path.read_bytes()) for path in folder.glob(f"{FEED}_{month}_*.csv{SIDECAR_SUFFIX}")]
    newest = max(statements, key=lambda statement: datetime.fromisoformat(statement["sent_at"]), default=None)
    return newest["sha256"] if newest else None


def _csv_bytes(answers: list[Answer]) -> bytes:
    feed = load_feeds()[FEED]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([feed.column(name).header for name in ANSWER_COLUMNS])
    for answer in answers:
        note = " ".join(answer.note.split())
        writer.writerow([answer.alert_id, answer.visited_on, answer.visitor, answer.outcome, answer.programme, note])
    return text.getvalue().encode("utf-8")


def _put(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(data)
    aside.replace(path)
