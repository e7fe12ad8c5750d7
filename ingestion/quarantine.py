"""Quarantine: rows that were not accepted, encrypted as they were delivered, and faults without values.

Belongs here: keeping, listing and exporting what was set aside. Does not belong here: why (``rows``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ingestion.atomic import ParquetChunks, parquet_writer
from ingestion.encryption import EncryptedWriter
from ingestion.header import UNITS, Header
from ingestion.rows import counts
from ingestion.store import Store
from ingestion.table import ROW_NUMBER, RawTable
from models.contract import Feed

COMPLETED = "completed"
# Between the reasons of a row.
BETWEEN_REASONS = "; "
FAULT_COLUMNS = {
    "feed": pl.String(),
    "delivery_id": pl.String(),
    ROW_NUMBER: pl.Int64(),
    "column": pl.String(),
    "reason": pl.String(),
}
_RAW_SCHEMA = {ROW_NUMBER: pl.Int64(), "reasons": pl.String(), "raw": pl.String(), "masked": pl.String()}
_CELL_SCHEMA = {ROW_NUMBER: pl.Int64(), "column": pl.String(), "reason": pl.String(), "masked": pl.String()}


class Quarantine:
    """The quarantine of one data home."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def writer(self, feed: Feed, delivery_id: str) -> Iterator[QuarantineWriter]:
        """Quarantined rows (raw, encrypted), cell defects (masked, encrypted) and faults (no values), part by part.

        Where there is nothing of a kind there is no file of it.
        """
        encrypted, faults = self._store.encrypted, self._store.faults
        with (
            encrypted.writer(self._raw_file(feed.name, delivery_id)) as rows,
            encrypted.writer(self._cell_file(feed.name, delivery_id)) as cells,
            parquet_writer(faults / "row" / feed.name / f"{delivery_id}.parquet") as row_faults,
            parquet_writer(faults / "cell" / feed.name / f"{delivery_id}.parquet") as cell_faults,
            parquet_writer(faults / COMPLETED / feed.name / f"{delivery_id}.parquet") as completed,
        ):
            yield QuarantineWriter(feed.name, delivery_id, rows, cells, row_faults, cell_faults, completed)

    def rows(self, feed: str | None = None, delivery_id: str | None = None) -> pl.DataFrame:
        """Quarantined rows without personal values: feed, delivery_id, row_number, reasons, masked shape."""
        parts = [
            self._store.encrypted.read(path).select(
                pl.lit(path.parent.name).alias("feed"),
                pl.lit(path.name.removesuffix(".rows.parquet")).alias("delivery_id"),
                ROW_NUMBER,
                "reasons",
                "masked",
            )
            for path in self._files(feed, delivery_id)
        ]
        schema = {
            "feed": pl.String,
            "delivery_id": pl.String,
            ROW_NUMBER: pl.Int64,
            "reasons": pl.String,
            "masked": pl.String,
        }
        return pl.concat([pl.DataFrame(schema=schema), *parts])

    def cell_defects(self, feed: str, delivery_id: str) -> pl.DataFrame:
        """Cell defects of a delivery: row_number, column, reason, masked raw value."""
        path = self._cell_file(feed, delivery_id)
        return self._store.encrypted.read(path) if path.exists() else pl.DataFrame(schema=_CELL_SCHEMA)

    def raw_rows(self, feed: str, delivery_id: str) -> pl.DataFrame:
        """Quarantined rows of a delivery as they were delivered: row_number, reasons, raw. Personal data."""
        path = self._raw_file(feed, delivery_id)
        rows = self._store.encrypted.read(path) if path.exists() else pl.DataFrame(schema=_RAW_SCHEMA)
        return rows.select(ROW_NUMBER, "reasons", "raw").sort(ROW_NUMBER)

    def faults(self, kind: str, feeds: dict[str, Feed]) -> pl.DataFrame:
        """All faults of rows (``row``) or cells (``cell``), without values."""
        parts = [
            pl.read_parquet(path)
            for feed in sorted(feeds)
            for path in sorted((self._store.faults / kind / feed).glob("*.parquet"))
        ]
        return pl.concat([pl.DataFrame(schema=FAULT_COLUMNS), *parts])

    def counted(self, feed: str, delivery_id: str) -> tuple[dict[str, int], dict[str, int]]:
        """Quarantined rows by their first reason, and cell defects by reason, as the ledger states them."""
        faults = pl.DataFrame(schema=FAULT_COLUMNS)
        files = (self._store.faults / kind / feed / f"{delivery_id}.parquet" for kind in ("row", "cell"))
        rows, cells = (pl.read_parquet(file) if file.exists() else faults for file in files)
        return counts(rows.unique(ROW_NUMBER, keep="first", maintain_order=True)), counts(cells)

    def _files(self, feed: str | None, delivery_id: str | None) -> list[Path]:
        return sorted(self._store.quarantine.glob(f"{feed or '*'}/{delivery_id or '*'}.rows.parquet"))

    def _raw_file(self, feed: str, delivery_id: str) -> Path:
        return self._store.quarantine / feed / f"{delivery_id}.rows.parquet"

    def _cell_file(self, feed: str, delivery_id: str) -> Path:
        return self._store.quarantine / feed / f"{delivery_id}.cells.parquet"


@dataclass(frozen=True)
class QuarantineWriter:
    """Where the parts of one delivery's quarantine go."""

    feed: str
    delivery_id: str
    rows: EncryptedWriter
    cells: EncryptedWriter
    row_faults: ParquetChunks
    cell_faults: ParquetChunks
    completed: ParquetChunks

    def add(
        self,
        quarantined: pl.DataFrame,
        faults: pl.DataFrame,
        defects: pl.DataFrame,
        completed: pl.DataFrame | None = None,
    ) -> None:
        """The next part: quarantined rows, their faults and the cell defects of accepted rows, all in order.

        ``completed``: row number and column of ID numbers written with 15 digits, which are no fault.
        """
        if quarantined.height:
            self.rows.write(quarantined)
        if defects.height:
            self.cells.write(defects.select(list(_CELL_SCHEMA)))
        self.row_faults.write(self._named(faults))
        self.cell_faults.write(self._named(defects))
        if completed is not None and completed.height:
            self.completed.write(completed)

    def _named(self, faults: pl.DataFrame) -> pl.DataFrame:
        names = pl.lit(self.feed).alias("feed"), pl.lit(self.delivery_id).alias("delivery_id")
        return faults.select(*names, ROW_NUMBER, "column", "reason")


def quarantined_rows(table: RawTable, faults: pl.DataFrame, unit_row: int | None) -> pl.DataFrame:
    """Row number, reasons (``column:reason``, by column order) and raw text of each row that has a fault.

    The raw text is a JSON object of header and cell; of a malformed row the line as it stood.
    """
    label = pl.when(pl.col("column") == "").then("reason").otherwise(pl.col("column") + ":" + pl.col("reason"))
    reasons = faults.group_by(ROW_NUMBER, maintain_order=True).agg(label.str.join(BETWEEN_REASONS).alias("reasons"))
    cells = table.cells.join(reasons.select(ROW_NUMBER), on=ROW_NUMBER, how="semi")
    labels = _labels_with_units(table.header, unit_row)
    named = {name: _unique_label(labels, int(name)) for name in cells.columns if name != ROW_NUMBER}
    raw = cells.select(
        ROW_NUMBER, pl.struct(pl.col(old).alias(new) for old, new in named.items()).struct.json_encode().alias("raw")
    )
    rows = pl.concat([raw, table.malformed]).join(reasons, on=ROW_NUMBER, how="inner")
    return rows.select(ROW_NUMBER, "reasons", "raw", masked_shape(pl.col("raw")).alias("masked")).sort(ROW_NUMBER)


def faults_of(rows: pl.DataFrame) -> pl.DataFrame:
    """row_number, column (null where the whole row is at fault) and reason of each reason of quarantined rows."""
    faults = rows.select(ROW_NUMBER, pl.col("reasons").str.split(BETWEEN_REASONS).alias("fault")).explode("fault")
    column, reason = pl.col("fault").str.extract(r"^(.*):"), pl.col("fault").str.extract(r"([^:]*)$")
    return faults.select(ROW_NUMBER, column.alias("column"), reason.alias("reason"))


def masked_shape(text: pl.Expr) -> pl.Expr:
    """The shape of a value: digits as 9, letters as a, Chinese characters as 文 (headers in raw rows too)."""
    return text.str.replace_all(r"\d", "9").str.replace_all(r"\p{Han}", "文").str.replace_all(r"[A-Za-z]", "a")


def _labels_with_units(header: Header, unit: int | None) -> tuple[str, ...]:
    """The labels as delivered; where the file's unit row applies to a column, its label says so.

    A row that is mended and sent back comes without the unit row of its file.
    """
    name = next((name for name, yuan in UNITS.items() if yuan == unit), None)
    return tuple(
        f"{label}({name})" if name and _takes_unit_row(header, position) else label
        for position, label in enumerate(header.labels)
    )


def _takes_unit_row(header: Header, position: int) -> bool:
    column = header.columns.get(position)
    return column is not None and column.type == "money" and position not in header.units


def _unique_label(labels: tuple[str, ...], position: int) -> str:
    label = (labels[position] if position < len(labels) else "").strip()
    return label if label and labels.index(labels[position]) == position else f"{label}#{position + 1}"
