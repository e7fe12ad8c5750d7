"""Drawings of the model card: probability against outcome, and gain.

Belongs here: geometry. The table beside each drawing has its numbers. Colours never stand alone: a dashed line is the
comparison in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from workbench.report.plots import FONT, INK, LINE, SERIES, SOFT, WIDTH

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 240, 48, 14, 12, 40
Point = tuple[float, float]


def diagonal(points: Sequence[Point], across: str, up: str, *, joined: bool = True) -> str:
    """Points of two shares against the line on which both are equal; axes run to the largest that occurs."""
    highest = max((max(point) for point in points), default=1.0) or 1.0
    parts = [_axis(share, highest) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    (x0, y0), (x1, y1) = _place((0.0, 0.0)), _place((1.0, 1.0))
    parts.append(
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{SOFT}" stroke-width="1.2" '
        'stroke-dasharray="5 4"/>'
    )
    places = [_place((x / highest, y / highest)) for x, y in points]
    if joined:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{SERIES[0]}" stroke-width="2"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{SERIES[0]}"/>' for x, y in places]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, across, INK, 11, "middle"))
    parts.append(_text(LEFT + 6, TOP + 10, up, INK, 11, "start"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="{FONT}" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def _place(share: Point) -> Point:
    return LEFT + share[0] * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - share[1] * (HEIGHT - TOP - BOTTOM)


def _axis(share: float, highest: float) -> str:
    x, y = _place((share, share))
    named = f"{share * highest * 100:.3g}%"
    line = f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{LINE}" stroke-width="0.8"/>'
    return line + _text(LEFT - 5, y + 3.5, named, SOFT, 10, "end") + _text(x, HEIGHT - 24, named, SOFT, 10, "middle")


def _text(x: float, y: float, text: str, colour: str, size: float, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
    )
