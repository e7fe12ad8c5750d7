"""The tables of the bulletin.

Belongs here: rows and columns. Does not belong here: which figures they have (``catalogue``), how they look.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from models.labels import label
from models.statistics import load_figures
from workbench.bulletin import catalogue
from workbench.bulletin.figures import BulletinFigures
from workbench.bulletin.words import Words
from workbench.report.document import CellValue, Column, Row, Table
from workbench.report.figure import Figure, difference
from workbench.statistics_blocks import LAYERS, part_name, title_of


def layer_table(figures: BulletinFigures, words: Words) -> Table:
    """The layers of the register, and what came and went."""
    rows = []
    for layer in LAYERS:
        cells = [figures(name, layer=layer) for name in catalogue.BY_LAYER]
        if any(cell.value for cell in cells):
            rows.append(Row((label(f"layer.{layer}", words.lang), *cells)))
    rows.append(Row((words.column("total"), *(figures(name) for name in catalogue.BY_LAYER)), rank="total"))
    columns = (Column(words.column("layer"), "text", 22), *(_column(name, words) for name in catalogue.BY_LAYER))
    note = label("bulletin.note.layers", words.lang)
    return Table("layers", label("bulletin.table.layers", words.lang), columns, tuple(rows), note)


def alert_table(figures: BulletinFigures, words: Words) -> Table:
    """How alerts of both sides were handled, a row each step."""
    rows = []
    for name in catalogue.BY_SIDE:
        sides = tuple(figures(name, part=side) for side in catalogue.SIDES)
        rows.append(Row((title_of(load_figures()[name], words.lang), *sides, figures(name))))
    sides_named = [label(f"side.{side}", words.lang) for side in catalogue.SIDES]
    titles = [*sides_named, words.column("total")]
    columns = (Column(words.column("figure"), "text", 26), *(Column(title, "number") for title in titles))
    return Table("alerts", label("bulletin.table.alerts", words.lang), columns, tuple(rows))


def area_table(figures: BulletinFigures, words: Words) -> Table:
    """The main figures of the city, its counties and townships."""
    rows = []
    ranks = {"city": "total", "county": "total", "township": "sub"}
    for area in words.areas:
        cells = tuple(figures(name, area.level, area.key) for name in catalogue.BY_AREA)
        # What has no place has a row only where there is any of it.
        if area.key.endswith("000") and area.level == "township" and not any(cell.value for cell in cells):
            continue
        if area.level == "county" and area.key == words.city.key and not any(cell.value for cell in cells):
            continue
        rows.append(Row((area.name, *cells), rank=ranks[area.level]))  # type: ignore[arg-type]
    columns = (Column(words.column("area"), "text", 22), *(_column(name, words) for name in catalogue.BY_AREA))
    note = label("bulletin.note.areas", words.lang)
    return Table("areas", label("bulletin.table.areas", words.lang), columns, tuple(rows), note)


def part_tables(figures: BulletinFigures, words: Words) -> tuple[Table, ...]:
    """Benefits, levels, reasons and outcomes of the whole city."""
    return tuple(_part_table(figures, names, words) for names in catalogue.BY_PART)


def _part_table(figures: BulletinFigures, names: tuple[str, ...], words: Words) -> Table:
    split = load_figures()[names[0]].by or ""
    parts = sorted({part for name in names for part in figures.parts(name)}, key=lambda part: _order(split, part))
    rows = [Row((part_name(split, part, words.lang), *(figures(name, part=part) for name in names))) for part in parts]
    columns = (Column(words.column("part"), "text", 40), *(_column(name, words) for name in names))
    title = label("bulletin.table.part", words.lang, title=title_of(load_figures()[names[0]], words.lang))
    return Table(f"part_{names[0]}", title, columns, tuple(rows), empty=label("report.nothing", words.lang))


def _order(split: str, part: str) -> tuple[int, str]:
    levels = ("red", "orange", "yellow", "blue")
    return (levels.index(part) if split == "level" and part in levels else len(part), part)


def history_table(figures: BulletinFigures, names: Iterable[str], key: str, words: Words) -> Table:
    """The last months of some figures, as the lines beside it show them."""
    chosen = tuple(names)
    rows = [
        Row((f"{month:%Y-%m}", *(figures(name, back=back) for name in chosen)))
        for back, month in reversed(list(enumerate(reversed(figures.months))))
    ]
    columns = (Column(words.column("month"), "text", 10), *(_column(name, words) for name in chosen))
    titles = label("report.comma", words.lang).join(title_of(load_figures()[name], words.lang) for name in chosen)
    title = f"{label('bulletin.table.history', words.lang)} · {titles}"
    return Table(f"history_{key}", title, columns, tuple(rows))


def bar_table(rows: list[tuple[str, Figure]], key: str, title: str, words: Words) -> Table:
    """The numbers of a plot of bars."""
    columns = (Column(words.column("figure"), "text", 26), Column(words.column("this_month"), "number"))
    return Table(key, title, columns, tuple(Row((name, figure)) for name, figure in rows))


def overview_table(figures: BulletinFigures, words: Words) -> Table:
    """Every figure of the city that has one number, with that of the month before."""
    rows: list[Row] = []
    for figure in load_figures().values():
        if figure.by and not figure.total and not figure.is_rate:
            continue
        now, before = figures(figure.figure), figures(figure.figure, back=1)
        unit = label(f"statistics.unit.{figure.unit}", words.lang)
        cells: tuple[CellValue, ...] = (title_of(figure, words.lang), unit, now, before, difference(now, before))
        rows.append(Row(cells))
    names = ("figure", "unit", "this_month", "last_month", "change")
    columns = (
        Column(words.column("figure"), "text", 36),
        Column(words.column("unit"), "text", 12),
        *(Column(words.column(name), "number", 16) for name in names[2:]),
    )
    return Table("overview", label("bulletin.table.overview", words.lang), columns, tuple(rows))


def month_label(month: date) -> str:
    """A month at the axis of a plot."""
    return f"{month:%y-%m}"


def _column(name: str, words: Words) -> Column:
    figure = load_figures()[name]
    unit = label(f"statistics.unit.{figure.unit}", words.lang)
    shown = title_of(figure, words.lang)
    return Column(f"{shown}（{unit}）" if words.lang == "zh" else f"{shown} ({unit})", "number", 15)
