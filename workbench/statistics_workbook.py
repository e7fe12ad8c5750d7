"""The statistics of a month as a workbook: an overview, a sheet a subject, consistency, townships, definitions.

Belongs here: sheets, formats, order, what the public edition leaves out. Does not belong here: any counting; what
stands in a cell is ``statistics_blocks``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from models.codes import city_code, load_divisions
from models.contract import load_feeds
from models.labels import label
from models.policy import parameter_value
from models.statistics import Figure, load_checks, load_figures, load_outlier_measures
from models.statistics.catalogue import SUBJECTS
from workbench.sheets import Book, month_text, row_height
from workbench.statistics_blocks import (
    CITY,
    PEOPLE_UNITS,
    Block,
    Cell,
    MonthFigures,
    area_block,
    hide_small,
    layer_block,
    month_before,
    overview,
    part_blocks,
    title_of,
)

FIRST_LINE = 3
STYLE_OF_UNIT = {"ratio": "rate", "yuan": "yuan"}
# A city has a few townships beyond the limits; what is usual is told too, up to so many rows.
MAX_ROWS = 2_000


def write_statistics_workbook(
    figures: pl.DataFrame,
    checks: pl.DataFrame,
    outliers: pl.DataFrame,
    month: date,
    directory: Path,
    lang: str = "zh",
    *,
    made_on: date,
    public: bool = False,
) -> Path:
    """Write the statistics of ``month``; returns the path.

    ``figures``, ``checks`` and ``outliers`` are the published tables ``figure_month_area``, ``figure_check`` and
    ``township_outlier_month``. The public edition hides small counts (parameter ``small_count_limit``) and has
    neither consistency nor the comparison of townships. The same tables give the same bytes.
    """
    directory.mkdir(parents=True, exist_ok=True)
    month = month.replace(day=1)
    path = (
        directory
        / f"{label('statistics.file_public' if public else 'statistics.file', lang, month=f'{month:%Y%m}')}.xlsx"
    )
    now, before = MonthFigures(figures, month), MonthFigures(figures, month_before(month))
    city = next(place.name for place in load_divisions() if place.code == city_code())
    limit = int(parameter_value("small_count_limit", city_code()[:6], month)) if public else 0
    title = label("statistics.title", lang, month=month_text(month, lang), area=city)
    with Book(path, title, made_on) as book:
        page = _Page(book, title, _note(now, lang, limit), lang)
        _write_overview(page, now, before, limit)
        for subject in SUBJECTS:
            _write_subject(page, now, subject, limit)
        if not public:
            _write_checks(page, checks.filter(pl.col("month") == month))
            _write_outliers(page, outliers.filter(pl.col("month") == month))
        _write_definitions(page)
    return path


class _Page:
    """What all sheets of a workbook share: its title, the note under it, the language."""

    def __init__(self, book: Book, title: str, note: str, lang: str) -> None:
        self.book, self.title, self.note, self.lang = book, title, note, lang

    def text(self, key: str, **places: object) -> str:
        return label(f"statistics.{key}", self.lang, **places)

    def sheet(self, name: str, widths: list[float], note: str | None = None) -> Any:
        """A new sheet with title and note on top, landscape, one page wide."""
        sheet = self.book.sheet(name[:31])
        last = max(len(widths) - 1, 1)
        sheet.merge_range(0, 0, 0, last, f"{self.title} · {name}", self.book.style("title"))
        shown = self.note if note is None else note
        sheet.merge_range(1, 0, 1, last, shown, self.book.style("line"))
        sheet.set_row(0, 28)
        sheet.set_row(1, row_height([(shown, sum(widths))], 20))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def header(self, sheet: Any, line: int, names: list[str], widths: list[float]) -> None:
        """A row of column names, as high as the longest needs."""
        sheet.set_row(line, row_height(list(zip(names, widths, strict=True)), 32))
        for column, name in enumerate(names):
            sheet.write_string(line, column, name, self.book.style("header"))

    def number(self, sheet: Any, line: int, column: int, cell: Cell, total: bool = False) -> None:
        """A number in the format of its unit; a dash where it is not known, the sign where it is hidden."""
        kind = STYLE_OF_UNIT.get(cell.unit)
        style = self.book.style((f"total_{kind}" if kind else "total") if total else (kind or "count"))
        if cell.hidden or cell.value is None:
            sheet.write_string(line, column, cell.hidden or "—", style)
        else:
            sheet.write_number(line, column, float(cell.value), style)

    def texts(self, sheet: Any, line: int, texts: list[str], widths: list[float]) -> None:
        """A row of wrapped texts."""
        sheet.set_row(line, row_height(list(zip(texts, widths, strict=True)), 20))
        for column, text in enumerate(texts):
            sheet.write_string(line, column, text, self.book.style("text"))


def _note(now: MonthFigures, lang: str, limit: int) -> str:
    note = label("statistics.note_public", lang, limit=limit) if limit else label("statistics.note", lang)
    if not now.late_feeds:
        return note
    feeds = [load_feeds()[name] for name in now.late_feeds]
    named = "、".join(feed.title_zh for feed in feeds) if lang == "zh" else ", ".join(feed.title_en for feed in feeds)
    return f"{note}\n{label('statistics.note_missing', lang, feeds=named)}"


def _write_overview(page: _Page, now: MonthFigures, before: MonthFigures, limit: int) -> None:
    widths: list[float] = [18, 34, 10, 18, 18, 18]
    sheet = page.sheet(page.text("sheet.overview"), widths)
    names = ("subject_column", "figure", "unit_column", "this_month", "last_month", "change")
    page.header(sheet, FIRST_LINE, [page.text(name) for name in names], widths)
    rows = overview(now, before)
    small = {figure.figure for figure, *values in rows for value in values if _is_small(figure, value, limit)}
    for line, (figure, value, earlier) in enumerate(rows, start=FIRST_LINE + 1):
        texts = [page.text(f"subject.{figure.subject}"), title_of(figure, page.lang), page.text(f"unit.{figure.unit}")]
        page.texts(sheet, line, texts, widths[:3])
        bases = {figure.figure, *figure.people, figure.numerator, figure.denominator}
        hidden = bool(limit) and (bool(bases & small) or (figure.unit == "yuan" and bases == {figure.figure, None}))
        change = value - earlier if value is not None and earlier is not None else None
        for column, number in enumerate((value, earlier, change), start=3):
            page.number(sheet, line, column, Cell(number, figure.unit, "—" if hidden else ""))
    sheet.freeze_panes(FIRST_LINE + 1, 2)
    sheet.repeat_rows(0, FIRST_LINE)


def _is_small(figure: Figure, value: Decimal | None, limit: int) -> bool:
    return value is not None and 0 < value < limit and figure.unit in PEOPLE_UNITS


def _write_subject(page: _Page, now: MonthFigures, subject: str, limit: int) -> None:
    areas = area_block(now, subject, page.lang)
    blocks = [areas, layer_block(now, subject, page.lang), *part_blocks(now, subject, page.lang)]
    shown = [hide_small(block, limit) if limit else block for block in blocks if block.lines]
    columns = max(len(block.figures) for block in shown)
    widths: list[float] = [26, *[13] * columns]
    sheet = page.sheet(page.text(f"subject.{subject}"), widths)
    line = FIRST_LINE
    for block in shown:
        line = _write_block(page, sheet, line, block, widths) + 1
    sheet.freeze_panes(FIRST_LINE, 1)


def _write_block(page: _Page, sheet: Any, line: int, block: Block, widths: list[float]) -> int:
    """Write a block from ``line`` on; returns the line after it."""
    sheet.write_string(line, 0, block.heading, page.book.style("heading"))
    sheet.set_row(line, 24)
    names = [block.corner, *(_column_name(page, figure) for figure in block.figures)]
    page.header(sheet, line + 1, names, widths[: len(names)])
    line += 2
    for row in block.lines:
        total = row.rank in ("city", "county")
        indent = "    " if row.rank == "township" else ""
        sheet.write_string(line, 0, f"{indent}{row.name}", page.book.style("total" if total else "text"))
        sheet.set_row(line, row_height([(indent + row.name, widths[0])], 20))
        for column, cell in enumerate(row.cells, start=1):
            page.number(sheet, line, column, cell, total)
        line += 1
    return line


def _column_name(page: _Page, figure: Figure) -> str:
    return f"{title_of(figure, page.lang)}\n({page.text(f'unit.{figure.unit}')})"


def _write_checks(page: _Page, checks: pl.DataFrame) -> None:
    widths: list[float] = [34, 16, 30, 30, 12, 12, 12, 48]
    sheet = page.sheet(page.text("sheet.checks"), widths)
    states = ("agrees", "explained", "unexplained")
    names = [page.text(name) for name in ("check", "kind_column", "left", "right")]
    page.header(sheet, FIRST_LINE, [*names, *(page.text(f"state.{state}") for state in states)], widths[:7])
    counts = {row[:2]: row[2] for row in checks.group_by("check_id", "state").len().iter_rows()}
    line = FIRST_LINE + 1
    for check in load_checks().values():
        zh = page.lang == "zh"
        texts = [check.title_zh if zh else check.title_en, page.text(f"kind.{check.kind}")]
        texts += [check.left_zh if zh else check.left_en, check.right_zh if zh else check.right_en]
        page.texts(sheet, line, texts, widths[:4])
        for column, state in enumerate(states, start=4):
            style = "level_red" if state == "unexplained" and counts.get((check.check, state)) else "count"
            sheet.write_number(line, column, counts.get((check.check, state), 0), page.book.style(style))
        line += 1
    _write_differences(page, sheet, line + 1, checks, widths)
    sheet.freeze_panes(FIRST_LINE + 1, 0)


def _write_differences(page: _Page, sheet: Any, line: int, checks: pl.DataFrame, widths: list[float]) -> None:
    """What does not agree, of the city and the counties; the unexplained first."""
    sheet.write_string(line, 0, page.text("differences"), page.book.style("heading"))
    shown = checks.filter(pl.col("state") != "agrees", pl.col("area_level").is_in(["city", "county"]))
    if shown.is_empty():
        sheet.write_string(line + 1, 0, page.text("no_difference"), page.book.style("text"))
        return
    names = ("check", "area", "figure", "left", "right", "difference", "state_column", "explanation")
    page.header(sheet, line + 1, [page.text(name) for name in names], widths)
    order = [pl.col("state") != "unexplained", pl.col("check_id"), pl.col("area_level") != "city", pl.col("area_code")]
    areas = _area_names()
    for row in shown.sort(order).head(MAX_ROWS).iter_rows(named=True):
        line += 1
        check, figure = load_checks()[row["check_id"]], load_figures().get(row["figure"])
        texts = [check.title_zh if page.lang == "zh" else check.title_en]
        texts += [areas.get(row["area_code"], page.text("without_place"))]
        texts += [title_of(figure, page.lang) if figure else row["figure"]]
        explanation = str(row[f"explanation_{page.lang}"] or "")
        page.texts(sheet, line + 1, texts, widths[:3])
        for column, name in enumerate(("left_value", "right_value", "difference"), start=3):
            page.number(sheet, line + 1, column, Cell(row[name], figure.unit if figure else "case"))
        style = "level_red" if row["state"] == "unexplained" else "text"
        sheet.write_string(line + 1, 6, page.text(f"state.{row['state']}"), page.book.style(style))
        sheet.write_string(line + 1, 7, explanation, page.book.style("text"))
        cells = [(texts[0], widths[0]), (explanation, widths[7]), (page.text(f"state.{row['state']}"), widths[6])]
        sheet.set_row(line + 1, row_height(cells, 20))


def _write_outliers(page: _Page, outliers: pl.DataFrame) -> None:
    widths: list[float] = [26, 20, 11, 11, 14, 90]
    sheet = page.sheet(page.text("sheet.outliers"), widths, page.text("outlier_note"))
    names = ("measure", "township", "observed", "expected", "direction_column", "explanation")
    page.header(sheet, FIRST_LINE, [page.text(name) for name in names], widths)
    measures, areas = load_outlier_measures(), _area_names()
    order = pl.col("state").replace_strict({"alarm": 0, "notice": 1, "usual": 2, "suppressed": 3}, return_dtype=pl.Int8)
    position = pl.col("measure").replace_strict(
        {name: measure.sort_order for name, measure in measures.items()}, return_dtype=pl.Int32
    )
    shown = outliers.filter(pl.col("state") != "suppressed").sort(order, position, "township_code").head(MAX_ROWS)
    for line, row in enumerate(shown.iter_rows(named=True), start=FIRST_LINE + 1):
        measure, explanation = measures[row["measure"]], str(row[f"explanation_{page.lang}"])
        sheet.set_row(line, row_height([(explanation, widths[5])], 20))
        sheet.write_string(
            line, 0, measure.title_zh if page.lang == "zh" else measure.title_en, page.book.style("text")
        )
        sheet.write_string(line, 1, areas.get(row["township_code"], row["township_code"]), page.book.style("text"))
        page.number(sheet, line, 2, Cell(Decimal(row["observed"]), "case"))
        sheet.write_number(line, 3, round(row["expected"], 1), page.book.style("number"))
        direction = page.text(f"outlier.direction.{row['direction']}") if row["direction"] else ""
        style = {"alarm": "level_red", "notice": "level_yellow"}.get(row["state"], "text")
        sheet.write_string(line, 4, direction, page.book.style(style))
        sheet.write_string(line, 5, explanation, page.book.style("text"))
    sheet.freeze_panes(FIRST_LINE + 1, 2)
    sheet.repeat_rows(0, FIRST_LINE)


def _write_definitions(page: _Page) -> None:
    widths: list[float] = [16, 30, 10, 70, 60]
    sheet = page.sheet(page.text("sheet.definitions"), widths)
    names = ("subject_column", "figure", "unit_column", "definition", "source")
    page.header(sheet, FIRST_LINE, [page.text(name) for name in names], widths)
    for line, figure in enumerate(load_figures().values(), start=FIRST_LINE + 1):
        source = (
            f"{figure.numerator} / {figure.denominator}" if figure.is_rate else f"{figure.source}: {figure.expression}"
        )
        texts = [page.text(f"subject.{figure.subject}"), title_of(figure, page.lang), page.text(f"unit.{figure.unit}")]
        texts += [figure.definition_zh if page.lang == "zh" else figure.definition_en, source]
        page.texts(sheet, line, texts, widths)
    sheet.freeze_panes(FIRST_LINE + 1, 2)
    sheet.repeat_rows(0, FIRST_LINE)


def _area_names() -> dict[str, str]:
    """Names of city, counties and townships by the code that the tables have."""
    names = {place.short_code: place.name for place in load_divisions() if place.level in ("county", "township")}
    return names | {CITY: next(place.name for place in load_divisions() if place.level == "city")}
