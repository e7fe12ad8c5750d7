"""Which row is the header, and which column of the contract each of its cells stands for.

Belongs here: recognising headers, aliases, two-line headers, units in headers. Does not belong here: reading
cells below the header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from ingestion.normalise import normalise_text
from ingestion.reason import COLUMN_AMBIGUOUS, COLUMN_MISSING, FileRejectedError
from models.contract import Column, Feed

# How far down a header is looked for; above it stand title, unit and date rows.
HEADER_SEARCH_ROWS = 60
UNITS = {"元": 1, "百元": 100, "千元": 1_000, "万元": 10_000, "万": 10_000, "亿元": 100_000_000}

_UNIT_SUFFIX = re.compile(r"[(\[【〔]\s*(?:单位[::]?)?\s*([^()\[\]【】〔〕]*?)\s*[)\]】〕]\s*$")
# What else may stand in brackets behind a header without making another of it.
_OTHER_UNITS = re.compile(
    r"^(?:%|百分比|千瓦时|度|kwh|平方米|㎡|m2|m²|人|月|年月|必填|选填|可空|.{0,4}(?:元|万元)(?:/.{1,2})?)?$", re.I
)
_IGNORED = re.compile(r"[\s()\[\]【】〔〕*]")


# The filled cells of a row with their positions: what two equal rows share.
RowKey = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Header:
    """The header of one table: its labels and, by position, the columns of the contract."""

    first_row: int
    row_count: int
    labels: tuple[str, ...]
    columns: dict[int, Column]
    units: dict[int, int] = field(default_factory=dict)
    """Yuan per unit where the header itself states one, by position."""
    lines: frozenset[RowKey] = frozenset()
    """The header's own rows as they stand, by which they are known when a page repeats them."""
    titles: frozenset[RowKey] = frozenset()
    """The rows above it, likewise."""

    @property
    def drift(self) -> tuple[str, ...]:
        """Headers that the contract does not know, as delivered."""
        return tuple(
            normalise_text(label)
            for position, label in enumerate(self.labels)
            if position not in self.columns and normalise_text(label)
        )

    def position(self, name: str) -> int | None:
        return next((at for at, column in self.columns.items() if column.name == name), None)


def fold(label: str) -> str:
    """A label without blanks, brackets, full-width forms and case: what two equal headers share."""
    return _IGNORED.sub("", normalise_text(label)).casefold()


def row_key(cells: Sequence[str]) -> RowKey:
    """What a row and its repetition share: its filled cells, without blanks, brackets and case."""
    return tuple((at, text) for at, cell in enumerate(cells) if (text := fold(cell)))


def find_header(rows: Sequence[Sequence[str]], feed: Feed) -> Header | None:
    """The best header among the first rows, two-line headers included; None where no row names any column."""
    best: Header | None = None
    for index in range(min(len(rows), HEADER_SEARCH_ROWS)):
        for candidate in _candidates(rows, index, feed):
            if best is None or _rank(candidate) > _rank(best):
                best = candidate
        # Below a header that lacks nothing there is none better (what looks like one of two lines may be a
        # title above one of one line, so its second line is looked at too).
        if best is not None and not missing_columns(best, feed) and index >= best.first_row + best.row_count - 1:
            break
    if best is None or not best.columns or not _is_plausible(best, feed):
        return None
    end = best.first_row + best.row_count
    lines = frozenset(map(row_key, rows[best.first_row : end]))
    titles = frozenset(map(row_key, rows[: best.first_row])) - {()}
    return replace(best, lines=lines, titles=titles)


def _rank(header: Header) -> tuple[int, int]:
    """More columns are better; with as many, one line is better than two (a title above it is no header)."""
    return len({column.name for column in header.columns.values()}), -header.row_count


def check_header(header: Header, feed: Feed) -> None:
    """Raise ``FileRejectedError`` where two columns stand for one field or a required one is missing."""
    names = [column.name for column in header.columns.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileRejectedError(COLUMN_AMBIGUOUS, ", ".join(twice))
    missing = missing_columns(header, feed)
    if missing:
        raise FileRejectedError(COLUMN_MISSING, ", ".join(missing))


def missing_columns(header: Header | None, feed: Feed) -> list[str]:
    """The required columns that a header lacks; all of them where there is none."""
    named = {column.name for column in header.columns.values()} if header else set()
    return [column.name for column in feed.columns if column.required and column.name not in named]


def no_header(feed: Feed, rows_data: int) -> FileRejectedError:
    """What is said of a table without any header that the contract knows."""
    return FileRejectedError(COLUMN_MISSING, ", ".join(missing_columns(None, feed)), rows_data=rows_data)


def header_of(labels: Sequence[str], feed: Feed, first_row: int = 0, row_count: int = 1) -> Header:
    """The header that those labels make."""
    columns: dict[int, Column] = {}
    units: dict[int, int] = {}
    named = {position: _column_of(label, feed) for position, label in enumerate(labels)}
    exact = {column.name for column, _, is_exact in named.values() if column is not None and is_exact}
    for position, (column, unit, is_exact) in named.items():
        # What only looks like a known header is one where that is not there itself, else an extra column.
        if column is None or not (is_exact or column.name not in exact):
            continue
        columns[position] = column
        if unit is not None:
            units[position] = unit
    return Header(first_row, row_count, tuple(labels), columns, units)


def _is_plausible(header: Header, feed: Feed) -> bool:
    """A row of data may hold one word that is also a header; two different ones it does not."""
    distinct = {column.name for column in header.columns.values()}
    return len(distinct) >= min(2, sum(column.required for column in feed.columns))


def _candidates(rows: Sequence[Sequence[str]], index: int, feed: Feed) -> list[Header]:
    single = header_of(rows[index], feed, index)
    found = [single]
    if index + 1 < len(rows):
        combined = _two_line(rows[index], rows[index + 1], feed)
        if combined is not None:
            found.append(header_of(combined, feed, index, 2))
    return found


def _two_line(upper: Sequence[str], lower: Sequence[str], feed: Feed) -> list[str] | None:
    """Labels of a header of two lines, where the second holds nothing but headers; else None."""
    width = max(len(upper), len(lower))
    above = [*upper, *[""] * (width - len(upper))]
    below = [*lower, *[""] * (width - len(lower))]
    if not any(normalise_text(cell) for cell in above):
        return None
    labels, group, named = [], "", 0
    for top, bottom in zip(above, below, strict=True):
        if normalise_text(top):
            group = top
        if not normalise_text(bottom):
            labels.append(top)
            continue
        joined = normalise_text(group) + normalise_text(bottom)
        label = joined if _column_of(joined, feed)[0] is not None else bottom
        named += _column_of(label, feed)[0] is not None
        labels.append(label)
    filled = sum(bool(normalise_text(cell)) for cell in below)
    return labels if named and named * 2 >= filled else None


def _column_of(label: str, feed: Feed) -> tuple[Column | None, int | None, bool]:
    """The column that a header names, the unit it states, and whether it is one of the contract's headers."""
    text, folded = normalise_text(label), fold(label)
    if not folded:
        return None, None, False
    known = _known_labels(feed)
    suffix = _UNIT_SUFFIX.search(text)
    unit = UNITS.get(suffix.group(1).removeprefix("人民币")) if suffix else None
    if folded in known:
        return known[folded], unit, True
    if suffix and (unit is not None or _OTHER_UNITS.match(suffix.group(1))):
        column = known.get(fold(text[: suffix.start()]))
        return column, unit, column is not None and unit is not None
    return None, None, False


@cache
def _known_labels(feed: Feed) -> dict[str, Column]:
    known: dict[str, Column] = {}
    for column in feed.columns:
        for label in column.headers:
            known.setdefault(fold(label), column)
            bare = _UNIT_SUFFIX.sub("", normalise_text(label))
            known.setdefault(fold(bare), column)
    return known
