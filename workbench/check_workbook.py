"""The workbook of a batch of means checks: overview, components, contradictions, and what was refused.

Belongs here: sheets and columns. Does not belong here: the answers (``check_answers``), their words (``check_words``).
ID numbers are masked, as in every sheet a person reads; they are text cells, so that no spreadsheet makes them numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models.labels import label
from models.masking import mask_id
from workbench.check_answers import code_title, column_title, feed_title, refusal_texts
from workbench.check_words import (
    Answer,
    area_text,
    contradiction_text,
    layer_text,
    member_text,
    month_word,
    property_text,
    reason_text,
    register_text,
    row_text,
    side_text,
    verdict_text,
    word,
)
from workbench.sheets import Book, row_height

TITLE_ROW, COUNT_ROW, NOTE_ROW, HEADER_ROW = range(4)
FIRST_ROW = HEADER_ROW + 1
_LEAST_HEIGHT = 20

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One column of a sheet: its heading, its width in characters, and what stands in it for a row."""

    key: str
    width: float
    value: Callable[[Row, str], Any]
    style: str = "text"


def _applicant(row: Row, lang: str) -> str:
    del lang
    return next((member_text(member) for member in row["member"] if member["is_applicant"]), "")


def _applicant_id(row: Row, lang: str) -> str:
    del lang
    return next((mask_id(member["id_number"] or "") for member in row["member"] if member["is_applicant"]), "")


def _answered(text: Callable[[Answer, str], Any]) -> Callable[[Row, str], Any]:
    """Of a refused request the cell stays empty."""
    return lambda row, lang: text(row, lang) if row["status"] == "answered" else ""


def _plain(name: str) -> Callable[[Row, str], Any]:
    return lambda row, _: row[name]


def _asked_layer(row: Row, lang: str) -> str:
    return register_text(row["asked_layer"], lang) if row["asked_layer"] else ""


def _missing(row: Row, lang: str) -> str:
    gone = [feed_title(source["feed"], lang) for source in row["source"] if not source["is_covered"]]
    return ("、" if lang == "zh" else ", ").join(gone)


OVERVIEW = (
    Cell("request_no", 18, _plain("request_no")),
    Cell("status", 11, lambda row, lang: word(row["status"], lang)),
    Cell("requested_by", 22, _plain("requested_by")),
    Cell("requested_on", 12, _plain("requested_on"), "day"),
    Cell("purpose", 16, lambda row, lang: code_title("purpose", row["purpose"], lang)),
    Cell("applicant", 10, _applicant),
    Cell("id_number", 21, _applicant_id),
    Cell("place", 24, _answered(area_text)),
    Cell("member_count", 9, _plain("member_count"), "count"),
    Cell("counted", 9, _plain("counted_member_count"), "count"),
    Cell("register_layer", 14, _answered(lambda row, lang: register_text(row["register_layer"], lang))),
    Cell("asked_layer", 14, _asked_layer),
    Cell("rule_layer", 14, _answered(lambda row, lang: layer_text(row["rule_layer"], lang))),
    Cell("rule_reason", 34, _answered(reason_text)),
    Cell("income_pc", 12, lambda row, _: row["income_pc_yuan"] if row["is_income_known"] else None, "yuan"),
    Cell("line", 11, _plain("line_yuan"), "yuan"),
    Cell("amount_due", 12, _plain("amount_due_yuan"), "yuan"),
    Cell("property", 18, _answered(property_text)),
    Cell("contradiction_count", 9, _answered(lambda row, _: len(row["contradiction"])), "count"),
    Cell("missing", 24, _missing),
    Cell("verdict", 50, _answered(verdict_text)),
)
MEANS = (
    Cell("request_no", 18, _plain("request_no")),
    Cell("member", 10, lambda row, _: member_text(row)),
    Cell("id_number", 21, lambda row, _: mask_id(row["id_number"] or "")),
    Cell("kind", 16, lambda row, lang: label(f"means_kind.{row['kind']}", lang)),
    Cell("item", 16, lambda row, lang: label(f"means_item.{row['item']}", lang)),
    Cell("source", 20, lambda row, lang: feed_title(row["feed"], lang)),
    Cell("found_month", 12, lambda row, lang: month_word(row["found_month"], lang)),
    Cell("data_month", 12, lambda row, lang: month_word(row["data_month"], lang)),
    Cell("gross", 13, _plain("gross_yuan"), "yuan"),
    Cell("counted_amount", 13, _plain("counted_yuan"), "yuan"),
    Cell("remark", 24, lambda row, lang: label(f"means_reason.{row['reason']}", lang) if row["reason"] else ""),
    Cell("row", 42, lambda row, lang: row_text(row["delivery_id"], row["row_number"], lang)),
)
CONTRADICTION = (
    Cell("request_no", 18, _plain("request_no")),
    Cell("member", 10, lambda row, _: member_text(row)),
    Cell("id_number", 21, lambda row, _: mask_id(row["id_number"] or "")),
    Cell("contradiction", 34, contradiction_text),
    Cell("side_a", 34, lambda row, lang: side_text(row["source_a"], row["class_a"], lang)),
    Cell("row", 42, lambda row, lang: row_text(row["delivery_a"], row["row_a"], lang)),
    Cell("side_b", 34, lambda row, lang: side_text(row["source_b"], row["class_b"], lang)),
    Cell("row", 42, lambda row, lang: row_text(row["delivery_b"], row["row_b"], lang)),
    Cell("believed", 20, lambda row, lang: feed_title(row["source_used"], lang) if row["source_used"] else ""),
)
REFUSED = (
    Cell("request_no", 18, _plain("request_no")),
    Cell("requested_by", 22, _plain("requested_by")),
    Cell("requested_on", 12, _plain("requested_on"), "day"),
    Cell("file_row", 10, _plain("row_number"), "count"),
    Cell("column", 18, lambda row, lang: column_title(row["column"], lang) if row["column"] else ""),
    Cell("refusal", 44, _plain("text")),
    Cell("advice", 44, _plain("advice")),
)


def write_workbook(path: Path, answers: Sequence[Answer], month: date, lang: str) -> None:
    """Write the workbook for its reader alone; the same answers give the same bytes."""
    title = word("file.workbook", lang, month=f"{month:%Y%m}").replace("_", " ")
    refused = [answer for answer in answers if answer["status"] == "refused"]
    means = ({**row, "request_no": answer["request_no"]} for answer in answers for row in answer["means"])
    told = ({**row, "request_no": answer["request_no"]} for answer in answers for row in answer["contradiction"])
    with Book(path, title, month, private=True) as book:
        head = (title, _count_text(answers, refused, lang))
        _sheet(book, "overview", OVERVIEW, answers, head, lang)
        _sheet(book, "means", MEANS, means, head, lang)
        _sheet(book, "contradiction", CONTRADICTION, told, head, lang)
        _sheet(book, "refused", REFUSED, _refusal_rows(refused, lang), head, lang)


def _count_text(answers: Sequence[Answer], refused: Sequence[Answer], lang: str) -> str:
    numbers = {"total": len(answers), "answered": len(answers) - len(refused), "refused": len(refused)}
    return word("sheet.count", lang, **numbers)


def _refusal_rows(refused: Sequence[Answer], lang: str) -> Iterable[Row]:
    for answer in refused:
        texts = refusal_texts(answer["refusals"], lang)
        for item, (text, advice) in zip(answer["refusals"], texts, strict=True):
            yield {**answer, "row_number": item["row_number"], "column": item["column"], "text": text, "advice": advice}


def _sheet(book: Book, name: str, cells: Sequence[Cell], rows: Iterable[Row], head: tuple[str, str], lang: str) -> None:
    sheet = book.sheet(word(f"sheet.{name}", lang))
    last = min(len(cells), 8) - 1
    for line, (text, style) in enumerate(
        ((head[0], "title"), (head[1], "line"), (word("sheet.private", lang), "line"))
    ):
        sheet.merge_range(line, 0, line, last, text, book.style(style))
    sheet.set_row(TITLE_ROW, 28)
    sheet.set_row(HEADER_ROW, 34)
    for position, cell in enumerate(cells):
        sheet.set_column(position, position, cell.width)
        sheet.write_string(HEADER_ROW, position, word(f"field.{cell.key}", lang), book.style("header"))
    count = 0
    for count, row in enumerate(rows, start=1):
        _write_row(book, sheet, HEADER_ROW + count, cells, row, lang)
    sheet.freeze_panes(FIRST_ROW, 1)
    if count:
        sheet.autofilter(HEADER_ROW, 0, HEADER_ROW + count, len(cells) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER_ROW)


def _write_row(book: Book, sheet: Any, line: int, cells: Sequence[Cell], row: Row, lang: str) -> None:
    values = [cell.value(row, lang) for cell in cells]
    texts = [(str(value), cell.width) for cell, value in zip(cells, values, strict=True) if cell.style == "text"]
    sheet.set_row(line, row_height(texts, _LEAST_HEIGHT))
    for position, (cell, value) in enumerate(zip(cells, values, strict=True)):
        style = book.style(cell.style)
        if value is None or value == "":
            sheet.write_blank(line, position, None, style)
        elif cell.style == "day":
            sheet.write_datetime(line, position, value, style)
        elif cell.style == "text":
            sheet.write_string(line, position, str(value), style)
        else:
            sheet.write_number(line, position, value, style)
