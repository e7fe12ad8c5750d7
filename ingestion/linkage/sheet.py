"""The reviewer's sheet: proposals side by side with what was written, and a column to decide in.

Belongs here: the form of that file, out and back. Does not belong here: carrying the decisions out (``verdict``),
who may have it (``orchestration``).
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import xlsxwriter

from ingestion.atomic import write_for_owner
from models.contract import load_feeds
from models.labels import LANGUAGES, label

# Who decides reads from left to right: what is proposed, both sides, the decision; where it comes from stands last.
COLUMNS = (
    "proposal_id",
    "state",
    "pass",
    "confirmed_by",
    "against",
    "name_written",
    "number_written",
    "name",
    "id_number",
    "answer",
    "reason",
    "decided_by",
    "phone",
    "address",
    "other_name",
    "other_id_number",
    "other_phone",
    "other_address",
    "feed",
    "delivery_id",
    "row_number",
)
CHOICES = ("accepted", "rejected", "merge_first", "merge_second", "split")
READ_BACK = ("proposal_id", "answer", "reason", "decided_by")
_WIDE = ("pass", "confirmed_by", "against", "address", "other_address", "answer")
_NUMBERS = ("number_written", "id_number", "other_id_number")
_WIDTHS = {"proposal_id": 16, "delivery_id": 36, **dict.fromkeys(_WIDE, 26), **dict.fromkeys(_NUMBERS, 22)}
_WIDTH, _HEADER_ROW = 12, 1


class SheetError(ValueError):
    """A file that is no reviewer's sheet; says what is missing, never a value."""


def write_sheet(proposals: pl.DataFrame, target: Path, lang: str = "zh") -> int:
    """Write proposals as XLSX or CSV (by the suffix) that only its owner may read; how many."""
    rows = [_shown(row, lang) for row in proposals.iter_rows(named=True)]
    headings = [label(f"linkage.column.{name}", lang) for name in COLUMNS]
    is_workbook = target.suffix.lower() == ".xlsx"
    data = _workbook(rows, headings, lang) if is_workbook else _text(rows, headings)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_for_owner(data, target)
    return len(rows)


def read_sheet(path: Path) -> pl.DataFrame:
    """What came back: line (as a person sees it), proposal_id, answer (a code, or as written), reason, decided_by.

    Lines without a decision are left out. Raises ``SheetError`` where the columns are not those of the sheet.
    """
    cells = _workbook_cells(path) if path.suffix.lower() == ".xlsx" else _text_cells(path)
    headings = {label(f"linkage.column.{name}", lang): name for name in READ_BACK for lang in LANGUAGES}
    at = next((at for at, row in enumerate(cells) if headings.keys() & set(row)), None)
    places = {} if at is None else {headings[cell]: place for place, cell in enumerate(cells[at]) if cell in headings}
    if at is None or not {"proposal_id", "answer"} <= places.keys():
        raise SheetError("no reviewer's sheet: the columns 编号 and 决定 are not both there")
    rows = [
        [line, *(_cell(row, places.get(name)) for name in READ_BACK)]
        for line, row in enumerate(cells[at + 1 :], start=at + 2)
    ]
    answers = {label(f"linkage.answer.{code}", lang): code for code in CHOICES for lang in LANGUAGES}
    schema = {"line": pl.Int64(), **dict.fromkeys(READ_BACK, pl.String())}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.filter(pl.col("answer").is_not_null()).with_columns(pl.col("answer").replace(answers))


def _shown(row: dict[str, Any], lang: str) -> list[str]:
    words = {name: row[name] for name in COLUMNS if name in row}
    for name in ("confirmed_by", "against"):
        said = [label(f"linkage.word.{word}", lang) for word in str(row[name] or "").split(",") if word]
        words[name] = "、".join(said) if lang == "zh" else ", ".join(said)
    words["state"] = label(f"linkage.state.{row['state']}", lang)
    words["pass"] = label(f"linkage.pass.{row['pass']}", lang)
    feed = load_feeds().get(str(row["feed"]))
    words["feed"] = "" if feed is None else feed.title_zh if lang == "zh" else feed.title_en
    return ["" if words.get(name) is None else str(words[name]) for name in COLUMNS]


def _workbook(rows: list[list[str]], headings: list[str], lang: str) -> bytes:
    stream = io.BytesIO()
    # A cell that begins with = or http is what the department wrote, nothing to compute or to follow.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(stream, plain) as book:
        sheet = book.add_worksheet(label("linkage.sheet.name", lang))
        sheet.set_landscape()
        # On paper what is decided by; the rest is for the screen.
        sheet.print_area(0, 0, _HEADER_ROW + len(rows), COLUMNS.index("decided_by"))
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_HEADER_ROW)
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top", "border": 1})
        bold = book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#E7E6E6"})
        sheet.write_string(0, 0, label("linkage.sheet.hint", lang))
        for place, name in enumerate(COLUMNS):
            sheet.set_column(place, place, _WIDTHS.get(name, _WIDTH))
            sheet.write_string(_HEADER_ROW, place, headings[place], bold)
        for at, row in enumerate(rows, start=_HEADER_ROW + 1):
            for place, cell in enumerate(row):
                sheet.write_string(at, place, cell, text)
        sheet.freeze_panes(_HEADER_ROW + 1, 1)
        if rows:
            choices = [label(f"linkage.answer.{code}", lang) for code in CHOICES]
            at = COLUMNS.index("answer")
            rule = {
                "validate": "list",
                "source": choices,
                "error_message": label("linkage.refusal.answer_unknown", lang),
            }
            sheet.data_validation(_HEADER_ROW + 1, at, _HEADER_ROW + len(rows), at, rule)
            sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + len(rows), len(COLUMNS) - 1)
    return stream.getvalue()


def _text(rows: list[list[str]], headings: list[str]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([headings, *rows])
    return stream.getvalue().encode("utf-8-sig")


def _workbook_cells(path: Path) -> list[list[str]]:
    try:
        book = fastexcel.read_excel(path)
        frame = book.load_sheet(0, header_row=None, dtypes="string").to_polars()
    except fastexcel.FastExcelError:
        raise SheetError("the file is no workbook that can be read") from None
    return [["" if cell is None else str(cell).strip() for cell in row] for row in frame.iter_rows()]


def _text_cells(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), strict=True)]
    except (UnicodeDecodeError, csv.Error):
        raise SheetError("the file is no CSV in UTF-8") from None


def _cell(row: list[str], place: int | None) -> str | None:
    return (row[place] or None) if place is not None and place < len(row) else None
