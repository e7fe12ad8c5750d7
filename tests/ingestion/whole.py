"""Bytes of a file to the raw cells of all its rows: what tests of the readers share."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from ingestion.reading.read import Source, open_source
from ingestion.reading.spool import Spool
from ingestion.table import RawTable
from models.contract import Feed

FOLDER = Path(tempfile.gettempdir())


def source_of(data: bytes, feed: Feed, chunk_bytes: int | None = None) -> Source:
    """The table in those bytes, as a delivery's would be opened."""
    spool = Spool(FOLDER)
    spool.write(data)
    return open_source(spool, FOLDER, feed, chunk_bytes)


def read_whole(data: bytes, feed: Feed, chunk_bytes: int | None = None) -> RawTable:
    """All chunks as one table."""
    source = source_of(data, feed, chunk_bytes)
    chunks = list(source.chunks())
    if not chunks:
        return RawTable(source.header, pl.DataFrame(schema={"row_number": pl.Int64}), framing=source.above)
    return RawTable(
        header=source.header,
        cells=pl.concat([chunk.cells for chunk in chunks]),
        malformed=pl.concat([chunk.malformed for chunk in chunks]),
        framing=(*source.above, *(row for chunk in chunks for row in chunk.framing)),
        is_clean=all(chunk.is_clean for chunk in chunks),
    )
