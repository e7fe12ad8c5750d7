"""Workbooks in one look: fonts, colours, formats, the height of wrapped rows.

Belongs here: what all our workbooks share. Does not belong here: what stands in them.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import xlsxwriter

from models.labels import label
from models.policy import policy_version

FONT = "宋体"
SIZE = 12
# Points a line of SIZE needs, with a little air.
LINE_POINTS = 17.5
# Pale fills with a distinct darkness each: told apart on colour and on black-and-white paper, words on top.
LEVEL_FILL = {"red": "#F4A6A0", "orange": "#F8CFA0", "yellow": "#FBEFB0", "blue": "#DDEBF7"}
_CELL = {"font_name": FONT, "font_size": SIZE, "valign": "vcenter", "text_wrap": True, "border": 1}
_CENTRED = _CELL | {"align": "center"}
_FILL = _CELL | {"bg_color": "#FFF9DB", "locked": False}

STYLES: dict[str, dict[str, Any]] = {
    "title": {"font_name": FONT, "font_size": 18, "bold": True, "valign": "vcenter"},
    "line": {"font_name": FONT, "font_size": SIZE, "valign": "vcenter", "text_wrap": True},
    "heading": {"font_name": FONT, "font_size": 14, "bold": True},
    "empty": {"font_name": FONT, "font_size": 14, "bold": True, "valign": "vcenter", "border": 1},
    "header": _CENTRED | {"bold": True, "bg_color": "#E4E4E4"},
    "text": _CELL | {"num_format": "@"},
    "blank": _CELL,
    "number": _CENTRED,
    "count": _CENTRED | {"num_format": "#,##0"},
    "share": _CENTRED | {"num_format": "0%"},
    "rate": _CENTRED | {"num_format": "0.0%"},
    "yuan": _CELL | {"num_format": "#,##0.00", "align": "right"},
    "day": _CENTRED | {"num_format": "yyyy-mm-dd"},
    "date": _CENTRED | {"num_format": "yyyy-mm-dd", "bold": True},
    "fill": _FILL | {"num_format": "@"},
    "fill_date": _FILL | {"num_format": "yyyy-mm-dd", "align": "center"},
    "total": _CENTRED | {"bold": True, "bg_color": "#EFEFEF", "num_format": "#,##0"},
    "total_yuan": _CENTRED | {"bold": True, "bg_color": "#EFEFEF", "num_format": "#,##0.00", "align": "right"},
    "total_share": _CENTRED | {"bold": True, "bg_color": "#EFEFEF", "num_format": "0%"},
    "total_rate": _CENTRED | {"bold": True, "bg_color": "#EFEFEF", "num_format": "0.0%"},
    **{f"level_{level}": _CENTRED | {"bold": True, "bg_color": fill} for level, fill in LEVEL_FILL.items()},
}


class Book:
    """A workbook being written; leaving the block completes the file in one step, an error leaves none."""

    def __init__(self, path: Path, title: str, made_on: date, *, private: bool = False) -> None:
        """``private``: closed to other users of the machine from the first byte on."""
        self._path = path
        self._aside = path.with_name(f".{path.name}.part")
        if private:
            self._aside.unlink(missing_ok=True)
            self._aside.touch(mode=0o600)
        self._book = xlsxwriter.Workbook(str(self._aside))
        # The day is an argument, so that the same list has the same bytes.
        # The version of the policy by which it was made travels with the file.
        properties = {"title": title, "created": datetime.combine(made_on, time()), "comments": policy_version()}
        self._book.set_properties(properties)
        self._styles: dict[str, Any] = {}

    def sheet(self, name: str) -> Any:
        return self._book.add_worksheet(name)

    def style(self, name: str) -> Any:
        if name not in self._styles:
            self._styles[name] = self._book.add_format(STYLES[name])
        return self._styles[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.close()
        if kind is None:
            self._aside.replace(self._path)
        else:
            self._aside.unlink(missing_ok=True)


def text_width(text: str) -> float:
    """Width of a line in characters of the column width; a Chinese character takes two and a bit."""
    return sum(2.2 if ord(character) > 0x2E7F else 1.1 for character in text)


def row_height(cells: list[tuple[str, float]], least: float) -> float:
    """Points that the highest cell of a row needs when its text is wrapped at the column's width."""
    lines = max(
        (sum(max(1, math.ceil(text_width(line) / width)) for line in text.split("\n")) for text, width in cells),
        default=1,
    )
    return min(max(least, lines * LINE_POINTS + 4), 400)


def month_text(month: date, lang: str) -> str:
    """The month as a person says it: 2024年3月."""
    return label("list.month", lang, year=month.year, month=month.month)
