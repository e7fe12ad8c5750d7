"""Rows that are neither header nor data: titles, units, totals and signatures of official spreadsheets.

Belongs here: recognising them and comparing totals. Does not belong here: reading files, checking data rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from ingestion.header import UNITS, Header, fold
from ingestion.normalise import normalise_text
from ingestion.table import ROW_NUMBER, Framing, cell_name

TITLE, UNIT, TOTAL, SUBTOTAL, SIGNATURE, HEADER = "title", "unit", "total", "subtotal", "signature", "header"

_TOTAL = (
    r"^(?:本页|本表|本月|本年|全市|全区|全县|全镇|各区)?"
    r"(?:合\s*计|总\s*计|小\s*计|累\s*计|共\s*计|总\s*数)(?:\s*[::(].*)?$"
)
_SIGNATURE = (
    r"^(?:填\s*表|制\s*表|审\s*核|复\s*核|经\s*办|填\s*报|报\s*送|负\s*责|主\s*管|统计负责|联\s*系\s*人"
    r"|单位\s*[(]?\s*(?:负责|盖章|公章)|单\s*位\s*[::]|盖\s*章|签\s*字|签\s*章|公\s*章|打印|制作"
    r"|续\s*表|第\s*\d+\s*页|共\s*\d+\s*页|备\s*注|说\s*明|注\s*[::]|附\s*注|(?:报出|填写|上报|统计|打印)?日\s*期\s*[::])"
)
_LIKELY = f"{_TOTAL}|{_SIGNATURE}"
_UNIT = re.compile(r"(?:^|\s|[(]|金额|货币|计量)单\s*位\s*[::]?\s*(?:人民币)?\s*(亿元|万元|千元|百元|元)")
_ID_NUMBER = re.compile(r"\d{14,17}[\dXx]|\d\.\d+[Ee]\+?1[4-7]")
_COUNT = re.compile(r"^[-+¥¥]?[\d,.]+(?:万?元|人|户|条|笔|件|辆|套|%)?$|^[-—/]+$")
_NUMERIC_TYPES = {"money", "wan", "int", "decimal"}


def unit_of(rows: Sequence[Sequence[str]]) -> int | None:
    """Yuan per unit that a unit row (单位:万元) among those rows states; None where none does."""
    for row in rows:
        for cell in row:
            found = _UNIT.search(normalise_text(cell))
            if found:
                return UNITS[found.group(1)]
    return None


def framing_above(rows: Sequence[tuple[int, Sequence[str]]]) -> list[Framing]:
    """The rows above the header that are not blank."""
    filled = [(number, row) for number, row in rows if any(normalise_text(cell) for cell in row)]
    return [Framing(number, UNIT if unit_of([row]) else TITLE, tuple(row)) for number, row in filled]


def kind_below(cells: Sequence[str], header: Header) -> str | None:
    """What a row below the header is if it is not data: header, total, subtotal, signature; else None."""
    texts = [normalise_text(cell) for cell in cells]
    first = next((text for text in texts if text), "")
    if not first:
        return None
    if _is_header(texts, header):
        return HEADER
    if re.match(_TOTAL, first) and _holds_numbers_only(texts, first, header):
        return SUBTOTAL if "小" in first[:4] else TOTAL
    if re.match(_SIGNATURE, first) and _is_sparse(texts, header):
        return SIGNATURE
    return None


def likely_framing(lines: pl.Series, header: Header) -> pl.Series:
    """Which lines of another width than the header's are worth a look: all that may be framing, few others."""
    lead = lines.str.strip_chars_start(" \t'\",;|\u3000\u00a0\ufeff").str.extract('^([^",;|\t]*)')
    lead = lead.str.replace_all("：", ":").str.replace_all("（", "(")
    labels = [label for label in map(normalise_text, header.labels) if label]
    # A header has no digits; a row of data has.
    return (
        lead.str.contains(_LIKELY)
        | lines.str.contains("[\uff01-\uff5e\u200b-\u200f\u2060\u00ad]")
        | lines.str.contains_any(labels)
        | ~lines.str.contains("[0-9]")
    )


def split_framing(cells: pl.DataFrame, header: Header) -> tuple[pl.DataFrame, list[Framing]]:
    """Data rows, and the framing and header rows among them (found by their first filled cell)."""
    names = [name for name in cells.columns if name != ROW_NUMBER]
    likely = _candidates(cells, names, header)
    if likely.is_empty():
        return cells, []
    found = []
    for row in likely.iter_rows(named=True):
        texts = tuple(row[name] or "" for name in names)
        kind = kind_below(texts, header)
        if kind is not None:
            found.append(Framing(row[ROW_NUMBER], kind, texts))
    if not found:
        return cells, []
    numbers = [row.row_number for row in found]
    return cells.filter(~pl.col(ROW_NUMBER).is_in(numbers)), found


def _candidates(cells: pl.DataFrame, names: list[str], header: Header) -> pl.DataFrame:
    """Few rows worth a look: those where a required column is empty, or that repeat a header's words."""
    required = [cell_name(at) for at, column in header.columns.items() if column.required]
    first = required[0]
    label = header.labels[int(first)]
    sparse = pl.any_horizontal(pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "") for name in required)
    repeated = pl.col(first).str.strip_chars() == normalise_text(label)
    if not any(cells[name].null_count() for name in required) and not _has_blank(cells, required):
        return cells.filter(repeated)
    filled = pl.coalesce(
        pl.when(pl.col(name).str.strip_chars(" \t'\u3000\u00a0\ufeff") != "").then(pl.col(name)) for name in names
    )
    lead = filled.str.strip_chars(" \t'\u3000\u00a0\ufeff").str.replace_all("：", ":").str.replace_all("（", "(")
    return cells.filter(repeated | (sparse & (lead.str.contains(_LIKELY) | lead.str.contains("[\uff01-\uff5e]"))))


def _has_blank(cells: pl.DataFrame, names: list[str]) -> bool:
    blank = (pl.col(name).str.strip_chars() == "" for name in names)
    return bool(cells.select(pl.any_horizontal(blank).any()).item())


def _is_header(texts: Sequence[str], header: Header) -> bool:
    """A repeated header, or the second line of one: every filled cell is the label of its own column."""
    labels = [fold(label) for label in header.labels]
    filled = [(at, text) for at, text in enumerate(texts) if text]
    hits = sum(at < len(labels) and bool(labels[at]) and fold(text) == labels[at] for at, text in filled)
    return (hits >= 2 and hits == len(filled)) or hits > max(2, len(labels) // 2)


def _holds_numbers_only(texts: Sequence[str], label: str, header: Header) -> bool:
    for at, text in enumerate(texts):
        column = header.columns.get(at)
        if not text or text == label or column is None:
            continue
        if column.type in _NUMERIC_TYPES:
            continue
        if _ID_NUMBER.search(text) or not _COUNT.match(text):
            return False
    return True


def _is_sparse(texts: Sequence[str], header: Header) -> bool:
    """Fewer filled cells than the contract requires, and nothing that looks like an ID number."""
    required = sum(column.required for column in header.columns.values())
    filled = [text for text in texts if text]
    return len(filled) < max(2, required) and not any(_ID_NUMBER.search(text) for text in filled)
