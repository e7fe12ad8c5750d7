"""One workbook per township: old people in special need to visit, those perhaps to register, those to remove.

Belongs here: the rows and sheets of that workbook. Does not belong here: who is due (dbt,
``monitoring.elder_visit_month``).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import code_label, load_divisions
from models.labels import label
from workbench.person_list import PersonColumn, write_person_sheet
from workbench.rows import shown_people, township_or_unlocated, villages
from workbench.sheets import Book, month_text

_WHO = (
    PersonColumn("number", 6, "number"),
    PersonColumn("village", 16),
    PersonColumn("name", 11),
    PersonColumn("age", 7, "number"),
    PersonColumn("id_number", 22),
    PersonColumn("phone", 15),
    PersonColumn("address", 28),
)
_FILL = (
    PersonColumn("visited_on", 13, "fill_date"),
    PersonColumn("visitor", 11, "fill"),
    PersonColumn("found", 30, "fill"),
)
_LAST = (PersonColumn("last_visit", 13), PersonColumn("days", 10, "number"))
DUE_COLUMNS = (*_WHO, PersonColumn("category", 18), PersonColumn("ability", 11), *_LAST, *_FILL)
CANDIDATE_COLUMNS = (*_WHO, PersonColumn("derived", 20), *_FILL)
REMOVAL_COLUMNS = (
    *_WHO,
    PersonColumn("category", 18),
    PersonColumn("why_remove", 16),
    PersonColumn("found", 30, "fill"),
)


def write_elder_visits(
    elders: pl.DataFrame,
    identities: pl.DataFrame,
    month: date,
    directory: Path,
    lang: str = "zh",
    *,
    listed_on: date,
    identified: bool,
) -> list[Path]:
    """Write one workbook for each township with anybody of ``month``; returns their paths.

    ``elders`` is ``monitoring.elder_visit_month``, ``identities`` has person_key, name, id_number, phone, address.
    The same arguments give the same bytes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = elder_rows(elders.filter(pl.col("month") == month), identities, lang, identified)
    names = {place.short_code: place.name for place in load_divisions() if place.level == "township"}
    paths = []
    for (code,), part in rows.partition_by("township_code", as_dict=True, maintain_order=True).items():
        name = names.get(str(code), label("list.unlocated", lang))
        stem = label("people_list.elder_file", lang, month=f"{month:%Y%m}", code=code, name=name)
        paths.append(directory / f"{stem}.xlsx")
        _write(paths[-1], part, name, month, lang, listed_on)
    return paths


def elder_rows(elders: pl.DataFrame, identities: pl.DataFrame, lang: str, identified: bool) -> pl.DataFrame:
    """One row per person due, proposed or to remove, longest without a visit first; ready to be shown."""
    kinds = pl.col("is_visit_due") | pl.col("is_candidate") | pl.col("not_due_reason").is_not_null()
    shown = (
        elders.filter(kinds)
        .join(shown_people(identities, identified, lang), on="person_key", how="left")
        .join(villages(), on="village_code", how="left")
        .with_columns(
            township_code=township_or_unlocated(),
            age="age_years",
            last_visit=pl.coalesce(
                pl.col("last_visited_on").dt.strftime("%Y-%m-%d"), pl.lit(label("people_list.never", lang))
            ),
            days="days_since_visit",
            category=_listed("elder_categories", lambda code: code_label("elder_category", code, lang)),
            ability=_listed("ability_level", lambda code: code_label("ability_level", code, lang)),
            derived=_listed("derived_reasons", lambda reason: label(f"elder_reason.{reason}", lang)),
            why_remove=_listed("not_due_reason", lambda reason: label(f"elder_not_due.{reason}", lang)),
        )
    )
    return shown.sort(pl.col("days_since_visit"), "village_code", "person_key", descending=[True, False, False])


def _listed(column: str, word: Any) -> pl.Expr:
    """A column of codes separated by commas in words; few distinct values, so each is looked up once a row at most."""
    joined = pl.col(column).str.split(",").list.eval(pl.element().map_elements(word, return_dtype=pl.String))
    return joined.list.join("、")


def _write(path: Path, rows: pl.DataFrame, area: str, month: date, lang: str, listed_on: date) -> None:
    title = label("people_list.elder_title", lang, area=area, month=month_text(month, lang))
    due = rows.filter("is_visit_due")
    proposed = rows.filter("is_candidate")
    gone = rows.filter(~pl.col("is_visit_due") & ~pl.col("is_candidate"))
    counts = {status: due.filter(visit_status=status).height for status in ("done", "missed", "unknown")}
    told = label(
        "people_list.elder_count", lang, due=due.height, month=month_text(month, lang), day=listed_on, **counts
    )
    with Book(path, title, listed_on) as book:
        for key, count, columns, part in (
            ("elder", told, DUE_COLUMNS, due),
            (
                "candidate",
                label("people_list.candidate_count", lang, total=proposed.height),
                CANDIDATE_COLUMNS,
                proposed,
            ),
            ("removal", label("people_list.removal_count", lang, total=gone.height), REMOVAL_COLUMNS, gone),
        ):
            name = label(f"people_sheet.{key}", lang)
            write_person_sheet(book, name, title, count, columns, part.to_dicts(), lang)
