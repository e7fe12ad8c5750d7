"""Quarantined rows as a file for an authorised person to mend: CSV or XLSX, readable by its owner alone.

Belongs here: the form of that file. Does not belong here: taking it back (``resubmission``), who may have it
(``orchestration``).
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import polars as pl
import xlsxwriter

from ingestion.header import header_of
from ingestion.mending.comparison import cells_of_raw
from ingestion.reason import ROW_MALFORMED
from ingestion.table import ROW_NUMBER
from models.contract import Feed

NUMBER_HEADER, REASON_HEADER, LINE_HEADER = "行号", "原因", "原文"
ANNOTATIONS = (NUMBER_HEADER, REASON_HEADER, LINE_HEADER)
"""Columns that the export adds; coming back they are no columns of the department."""


def export_rows(rows: pl.DataFrame, feed: Feed, target: Path) -> int:
    """Write quarantined rows (``row_number``, ``reasons``, ``raw``) with the delivery's own headers; how many.

    Columns of the contract that the delivery did not have stand at the end, empty; the line of a row that fitted no
    header is under 原文. A spreadsheet opens the XLSX form without harming ID numbers: all its cells are text.
    """
    frame = exported(rows, feed)
    data = _workbook(frame) if target.suffix.lower() == ".xlsx" else frame.write_csv(include_bom=True).encode()
    _write_for_owner(data, target)
    return frame.height


def exported(rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """The cells of that file, all of them text."""
    malformed = pl.col("reasons").str.contains(ROW_MALFORMED, literal=True)
    # A file that was itself sent to mend another has the columns of the export already.
    cells = cells_of_raw(rows.filter(~malformed)).drop(ANNOTATIONS, strict=False)
    labels = [name for name in cells.columns if name != ROW_NUMBER]
    known = {column.name for column in header_of(labels, feed).columns.values()}
    lacking = [column.header for column in feed.columns if column.name not in known]
    lines = rows.select(ROW_NUMBER, "reasons", pl.when(malformed).then("raw").alias(LINE_HEADER))
    joined = lines.join(cells, on=ROW_NUMBER, how="left", maintain_order="left")
    return joined.select(
        pl.col(ROW_NUMBER).cast(pl.String).alias(NUMBER_HEADER),
        *labels,
        *(pl.lit(None, pl.String).alias(header) for header in lacking),
        pl.col("reasons").alias(REASON_HEADER),
        *([LINE_HEADER] if joined[LINE_HEADER].null_count() < joined.height else []),
    )


def _workbook(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    # A cell that begins with = or http is what the department wrote, nothing to compute or to follow.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(stream, plain) as workbook:
        frame.write_excel(workbook, dtype_formats={pl.String: "@"})
    return stream.getvalue()


def _write_for_owner(data: bytes, target: Path) -> None:
    """Closed to others from the first byte on, also where a file of that name was open to them."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, 0o600)
        stream.write(data)
