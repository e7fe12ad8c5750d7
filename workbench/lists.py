"""One workbook per township and month: whom to visit, why and until when, with room for what was found.

Belongs here: the sheets of that workbook. Does not belong here: the words of a row (``rows``), the instructions
sheet (``instructions``) and reading the workbook back (``returns``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import load_code_tables, load_divisions
from models.contract import load_feeds
from models.labels import label
from models.policy.catalogue import LEVELS
from workbench.ended import ended_rows, write_ended
from workbench.instructions import CHOICE_ROWS, write_instructions
from workbench.rows import UNLOCATED, list_rows, township_or_unlocated
from workbench.sheets import Book, month_text, row_height
from workbench.tokens import MACHINE_SHEET, row_check

TITLE_ROW, COUNT_ROW, NOTE_ROW, HEADER_ROW = range(4)
FIRST_ROW = HEADER_ROW + 1
# Columns that stay in sight while scrolling sideways: number, level, kind, village, name.
FROZEN_COLUMNS = 5
LONGEST_ANSWER_DAYS = 730


@dataclass(frozen=True)
class ListColumn:
    """One column of the list: what it shows, how wide it is in characters, and who fills it."""

    key: str
    width: float
    style: str = "text"
    feed_column: str | None = None

    def header(self, lang: str) -> str:
        """The heading; columns that come back carry the Chinese header of their feed whatever the language."""
        if self.feed_column:
            return load_feeds()["visit_outcome"].column(self.feed_column).header
        return label(f"column.{self.key}", lang)


@dataclass(frozen=True)
class Beside:
    """What a list shows beside its alerts: published tables, of which the rows of the month count.

    ``entitlements`` is ``alert_entitlement``, ``ended`` is ``alert_end``, ``loads`` is ``village_load``.
    """

    entitlements: pl.DataFrame
    ended: pl.DataFrame
    loads: pl.DataFrame


@dataclass(frozen=True)
class Aside:
    """Of one township: alerts that need no visit any more, and how many wait for the next month."""

    ended: list[dict[str, Any]]
    put_off: int


COLUMNS = (
    ListColumn("number", 6, "number"),
    ListColumn("level", 10, "level"),
    ListColumn("side", 10),
    ListColumn("village", 16),
    ListColumn("household", 11),
    ListColumn("concerned", 11),
    ListColumn("id_number", 22),
    ListColumn("phone", 15),
    ListColumn("address", 28),
    ListColumn("layer", 14),
    ListColumn("reason", 46),
    ListColumn("proposal", 44),
    ListColumn("verify", 30),
    ListColumn("due_on", 13, "date"),
    ListColumn("visited_on", 13, "fill_date", "visited_on"),
    ListColumn("visitor", 11, "fill", "visitor"),
    ListColumn("outcome", 26, "fill", "outcome"),
    ListColumn("programme", 20, "fill", "programme"),
    ListColumn("note", 30, "fill", "note"),
    ListColumn("alert_id", 20, "text", "alert_id"),
    ListColumn("check", 8),
)
HIDDEN = ("alert_id", "check")
PRINT_COLUMNS = (
    ListColumn("number", 5, "number"),
    ListColumn("level", 8, "level"),
    ListColumn("village", 10),
    ListColumn("household", 15),
    ListColumn("address", 17),
    ListColumn("reason", 36),
    ListColumn("proposal", 22),
    ListColumn("verify", 22),
    ListColumn("due_on", 12, "date"),
    ListColumn("written_outcome", 8, "blank"),
    ListColumn("written_visit", 12, "blank"),
)


def write_township_lists(
    alerts: pl.DataFrame,
    identities: pl.DataFrame,
    hits: pl.DataFrame,
    month: date,
    directory: Path,
    lang: str = "zh",
    *,
    beside: Beside,
    listed_on: date,
    identified: bool,
) -> list[Path]:
    """Write one workbook for each township of the city, also for one without an alert; returns their paths.

    Frames as in ``rows.list_rows``; only alerts of ``month`` are listed. ``listed_on`` is the day of the list,
    before which no visit can answer it. The same arguments give the same bytes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    month = month.replace(day=1)
    of_month = pl.col("month") == month
    alerts = alerts.filter(of_month)
    rows = list_rows(alerts, identities, hits.filter(of_month), beside.entitlements, lang, identified)
    by_township = rows.partition_by("township_code", as_dict=True, maintain_order=True)
    ended = ended_rows(beside.ended, alerts, identities, month, lang, identified)
    put_off = _put_off(beside.loads.filter(of_month))
    townships = {place.short_code: place.name for place in load_divisions() if place.level == "township"}
    if (UNLOCATED,) in by_township or UNLOCATED in ended["township_code"]:
        townships[UNLOCATED] = label("list.unlocated", lang)
    paths = []
    for code, name in townships.items():
        stem = label("list.file", lang, month=f"{month:%Y%m}", code=code, name=name)
        path = directory / f"{stem}.xlsx"
        aside = Aside(ended.filter(pl.col("township_code") == code).to_dicts(), put_off.get(code, 0))
        _write_list(path, by_township.get((code,), rows.clear()), aside, code, name, month, lang, listed_on)
        paths.append(path)
    return paths


def _put_off(loads: pl.DataFrame) -> dict[str, int]:
    """Alerts that wait for the next month, by township."""
    counts = loads.with_columns(township_code=township_or_unlocated()).group_by("township_code")
    return dict(counts.agg(pl.col("put_off_count").sum()).iter_rows())


def _write_list(
    path: Path, rows: pl.DataFrame, aside: Aside, code: str, name: str, month: date, lang: str, listed_on: date
) -> None:
    title = label("list.title", lang, month=month_text(month, lang), area=name)
    numbered = _numbered(rows)
    with Book(path, title, listed_on) as book:
        _write_list_sheet(book, numbered, aside, title, lang, listed_on)
        _write_print_sheet(book, numbered, aside, title, lang, listed_on)
        write_ended(book, aside.ended, title, lang)
        write_instructions(book, lang)
        machine = book.sheet(MACHINE_SHEET)
        for row, item in enumerate((("month", f"{month:%Y-%m}"), ("township", code), ("listed_on", str(listed_on)))):
            machine.write_row(row, 0, item)
        machine.very_hidden()


def _numbered(rows: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {**row, "number": number, "check": row_check(row["alert_id"], number)}
        for number, row in enumerate(rows.iter_rows(named=True), start=1)
    ]


def _write_list_sheet(
    book: Book, rows: list[dict[str, Any]], aside: Aside, title: str, lang: str, listed_on: date
) -> None:
    sheet = book.sheet(label("sheet.list", lang))
    _write_head(book, sheet, COLUMNS, rows, aside, title, lang, listed_on)
    for position, column in enumerate(COLUMNS):
        sheet.set_column(position, position, column.width, None, {"hidden": column.key in HIDDEN})
    for offset, row in enumerate(rows):
        _write_row(book, sheet, FIRST_ROW + offset, COLUMNS, row, _texts(row), 30)
    sheet.freeze_panes(FIRST_ROW, FROZEN_COLUMNS)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)
    if rows:
        last = FIRST_ROW + len(rows) - 1
        sheet.autofilter(HEADER_ROW, 0, last, len(COLUMNS) - len(HIDDEN) - 1)
        _add_choices(sheet, last, lang, listed_on)
    # Without a password: it keeps the machine columns from slips of the hand, not from anybody's will.
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})


def _add_choices(sheet: Any, last: int, lang: str, listed_on: date) -> None:
    position = {column.key: place for place, column in enumerate(COLUMNS)}
    instructions = label("sheet.instructions", lang)
    for table, key in (("outcome", "outcome"), ("programme", "programme")):
        first_choice, last_choice = CHOICE_ROWS[table]
        source = f"='{instructions}'!$B${first_choice + 1}:$B${last_choice + 1}"
        message = label(f"list.wrong_{table}", lang)
        sheet.data_validation(
            FIRST_ROW, position[key], last, position[key],
            {"validate": "list", "source": source, "error_message": message},
        )  # fmt: skip
    sheet.data_validation(
        FIRST_ROW, position["visited_on"], last, position["visited_on"],
        {
            "validate": "date",
            # The end is there because 20240410 typed as a number is a day too, some fifty thousand years ahead.
            "criteria": "between",
            "minimum": listed_on,
            "maximum": listed_on + timedelta(days=LONGEST_ANSWER_DAYS),
            "input_message": label("list.wrong_date", lang),
            "error_message": label("list.wrong_date", lang),
        },
    )  # fmt: skip


def _write_print_sheet(
    book: Book, rows: list[dict[str, Any]], aside: Aside, title: str, lang: str, listed_on: date
) -> None:
    sheet = book.sheet(label("sheet.print", lang))
    _write_head(book, sheet, PRINT_COLUMNS, rows, aside, title, lang, listed_on)
    for position, column in enumerate(PRINT_COLUMNS):
        sheet.set_column(position, position, column.width)
    for offset, row in enumerate(rows):
        texts = _texts(row)
        texts["household"] += f"\n{texts['phone']}\n{texts['layer']}"
        # On paper there is no room for why; what to find out is beside it.
        texts["proposal"] = row["proposal_short"]
        texts["level"] += "\n" + label(f"list.{row['side']}_short", lang)
        _write_row(book, sheet, FIRST_ROW + offset, PRINT_COLUMNS, row, texts, 48)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(TITLE_ROW, HEADER_ROW)
    sheet.print_area(0, 0, FIRST_ROW + max(len(rows), 1) - 1, len(PRINT_COLUMNS) - 1)
    sheet.set_footer(f"&C{label('list.page', lang)}")


def _write_head(
    book: Book,
    sheet: Any,
    columns: tuple[ListColumn, ...],
    rows: list[dict[str, Any]],
    aside: Aside,
    title: str,
    lang: str,
    listed_on: date,
) -> None:
    """Title, how many, what to heed, and the headings; an empty list says so in place of the first row."""
    printed = columns is PRINT_COLUMNS
    last = len(columns) - 1 if printed else FROZEN_COLUMNS + 7
    sheet.merge_range(TITLE_ROW, 0, TITLE_ROW, last, title, book.style("title"))
    sheet.merge_range(COUNT_ROW, 0, COUNT_ROW, last, _count_text(rows, aside, lang, listed_on), book.style("line"))
    note = _codes_text(lang) if printed else label("list.fill", lang) + label("list.private", lang)
    sheet.merge_range(NOTE_ROW, 0, NOTE_ROW, last, note, book.style("line"))
    sheet.set_row(TITLE_ROW, 28)
    sheet.set_row(COUNT_ROW, 20)
    sheet.set_row(NOTE_ROW, 36 if printed else 20)
    sheet.set_row(HEADER_ROW, 34)
    for position, column in enumerate(columns):
        sheet.write_string(HEADER_ROW, position, column.header(lang), book.style("header"))
    if not rows:
        sheet.merge_range(FIRST_ROW, 0, FIRST_ROW, last, label("list.empty", lang), book.style("empty"))
        sheet.set_row(FIRST_ROW, 48)


def _count_text(rows: list[dict[str, Any]], aside: Aside, lang: str, listed_on: date) -> str:
    counts = [
        label("list.level_count", lang, level=label(f"level.{level}", lang), number=number)
        for level in LEVELS
        if (number := sum(row["level"] == level for row in rows))
    ]
    joiner = "、" if lang == "zh" else ", "
    levels = joiner.join(counts) or label("list.level_count", lang, level=label("level.red", lang), number=0)
    text = label("list.count", lang, total=len(rows), levels=levels, day=listed_on)
    if aside.put_off:
        text += label("list.put_off", lang, number=aside.put_off)
    if aside.ended:
        text += label("list.ended_count", lang, number=len(aside.ended), sheet=label("sheet.ended", lang))
    return text


def _codes_text(lang: str) -> str:
    labels = load_code_tables()["outcome"].labels
    codes = "　".join(f"{code} {text.zh if lang == 'zh' else text.en}" for code, text in labels.items())
    return label("list.outcome_codes", lang, codes=codes)


def _texts(row: dict[str, Any]) -> dict[str, str]:
    plain = ("village", "household", "concerned", "id_number", "phone", "address", "reason", "proposal", "verify")
    worded = {key: row[f"{key}_text"] for key in ("level", "side", "layer")}
    return worded | {key: row[key] for key in (*plain, "alert_id", "check")}


def _write_row(
    book: Book,
    sheet: Any,
    line: int,
    columns: tuple[ListColumn, ...],
    row: dict[str, Any],
    texts: dict[str, str],
    least: float,
) -> None:
    """Write one row; everything but number and due day is a text cell, so that no spreadsheet reads it as a number."""
    sheet.set_row(line, row_height([(texts.get(column.key, ""), column.width) for column in columns], least))
    for position, column in enumerate(columns):
        style = book.style(f"level_{row['level']}" if column.style == "level" else column.style)
        if column.style == "number":
            sheet.write_number(line, position, row["number"], style)
        elif column.style == "date":
            sheet.write_datetime(line, position, row["due_on"], style)
        elif texts.get(column.key):
            sheet.write_string(line, position, texts[column.key], style)
        else:
            sheet.write_blank(line, position, None, style)
