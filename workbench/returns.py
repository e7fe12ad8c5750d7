"""Filled-in lists that come back: read, checked row by row, and handed on as a delivery of ``visit_outcome``.

Belongs here: the checks of a returned workbook. Does not belong here: writing the delivery (``delivery``) and
what ingestion checks of every feed. What is not usable is named by file, sheet and row, never by its contents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import fastexcel
import polars as pl

from models.codes import load_code_tables
from models.contract import load_feeds
from models.labels import LANGUAGES, label
from models.masking import mask_text
from workbench.tokens import MACHINE_SHEET, row_check

FEED = "visit_outcome"
# What a list sends back, by the names of the feed's columns; the first four identify or answer an alert.
ANSWER_COLUMNS = ("alert_id", "visited_on", "visitor", "outcome", "programme", "note")
_FILLED = ("visited_on", "visitor", "outcome", "programme", "note")
_SPREADSHEET_EPOCH = date(1899, 12, 30)
_FIRST_PLAIN_DATE = 19000101
_DATE = re.compile(r"(\d{4})\D+(\d{1,2})\D+(\d{1,2})(?:\D.*)?")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


@dataclass(frozen=True)
class Problem:
    """Something of a returned workbook that is not usable; ``row`` as the person sees it, 0 for the whole file."""

    file: str
    sheet: str
    row: int
    reason: str

    def text(self, lang: str = "zh") -> str:
        return label(f"returned.{self.reason}", lang)


@dataclass(frozen=True)
class Answer:
    """One usable row: what was found at one alert's door."""

    alert_id: str
    visited_on: date
    visitor: str
    outcome: str
    programme: str
    note: str
    file: str
    sheet: str
    row: int


@dataclass(frozen=True)
class Returned:
    """What a folder of returned workbooks holds: usable answers, problems, and rows not answered yet."""

    answers: tuple[Answer, ...]
    problems: tuple[Problem, ...]
    unanswered: int
    files: int


class _UnusableError(ValueError):
    """A row or file that is not usable; the message is the reason."""


def read_returns(folder: Path, known_alerts: pl.Series, returned_on: date) -> Returned:
    """Read every workbook of a folder.

    ``known_alerts`` are the alert_ids that were ever listed; ``returned_on`` is the day of import, after which
    no visit can lie. Rows in which nothing is filled in are counted and are no problem.
    """
    known = frozenset(known_alerts.to_list())
    answers: list[Answer] = []
    problems: list[Problem] = []
    unanswered = 0
    paths = [path for path in sorted(folder.glob("*.xlsx")) if not path.name.startswith(("~$", "."))]
    for path in paths:
        for item in _read_workbook(path, known, returned_on):
            if isinstance(item, Answer):
                answers.append(item)
            elif isinstance(item, Problem):
                problems.append(item)
            else:
                unanswered += 1
    kept, repeated = _latest_answers(answers)
    return Returned(tuple(kept), tuple(problems + repeated), unanswered, len(paths))


def _read_workbook(path: Path, known: frozenset[str], returned_on: date) -> Iterator[Answer | Problem | None]:
    """Each row as an answer, a problem, or None where nothing is filled in."""
    name = mask_text(path.name)
    try:
        book = fastexcel.read_excel(path)
        sheet = _list_sheet(book)
        rows = _cells(book, sheet)
        listed_on = _listed_on(book)
    except _UnusableError as error:
        yield Problem(name, "", 0, str(error))
        return
    except (fastexcel.FastExcelError, OSError):
        yield Problem(name, "", 0, "unreadable")
        return
    header, places = _find_header(rows)
    if header is None:
        yield Problem(name, sheet, 0, "columns_changed")
        return
    for number, cells in enumerate(rows[header + 1 :], start=header + 2):
        row = {key: _clean(cells[place]) for key, place in places.items()}
        if not any(row[key] for key in _FILLED):
            if row["alert_id"]:
                yield None
            continue
        try:
            yield _answer(row, known, listed_on, returned_on, (name, sheet, number))
        except _UnusableError as error:
            yield Problem(name, sheet, number, str(error))


def _list_sheet(book: fastexcel.ExcelReader) -> str:
    for lang in LANGUAGES:
        if label("sheet.list", lang) in book.sheet_names:
            return label("sheet.list", lang)
    raise _UnusableError("not_a_list")


def _cells(book: fastexcel.ExcelReader, sheet: str) -> list[tuple[str | None, ...]]:
    """All cells as text from row 1 on; ``skip_rows=0`` keeps empty rows, so that row numbers stay true."""
    loaded = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
    return loaded.to_polars().rows()


def _listed_on(book: fastexcel.ExcelReader) -> date | None:
    """The day of the list, from the hidden sheet; None where somebody took that sheet out."""
    if MACHINE_SHEET not in book.sheet_names:
        return None
    told = {cells[0]: cells[1] for cells in _cells(book, MACHINE_SHEET) if len(cells) > 1}
    try:
        return date.fromisoformat(told.get("listed_on") or "")
    except ValueError:
        return None


def _find_header(rows: list[tuple[str | None, ...]]) -> tuple[int | None, dict[str, int]]:
    """The row of the headings and the place of each column, wherever somebody moved it; None where one is gone."""
    feed = load_feeds()[FEED]
    wanted = {key: {feed.column(key).header} for key in ANSWER_COLUMNS}
    wanted |= {key: {label(f"column.{key}", lang) for lang in LANGUAGES} for key in ("number", "check")}
    for line, cells in enumerate(rows):
        headings = [_clean(cell) for cell in cells]
        places = {
            key: next((place for place, heading in enumerate(headings) if heading in names), None)
            for key, names in wanted.items()
        }
        found = {key: place for key, place in places.items() if place is not None}
        if len(found) == len(wanted):
            return line, found
    return None, {}


def _answer(
    row: dict[str, str], known: frozenset[str], listed_on: date | None, returned_on: date, where: tuple[str, str, int]
) -> Answer:
    """Check one filled-in row; raises with the first reason for which it is not usable."""
    _check_identity(row, known)
    visited_on = _visited_on(row["visited_on"], listed_on, returned_on)
    if not row["visitor"]:
        raise _UnusableError("visitor_missing")
    if not row["outcome"]:
        raise _UnusableError("outcome_missing")
    return Answer(
        row["alert_id"],
        visited_on,
        row["visitor"],
        _choice("outcome", row["outcome"]),
        _choice("programme", row["programme"]) if row["programme"] else "",
        mask_text(row["note"]),
        *where,
    )


def _check_identity(row: dict[str, str], known: frozenset[str]) -> None:
    if not row["alert_id"] and not row["check"]:
        raise _UnusableError("row_added")
    if row["alert_id"] not in known:
        raise _UnusableError("alert_unknown")
    number = row["number"].removesuffix(".0")
    if not number.isdecimal() or row["check"] != row_check(row["alert_id"], int(number)):
        raise _UnusableError("row_mixed")


def _visited_on(text: str, listed_on: date | None, returned_on: date) -> date:
    if not text:
        raise _UnusableError("date_missing")
    visited_on = _parse_date(text)
    if listed_on and visited_on < listed_on:
        raise _UnusableError("date_before_list")
    if visited_on > returned_on:
        raise _UnusableError("date_in_future")
    return visited_on


def _parse_date(text: str) -> date:
    """A date cell (as its text), a typed date with any separators, eight digits, or a spreadsheet's serial number."""
    plain = text.translate(_FULL_WIDTH).removesuffix(".0")
    try:
        if plain.isdecimal() and int(plain) < _FIRST_PLAIN_DATE:
            return _SPREADSHEET_EPOCH + timedelta(days=int(plain))
        if plain.isdecimal():
            return datetime.strptime(plain, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
        year, month, day = (int(part) for part in _DATE.fullmatch(plain).groups())  # type: ignore[union-attr]
        return date(year, month, day)
    except (ValueError, OverflowError, AttributeError):
        raise _UnusableError("date_invalid") from None


def _choice(table: str, text: str) -> str:
    """The code of a choice given as the drop-down gives it, as the code alone or as the label alone."""
    plain = text.translate(_FULL_WIDTH).removesuffix(".0")
    for code, names in load_code_tables()[table].labels.items():
        forms = {code, names.zh, names.en, f"{code} {names.zh}", f"{code} {names.en}", f"{code}{names.zh}"}
        if plain in forms:
            return code
    raise _UnusableError(f"{table}_unknown")


def _latest_answers(answers: list[Answer]) -> tuple[list[Answer], list[Problem]]:
    """One answer per alert and month of visit: the latest visit; the same answer sent twice is no problem."""
    kept: dict[tuple[str, str], Answer] = {}
    problems = []
    for answer in sorted(answers, key=lambda item: (item.visited_on, item.file, item.row)):
        key = (answer.alert_id, f"{answer.visited_on:%Y-%m}")
        earlier = kept.get(key)
        if earlier and (earlier.outcome, earlier.visited_on) != (answer.outcome, answer.visited_on):
            problems.append(Problem(earlier.file, earlier.sheet, earlier.row, "answered_again"))
        kept[key] = answer
    return sorted(kept.values(), key=lambda item: (item.visited_on, item.alert_id)), problems


def _clean(cell: str | None) -> str:
    return (cell or "").replace("\u3000", " ").replace("\u200b", "").strip().lstrip("'").strip()
