"""Faulty rows of a month for the report on data quality: file, row number, what is wrong, and the shape of the value.

Belongs here: bringing together quarantine, checks and lake. No value of a row leaves this module: digits are 9, letters
a, Chinese characters 文, and persons are left out altogether.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from ingestion import Quarantine
from ingestion.quarantine import faults_of, masked_shape
from ingestion.store import Store
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of

SCHEMA = {
    "feed": pl.String,
    "file_name": pl.String,
    "row_number": pl.Int64,
    "check_id": pl.String,
    "reason": pl.String,
    "column": pl.String,
    "shape": pl.String,
}
BETWEEN_CELLS = " | "
# A quarantined row is kept as header and cell; the cells alone are its shape.
CELL_IN_ROW = r':"[^"]*"'


def faulty_rows(home: DataHome, month: date, failed_checks: list[str]) -> pl.DataFrame:
    """Rows set aside, rows with emptied cells, and rows that failed one of ``failed_checks``, of the month's files."""
    known = pl.read_parquet(home.reference / "delivery.parquet")
    own = known.filter(pl.col("period") == f"{month:%Y-%m}", pl.col("status").is_in(["accepted", "held"]))
    files = own.select("delivery_id", "feed", "file_name").sort("feed", "delivery_id")
    parts = [*_quarantined(store_of(home), own), *_failed(home, files, failed_checks)]
    names = files.select("delivery_id", "file_name")
    found = [part.join(names, on="delivery_id", how="left").select(*SCHEMA) for part in parts]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *found]).unique().sort(*SCHEMA, nulls_last=True)


def _quarantined(store: Store, deliveries: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Of each delivery what ingestion set aside and what it emptied; files without any are not opened."""
    quarantine = Quarantine(store)
    for row in deliveries.iter_rows(named=True):
        about = [pl.lit(row["feed"]).alias("feed"), pl.lit(row["delivery_id"]).alias("delivery_id")]
        no_check = pl.lit(None, dtype=pl.String).alias("check_id")
        if row["rows_quarantined"]:
            rows = quarantine.rows(row["feed"], row["delivery_id"])
            shapes = rows.select("row_number", shape=_cells(pl.col("masked")))
            yield faults_of(rows).join(shapes, on="row_number").with_columns(*about, no_check)
        if row["cell_defects_by_reason"] not in (None, "{}"):
            cells = quarantine.cell_defects(row["feed"], row["delivery_id"])
            shown = cells.select("row_number", "column", "reason", shape=masked_shape(pl.col("masked")))
            yield shown.with_columns(*about, no_check)


def _cells(masked: pl.Expr) -> pl.Expr:
    cells = masked.str.extract_all(CELL_IN_ROW).list.eval(pl.element().str.strip_prefix(':"').str.strip_suffix('"'))
    return pl.when(cells.list.len() > 0).then(cells.list.join(BETWEEN_CELLS)).otherwise(masked)


def _failed(home: DataHome, files: pl.DataFrame, failed_checks: list[str]) -> Iterator[pl.DataFrame]:
    """Rows that were taken in and fail a check, with the shape of the columns that it looks at."""
    failing = pl.read_parquet(home.reference / "check_failing_row.parquet").filter(
        pl.col("check_id").is_in(failed_checks)
    )
    checks = pl.read_parquet(home.reference / "check.parquet").select("check_id", "columns").unique("check_id")
    here = failing.join(files, on="delivery_id").join(checks, on="check_id", how="left")
    for (delivery, feed, columns), rows in here.group_by("delivery_id", "feed", "columns", maintain_order=True):
        shapes = _lake_shapes(home.lake / str(feed), str(delivery), str(columns or ""))
        told = rows.select("feed", "delivery_id", "row_number", "check_id")
        with_shape = told.join(shapes, on="row_number", how="left") if shapes is not None else told
        if shapes is None:
            with_shape = told.with_columns(shape=pl.lit(""))
        nothing = [pl.lit(None, dtype=pl.String).alias(name) for name in ("reason", "column")]
        yield with_shape.with_columns(*nothing)


def _lake_shapes(folder: Path, delivery: str, columns: str) -> pl.DataFrame | None:
    """Row number and shape of some columns of a delivery; keys of persons say nothing and are left out."""
    paths = sorted(folder.glob(f"**/{delivery}.parquet"))
    if not paths:
        return None
    present = pl.read_parquet_schema(paths[0])
    wanted = [name for name in (one.strip() for one in columns.split(",")) if name in present and "key" not in name]
    if not wanted:
        return None
    shown = [masked_shape(pl.col(name).cast(pl.String).fill_null("")) for name in wanted]
    rows = pl.read_parquet(paths[0], columns=["row_number", *wanted])
    return rows.select("row_number", shape=pl.concat_str(shown, separator=BETWEEN_CELLS)).unique("row_number")
