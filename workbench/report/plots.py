"""Drawings as SVG that page and paper share: lines over months, bars, and a schematic map of tiles.

Belongs here: geometry and look. Does not belong here: which figures are drawn. Colours never stand alone: every mark
has its number or name beside it. A number printed in a drawing is a figure; those of an axis are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from workbench.report.figure import Figure

# As wide as a telephone, so that words stay readable there; beside each other on a desk.
WIDTH = 360
FONT = "Noto Sans SC, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
INK, SOFT, LINE = "#1b2430", "#4b5768", "#d5dbe3"
SERIES = ("#1f4e79", "#b3261e", "#1d7a4a", "#8a5300")
DASHES = ("", "6 3", "2 3", "8 3 2 3")
SHADES = (("#e8f1f8", INK), ("#bfd8ea", INK), ("#8bb8da", INK), ("#2f6f9f", "#ffffff"), ("#173b5c", "#ffffff"))
HIDDEN_FILL = "#eceff3"
MAX_COLUMNS = 8


@dataclass(frozen=True)
class Series:
    """One line: its name and a figure for each month."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Tile:
    """One place of the map."""

    name: str
    figure: Figure


def lines(series: Sequence[Series], labels: Sequence[str], lang: str) -> str:
    """Lines over months from zero on; a month that is not shown leaves a gap."""
    height, left, right, top, bottom = 210, 44, 14, 14 + 16 * len(series), 26
    known = [float(figure.value or 0) for one in series for figure in one.figures if figure.is_known]
    ceiling, ticks = _scale(max(known, default=1.0))
    step = (WIDTH - left - right) / max(len(labels) - 1, 1)

    def place(at: int, value: float) -> tuple[float, float]:
        return left + at * step, height - bottom - value / ceiling * (height - top - bottom)

    parts = [_tick_line(left, place(0, tick)[1], tick, WIDTH - right) for tick in ticks]
    every = max(1, math.ceil(len(labels) / 5))
    for at, text in enumerate(labels):
        if (len(labels) - 1 - at) % every == 0:
            anchor = "end" if at == len(labels) - 1 else "middle"
            parts.append(_text(place(at, 0)[0], height - 8, text, SOFT, 10, anchor, "tick"))
    for number, one in enumerate(series):
        parts += _line(one, place, number, lang)
    return _svg(height, parts)


def _line(one: Series, place: Callable[[int, float], tuple[float, float]], number: int, lang: str) -> list[str]:
    colour, dash = SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]
    stretches: list[list[tuple[float, float]]] = [[]]
    for at, figure in enumerate(one.figures):
        if figure.is_known and figure.value is not None:
            stretches[-1].append(place(at, float(figure.value)))
        elif stretches[-1]:
            stretches.append([])
    parts = []
    for points in stretches:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn = f' stroke-dasharray="{dash}"' if dash else ""
        if len(points) > 1:
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{drawn}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{colour}"/>' for x, y in points[-1:]]
    # The legend stands above, with the newest number.
    y = 14 + 16 * number
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    parts.append(f'<line x1="44" y1="{y - 4}" x2="68" y2="{y - 4}" stroke="{colour}" stroke-width="2"{dashed}/>')
    parts.append(_text(74, y, one.name, INK, 11))
    parts.append(_figure_text(WIDTH - 14, y, one.figures[-1], lang, colour, 12, "end"))
    return parts


def bars(rows: Sequence[tuple[str, Figure]], lang: str, colour: str = SERIES[0]) -> str:
    """Horizontal bars from zero on, each with its name and number."""
    step, left, right = 24, 118, 58
    highest = max((float(figure.value or 0) for _, figure in rows if figure.is_known), default=0) or 1
    parts = []
    for at, (name, figure) in enumerate(rows):
        y = 6 + at * step
        value = float(figure.value or 0) if figure.is_known else 0
        width = value / highest * (WIDTH - left - right)
        parts.append(_text(left - 6, y + 12, _cut(name, 15), INK, 11, "end"))
        if width:
            parts.append(f'<rect x="{left}" y="{y}" width="{width:.1f}" height="16" fill="{colour}"/>')
        parts.append(_figure_text(left + width + 5, y + 12, figure, lang, INK, 11))
    parts.append(f'<line x1="{left}" y1="2" x2="{left}" y2="{6 + step * len(rows)}" stroke="{SOFT}" stroke-width="1"/>')
    return _svg(10 + step * len(rows), parts)


def tile_map(groups: Sequence[tuple[str, Sequence[Tile]]], lang: str, hidden_word: str) -> str:
    """A tile for each place, in blocks of their counties: schematic, where a tile lies says nothing but its county."""
    side, header = WIDTH / MAX_COLUMNS, 18.0
    known = [tile.figure.value for _, tiles in groups for tile in tiles if tile.figure.is_known]
    bounds = _classes([value for value in known if value is not None])
    parts, top = [], 0.0
    for band in _bands(groups):
        rows = _band_rows(band)
        left = 0.0
        for name, tiles in band:
            columns = max(1, math.ceil(len(tiles) / rows))
            parts.append(_text(left + 2, top + 13, _cut(name, 2 * columns + 6), INK, 11))
            for at, tile in enumerate(tiles):
                x, y = left + at % columns * side, top + header + at // columns * side
                parts += _tile(tile, x, y, side, bounds, lang)
            left += columns * side
        top += header + rows * side + 4
    parts += _legend(top + 4, bounds, known, hidden_word, groups)
    return _svg(top + 26, parts)


def _tile(tile: Tile, x: float, y: float, side: float, bounds: list[Decimal], lang: str) -> list[str]:
    figure = tile.figure
    fill, ink = (HIDDEN_FILL, INK)
    if figure.is_known and figure.value is not None:
        fill, ink = SHADES[sum(figure.value > bound for bound in bounds)]
    inner = side - 2
    parts = [f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{inner:.1f}" height="{inner:.1f}" fill="{fill}"/>']
    half = math.ceil(len(tile.name) / 2)
    names = [tile.name[:half], tile.name[half : half + 4]] if len(tile.name) > 4 else [tile.name]
    for number, text in enumerate(name for name in names if name):
        parts.append(_text(x + side / 2, y + 12 + 10.5 * number, text, ink, 9.5, "middle"))
    parts.append(_figure_text(x + side / 2, y + side - 7, figure, lang, ink, 11, "middle"))
    return parts


def _legend(
    y: float,
    bounds: list[Decimal],
    known: Sequence[Decimal | None],
    hidden_word: str,
    groups: Sequence[tuple[str, Sequence[Tile]]],
) -> list[str]:
    """From pale to dark, and what the grey tiles are."""
    parts, x = [], 2.0
    values = [value for value in known if value is not None]
    if values:
        for shade, _ in SHADES[: len(bounds) + 1]:
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="18" height="11" fill="{shade}"/>')
            x += 18
        unit = next(tile.figure.unit for _, tiles in groups for tile in tiles if tile.figure.is_known)
        low, high = (_axis_text(value, unit) for value in (min(values), max(values)))
        parts.append(_text(x + 5, y + 10, f"{low} → {high}", SOFT, 10, kind="tick"))
        x += 100
    if any(not tile.figure.is_known for _, tiles in groups for tile in tiles):
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="18" height="11" fill="{HIDDEN_FILL}" stroke="{SOFT}" '
            'stroke-width="0.5"/>'
        )
        parts.append(_text(x + 23, y + 10, hidden_word, SOFT, 10))
    return parts


def _axis_text(value: Decimal, unit: str) -> str:
    return f"{value * 100:.1f}%" if unit == "ratio" else f"{value:,.0f}"


def _classes(values: list[Decimal]) -> list[Decimal]:
    """Bounds between the shades: quintiles of what there is, each once."""
    ordered = sorted(values)
    if len(set(ordered)) < 2:
        return []
    count = len(SHADES)
    found = [ordered[len(ordered) * number // count] for number in range(1, count)]
    return sorted({bound for bound in found if bound < ordered[-1]})


def _bands(groups: Sequence[tuple[str, Sequence[Tile]]]) -> list[list[tuple[str, Sequence[Tile]]]]:
    """Blocks beside each other as long as they fit, then the next band."""
    size = MAX_COLUMNS if len(groups) <= MAX_COLUMNS // 2 else MAX_COLUMNS // 2
    filled = [group for group in groups if group[1]]
    return [filled[at : at + size] for at in range(0, len(filled), size)]


def _band_rows(band: list[tuple[str, Sequence[Tile]]]) -> int:
    """The fewest rows with which the blocks of a band fit beside each other."""
    rows = 1
    while sum(max(1, math.ceil(len(tiles) / rows)) for _, tiles in band) > MAX_COLUMNS:
        rows += 1
    return rows


def _scale(highest: float) -> tuple[float, list[float]]:
    """A round number above the highest, and the ticks up to it."""
    rough = max(highest, 1.0) / 4
    size = 10 ** math.floor(math.log10(rough))
    step = max(1.0, next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough))
    count = max(1, math.ceil(highest / step))
    return step * count, [step * number for number in range(count + 1)]


def _tick_line(left: float, y: float, tick: float, right: float) -> str:
    line = f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="{LINE}" stroke-width="0.8"/>'
    return line + _text(left - 5, y + 3.5, f"{tick:,.0f}", SOFT, 10, "end", "tick")


def _figure_text(x: float, y: float, figure: Figure, lang: str, colour: str, size: float, anchor: str = "start") -> str:
    shown = escape(figure.shown(lang))
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}" '
        f'data-figure="{escape(figure.id)}">{shown}</text>'
    )


def _text(x: float, y: float, text: str, colour: str, size: float, anchor: str = "start", kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}"{named}>'
        f"{escape(text)}</text>"
    )


def _cut(text: str, width: float) -> str:
    """A name that is too long for its place ends in dots."""
    length, kept = 0.0, ""
    for character in text:
        length += 1.7 if ord(character) > 0x2E7F else 1
        if length > width:
            return kept + "…"
        kept += character
    return kept


def _svg(height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="{FONT}" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )
