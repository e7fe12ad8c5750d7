"""What other rules would change: households, persons and monthly cost by layer and area, before and after.

Belongs here: comparing two answers of the same rules, and the workbook of it. Does not belong here: the rules
(``monitoring.household_layer_month``), how they are computed with other values (``orchestration``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import load_divisions
from models.labels import label
from workbench.sheets import Book

LAYERS = ("destitute", "dibao", "marginal", "rigid_expenditure", "relapse_risk", "other_hardship", "none", "unknown")
PAID = ("destitute", "dibao")
AREAS = {"city": None, "county": "county_code", "township": "township_code"}
COUNTS = ("households_before", "households_after", "households_gained", "households_lost")
PERSONS = ("persons_before", "persons_after")
COST = ("cost_before_yuan", "cost_after_yuan", "cost_difference_yuan")
REGISTERED = ("registered_cost_before_yuan", "registered_cost_after_yuan", "registered_cost_difference_yuan")
COLUMNS = ("level", "area_code", "area", "layer", *COUNTS, *PERSONS, *COST, *REGISTERED)
_KEPT = ("household_id", "counted_member_count", "register_layer", "rule_layer", "amount_due_yuan")


def compared(before: pl.DataFrame, after: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """One row per area (city, county, township) and layer, all rows of one month; the columns of ``COLUMNS``.

    ``before`` and ``after`` are ``household_layer_month``, ``places`` has household_id, county_code, township_code.
    The registered cost is that of households on dibao or destitute support today; the rest would have to apply.
    """
    both = (
        before.select(_KEPT)
        .join(after.select("household_id", "rule_layer", "amount_due_yuan"), on="household_id", suffix="_after")
        .join(places, on="household_id", how="left")
    )
    parts = [_by_area(both, level, column) for level, column in AREAS.items()]
    return pl.concat(parts).select(COLUMNS)


def _by_area(both: pl.DataFrame, level: str, column: str | None) -> pl.DataFrame:
    area = pl.lit("") if column is None else pl.col(column).fill_null("")
    told = both.with_columns(area.alias("area_code"))
    was = _summed(told, "rule_layer", "amount_due_yuan", "before")
    now = _summed(told, "rule_layer_after", "amount_due_yuan_after", "after")
    moved = told.filter(pl.col("rule_layer") != pl.col("rule_layer_after"))
    keys = ["area_code", "layer"]
    gained = moved.group_by("area_code", layer="rule_layer_after").agg(households_gained=pl.len())
    lost = moved.group_by("area_code", layer="rule_layer").agg(households_lost=pl.len())
    table = was.join(now, on=keys, how="full", coalesce=True)
    for frame in (gained, lost):
        table = table.join(frame, on=keys, how="left")
    numbers = [*COUNTS, *PERSONS]
    money = ["cost_before_yuan", "cost_after_yuan", "registered_cost_before_yuan", "registered_cost_after_yuan"]
    table = table.with_columns(pl.col(numbers).fill_null(0).cast(pl.Int64), pl.col(money).fill_null(0))
    order = pl.col("layer").replace_strict({layer: at for at, layer in enumerate(LAYERS)}, default=len(LAYERS))
    return table.with_columns(
        level=pl.lit(level),
        area=pl.col("area_code").replace_strict(_names(), default=None, return_dtype=pl.String),
        cost_difference_yuan=pl.col("cost_after_yuan") - pl.col("cost_before_yuan"),
        registered_cost_difference_yuan=pl.col("registered_cost_after_yuan") - pl.col("registered_cost_before_yuan"),
    ).sort("area_code", order)


def _summed(told: pl.DataFrame, layer: str, amount: str, when: str) -> pl.DataFrame:
    registered = pl.col(amount).filter(pl.col("register_layer").is_in(PAID))
    return told.group_by("area_code", layer=layer).agg(
        pl.len().alias(f"households_{when}"),
        pl.col("counted_member_count").sum().alias(f"persons_{when}"),
        pl.col(amount).sum().alias(f"cost_{when}_yuan"),
        registered.sum().alias(f"registered_cost_{when}_yuan"),
    )


def _names() -> dict[str, str]:
    return {place.short_code: place.name for place in load_divisions()}


def total(table: pl.DataFrame) -> dict[str, Any]:
    """Cost of the whole city, and households that gain a layer, lose every layer, or move between two."""
    city = table.filter(pl.col("level") == "city")
    none = city.filter(pl.col("layer") == "none")
    sums = {name: city[name].sum() for name in (*COST, *REGISTERED)}
    return {
        **sums,
        "households_moved": int(city["households_gained"].sum()),
        "households_gaining_a_layer": int(none["households_lost"].sum()),
        "households_losing_all_layers": int(none["households_gained"].sum()),
    }


def layer_name(layer: str, lang: str) -> str:
    """A layer by rule in words."""
    if layer == "unknown":
        return label("rule_layer.unknown", lang)
    return label("check.no_layer", lang) if layer == "none" else label(f"layer.{layer}", lang)


def write_workbook(path: Path, table: pl.DataFrame, changes: Sequence[str], month: date, lang: str) -> None:
    """A sheet for each level of area; nothing in it is about a single household."""
    title = label("what_if.title", lang, month=f"{month:%Y-%m}")
    with Book(path, title, month) as book:
        for level in AREAS:
            _sheet(book, level, table.filter(pl.col("level") == level), (title, "　".join(changes)), lang)


def _sheet(book: Book, level: str, rows: pl.DataFrame, head: tuple[str, str], lang: str) -> None:
    names = [name for name in COLUMNS if name != "level" and (level != "city" or not name.startswith("area"))]
    sheet = book.sheet(label(f"what_if.level.{level}", lang))
    for line, (text, style) in enumerate(zip(head, ("title", "line"), strict=True)):
        sheet.merge_range(line, 0, line, 5, text, book.style(style))
    sheet.merge_range(2, 0, 2, 5, label("what_if.note", lang), book.style("line"))
    sheet.set_row(0, 28)
    sheet.set_row(2, 36)
    sheet.set_row(3, 34)
    for position, name in enumerate(names):
        sheet.set_column(position, position, 22 if name in ("area", "layer") else 15)
        sheet.write_string(3, position, label(f"what_if.column.{name}", lang), book.style("header"))
    for line, row in enumerate(rows.iter_rows(named=True), start=4):
        for position, name in enumerate(names):
            if name == "layer":
                sheet.write_string(line, position, layer_name(row[name], lang), book.style("text"))
            elif name in ("area", "area_code"):
                sheet.write_string(line, position, row[name] or "", book.style("text"))
            else:
                style = "yuan" if name.endswith("_yuan") else "count"
                sheet.write_number(line, position, row[name], book.style(style))
    sheet.freeze_panes(4, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
