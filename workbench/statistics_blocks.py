"""The statistics of a month as blocks of cells: by area, by layer, by part; and small counts hidden from the public.

Belongs here: which figure stands in which cell, what rows and columns are called, which cells the public does not see.
Does not belong here: counting (dbt) and how a sheet looks (``statistics_workbook``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from models.codes import city_code, code_label, load_divisions
from models.labels import LabelError, label
from models.policy import load_indicators
from models.statistics import Figure, load_figures

ALL = "all"
PEOPLE_UNITS = ("person", "household", "alert", "visit", "case")
# Splits whose parts are codes of a code table; all others have texts of their own.
CODE_SPLITS = ("benefit", "hardship_type", "outcome", "review_class")
LABEL_SPLITS = {
    "level": "level",
    "risk_level": "level",
    "side": "side",
    "area_type": "area_type",
    "rule_layer": "layer",
    "cause": "statistics.cause",
    "state": "child_state",
    "answer": "check.answer",
}
LAYERS = ("destitute", "dibao", "marginal", "rigid_expenditure", "relapse_risk", "none")


@dataclass(frozen=True)
class Cell:
    """One number; ``hidden`` is how it is shown to the public where it may not be told."""

    value: Decimal | None
    unit: str
    hidden: str = ""


@dataclass(frozen=True)
class Line:
    """One row: its name, rank (city, county, township, part) and cells; ``group`` names the row that sums it up."""

    name: str
    key: str
    rank: str
    group: str
    cells: list[Cell]


@dataclass(frozen=True)
class Block:
    """A heading, the first column's name, the figures of the columns and the rows."""

    heading: str
    corner: str
    figures: list[Figure]
    lines: list[Line] = field(default_factory=list)


class MonthFigures:
    """The figures of one month, looked up by figure, area, layer and part; townships and above."""

    def __init__(self, figures: pl.DataFrame, month: date) -> None:
        self.month = month
        known = pl.col("figure").is_in(list(load_figures()))
        # Layers and parts are shown of the whole city alone.
        shown = (pl.col("area_level") == "city") | ((pl.col("layer") == ALL) & (pl.col("dimension") == ALL))
        told = figures.filter(pl.col("month") == month, pl.col("area_level") != "village", known, shown)
        keys = ["figure", "area_level", "area_code", "layer", "dimension"]
        self._values: dict[tuple[str, ...], Decimal | None] = {
            tuple(row[:-1]): row[-1] for row in told.select(*keys, "value").iter_rows()
        }
        late = told.filter(~pl.col("is_feed_arrived"), pl.col("area_level") == "city")["figure"].unique().to_list()
        self.late_feeds = sorted({load_figures()[name].feed or "" for name in late} - {""})
        parts = told.filter(pl.col("area_level") == "city", pl.col("layer") == ALL, pl.col("dimension") != ALL)
        self._parts = parts.select("figure", "dimension").unique().sort("figure", "dimension")
        self.codes = set(told["area_code"])

    def value(self, figure: str, level: str, code: str, layer: str = ALL, part: str = ALL) -> Decimal | None:
        """The number; None where it is not known, or where the figure has no such part."""
        return self._values.get((figure, level, code, layer, part))

    def has(self, figure: str, layer: str) -> bool:
        """Whether the city has the figure in a layer."""
        return ((figure, "city", CITY, layer, ALL)) in self._values

    def parts(self, figure: str) -> list[str]:
        """The parts of a figure that the city has, in order of their codes."""
        return self._parts.filter(pl.col("figure") == figure)["dimension"].to_list()


CITY = f"{city_code()[:4]}00"
# Codes of counties and townships of which only the area above is known.
NOWHERE = {CITY, *(f"{place.code[:6]}000" for place in load_divisions() if place.level in ("city", "county"))}


def figures_of(subject: str) -> list[Figure]:
    """The figures of a subject that have one number an area."""
    return [figure for figure in load_figures().values() if figure.subject == subject]


def area_block(month: MonthFigures, subject: str, lang: str) -> Block:
    """A row for the city, each county and each township."""
    figures = [figure for figure in figures_of(subject) if figure.is_rate or not figure.by or figure.total]
    block = Block(label("statistics.by_area", lang), label("statistics.area", lang), figures)
    for level, code, name, group in _areas(month, lang):
        cells = [Cell(month.value(figure.figure, level, code), figure.unit) for figure in figures]
        # What has no place has a row only where there is any of it.
        if code in NOWHERE and level != "city" and not any(cell.value for cell in cells):
            continue
        block.lines.append(Line(name, code, level, group, cells))
    return block


def layer_block(month: MonthFigures, subject: str, lang: str) -> Block:
    """A row for each layer of the register; no rows where the subject knows none."""
    figures = [figure for figure in figures_of(subject) if any(month.has(figure.figure, one) for one in LAYERS)]
    block = Block(label("statistics.by_layer", lang), label("statistics.layer", lang), figures)
    for layer in LAYERS:
        if any(month.has(figure.figure, layer) for figure in figures):
            cells = [Cell(_layer_value(month, figure, layer), figure.unit) for figure in figures]
            block.lines.append(Line(label(f"layer.{layer}", lang), layer, "part", ALL, cells))
    return block


def _layer_value(month: MonthFigures, figure: Figure, layer: str) -> Decimal | None:
    """A layer in which nothing was counted is a zero where the figure is known for the city at all."""
    value = month.value(figure.figure, "city", CITY, layer)
    whole = month.value(figure.figure, "city", CITY)
    return Decimal(0) if value is None and whole is not None and not figure.is_rate else value


def part_blocks(month: MonthFigures, subject: str, lang: str) -> list[Block]:
    """A block for each split of the subject: benefits, levels, outcomes and the like, of the whole city."""
    figures = figures_of(subject)
    blocks = []
    for split in dict.fromkeys(figure.by for figure in figures if figure.by):
        split_figures = [figure for figure in figures if figure.by == split]
        split_figures += [f for f in figures if f.is_rate and load_figures()[f.denominator or ""].by == split]
        heading = f"{label('statistics.by_part', lang)} · {title_of(split_figures[0], lang)}"
        block = Block(heading, label("statistics.part_column", lang), split_figures)
        parts = dict.fromkeys(part for figure in split_figures for part in month.parts(figure.figure))
        for part in sorted(parts):
            cells = [Cell(month.value(f.figure, "city", CITY, ALL, part), f.unit) for f in split_figures]
            block.lines.append(Line(part_name(split, part, lang), part, "part", ALL, cells))
        blocks.append(block)
    return [block for block in blocks if block.lines]


def title_of(figure: Figure, lang: str) -> str:
    """The figure's name in a language."""
    return figure.title_zh if lang == "zh" else figure.title_en


def part_name(split: str, part: str, lang: str) -> str:
    """What a part of a figure is called."""
    if part in ("unknown", ALL):
        return label(f"statistics.{part}", lang)
    if split in CODE_SPLITS:
        return code_label(split, part, lang)
    if split == "indicator":
        item = load_indicators()[part]
        return f"{part} {item.title_zh if lang == 'zh' else item.title_en}"
    try:
        return label(f"{LABEL_SPLITS[split]}.{part}", lang)
    except LabelError:
        return part


def overview(now: MonthFigures, before: MonthFigures) -> list[tuple[Figure, Decimal | None, Decimal | None]]:
    """Every figure of the city that has one number, with that of the month before."""
    return [
        (figure, now.value(figure.figure, "city", CITY), before.value(figure.figure, "city", CITY))
        for figure in load_figures().values()
        if figure.is_rate or not figure.by or figure.total
    ]


def month_before(month: date) -> date:
    """The month of comparison."""
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def _areas(month: MonthFigures, lang: str) -> list[tuple[str, str, str, str]]:
    """City, counties and townships in the order of the list; what has no place where there is any of it."""
    places = load_divisions()
    nowhere = label("statistics.without_place", lang)
    rows = [("city", CITY, next(place.name for place in places if place.level == "city"), "")]
    for county in (place for place in places if place.level == "county"):
        rows.append(("county", county.code[:6], county.name, CITY))
        rows += [
            ("township", place.code[:9], place.name, county.code[:6])
            for place in places
            if place.level == "township" and place.code.startswith(county.code[:6])
        ]
        if f"{county.code[:6]}000" in month.codes:
            rows.append(("township", f"{county.code[:6]}000", f"{county.name} · {nowhere}", county.code[:6]))
    if f"{CITY}000" in month.codes:
        rows.append(("county", CITY, nowhere, CITY))
    return rows


def hide_small(block: Block, limit: int) -> Block:
    """The block as the public may see it.

    Counts of people from 1 to below ``limit`` are hidden; where that leaves one number of a group whose sum is shown,
    the smallest other one is hidden too, since the sum would give it away. Amounts and rates go with the counts they
    rest on; an amount that rests on no count in the block is left out.
    """
    small, block = f"<{limit}", _without_bare_amounts(block)
    columns = [list(column) for column in zip(*(line.cells for line in block.lines), strict=True)]
    hidden = [
        _hide_column(block.lines, column, limit) if figure.unit in PEOPLE_UNITS else set()
        for figure, column in zip(block.figures, columns, strict=True)
    ]
    at = {figure.figure: position for position, figure in enumerate(block.figures)}
    for position, figure in enumerate(block.figures):
        for base in (*figure.people, figure.numerator, figure.denominator):
            if base in at:
                hidden[position] |= hidden[at[base]]
    lines = []
    for row, line in enumerate(block.lines):
        cells = [
            Cell(cell.value, cell.unit, _sign(cell, figure.unit, limit, small)) if row in hidden[position] else cell
            for position, (cell, figure) in enumerate(zip(line.cells, block.figures, strict=True))
        ]
        lines.append(Line(line.name, line.key, line.rank, line.group, cells))
    return Block(block.heading, block.corner, block.figures, lines)


def _without_bare_amounts(block: Block) -> Block:
    names = {figure.figure for figure in block.figures}
    kept = [
        at
        for at, figure in enumerate(block.figures)
        if figure.unit != "yuan" or names & {*figure.people, figure.denominator or ""}
    ]
    lines = [Line(one.name, one.key, one.rank, one.group, [one.cells[at] for at in kept]) for one in block.lines]
    return Block(block.heading, block.corner, [block.figures[at] for at in kept], lines)


def _sign(cell: Cell, unit: str, limit: int, small: str) -> str:
    is_small = cell.value is not None and 0 < cell.value < limit and unit in PEOPLE_UNITS
    return small if is_small else "—"


def _hide_column(lines: list[Line], column: list[Cell], limit: int) -> set[int]:
    values = [Decimal(0) if cell.value is None else cell.value for cell in column]
    hidden = {row for row, value in enumerate(values) if 0 < value < limit}
    groups: dict[str, list[int]] = {}
    for row, line in enumerate(lines):
        if line.group:
            groups.setdefault(line.group, []).append(row)
    position = {line.key: row for row, line in enumerate(lines)}
    # From the city down: a county hidden here must not be given away by its townships.
    for group, rows in groups.items():
        rests = sorted((row for row in rows if values[row] > 0 and row not in hidden), key=lambda row: values[row])
        is_sum_shown = position.get(group) not in hidden
        count = sum(row in hidden for row in rows)
        needed = 2 if is_sum_shown and count == 1 else 1 if not is_sum_shown and count == 0 and rests else count
        hidden |= set(rests[: max(0, needed - count)])
    return hidden
