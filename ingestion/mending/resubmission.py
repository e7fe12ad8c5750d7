"""Rows that a person took out of quarantine, mended and sends back: a delivery that supplements another.

Belongs here: which rows of the file mend which, and taking it in. Does not belong here: the contract and the checks,
which are those of every delivery (``read``, ``rows``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from ingestion.arrival import Arrival
from ingestion.atomic import write_parquet
from ingestion.checking import CheckedPart, check_file, readers_never_fail
from ingestion.decision import as_duplicate, as_rejected, original_of_duplicate
from ingestion.delivery import KEPT, Delivery, delivery_id_of
from ingestion.framing import unit_of
from ingestion.lake import lake_rows
from ingestion.ledger import Ledger
from ingestion.lock import exclusive
from ingestion.mending.comparison import accepted_view, empty_view, key_fields, match, quarantined_view
from ingestion.mending.export import ANNOTATIONS, NUMBER_HEADER
from ingestion.mending.row_state import MENDED, OPEN, row_states, with_state, write_answers
from ingestion.normalise import NUMERIC_CELL, normalise_cells, normalise_text
from ingestion.pseudonym import identity_keys
from ingestion.quarantine import Quarantine, quarantined_rows
from ingestion.reading.read import check_columns, open_source, warnings_of
from ingestion.reading.spool import CopiedFile, FileChangedError, Spool, copy_bytes, copy_file
from ingestion.reason import DUPLICATE_KEY, EMPTY, ROW_UNKNOWN, FileRejectedError
from ingestion.rows import counts, faults_of_rows
from ingestion.segments import Segments
from ingestion.statement import NO_SIDECAR
from ingestion.store import Store
from ingestion.table import ROW_NUMBER, RawTable, cell_name
from ingestion.vault import Vault
from models.contract import Feed
from models.masking import mask_text


class ResubmissionError(ValueError):
    """A delivery that nothing can be resubmitted to: says why."""


def resubmit(
    store: Store,
    delivery_id: str,
    path: Path,
    reason: str,
    decided_by: str,
    feeds: Mapping[str, Feed],
    now: datetime,
    content: bytes | None = None,
) -> Delivery:
    """Take in a file of mended rows as a supplement of the delivery that they were quarantined from.

    The file goes through the same contract and checks; a row still at fault stays in quarantine. A mended row says
    which one it was by the column 行号 of the export, else by what can be read of both. It counts wherever the
    supplemented delivery counts. Where the rows are in memory alone, ``content`` is the file and ``path`` its name.
    Raises ``DeliveryNotFoundError`` or ``ResubmissionError``.
    """
    with exclusive(store), Ledger(store.ledger_file) as ledger:
        base = ledger.delivery(delivery_id)
        history = ledger.deliveries(base.feed)
        open_rows = _open_rows(store, base, history)
        intake = _Supplement(store, feeds[base.feed], base, path, history, now, content)
        entry = ledger.record(intake.take(open_rows), by=(decided_by, reason))
        return ledger.delivery(entry.delivery_id)


def _open_rows(store: Store, base: Delivery, history: list[Delivery]) -> pl.DataFrame:
    """Row number, reasons and raw text of what is still set aside."""
    if base.supplements is not None:
        raise ResubmissionError(f"{base.delivery_id} mends rows itself; resubmit to {base.supplements}")
    if base.status not in KEPT:
        raise ResubmissionError(f"{base.delivery_id} is {base.status}; only what was accepted or held has open rows")
    raw = Quarantine(store).raw_rows(base.feed, base.delivery_id)
    named = raw.with_columns(pl.lit(base.delivery_id).alias("delivery_id"))
    found = with_state(named, row_states(store, history), history).filter(pl.col("state") == OPEN)
    if found.is_empty():
        raise ResubmissionError(f"{base.delivery_id} has no row that is still set aside")
    return found.select(ROW_NUMBER, "reasons", "raw")


@dataclass(frozen=True)
class _Rows:
    """All rows of the file: as read, and as checked."""

    tables: list[RawTable]
    parts: CheckedPart
    unit_row: int | None


class _Supplement:
    """One file of mended rows on its way in."""

    def __init__(
        self,
        store: Store,
        feed: Feed,
        base: Delivery,
        path: Path,
        history: list[Delivery],
        now: datetime,
        content: bytes | None = None,
    ) -> None:
        self._store = store
        self._feed = feed
        self._base = base
        self._path = path
        self._history = history
        self._now = now
        self._content = content

    def take(self, open_rows: pl.DataFrame) -> Delivery:
        """The ledger entry, everything else written; rejected where the file as a whole cannot be used."""
        sha256 = ""
        try:
            copied = self._copied()
            sha256 = copied.sha256
            with copied.spool:
                entry = self._entry(sha256)
                original = original_of_duplicate(self._history, entry)
                if original is not None:
                    return as_duplicate(entry, original)
                return self._read(entry, copied.spool, open_rows)
        except FileRejectedError as error:
            return as_rejected(self._entry(sha256), error)
        except FileChangedError:
            raise ResubmissionError("the file is gone, or was changed while it was read") from None

    def _copied(self) -> CopiedFile:
        if self._content is None:
            return copy_file(self._path, self._store.home)
        return copy_bytes(self._content, self._store.home)

    def _read(self, entry: Delivery, spool: Spool, open_rows: pl.DataFrame) -> Delivery:
        with readers_never_fail():
            source = open_source(spool, self._store.home, self._feed)
            check_columns(source, self._feed)
        with Segments(self._store.home) as segments:
            checked = check_file(source, self._feed, entry.received_on, segments)
            if checked.fault is not None:
                raise checked.fault
            if checked.rows_data == 0:
                raise FileRejectedError(EMPTY, "nothing but a header")
            unit_row = unit_of([row.cells for row in checked.framing])
            rows = _Rows(list(source.chunks()), _in_one(list(checked.parts())), unit_row)
        mended = self._mended(rows, open_rows)
        part = self._with_faults(rows, mended)
        self._write(entry, part, mended)
        drift = [label for label in source.header.drift if label not in ANNOTATIONS]
        first_reasons = part.faults.unique(ROW_NUMBER, keep="first", maintain_order=True)
        return replace(
            entry,
            rows_data=checked.rows_data,
            rows_framing=len(checked.framing),
            rows_accepted=part.accepted.height,
            rows_quarantined=checked.rows_data - part.accepted.height,
            quarantined_by_reason=counts(first_reasons),
            cell_defects_by_reason=counts(part.defects),
            control_totals={name: str(total) for name, total in checked.control_totals.items()},
            warnings=[mask_text(text) for text in (*warnings_of(source, self._path.suffix), *checked.warnings)],
            schema_drift=[mask_text(label) for label in drift],
        )

    def _mended(self, rows: _Rows, open_rows: pl.DataFrame) -> pl.DataFrame:
        """``row_number`` of each open row that the file speaks of, and ``by_row`` of the file; each once."""
        stated = [_stated_numbers(table) for table in rows.tables]
        if any(numbers is not None for numbers in stated):
            told = pl.concat([numbers for numbers in stated if numbers is not None])
            known = told.join(open_rows.select(ROW_NUMBER), on=ROW_NUMBER, how="semi", maintain_order="left")
            return known.unique(ROW_NUMBER, keep="first", maintain_order=True)
        # Without the column 行号: by what can be read of both.
        view = quarantined_view(open_rows, self._feed, self._store, self._base.received_on)
        return match(view, self._view(rows.parts.accepted), self._feed, self._before())

    def _with_faults(self, rows: _Rows, mended: pl.DataFrame) -> CheckedPart:
        """Rows that stand for no open one, and rows whose key was accepted already, are set aside as well."""
        part = rows.parts
        unknown = part.accepted.select(ROW_NUMBER).join(mended, left_on=ROW_NUMBER, right_on="by_row", how="anti")
        keys = key_fields(self._feed)
        view = self._view(part.accepted)
        repeated = view.join(self._before().select(keys), on=keys, how="semi").select(ROW_NUMBER).unique()
        repeated = repeated.join(unknown, on=ROW_NUMBER, how="anti")
        faulty = pl.concat([self._faults(unknown, ROW_UNKNOWN), self._faults(repeated, DUPLICATE_KEY)])
        faulty = faulty.sort(ROW_NUMBER)
        raw = [quarantined_rows(table, faulty, rows.unit_row) for table in rows.tables]
        return CheckedPart(
            accepted=part.accepted.join(faulty, on=ROW_NUMBER, how="anti", maintain_order="left"),
            quarantined=pl.concat([part.quarantined, *raw]).sort(ROW_NUMBER),
            faults=pl.concat([part.faults, faulty]).sort(ROW_NUMBER, "order"),
            defects=part.defects.join(faulty, on=ROW_NUMBER, how="anti", maintain_order="left"),
            completed=part.completed.join(faulty, on=ROW_NUMBER, how="anti", maintain_order="left"),
        )

    def _faults(self, rows: pl.DataFrame, reason: str) -> pl.DataFrame:
        return faults_of_rows(rows.select(ROW_NUMBER, pl.lit(reason).alias("reason")), self._feed)

    def _view(self, rows: pl.DataFrame) -> pl.DataFrame:
        lake = lake_rows(rows, self._feed, self._keys(rows), "", "").drop("delivery_id", "period")
        return lake.with_columns(rows[name] for name in empty_view(self._feed).columns if name not in lake.columns)

    def _before(self) -> pl.DataFrame:
        """What is accepted of the base delivery and of its earlier supplements."""
        ids = [self._base.delivery_id] + [
            item.delivery_id
            for item in self._history
            if item.supplements == self._base.delivery_id and item.status == "accepted"
        ]
        paths = [self._store.lake_file(self._feed.name, str(self._base.period), name) for name in ids]
        paths += [self._store.held_file(self._feed.name, name) for name in ids]
        views = [accepted_view(self._store, self._feed, path, path.stem) for path in paths if path.exists()]
        return pl.concat([empty_view(self._feed), *views])

    def _write(self, entry: Delivery, part: CheckedPart, mended: pl.DataFrame) -> None:
        """Everything but the ledger row: until that is there, nothing of it counts."""
        store, feed = self._store, self._feed
        with Quarantine(store).writer(feed, entry.delivery_id) as quarantine:
            quarantine.add(part.quarantined, part.faults, part.defects, part.completed)
        keys = self._keys(part.accepted)
        Vault(store).keep(part.accepted, feed, keys, entry.delivery_id)
        rows = lake_rows(part.accepted, feed, keys, entry.delivery_id, str(entry.period))
        write_parquet(rows, store.lake_file(feed.name, str(entry.period), entry.delivery_id))
        is_mended = pl.col("by_row").is_in(part.accepted[ROW_NUMBER].implode())
        state = pl.when(is_mended).then(pl.lit(MENDED)).otherwise(pl.lit(OPEN)).alias("state")
        write_answers(store, self._base, entry, mended.with_columns(state))

    def _keys(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        return identity_keys(rows, self._feed, self._store.keys.pseudonym, self._store.algorithm)

    def _entry(self, sha256: str) -> Delivery:
        """The part of the entry that does not depend on the rows: month, district and sender are the base's."""
        base = self._base
        again = sum((item.supplements, item.sha256) == (base.delivery_id, sha256) for item in self._history)
        arrival = Arrival(self._path, base.feed, self._now)
        return Delivery(
            delivery_id=delivery_id_of(base.feed, base.period, [base.delivery_id, sha256, again]),
            feed=base.feed,
            mode=base.mode,
            file_name=arrival.file_name,
            file_key=arrival.file_key,
            sha256=sha256,
            statement_key=NO_SIDECAR.key,
            period=base.period,
            division=base.division,
            sender=base.sender,
            supplements=base.delivery_id,
            status="accepted",
            received_at=self._now,
            ingested_at=self._now,
            contract_version=self._feed.version,
        )


def _in_one(parts: list[CheckedPart]) -> CheckedPart:
    return CheckedPart(*(pl.concat([getattr(part, one.name) for part in parts]) for one in fields(CheckedPart)))


def _stated_numbers(table: RawTable) -> pl.DataFrame | None:
    """``row_number`` that the column 行号 states and ``by_row`` of the file; None without that column."""
    labels = [normalise_text(label) for label in table.header.labels]
    if NUMBER_HEADER not in labels:
        return None
    cells = normalise_cells(table.cells[cell_name(labels.index(NUMBER_HEADER))]).str.strip_prefix(NUMERIC_CELL)
    numbers = cells.str.strip_suffix(".0").cast(pl.Int64, strict=False)
    return pl.DataFrame({ROW_NUMBER: numbers, "by_row": table.cells[ROW_NUMBER]}).drop_nulls()
