"""Money to recover: one workbook per township that has any, with who got what for which months and why it was not due.

Belongs here: the sheets of that list and the totals by township. Does not belong here: what is overpaid (dbt). Whether
it is recovered is for people to decide; where a review must come first the list says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import code_label, load_code_tables, load_divisions
from models.labels import label
from models.masking import masked_id, masked_name
from workbench.rows import township_or_unlocated
from workbench.sheets import Book, month_text

HEADER_ROW = 3
_SUMS = ("person_count", "firm_yuan", "review_yuan", "overpaid_yuan")
# Rows of deliveries shown of one month's amount; the table has them all.
SHOWN_ROWS = 6


@dataclass(frozen=True)
class Column:
    """One column: its key, width in characters and style."""

    key: str
    width: float
    style: str = "text"


COLUMNS = (
    Column("number", 6, "number"),
    Column("village", 16),
    Column("person", 11),
    Column("person_id", 22),
    Column("payee", 11),
    Column("payee_id", 22),
    Column("rule", 8, "number"),
    Column("why", 18),
    Column("event_on", 13, "day"),
    Column("stop_month", 12, "number"),
    Column("benefits", 18),
    Column("months", 19, "number"),
    Column("month_count", 8, "count"),
    Column("amount", 16, "yuan"),
    Column("state", 16),
    Column("recovered", 16, "fill"),
    Column("note", 22, "fill"),
)
MONTH_COLUMNS = (
    Column("number", 6, "number"),
    Column("person", 11),
    Column("payee", 11),
    Column("rule", 8, "number"),
    Column("benefit", 18),
    Column("benefit_month", 12, "number"),
    Column("paid", 14, "yuan"),
    Column("heads", 8, "count"),
    Column("amount", 16, "yuan"),
    Column("source", 60),
)


def write_recovery_lists(
    overpaid: pl.DataFrame,
    months: pl.DataFrame,
    identities: pl.DataFrame,
    month: date,
    directory: Path,
    lang: str = "zh",
    *,
    listed_on: date,
    identified: bool,
) -> list[Path]:
    """Write one workbook for each township in which money was overpaid, as known in ``month``; returns their paths.

    ``overpaid`` has the columns of the table ``overpayment``, ``months`` those of ``overpayment_month``,
    ``identities`` person_key, name, id_number. ID numbers are masked always, names without ``identified``. The same
    arguments give the same bytes.
    """
    known = overpaid.filter(pl.col("month") == month).with_columns(township_code=township_or_unlocated())
    if known.is_empty():
        return []
    directory.mkdir(parents=True, exist_ok=True)
    people = _people(identities, identified, lang)
    rows = _rows(known, people, lang)
    details = _month_rows(months.filter(pl.col("known_from") <= month, pl.col("known_to") > month), people, lang)
    names = {place.short_code: place.name for place in load_divisions() if place.level == "township"}
    paths = []
    for (code,), listed in rows.partition_by("township_code", as_dict=True, maintain_order=True).items():
        name = names.get(str(code), label("list.unlocated", lang))
        stem = label("recovery.file", lang, month=f"{month:%Y%m}", code=code, name=name)
        title = label("recovery.title", lang, month=month_text(month, lang), area=name)
        paths.append(directory / f"{stem}.xlsx")
        _write(paths[-1], listed, details, title, lang, listed_on)
    return paths


def overpaid_by_township(overpaid: pl.DataFrame, month: date) -> pl.DataFrame:
    """One row per township with overpaid money as known in ``month``: firm_yuan, review_yuan, overpaid_yuan."""
    yuan, review = pl.col("overpaid_yuan"), pl.col("is_review_needed")
    known = overpaid.filter(pl.col("month") == month).with_columns(township_code=township_or_unlocated())
    return (
        known.group_by("township_code")
        .agg(
            person_count=pl.col("person_key").n_unique().cast(pl.Int64),
            firm_yuan=yuan.filter(~review).sum(),
            review_yuan=yuan.filter(review).sum(),
            overpaid_yuan=yuan.sum(),
        )
        .sort("township_code")
    )


def write_overpaid_sheet(book: Book, overpaid: pl.DataFrame, month: date, title: str, lang: str) -> None:
    """Add a sheet to the city's summary: overpaid money by township, and their sum."""
    sheet = book.sheet(label("recovery.township_sheet", lang))
    totals = overpaid_by_township(overpaid, month)
    names = {place.short_code: place.name for place in load_divisions() if place.level == "township"}
    sheet.merge_range(0, 0, 0, len(_SUMS), title, book.style("title"))
    headers = [label("summary.township", lang), *(label(f"recovery.column.{name}", lang) for name in _SUMS)]
    for position, header in enumerate(headers):
        sheet.write_string(2, position, header, book.style("header"))
        sheet.set_column(position, position, 20)
    for line, row in enumerate(totals.iter_rows(named=True), start=3):
        name = names.get(row["township_code"], label("list.unlocated", lang))
        sheet.write_string(line, 0, name, book.style("text"))
        for position, column in enumerate(_SUMS, start=1):
            sheet.write_number(line, position, float(row[column]), book.style("yuan" if position > 1 else "count"))
    sheet.write_string(totals.height + 3, 0, label("recovery.total", lang), book.style("total"))
    for position, column in enumerate(_SUMS, start=1):
        style = "total_yuan" if position > 1 else "total"
        sheet.write_number(totals.height + 3, position, float(totals[column].sum() or 0), book.style(style))


def _people(identities: pl.DataFrame, identified: bool, lang: str) -> pl.DataFrame:
    unknown = pl.lit(label("list.unknown", lang))
    name = pl.col("name") if identified else masked_name(pl.col("name"))
    return identities.unique("person_key").select(
        "person_key", name=name.fill_null(unknown), id_number=masked_id(pl.col("id_number")).fill_null(unknown)
    )


def _with_people(frame: pl.DataFrame, people: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Add person, person_id, payee and payee_id."""
    for column, name in (("person_key", "person"), ("payee_key", "payee")):
        known = people.select(pl.col("person_key").alias(column), pl.col("name").alias(name),
                              pl.col("id_number").alias(f"{name}_id"))  # fmt: skip
        frame = frame.join(known, on=column, how="left")
    unknown = pl.lit(label("list.unknown", lang))
    return frame.with_columns(pl.col("person", "person_id", "payee", "payee_id").fill_null(unknown))


def _rows(known: pl.DataFrame, people: pl.DataFrame, lang: str) -> pl.DataFrame:
    villages = {place.code: place.name for place in load_divisions() if place.level == "village"}
    texts = {code: code_label("benefit", code, lang) for code in load_code_tables()["benefit"].labels}
    events = {event: label(f"chain.event.{event}", lang) for event in known["event"].unique().sort()}
    how = {review: label(f"recovery.{'after_review' if review else 'firm'}", lang) for review in (True, False)}
    first, last = (pl.col(f"{end}_benefit_month").dt.strftime("%Y-%m") for end in ("first", "last"))
    return (
        _with_people(known, people, lang)
        .with_columns(
            village=pl.col("village_code").replace_strict(villages, default="", return_dtype=pl.String),
            why=pl.col("event").replace_strict(events, return_dtype=pl.String),
            benefits=pl.col("benefits").str.split(",").list.eval(pl.element().replace(texts)).list.join("、"),
            months=pl.when(first == last).then(first).otherwise(pl.format("{} – {}", first, last)),
            stop_month=pl.col("stop_month").dt.strftime("%Y-%m"),
            state=pl.col("is_review_needed").replace_strict(how, return_dtype=pl.String),
        )
        .rename({"indicator": "rule", "benefit_month_count": "month_count", "overpaid_yuan": "amount"})
        # What facts decide comes before what people have to decide first; then village by village.
        .sort("township_code", "is_review_needed", "village_code", "rule", "person_key", "payee_key", nulls_last=True)
        .with_columns(number=pl.int_range(1, pl.len() + 1).over("township_code"))
    )


def _month_rows(months: pl.DataFrame, people: pl.DataFrame, lang: str) -> pl.DataFrame:
    texts = {code: code_label("benefit", code, lang) for code in load_code_tables()["benefit"].labels}
    piece = pl.format(
        "{} #{}", pl.element().struct.field("delivery_id"), pl.element().struct.field("row_number").cast(pl.String)
    )
    return (
        _with_people(months, people, lang)
        .with_columns(
            source=pl.col("evidence").list.head(SHOWN_ROWS).list.eval(piece).list.join("\n"),
            benefit=pl.col("benefit").replace_strict(texts, return_dtype=pl.String),
            month_text=pl.col("benefit_month").dt.strftime("%Y-%m"),
        )
        .rename({"indicator": "rule", "paid_yuan": "paid", "head_count": "heads", "overpaid_yuan": "amount"})
        .sort("rule", "person_key", "payee_key", "benefit_month", "benefit")
        .drop("benefit_month")
        .rename({"month_text": "benefit_month"})
    )


def _write(path: Path, rows: pl.DataFrame, details: pl.DataFrame, title: str, lang: str, listed_on: date) -> None:
    keys = ["person_key", "payee_key", "rule"]
    mine = details.join(rows.select(*keys, "number"), on=keys, how="inner", maintain_order="left")
    with Book(path, title, listed_on) as book:
        _write_sheet(book, "sheet", COLUMNS, rows, title, lang, listed_on)
        ordered = mine.sort("number", "benefit_month", "benefit")
        _write_sheet(book, "months_sheet", MONTH_COLUMNS, ordered, title, lang, listed_on)


def _write_sheet(
    book: Book, name: str, columns: tuple[Column, ...], rows: pl.DataFrame, title: str, lang: str, listed_on: date
) -> None:
    sheet = book.sheet(label(f"recovery.{name}", lang))
    last = len(columns) - 1
    notes = (title, label("recovery.note", lang, day=listed_on), label("recovery.private", lang))
    for line, (text, style, height) in enumerate(zip(notes, ("title", "line", "line"), (28, 36, 20), strict=True)):
        sheet.merge_range(line, 0, line, last, text, book.style(style))
        sheet.set_row(line, height)
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width)
        sheet.write_string(HEADER_ROW, position, label(f"recovery.column.{column.key}", lang), book.style("header"))
    for line, row in enumerate(rows.iter_rows(named=True), start=HEADER_ROW + 1):
        for position, column in enumerate(columns):
            _write_cell(book, sheet, line, position, column, row.get(column.key))
    _write_total(book, sheet, HEADER_ROW + 1 + rows.height, columns, rows["amount"].sum(), lang)
    sheet.freeze_panes(HEADER_ROW + 1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)
    sheet.set_footer(f"&C{label('list.page', lang)}")


def _write_cell(book: Book, sheet: Any, line: int, position: int, column: Column, value: Any) -> None:
    style = book.style(column.style)
    if value is None:
        sheet.write_blank(line, position, None, style)
    elif isinstance(value, date):
        sheet.write_datetime(line, position, value, style)
    elif isinstance(value, int | Decimal):
        sheet.write_number(line, position, float(value), style)
    else:
        sheet.write_string(line, position, str(value), style)


def _write_total(book: Book, sheet: Any, line: int, columns: tuple[Column, ...], amount: Any, lang: str) -> None:
    for position, column in enumerate(columns):
        if column.key == "amount":
            sheet.write_number(line, position, float(amount or 0), book.style("total_yuan"))
        else:
            text = label("recovery.total", lang) if position == 0 else ""
            sheet.write_string(line, position, text, book.style("total"))
