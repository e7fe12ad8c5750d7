"""Quarantine: rows that were not accepted, encrypted as they were delivered, and faults without values.

Belongs here: keeping, listing and exporting what was set aside. Does not belong here: why (``rows``).
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from ingestion.atomic import write_parquet
from ingestion.rows import CheckedRows
from ingestion.store import Store
from ingestion.table import ROW_NUMBER, RawTable
from models.contract import Feed

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

    def keep(self, rows: pl.DataFrame, checked: CheckedRows, feed: Feed, delivery_id: str) -> None:
        """Keep ``quarantined_rows`` (raw, encrypted), cell defects (masked, encrypted) and faults (no values)."""
        if rows.height:
            self._store.encrypted.write(rows, self._raw_file(feed.name, delivery_id))
        cells = checked.defects.select(ROW_NUMBER, "column", "reason", masked_shape(pl.col("raw")).alias("masked"))
        if cells.height:
            self._store.encrypted.write(cells, self._cell_file(feed.name, delivery_id))
        for kind, faults in (("row", checked.faults.sort(ROW_NUMBER, "order")), ("cell", checked.defects)):
            if faults.height:
                named = faults.select(
                    pl.lit(feed.name).alias("feed"),
                    pl.lit(delivery_id).alias("delivery_id"),
                    ROW_NUMBER,
                    "column",
                    "reason",
                )
                write_parquet(named, self._store.faults / kind / feed.name / f"{delivery_id}.parquet")

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

    def export(self, delivery_id: str, target: Path) -> int:
        """Write a delivery's quarantined rows as they were delivered (CSV, UTF-8 with BOM) for an authorised
        person; how many. The file has the delivery's own headers, so that it can be mended and sent again.
        """
        files = self._files(None, delivery_id)
        rows = self._store.encrypted.read(files[0]) if files else pl.DataFrame(schema=_RAW_SCHEMA)
        records = [{**_cells_of(raw), "原因": reasons} for raw, reasons in rows.select("raw", "reasons").iter_rows()]
        names = list(dict.fromkeys(name for record in records for name in record))
        frame = pl.DataFrame(
            [[record.get(name) for name in names] for record in records],
            schema=dict.fromkeys(names, pl.String),
            orient="row",
        )
        target.touch(mode=0o600)
        frame.write_csv(target, include_bom=True)
        return rows.height

    def faults(self, kind: str, feeds: dict[str, Feed]) -> pl.DataFrame:
        """All faults of rows (``row``) or cells (``cell``), without values."""
        parts = [
            pl.read_parquet(path)
            for feed in sorted(feeds)
            for path in sorted((self._store.faults / kind / feed).glob("*.parquet"))
        ]
        return pl.concat([pl.DataFrame(schema=FAULT_COLUMNS), *parts])

    def _files(self, feed: str | None, delivery_id: str | None) -> list[Path]:
        return sorted(self._store.quarantine.glob(f"{feed or '*'}/{delivery_id or '*'}.rows.parquet"))

    def _raw_file(self, feed: str, delivery_id: str) -> Path:
        return self._store.quarantine / feed / f"{delivery_id}.rows.parquet"

    def _cell_file(self, feed: str, delivery_id: str) -> Path:
        return self._store.quarantine / feed / f"{delivery_id}.cells.parquet"


def quarantined_rows(table: RawTable, checked: CheckedRows) -> pl.DataFrame:
    """Row number, reasons (``column:reason``, by column order) and raw text of each quarantined row.

    The raw text is a JSON object of header and cell; of a malformed row the line as it stood.
    """
    label = pl.when(pl.col("column") == "").then("reason").otherwise(pl.col("column") + ":" + pl.col("reason"))
    reasons = (
        checked.faults.sort(ROW_NUMBER, "order")
        .group_by(ROW_NUMBER, maintain_order=True)
        .agg(label.str.join("; ").alias("reasons"))
    )
    cells = table.cells.join(reasons.select(ROW_NUMBER), on=ROW_NUMBER, how="semi")
    named = {name: _unique_label(table.header.labels, int(name)) for name in cells.columns if name != ROW_NUMBER}
    raw = cells.select(
        ROW_NUMBER, pl.struct(pl.col(old).alias(new) for old, new in named.items()).struct.json_encode().alias("raw")
    )
    rows = pl.concat([raw, table.malformed]).join(reasons, on=ROW_NUMBER, how="inner")
    return rows.select(ROW_NUMBER, "reasons", "raw", masked_shape(pl.col("raw")).alias("masked")).sort(ROW_NUMBER)


def masked_shape(text: pl.Expr) -> pl.Expr:
    """The shape of a value: digits as 9, letters as a, Chinese characters as 文 (headers in raw rows too)."""
    return text.str.replace_all(r"\d", "9").str.replace_all(r"\p{Han}", "文").str.replace_all(r"[A-Za-z]", "a")


def _unique_label(labels: tuple[str, ...], position: int) -> str:
    label = (labels[position] if position < len(labels) else "").strip()
    return label if label and labels.index(labels[position]) == position else f"{label}#{position + 1}"


def _cells_of(raw: str) -> dict[str, str | None]:
    try:
        cells = json.loads(raw)
    except ValueError:
        cells = None
    return cells if isinstance(cells, dict) else {"原文": raw}
