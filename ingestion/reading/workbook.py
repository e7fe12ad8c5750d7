"""XLSX workbooks to raw cells: the visible sheet with a matching header, special cells marked.

Belongs here: sheets, numeric and error cells, the safety of the archive. Does not belong here: the meaning of
cells.
"""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import PurePosixPath

import fastexcel
import polars as pl

from ingestion.framing import HEADER, framing_above, split_framing
from ingestion.header import HEADER_SEARCH_ROWS, Header, find_header
from ingestion.limits import MAX_BYTES, MAX_CELL_BYTES, MAX_EXPANSION, check_row_count
from ingestion.normalise import ERROR_CELL, NUMERIC_CELL
from ingestion.reason import (
    COLUMN_MISSING,
    EMPTY,
    HIDDEN_SHEET,
    SHEETS_AMBIGUOUS,
    UNREADABLE,
    UNSAFE,
    FileRejectedError,
)
from ingestion.table import ROW_NUMBER, RawTable, cell_name, malformed_frame, without_blank_rows
from models.contract import Feed

# A number of 16 digits and more (or written with such an exponent) has lost its last digits in a double.
_LONG_NUMBER = re.compile(
    rb'<c r="([A-Z]{1,3})(\d+)"([^>]*)>\s*<v>(?:-?\d{16,}(?:\.\d*)?|\d\.?\d*[eE]\+?(?:1[5-9]|2\d))</v>'
)
_ERROR = re.compile(rb'<c r="([A-Z]{1,3})(\d+)"[^>]*\st="e"')
_NO_VALUE = re.compile(
    rb'<c r="([A-Z]{1,3})(\d+)"[^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_RELATION = re.compile(r"<Relationship\s[^>]*?>")
_SHEET = re.compile(r"<sheet\s[^>]*?>")


def check_archive(data: bytes) -> None:
    """Raise ``FileRejectedError`` where the archive is no workbook, is encrypted, or is unsafe to unpack."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members, len(data))
            if "xl/workbook.xml" not in {member.filename for member in members}:
                raise FileRejectedError(UNREADABLE, "an archive, but no XLSX workbook")
            for member in members:
                _check_true_size(archive, member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        raise FileRejectedError(UNREADABLE, f"broken workbook ({type(error).__name__})") from None
    except Exception as error:
        if isinstance(error, FileRejectedError):
            raise
        raise FileRejectedError(UNREADABLE, f"broken workbook ({type(error).__name__})") from None


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", member.filename):
            raise FileRejectedError(UNSAFE, "an archive member leaves its folder")
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES or total > MAX_EXPANSION * size:
        raise FileRejectedError(UNSAFE, "unpacks to too much")


def _check_true_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """The stated sizes may lie: the check sum of the stated part must fit, else the member is longer or broken."""
    with archive.open(member) as stream:
        while stream.read(1 << 20):
            pass


def read_workbook(data: bytes, feed: Feed) -> RawTable:
    """Raw cells of the one visible sheet whose header the contract knows."""
    check_archive(data)
    try:
        reader = fastexcel.read_excel(data)
        sheets = [reader.load_sheet(name, header_row=None, n_rows=0) for name in reader.sheet_names]
    except Exception as error:
        raise FileRejectedError(UNREADABLE, f"broken workbook ({type(error).__name__})") from None
    hidden = [sheet.name for sheet in sheets if sheet.visible != "visible"]
    visible = [sheet.name for sheet in sheets if sheet.visible == "visible"]
    name, frame, header = _matching_sheet(reader, visible, feed)
    warnings = tuple(f"{HIDDEN_SHEET}:{sheet}" for sheet in hidden)
    return _table(_marked(frame, data, name), header, warnings)


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
    complete = [sheet for sheet in found if _is_complete(sheet[2], feed)]
    if len(complete) > 1:
        raise FileRejectedError(SHEETS_AMBIGUOUS, "more than one visible sheet has the header")
    if complete or len(found) == 1:
        return (complete or found)[0]
    if len(found) > 1:
        return max(found, key=lambda sheet: len(sheet[2].columns))
    if rows == 0:
        raise FileRejectedError(EMPTY, "nothing in any visible sheet")
    missing = ", ".join(column.name for column in feed.columns if column.required)
    raise FileRejectedError(COLUMN_MISSING, missing, rows_data=max(0, rows - 1))


def _is_complete(header: Header, feed: Feed) -> bool:
    known = {column.name for column in header.columns.values()}
    return all(column.name in known for column in feed.columns if column.required)


def _load(reader: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    try:
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        check_row_count(sheet.total_height)
        frame = sheet.to_polars() if sheet.width else pl.DataFrame()
    except FileRejectedError:
        raise
    except Exception as error:
        raise FileRejectedError(UNREADABLE, f"broken sheet ({type(error).__name__})") from None
    frame = frame.rename({old: cell_name(at) for at, old in enumerate(frame.columns)})
    if any((frame[name].str.len_bytes() > MAX_CELL_BYTES).any() for name in frame.columns):
        raise FileRejectedError(UNSAFE, f"a cell over {MAX_CELL_BYTES} bytes")
    return frame


def _marked(frame: pl.DataFrame, data: bytes, sheet: str) -> pl.DataFrame:
    """The sheet with its error cells, formulas without a value and long numbers marked; few cells, if any."""
    xml = _sheet_xml(data, sheet)
    first = re.search(rb'<c r="([A-Z]{1,3})\d+"', xml)
    if first is None:
        return frame
    left = min(_column_index(letters) for letters in set(re.findall(rb'<c r="([A-Z]{1,3})\d+"', xml)))
    marks: dict[int, dict[int, str]] = {}
    for pattern, mark in ((_LONG_NUMBER, NUMERIC_CELL), (_ERROR, ERROR_CELL), (_NO_VALUE, ERROR_CELL)):
        for match in pattern.finditer(xml):
            if mark == NUMERIC_CELL and re.search(rb'\st="(?!n")', match.group(3)):
                continue
            at = _column_index(match.group(1)) - left
            marks.setdefault(at, {})[int(match.group(2)) - 1] = mark
    return frame.with_columns(_with_marks(frame[cell_name(at)], rows) for at, rows in marks.items() if at < frame.width)


def _with_marks(cells: pl.Series, rows: dict[int, str]) -> pl.Series:
    inside = {row: mark for row, mark in rows.items() if row < len(cells)}
    values = [ERROR_CELL if mark == ERROR_CELL else NUMERIC_CELL + (cells[row] or "") for row, mark in inside.items()]
    return cells.scatter(list(inside), values)


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def _sheet_xml(data: bytes, sheet: str) -> bytes:
    """The XML of the sheet of that name; empty where the archive does not say which part it is."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        try:
            book = archive.read("xl/workbook.xml").decode("utf-8")
            relations = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8")
            relation = next(
                attribute(tag, "r:id") for tag in _SHEET.findall(book) if _unescaped(attribute(tag, "name")) == sheet
            )
            target = next(
                attribute(tag, "Target") for tag in _RELATION.findall(relations) if attribute(tag, "Id") == relation
            )
            return archive.read(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
        except (KeyError, StopIteration, UnicodeDecodeError):
            return b""


def attribute(tag: str, name: str) -> str:
    """The value of an attribute of an XML start tag; empty where it has none."""
    found = re.search(rf'\s{name}\s*=\s*"([^"]*)"', tag)
    return found.group(1) if found else ""


def _unescaped(text: str) -> str:
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return text


def _table(frame: pl.DataFrame, header: Header, warnings: tuple[str, ...]) -> RawTable:
    first = header.first_row + header.row_count
    width = max((at for at, label in enumerate(header.labels) if label.strip()), default=0) + 1
    numbered = frame.with_row_index(ROW_NUMBER, offset=1).with_columns(pl.col(ROW_NUMBER).cast(pl.Int64))
    above = [(number, [cell or "" for cell in row]) for number, *row in numbered.head(header.first_row).rows()]
    names = [cell_name(at) for at in range(frame.width)]
    body = without_blank_rows(numbered.slice(first))
    body, below = split_framing(body, header)
    beyond = names[width:]
    malformed = body.clear()
    if beyond:
        is_wide = pl.any_horizontal(pl.col(name).fill_null("").str.strip_chars() != "" for name in beyond)
        malformed, body = body.filter(is_wide), body.filter(~is_wide)
    raw = [(row[0], "\t".join(cell or "" for cell in row[1:])) for row in malformed.rows()]
    framing = [*framing_above(above), *below]
    repeated = sum(row.kind == HEADER for row in framing)
    return RawTable(
        format="xlsx",
        header=header,
        cells=body.drop(beyond),
        malformed=malformed_frame(raw),
        framing=tuple(sorted((row for row in framing if row.kind != HEADER), key=lambda row: row.row_number)),
        header_rows=header.row_count + repeated,
        warnings=warnings,
    )
