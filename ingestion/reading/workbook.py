"""XLSX workbooks to raw cells: the visible sheet with a matching header, special cells marked.

Belongs here: sheets, numeric and error cells. Does not belong here: the safety of the archive (``archive``), the
meaning of cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import fastexcel
import polars as pl

from ingestion.framing import HEADER, framing_above, split_framing
from ingestion.header import HEADER_SEARCH_ROWS, Header, find_header, missing_columns, no_header
from ingestion.limits import check_cells
from ingestion.normalise import ERROR_CELL, NUMERIC_CELL
from ingestion.reading.archive import Archive, column_index
from ingestion.reading.decode import Format
from ingestion.reading.spool import Spool
from ingestion.reason import EMPTY, HIDDEN_SHEET, SHEETS_AMBIGUOUS, UNREADABLE, FileRejectedError
from ingestion.table import MALFORMED_SCHEMA, ROW_NUMBER, RawTable, cell_name, without_blank_rows
from models.contract import Feed

# A number of 16 digits and more (or written with such an exponent) has lost its last digits in a double.
_CELL = r'<(?:\w+:)?c\s[^>]*\br="[A-Z]{1,3}\d{1,7}"'
_FORMULA = r"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
_LONG = rf"{_CELL}[^>]*>\s*(?:{_FORMULA})?<(?:\w+:)?v>(?:-?\d{{16,}}(?:\.\d*)?|\d\.?\d*[eE]\+?(?:1[5-9]|2\d))</"
_ERROR = rf'{_CELL}[^>]*\st="e"|<(?:\w+:)?c\s[^>]*\bt="e"[^>]*\br="[A-Z]{{1,3}}\d{{1,7}}"'
_NO_VALUE = (
    rf"{_CELL}[^>]*>\s*{_FORMULA}"
    r"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
# What a piece of XML must hold for the pattern to be worth a search, the pattern, and the mark.
_MARKS = (
    (re.compile(rb"v>-?\d(?:\d{15}|\.?\d*[eE])"), _LONG, NUMERIC_CELL),
    (re.compile(rb't="e"'), _ERROR, ERROR_CELL),
    (re.compile(rb"<(?:\w+:)?f[\s/>]"), _NO_VALUE, ERROR_CELL),
)
_TYPE = r'^<[^>]*\st="([^"]*)"'
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*?>")
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*?>")
_BYTES_A_CELL = 24


class WorkbookSource:
    """The one visible sheet of a workbook whose header the contract knows; raises ``FileRejectedError`` if none."""

    format: Format = "xlsx"

    def __init__(self, raw: Spool, feed: Feed, chunk_bytes: int) -> None:
        archive = Archive.open(raw)
        try:
            reader = fastexcel.read_excel(raw.read(0, raw.size))
        except Exception as error:
            raise FileRejectedError(UNREADABLE, f"broken workbook ({type(error).__name__})") from None
        hidden = _hidden_sheets(archive)
        visible = [name for name in reader.sheet_names if name not in hidden]
        name, frame, self.header = _matching_sheet(reader, visible, feed)
        self.warnings = tuple(f"{HIDDEN_SHEET}:{name}" for name in reader.sheet_names if name in hidden)
        numbered = _marked(frame, archive, name).with_row_index(ROW_NUMBER, offset=1)
        numbered = numbered.with_columns(pl.col(ROW_NUMBER).cast(pl.Int64))
        above = [(number, [cell or "" for cell in row]) for number, *row in numbered.head(self.header.first_row).rows()]
        self.above = tuple(framing_above(above))
        self._body = numbered.slice(self.header.first_row + self.header.row_count)
        self._rows = max(1, chunk_bytes // (_BYTES_A_CELL * max(1, frame.width)))

    def chunks(self) -> Iterator[RawTable]:
        """All rows below the header."""
        for number in range(-(-self._body.height // self._rows)):
            yield self.again(number)

    def again(self, number: int) -> RawTable:
        """The chunk of that number."""
        body, framing = split_framing(
            without_blank_rows(self._body.slice(number * self._rows, self._rows)), self.header
        )
        width = max((at for at, label in enumerate(self.header.labels) if label.strip()), default=0) + 1
        names = [name for name in body.columns if name != ROW_NUMBER]
        beyond = names[width:]
        malformed = pl.DataFrame(schema=MALFORMED_SCHEMA)
        if beyond:
            is_wide = pl.any_horizontal(pl.col(name).fill_null("").str.strip_chars() != "" for name in beyond)
            line = pl.concat_str([pl.col(name).fill_null("") for name in names], separator="\t")
            malformed = body.filter(is_wide).select(ROW_NUMBER, line.alias("raw"))
            body = body.filter(~is_wide).drop(beyond)
        return RawTable(
            header=self.header,
            cells=body,
            malformed=malformed,
            framing=tuple(row for row in framing if row.kind != HEADER),
        )


def _matching_sheet(reader: fastexcel.ExcelReader, names: list[str], feed: Feed) -> tuple[str, pl.DataFrame, Header]:
    found: list[tuple[str, pl.DataFrame, Header]] = []
    rows = 0
    for name in names:
        frame = _load(reader, name)
        rows = max(rows, frame.height)
        head = [[cell or "" for cell in row] for row in frame.head(HEADER_SEARCH_ROWS).rows()]
        header = find_header(head, feed)
        if header is not None:
            found.append((name, frame, header))
    complete = [sheet for sheet in found if not missing_columns(sheet[2], feed)]
    if len(complete) > 1:
        raise FileRejectedError(SHEETS_AMBIGUOUS, "more than one visible sheet has the header")
    if complete or len(found) == 1:
        return (complete or found)[0]
    if len(found) > 1:
        return max(found, key=lambda sheet: len(sheet[2].columns))
    if rows == 0:
        raise FileRejectedError(EMPTY, "nothing in any visible sheet")
    raise no_header(feed, max(0, rows - 1))


def _load(reader: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    try:
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        frame = sheet.to_polars() if sheet.width else pl.DataFrame()
    except Exception as error:
        raise FileRejectedError(UNREADABLE, f"broken sheet ({type(error).__name__})") from None
    frame = frame.rename({old: cell_name(at) for at, old in enumerate(frame.columns)})
    check_cells(frame)
    return frame


def _marked(frame: pl.DataFrame, archive: Archive, sheet: str) -> pl.DataFrame:
    """The sheet with its error cells, formulas without a value and long numbers marked; few cells, if any."""
    member = _member_of(archive, sheet)
    if member is None:
        return frame
    found = [
        _found(pl.Series([piece.decode("utf-8", "replace")]), pattern, mark)
        for piece in archive.rows(member)
        for hint, pattern, mark in _MARKS
        if hint.search(piece)
    ]
    if not found:
        return frame
    left = archive.first_column(member)
    marks = pl.concat(found).unique(["letters", "row"], keep="last", maintain_order=True)
    by_column = {column_index(str(letters)) - left: rows for (letters,), rows in marks.group_by("letters")}
    inside = {at: rows.filter(pl.col("row") < frame.height) for at, rows in by_column.items() if at < frame.width}
    return frame.with_columns(_with_marks(frame[cell_name(at)], rows) for at, rows in inside.items())


def _found(text: pl.Series, pattern: str, mark: str) -> pl.DataFrame:
    """Column letters, row index and mark of the cells in that XML that the pattern finds."""
    cells = text.str.extract_all(pattern).explode(empty_as_null=True).drop_nulls()
    if mark == NUMERIC_CELL:
        cells = cells.filter(cells.str.extract(_TYPE).fill_null("n") == "n")
    reference = cells.str.extract(r'\br="([A-Z]{1,3}\d{1,7})"')
    return pl.DataFrame(
        [
            reference.str.extract("^([A-Z]+)").alias("letters"),
            (reference.str.extract(r"(\d+)$").cast(pl.Int64) - 1).alias("row"),
            pl.repeat(mark, len(reference), dtype=pl.String, eager=True).alias("mark"),
        ]
    )


def _with_marks(cells: pl.Series, marks: pl.DataFrame) -> pl.Series:
    texts = cells.gather(marks["row"]).fill_null("")
    marked = pl.select(pl.when(marks["mark"] == ERROR_CELL).then(pl.lit(ERROR_CELL)).otherwise(NUMERIC_CELL + texts))
    return cells.scatter(marks["row"], marked.to_series())


def _hidden_sheets(archive: Archive) -> set[str]:
    """Names of the sheets that a person does not see."""
    tags = _SHEET.findall(archive.read("xl/workbook.xml").decode("utf-8", "replace"))
    return {_unescaped(attribute(tag, "name")) for tag in tags if attribute(tag, "state") in ("hidden", "veryHidden")}


def _member_of(archive: Archive, sheet: str) -> str | None:
    """The part of the archive that is the sheet of that name; None where the archive does not say."""
    try:
        book = archive.read("xl/workbook.xml").decode("utf-8")
        relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8")
        relation = next(
            attribute(tag, "r:id") for tag in _SHEET.findall(book) if _unescaped(attribute(tag, "name")) == sheet
        )
        target = next(
            attribute(tag, "Target") for tag in _RELATION.findall(relations) if attribute(tag, "Id") == relation
        )
    except (KeyError, StopIteration, UnicodeDecodeError):
        return None
    member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return member if member in archive else None


def attribute(tag: str, name: str) -> str:
    """The value of an attribute of an XML start tag; empty where it has none."""
    found = re.search(rf'\s{name}\s*=\s*"([^"]*)"', tag)
    return found.group(1) if found else ""


def _unescaped(text: str) -> str:
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return text
