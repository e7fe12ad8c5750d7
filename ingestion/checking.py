"""A whole file's rows, chunk by chunk: what is accepted, what is not, and what it comes to.

Belongs here: what can only be said once all chunks are known (duplicates, totals, a unit stated at the end), in
memory that does not grow with the file. Does not belong here: the rules of single rows (``rows``), writing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from ingestion.duplicates import NO_DUPLICATES, DuplicateSearch
from ingestion.framing import unit_of
from ingestion.limits import check_row_count
from ingestion.quarantine import masked_shape, quarantined_rows
from ingestion.reading.read import Source
from ingestion.reason import ID_CONFLICT, PRIVATE_USE, TOTAL_MISMATCH, UNREADABLE, FileRejectedError
from ingestion.rows import check_rows, counts, faults_of_rows, has_id_conflict, private_use_columns
from ingestion.segments import Segments
from ingestion.table import ROW_NUMBER, Framing, RawTable
from ingestion.totals import RunningTotals
from models.contract import Feed


@contextmanager
def readers_never_fail() -> Iterator[None]:
    """What no reader foresaw rejects its own file and no other; the message may quote cells, so it is dropped."""
    try:
        yield
    except (FileRejectedError, MemoryError, OSError):
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        raise FileRejectedError(UNREADABLE, f"unforeseen {type(error).__name__}") from None


@dataclass(frozen=True)
class CheckedPart:
    """What a chunk's rows come to.

    ``accepted`` has ``row_number`` and every column of the contract, direct identifiers included; ``quarantined``
    the raw rows with their reasons; ``faults`` one row a reason of a quarantined row; ``defects`` one row a nulled
    cell of an accepted row; ``completed`` names ID numbers written with 15 digits.
    """

    accepted: pl.DataFrame
    quarantined: pl.DataFrame
    faults: pl.DataFrame
    defects: pl.DataFrame
    completed: pl.DataFrame


class CheckedFile:
    """What a file's data rows come to; rows in = accepted + quarantined."""

    def __init__(self, source: Source, feed: Feed, received_on: date, unit_row: int | None, segments: Segments) -> None:
        self._source = source
        self._feed = feed
        self._received_on = received_on
        self._unit_row = unit_row
        self._segments = segments
        self._search = DuplicateSearch(feed)
        self._totals = RunningTotals(feed, source.header, unit_row)
        self._rows_valid = 0
        self._ends: list[int] = []
        self._duplicates = NO_DUPLICATES
        self._has_id_conflict = False
        self._private_use: dict[str, None] = {}
        self.rows_data = 0
        self.framing: list[Framing] = list(source.above)
        self.quarantined_by_reason: Counter[str] = Counter()
        self.defects_by_reason: Counter[str] = Counter()
        self.fault: FileRejectedError | None = None
        """What went wrong in checking; the counts are those of the whole file all the same."""

    @property
    def rows_accepted(self) -> int:
        return self._rows_valid - self._duplicates.height

    @property
    def rows_quarantined(self) -> int:
        return self.rows_data - self.rows_accepted

    @property
    def control_totals(self) -> dict[str, Decimal]:
        return self._totals.control_totals

    @property
    def warnings(self) -> tuple[str, ...]:
        """Complete once all parts have been seen."""
        total = () if self._totals.agree else (TOTAL_MISMATCH,)
        conflict = (ID_CONFLICT,) if self._has_id_conflict else ()
        return (*total, *conflict, *(f"{PRIVATE_USE}:{column}" for column in self._private_use))

    def add(self, table: RawTable) -> None:
        """Check the next chunk; ``FileRejectedError`` where the file is too long."""
        self.rows_data += table.rows_data
        check_row_count(self.rows_data)
        self.framing += table.framing
        if self.fault is None:
            try:
                with readers_never_fail():
                    self._check(table)
            except FileRejectedError as error:
                self.fault = error

    def settle(self) -> None:
        """Look for duplicates, once all chunks are there."""
        if self.fault is not None:
            return
        try:
            with readers_never_fail():
                self._duplicates = self._search.found(lambda number: self._segments.frame(number, "valid"))
        except FileRejectedError as error:
            self.fault = error
        self.quarantined_by_reason.update(counts(self._duplicates))

    def parts(self) -> Iterator[CheckedPart]:
        """What each chunk comes to, in order, once it is settled."""
        start = 0
        numbers = self._duplicates[ROW_NUMBER]
        for number, last_row in enumerate(self._ends):
            end = int(numbers.search_sorted(last_row, side="right"))
            part = self._part(number, self._duplicates[start:end])
            start = end
            self.defects_by_reason.update(counts(part.defects))
            self._has_id_conflict = self._has_id_conflict or has_id_conflict(part.accepted)
            yield part

    def _check(self, table: RawTable) -> None:
        checked = check_rows(table, self._feed, self._received_on, self._unit_row)
        self._totals.add(table.cells[ROW_NUMBER], checked.parsed, table.framing)
        self._private_use.update(dict.fromkeys(private_use_columns(checked.parsed, self._feed)))
        self._rows_valid += checked.valid.height
        self.quarantined_by_reason.update(counts(checked.faults.unique(ROW_NUMBER, keep="first", maintain_order=True)))
        self._search.add(checked.valid)
        last = [frame[ROW_NUMBER].max() for frame in (table.cells, table.malformed) if frame.height]
        self._ends.append(max((int(str(row)) for row in last), default=self._ends[-1] if self._ends else 0))
        self._segments.add(
            {
                "valid": checked.valid,
                "faults": checked.faults,
                "defects": checked.defects.with_columns(masked_shape(pl.col("raw")).alias("masked")).drop("raw"),
                "quarantined": quarantined_rows(table, checked.faults, self._unit_row),
                "completed": checked.completed,
            }
        )

    def _part(self, number: int, duplicates: pl.DataFrame) -> CheckedPart:
        names = ("valid", "quarantined", "faults", "defects", "completed")
        frames = {name: self._segments.frame(number, name) for name in names}
        if duplicates.is_empty():
            return CheckedPart(*(frames[name] for name in names))
        twice = faults_of_rows(duplicates, self._feed)
        faults = pl.concat([frames["faults"], twice]).sort(ROW_NUMBER, "order")
        again = quarantined_rows(self._source.again(number), twice, self._unit_row)
        kept = ~pl.col(ROW_NUMBER).is_in(duplicates[ROW_NUMBER].implode())
        return CheckedPart(
            accepted=frames["valid"].filter(kept),
            quarantined=pl.concat([frames["quarantined"], again]).sort(ROW_NUMBER),
            faults=faults,
            defects=frames["defects"].filter(kept),
            completed=frames["completed"].filter(kept),
        )


def check_file(source: Source, feed: Feed, received_on: date, segments: Segments) -> CheckedFile:
    """Check all rows of a table, keeping in ``segments`` what is written afterwards.

    A unit row applies to all amounts. It stands above the header almost always; where one is found only below,
    everything is read once more with that unit.
    """
    unit = unit_of([row.cells for row in source.above])
    checked = _checked(source, feed, received_on, unit, segments)
    stated = unit_of([row.cells for row in checked.framing])
    if stated != unit:
        segments.clear()
        checked = _checked(source, feed, received_on, stated, segments)
    checked.settle()
    return checked


def _checked(source: Source, feed: Feed, received_on: date, unit: int | None, segments: Segments) -> CheckedFile:
    checked = CheckedFile(source, feed, received_on, unit, segments)
    chunks = source.chunks()
    while True:
        with readers_never_fail():
            table = next(chunks, None)
        if table is None:
            return checked
        checked.add(table)
