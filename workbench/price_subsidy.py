"""One workbook per triggered price month: whom to pay, and how much by place and group.

Belongs here: the sheets of that workbook. Does not belong here: what triggers and who is entitled (dbt,
``monitoring.price_subsidy_month``, ``monitoring.price_subsidy_payee``).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import load_divisions
from models.labels import label
from workbench.person_list import PersonColumn, write_person_sheet
from workbench.rows import shown_people, villages
from workbench.sheets import Book, month_text

PAYEE_COLUMNS = (
    PersonColumn("number", 6, "number"),
    PersonColumn("township", 16),
    PersonColumn("village", 16),
    PersonColumn("name", 11),
    PersonColumn("id_number", 22),
    PersonColumn("group", 20),
    PersonColumn("amount", 12, "number"),
    PersonColumn("status", 14),
)
AREA_COLUMNS = (
    PersonColumn("number", 6, "number"),
    PersonColumn("place", 20),
    PersonColumn("group", 22),
    PersonColumn("payees", 10, "count"),
    PersonColumn("amount", 14, "count"),
)
_SHOWN_LEVELS = ("city", "county", "township")


def write_price_subsidy(
    triggers: pl.DataFrame,
    payees: pl.DataFrame,
    areas: pl.DataFrame,
    identities: pl.DataFrame,
    month: date,
    directory: Path,
    lang: str = "zh",
    *,
    listed_on: date,
    identified: bool,
) -> list[Path]:
    """Write one workbook for each price month that is first known to trigger in ``month``; returns their paths.

    ``triggers``, ``payees``, ``areas`` are ``price_subsidy_month``, ``price_subsidy_payee`` and
    ``price_subsidy_month_area``. Nothing is written where nothing is triggered. The same arguments give the same bytes.
    """
    paths = []
    for price_month in newly_triggered(triggers, month):
        directory.mkdir(parents=True, exist_ok=True)
        here = (pl.col("month") == month) & (pl.col("price_month") == price_month)
        stem = label("people_list.subsidy_file", lang, price_month=f"{price_month:%Y%m}")
        paths.append(directory / f"{stem}.xlsx")
        rows = _payee_rows(payees.filter(here, pl.col("payment_status") != "undue"), identities, lang, identified)
        told = month_text(price_month, lang)
        amount = sum(row["amount"] or 0 for row in rows)
        reason = _reason(triggers.filter(here, trigger_status="triggered").row(0, named=True), lang)
        count = label("people_list.subsidy_count", lang, reason=reason, total=len(rows), amount=amount, day=listed_on)
        title = label("people_list.subsidy_title", lang, price_month=told)
        with Book(paths[-1], title, listed_on) as book:
            sheet = label("people_sheet.payee", lang)
            write_person_sheet(book, sheet, title, count, PAYEE_COLUMNS, rows, lang)
            area_title = label("people_list.subsidy_area_title", lang, price_month=told)
            sheet = label("people_sheet.area", lang)
            write_person_sheet(book, sheet, area_title, count, AREA_COLUMNS, _area_rows(areas.filter(here), lang), lang)
    return paths


def newly_triggered(triggers: pl.DataFrame, month: date) -> list[date]:
    """Price months that trigger as known in ``month`` and did not as known before."""
    known = triggers.filter(trigger_status="triggered").group_by("price_month").agg(pl.col("month").min())
    return sorted(known.filter(pl.col("month") == month)["price_month"].to_list())


def _reason(trigger: dict[str, Any], lang: str) -> str:
    told = [
        label(f"people_list.trigger_{kind}", lang, value=f"{trigger[f'{kind}_growth_percent']:.2f}",
              line=f"{trigger[f'{kind}_line_percent']:.1f}")
        for kind in ("cpi", "food")
        if trigger["triggered_by"] in (kind, "both")
    ]  # fmt: skip
    return ("、" if lang == "zh" else ", ").join(told)


def _payee_rows(payees: pl.DataFrame, identities: pl.DataFrame, lang: str, identified: bool) -> list[dict[str, Any]]:
    townships = {place.short_code: place.name for place in load_divisions() if place.level == "township"}
    shown = (
        payees.join(shown_people(identities, identified, lang), on="person_key", how="left")
        .join(villages(), on="village_code", how="left")
        .sort("village_code", "unit_id", "person_key")
    )
    return [
        row | {
            "township": townships.get(row["township_code"], label("list.unlocated", lang)),
            "group": label(f"subsidy_group.{row['subsidy_group']}", lang),
            "amount": row["amount_due_yuan"],
            "status": label(f"allowance_status.{row['payment_status']}", lang),
        }
        for row in shown.iter_rows(named=True)
    ]  # fmt: skip


def _area_rows(areas: pl.DataFrame, lang: str) -> list[dict[str, Any]]:
    names = {place.code: place.name for place in load_divisions()}
    rank = {level: at for at, level in enumerate(_SHOWN_LEVELS)}
    shown = areas.filter(pl.col("area_level").is_in(_SHOWN_LEVELS), pl.col("subsidy_group") != "none")
    rows = shown.sort(pl.col("area_level").replace_strict(rank, default=len(rank)), "area_code", "subsidy_group")
    return [
        {
            "place": names.get(row["area_code"].ljust(12, "0"), row["area_code"]),
            "group": label(f"subsidy_group.{row['subsidy_group']}", lang),
            "payees": row["payee_count"],
            "amount": row["amount_due_yuan"],
        }
        for row in rows.iter_rows(named=True)
    ]
