"""One workbook per township: children in difficulty to visit next month, the gravest and most overdue first.

Belongs here: the rows and sheet of that workbook. Does not belong here: who is due and why (dbt,
``monitoring.child_state_month``).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import load_divisions
from models.labels import label
from models.policy import load_child_risk_reasons, load_parent_states
from workbench.person_list import PersonColumn, write_person_sheet
from workbench.rows import shown_people, township_or_unlocated, villages
from workbench.sheets import Book, month_text

COLUMNS = (
    PersonColumn("number", 6, "number"),
    PersonColumn("level", 9, "level"),
    PersonColumn("village", 15),
    PersonColumn("name", 10),
    PersonColumn("age", 6, "number"),
    PersonColumn("id_number", 22),
    PersonColumn("guardian", 15),
    PersonColumn("address", 24),
    PersonColumn("state", 16),
    PersonColumn("parents", 18),
    PersonColumn("reasons", 26),
    PersonColumn("difference", 16),
    PersonColumn("allowance", 12),
    PersonColumn("last_visit", 13),
    PersonColumn("due_month", 12),
    PersonColumn("frequency", 12),
    PersonColumn("visited_on", 13, "fill_date"),
    PersonColumn("visitor", 11, "fill"),
    PersonColumn("found", 26, "fill"),
)


def write_child_visits(
    children: pl.DataFrame,
    identities: pl.DataFrame,
    month: date,
    directory: Path,
    lang: str = "zh",
    *,
    listed_on: date,
    identified: bool,
) -> list[Path]:
    """Write one workbook for each township with a child to visit in the month after ``month``; returns their paths.

    ``children`` is ``monitoring.child_state_month``, ``identities`` has person_key, name, id_number, phone, address
    of children and guardians. The same arguments give the same bytes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    due = children.filter(pl.col("month") == month, "is_due_next_month")
    names = {place.short_code: place.name for place in load_divisions() if place.level == "township"}
    paths = []
    rows = child_rows(due, identities, lang, identified)
    for (code,), part in rows.partition_by("township_code", as_dict=True, maintain_order=True).items():
        name = names.get(str(code), label("list.unlocated", lang))
        stem = label("people_list.child_file", lang, month=f"{month:%Y%m}", code=code, name=name)
        paths.append(directory / f"{stem}.xlsx")
        title = label("people_list.child_title", lang, area=name, month=month_text(month, lang))
        overdue = part.filter(visit_status="overdue").height
        count = label("people_list.child_count", lang, total=part.height, overdue=overdue, day=listed_on)
        with Book(paths[-1], title, listed_on) as book:
            sheet = label("people_sheet.child", lang)
            write_person_sheet(book, sheet, title, count, COLUMNS, _worded(part, lang), lang)
    return paths


def child_rows(children: pl.DataFrame, identities: pl.DataFrame, lang: str, identified: bool) -> pl.DataFrame:
    """One row per child with its names and place, the gravest colour and the longest overdue first."""
    people = shown_people(identities, identified, lang)
    guardians = people.select(guardian_key="person_key", guardian_name="name", guardian_phone="phone")
    shown = (
        children.join(people, on="person_key", how="left")
        .join(guardians, on="guardian_key", how="left")
        .join(villages(), on="village_code", how="left")
        .with_columns(township_code=township_or_unlocated())
    )
    return shown.sort("risk_rank", "next_visit_month", "village_code", "person_key")


def _worded(rows: pl.DataFrame, lang: str) -> list[dict[str, Any]]:
    reasons = {item.reason: item.title_zh if lang == "zh" else item.title_en for item in load_child_risk_reasons()}
    states = {item.state: item.title_zh if lang == "zh" else item.title_en for item in load_parent_states()}
    return [_words_of(row, reasons, states, lang) for row in rows.iter_rows(named=True)]


def _words_of(row: dict[str, Any], reasons: dict[str, str], states: dict[str, str], lang: str) -> dict[str, Any]:
    parents = [
        f"{label(f'parent.{parent}', lang)} {states[row[f'{parent}_state']]}"
        for parent in ("father", "mother")
        if row[f"{parent}_state"]
    ]
    guardian = [text for text in (row["guardian_name"], row["guardian_phone"]) if text]
    return row | {
        "level_key": row["risk_level"],
        "level": label(f"level.{row['risk_level']}", lang),
        "age": row["age_years"],
        "guardian": "\n".join(guardian),
        "state": label(f"child_state.{row['state']}", lang),
        "parents": "\n".join(parents),
        "reasons": "\n".join(reasons[reason] for reason in row["reasons"]),
        "difference": label(f"child_difference.{row['difference']}", lang),
        "allowance": label(f"allowance_status.{row['payment_status']}", lang),
        "last_visit": str(row["last_visited_on"] or label("people_list.never", lang)),
        "due_month": month_text(row["next_visit_month"], lang),
        "frequency": label("people_list.months", lang, number=row["visit_interval_months"]),
    }
