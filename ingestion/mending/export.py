"""Quarantined rows as a file for an authorised person to mend: CSV or XLSX, readable by its owner alone.

Belongs here: the form of that file. Does not belong here: taking it back (``resubmission``), who may have it
(``orchestration``).
"""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import xlsxwriter

from ingestion.atomic import write_for_owner
from ingestion.header import header_of
from ingestion.mending.comparison import cells_of_raw
from ingestion.quarantine import BETWEEN_REASONS
from ingestion.reason import ROW_MALFORMED
from ingestion.table import ROW_NUMBER
from models.contract import Feed
from models.labels import label

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
    write_for_owner(data, target)
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
        _in_words(joined["reasons"], feed).alias(REASON_HEADER),
        *([LINE_HEADER] if joined[LINE_HEADER].null_count() < joined.height else []),
    )


def _in_words(reasons: pl.Series, feed: Feed) -> pl.Series:
    """``id_number:id_invalid`` as the header of the column and what is wrong with it; few kinds, so each once."""
    headers = {column.name: column.header for column in feed.columns}

    def told(fault: str) -> str:
        column, _, reason = fault.rpartition(":")
        words = label(f"quality.reason.{reason}", "zh")
        return f"{headers.get(column, column)}：{words}" if column else words

    kinds = reasons.unique().drop_nulls().to_list()
    words = ["；".join(told(fault) for fault in kind.split(BETWEEN_REASONS)) for kind in kinds]
    return reasons.replace_strict(kinds, words, return_dtype=pl.String)


def _workbook(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    # A cell that begins with = or http is what the department wrote, nothing to compute or to follow.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(stream, plain) as workbook:
        sheet = workbook.add_worksheet()
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        frame.write_excel(
            workbook,
            sheet,
            dtype_formats={pl.String: "@"},
            header_format={"bold": True, "bottom": 1},
            autofit=True,
            freeze_panes=(1, 1),
        )
    return stream.getvalue()
