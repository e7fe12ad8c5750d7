"""How one file looks: format, encoding, headers, order of columns, framing rows, date and code writing.

Belongs here: the choice of a look. Does not belong here: writing it (``writing``) or faults (``faults``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from models.contract import Column, Feed

Format = Literal["csv", "xlsx", "jsonl"]
XLSX_ROWS = 700
JSONL_ROWS = 20_000
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030")
DELIMITERS = (",", "\t", ";", "|")
DATE_STYLES = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y/%-m/%-d", "%Y-%m-%d 00:00:00", "%Y年%-m月%-d日", "%Y.%-m.%-d")
EXTRAS = ("序号", "备注", "数据来源", "更新批次")


@dataclass(frozen=True)
class Style:
    """The look of one file. ``order`` lists the contract's columns as they stand in the file."""

    format: Format
    encoding: str
    delimiter: str
    line_end: str
    order: tuple[str, ...]
    headers: dict[str, str]
    date_style: str
    labelled: frozenset[str]
    extra: str | None = None
    title: bool = False
    unit: bool = False
    two_line_header: bool = False
    total: bool = False
    signature: bool = False
    named_by: int = 0
    extension: str = "csv"
    statements: frozenset[str] = field(default_factory=frozenset)

    @property
    def label(self) -> str:
        """Name of the format as the truth states it."""
        if self.format != "csv":
            return self.format
        names = {"\t": "tab", ";": "semicolon", "|": "pipe"}
        encodings = {"utf-8": "csv-utf8", "utf-8-sig": "csv-utf8bom", "utf-16": "csv-utf16", "gb18030": "csv-gb18030"}
        return names.get(self.delimiter, encodings[self.encoding])

    @property
    def framing(self) -> dict[str, int]:
        parts = {"title": self.title, "unit": self.unit, "total": self.total, "signature": self.signature}
        return {name: int(present) for name, present in parts.items()}


def plain(feed: Feed) -> Style:
    """UTF-8, comma, the contract's own headers in its order."""
    names = tuple(column.name for column in feed.columns)
    headers = {column.name: column.header for column in feed.columns}
    return Style("csv", "utf-8", ",", "\n", names, headers, "%Y-%m-%d", frozenset())


def draw(rng: np.random.Generator, feed: Feed, rows: int, empty: frozenset[str]) -> Style:
    """A look for a file of that many rows; ``empty`` are optional columns without content, which may be left out."""
    format_ = _format(rng, rows)
    encoding, delimiter, extension = _text_format(rng, format_)
    columns = [column for column in feed.columns if not (column.name in empty and rng.random() < 0.25)]
    order = [column.name for column in columns]
    if rng.random() < 0.2:
        order = [order[place] for place in rng.permutation(len(order))]
    framed = format_ == "xlsx" and rng.random() < 0.65
    titled_text = format_ == "csv" and rows < XLSX_ROWS and rng.random() < 0.05
    has_total = framed and bool(summed(feed, order)) and order[0] not in summed(feed, order)
    grouped = {"name", "id_number"} <= set(order) and abs(order.index("name") - order.index("id_number")) == 1
    return Style(
        format=format_,
        encoding=encoding,
        delimiter=delimiter,
        line_end="\r\n" if rng.random() < 0.3 else "\n",
        order=tuple(order),
        headers={column.name: _header(rng, column) for column in columns},
        date_style="serial" if format_ == "xlsx" and rng.random() < 0.4 else str(rng.choice(DATE_STYLES)),
        labelled=frozenset(c.name for c in columns if c.code_table and rng.random() < (0.5 if rows < 5000 else 0.15)),
        extra=str(rng.choice(EXTRAS)) if rng.random() < 0.1 else None,
        title=framed or titled_text,
        unit=(framed and rng.random() < 0.4) or (titled_text and rng.random() < 0.5),
        two_line_header=framed and grouped and rng.random() < 0.4,
        total=has_total,
        signature=framed and rng.random() < 0.7,
        named_by=int(rng.integers(0, 4)),
        extension=extension,
        statements=_statements(rng),
    )


def _format(rng: np.random.Generator, rows: int) -> Format:
    draw_ = rng.random()
    if draw_ < 0.22 and rows <= XLSX_ROWS:
        return "xlsx"
    return "jsonl" if draw_ > 0.94 and rows <= JSONL_ROWS else "csv"


def _text_format(rng: np.random.Generator, format_: Format) -> tuple[str, str, str]:
    if format_ != "csv":
        return "utf-8", ",", format_
    encoding = str(rng.choice(ENCODINGS, p=[0.3, 0.3, 0.1, 0.3]))
    delimiter = str(rng.choice(DELIMITERS, p=[0.73, 0.1, 0.05, 0.12]))
    extension = {"\t": "tsv", "|": "txt"}.get(delimiter, "csv")
    return encoding, delimiter, extension


def _header(rng: np.random.Generator, column: Column) -> str:
    """The own header mostly, an alias at times, sometimes with blanks or full-width brackets."""
    header = column.header
    if len(column.headers) > 2 and rng.random() < 0.35:
        header = str(rng.choice(column.headers[1:-1]))
    elif rng.random() < 0.01:
        header = column.name
    if rng.random() < 0.06:
        header = f" {header} "
    return header.replace("(", "（").replace(")", "）") if rng.random() < 0.1 else header


def _statements(rng: np.random.Generator) -> frozenset[str]:
    """What the sidecar states; nothing where there is none."""
    if rng.random() > 0.32:
        return frozenset()
    optional = ("rows", "sha256", "control_totals")
    return frozenset({"feed", "period", *(name for name in optional if rng.random() < 0.6)})


def summed(feed: Feed, order: list[str] | tuple[str, ...]) -> list[str]:
    """Money columns that stand in the file and can be totalled."""
    return [column.name for column in feed.columns if column.type == "money" and column.name in order]
