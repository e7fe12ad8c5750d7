"""Fetching from one source: its new files or months into the landing, however badly the network behaves.

Belongs here: the pass over a source, trying again, what is told of it. Does not belong here: taking in what landed
(``settle``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingestion.source.database import Database
from ingestion.source.files import NewFile, Waiting, fetch_file, new_files
from ingestion.source.landing import Landing
from ingestion.source.location import Directory, Location
from ingestion.source.problem import SourceError
from ingestion.source.record import Look, Record
from ingestion.source.s3 import S3Location
from ingestion.source.settings import DatabaseSource, DirectorySource, FolderSource, S3Source, Source
from ingestion.source.settle import settle
from ingestion.source.sftp import SftpLocation
from ingestion.source.tables import NewMonth, fetch_month, new_months
from models.contract import load_feeds

Pause = Callable[[float], None]
_FIRST_PAUSE_SECONDS = 1.0


@dataclass
class FetchReport:
    """What one fetching from a source did; ``problem`` where it could not be read to the end."""

    source: str
    fetched: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    problem: str | None = None
    next_step: str | None = None


def fetch(source: Source, home: Path, now: datetime | None = None, pause: Pause = time.sleep) -> FetchReport:
    """Land what is new; never raises for what is wrong with the source, but says it in the report.

    A failure that may pass is tried again, with longer and longer pauses; what was landed until then stays.
    """
    moment = now or datetime.now(UTC)
    landing, record = Landing(home, source.name), Record(home)
    report = FetchReport(source.name)
    try:
        with landing.locked():
            settle(landing, record, moment, source.keep_rejected_days)
            _try(source, landing, record, moment, pause, report)
    except SourceError as error:
        report.problem, report.next_step = str(error), error.next_step
    finished = None if report.problem else moment.timestamp()
    waiting = [asdict(item) for item in report.waiting]
    record.note_look(Look(source.name, moment.timestamp(), finished, report.problem, report.next_step, waiting))
    return report


def _try(source: Source, landing: Landing, record: Record, now: datetime, pause: Pause, report: FetchReport) -> None:
    for attempt in range(source.attempts):
        report.waiting.clear()
        try:
            with explained():
                _pass(source, landing, record, now, report)
            return
        except SourceError as error:
            if not error.may_pass or attempt + 1 == source.attempts:
                raise
        pause(_FIRST_PAUSE_SECONDS * 2**attempt)


def _pass(source: Source, landing: Landing, record: Record, now: datetime, report: FetchReport) -> None:
    if isinstance(source, DatabaseSource):
        _pass_tables(source, landing, record, now, report)
        return
    with opened(source, landing.home) as location:
        for found in list(new_files(source, location, record, now.timestamp())):
            waiting = found if isinstance(found, Waiting) else None
            if isinstance(found, NewFile):
                waiting = fetch_file(source.name, found, location, landing, record, now.timestamp())
                report.fetched += waiting is None
            if waiting is not None:
                report.waiting.append(waiting)


def _pass_tables(source: DatabaseSource, landing: Landing, record: Record, now: datetime, report: FetchReport) -> None:
    """A table that cannot be read does not keep the others waiting; the last fault is told."""
    fault: SourceError | None = None
    for table in source.table:
        feed = load_feeds()[table.feed]
        try:
            with closing(Database(source, landing.home)) as database:
                for found in list(new_months(source.name, table, feed, database, record, now)):
                    if isinstance(found, NewMonth):
                        report.fetched += fetch_month(source.name, found, feed, database, landing, record, now)
                    else:
                        report.waiting.append(found)
        except SourceError as error:
            fault = error
    if fault is not None:
        raise fault


@contextmanager
def opened(source: FolderSource, home: Path) -> Iterator[Location]:
    """The location of a source of files; its failures are ``SourceError``."""
    location = _location(source, home)
    try:
        yield location
    except SourceError:
        raise
    except Exception as error:
        raise location.explain(error) from None
    finally:
        location.close()


def _location(source: FolderSource, home: Path) -> Location:
    if isinstance(source, DirectorySource):
        return Directory(source)
    return S3Location(source, home) if isinstance(source, S3Source) else SftpLocation(source, home)


@contextmanager
def explained() -> Iterator[None]:
    """What nobody foresaw is the problem of its source and stops no other; its text may quote anything."""
    try:
        yield
    except (SourceError, MemoryError):
        raise
    except ImportError as error:
        # Sources need packages that a plain installation does not have.
        raise SourceError(
            f"the package {error.name} is not installed", "install zhaoren with its extra: zhaoren[sources]"
        ) from None
    except Exception as error:
        raise SourceError(f"unforeseen {type(error).__name__}", "run `zhaoren doctor`", may_pass=True) from None
