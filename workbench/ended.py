"""Alerts of earlier lists that need no visit any more: withdrawn, merged, or without a reason.

Belongs here: choosing and wording them, and their sheet. Does not belong here: why an alert ended (dbt).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from models.labels import label
from models.policy import load_indicators
from models.policy.catalogue import LEVELS
from workbench.rows import shown_people, township_or_unlocated, villages
from workbench.sheets import Book, month_text, row_height

_WIDTHS = {"number": 6, "level": 10, "village": 16, "household": 16, "list_month": 12, "was_reason": 42, "ended": 40}
HEADER_ROW = 2


def ended_rows(
    ended: pl.DataFrame, alerts: pl.DataFrame, identities: pl.DataFrame, month: date, lang: str, identified: bool
) -> pl.DataFrame:
    """One row per alert that the list of ``month`` has to take back, all columns text; ``ended`` is ``alert_end``.

    Only what somebody may be about to visit: it was on a list, and nobody has answered it. A household that stands
    among ``alerts``, the list of the month, is visited all the same, so it is not among them.
    """
    mine = ended.filter(pl.col("told_month") == month, "was_listed", ~pl.col("is_answered"))
    mine = mine.join(alerts, on="household_id", how="anti")
    newest = mine.sort("month").unique("alert_id", keep="last", maintain_order=True)
    people = shown_people(identities, identified, lang).select(reference_person_key="person_key", household="name")
    placed = (
        newest.join(people, on="reference_person_key", how="left")
        .join(villages().select("village_code", "village"), on="village_code", how="left")
        .with_columns(township_code=township_or_unlocated())
        .sort(pl.col("village").fill_null(""), "alert_id")
    )
    texts = [_texts(row, lang) for row in placed.to_dicts()]
    schema = dict.fromkeys((*_WIDTHS, "level_key", "township_code"), pl.String) | {"number": pl.Int64}
    return pl.DataFrame(texts, schema=schema)


def _texts(row: dict[str, Any], lang: str) -> dict[str, Any]:
    titles = [load_indicators()[reason] for reason in row["reasons"]]
    joiner = "、" if lang == "zh" else ", "
    state = label(f"alert_event.{row['event']}", lang)
    if row["event"] == "merge" and row["into_alert_id"]:
        state = label("list.merged_into", lang, state=state, alert=row["into_alert_id"])
    return {
        "number": None,
        "level": label(f"level.{row['level']}", lang) if row["level"] in LEVELS else "",
        "level_key": row["level"],
        "village": row["village"] or "",
        "household": row["household"] or label("list.unknown", lang),
        "list_month": month_text(row["list_month"], lang),
        "was_reason": joiner.join(item.title_zh if lang == "zh" else item.title_en for item in titles),
        "ended": state,
        "township_code": row["township_code"],
    }


def write_ended(book: Book, rows: list[dict[str, Any]], title: str, lang: str) -> None:
    """The sheet; with nobody on it, it says so."""
    sheet = book.sheet(label("sheet.ended", lang))
    last = len(_WIDTHS) - 1
    sheet.merge_range(0, 0, 0, last, title, book.style("title"))
    note = label("list.ended_note" if rows else "list.ended_none", lang)
    sheet.merge_range(1, 0, 1, last, note, book.style("line"))
    sheet.set_row(0, 28)
    sheet.set_row(1, 22)
    for position, (key, width) in enumerate(_WIDTHS.items()):
        sheet.set_column(position, position, width)
        if rows:
            sheet.write_string(HEADER_ROW, position, label(f"column.{key}", lang), book.style("header"))
    for number, row in enumerate(rows, start=1):
        line = HEADER_ROW + number
        sheet.set_row(line, row_height([(row[key] or "", width) for key, width in list(_WIDTHS.items())[1:]], 24))
        sheet.write_number(line, 0, number, book.style("number"))
        for position, key in enumerate(list(_WIDTHS)[1:], start=1):
            style = f"level_{row['level_key']}" if key == "level" else "text"
            sheet.write_string(line, position, row[key], book.style(style))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, HEADER_ROW)
