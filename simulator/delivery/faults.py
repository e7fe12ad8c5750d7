"""Faulty and odd rows, at settable rates, each counted for the truth.

Belongs here: which rows are hit by what. Does not belong here: single cells (``cells``), whole files (``outbox``).
A row is hit once at most, so that its reason is beyond doubt. Rows of spared people are never hit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from models.contract import Column, Feed
from simulator.delivery import cells
from simulator.delivery.style import Style
from simulator.randomness import Bools

FAULTY_SHARE = 0.002
ODD_SHARE = 0.003
# However large the file: no more rows are hit than this, so that the work does not grow with the city.
MOST = 40
SMALLEST = 13


@dataclass
class Injected:
    """Cells after faults, positions of rows to be broken in the file, and counts by reason."""

    text: pl.DataFrame
    broken: list[int] = field(default_factory=list)
    quarantined: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)


@dataclass
class _Work:
    """Edits by column and row, and rows to be appended, before they are applied in one go."""

    text: pl.DataFrame
    feed: Feed
    style: Style
    rng: np.random.Generator
    result: Injected
    edits: dict[str, dict[int, str | None]] = field(default_factory=dict)
    copies: list[tuple[int, str | None]] = field(default_factory=list)

    def value(self, column: str, row: int) -> str:
        return self.text[column][row] or ""

    def edit(self, column: str, row: int, value: str | None) -> None:
        self.edits.setdefault(column, {})[row] = value

    def columns(self) -> list[Column]:
        """The contract's columns in the file, in random order."""
        present = [column for column in self.feed.columns if column.name in self.text.columns]
        return [present[place] for place in self.rng.permutation(len(present))]


def inject(
    rng: np.random.Generator, text: pl.DataFrame, feed: Feed, style: Style, spared: Bools, rate: float, spoiled: float
) -> Injected:
    """Hit some rows; ``spoiled`` is the share of rows with an unusable ID number in a report that must be held."""
    work = _Work(text, feed, style, rng, Injected(text))
    if spoiled:
        _spoil(work, spoiled)
    elif text.height >= SMALLEST:
        rows = _victims(rng, spared, text.height, rate)
        for row, is_fault in rows:
            _hit(work, row) if is_fault else _vary(work, row)
    return _applied(work)


def _victims(rng: np.random.Generator, spared: Bools, height: int, rate: float) -> Iterator[tuple[int, bool]]:
    exposed = np.flatnonzero(~spared)
    ceiling = min(MOST, int(height * 0.06), len(exposed))
    faults = min(int(rng.poisson((height * FAULTY_SHARE + 0.3) * rate)), ceiling)
    odd = min(int(rng.poisson((height * ODD_SHARE + 0.3) * rate)), ceiling, len(exposed) - faults)
    chosen = rng.choice(exposed, faults + odd, replace=False) if faults + odd else np.empty(0, dtype=np.int64)
    yield from ((int(row), place < faults) for place, row in enumerate(chosen))


def _spoil(work: _Work, share: float) -> None:
    column = next(item for item in work.feed.columns if item.type == "id" and item.required)
    for row in work.rng.choice(work.text.height, int(np.ceil(work.text.height * share)), replace=False):
        changed = cells.wrong_check(work.rng, column, work.value(column.name, int(row)))
        if changed is not None:
            work.edit(column.name, int(row), changed)
            work.result.quarantined["id_invalid"] += 1


def _hit(work: _Work, row: int) -> None:
    """One fault: of the row as a whole, an empty required cell, or a bad cell."""
    draw = work.rng.random()
    if draw < 0.12:
        work.copies.append((row, None))
        work.result.quarantined["duplicate_row"] += 1
    elif draw < 0.2 and (column := _changeable(work, row)) is not None:
        work.copies.append((row, column))
        work.result.quarantined["duplicate_key"] += 1
    elif draw < 0.26 and work.style.format != "xlsx":
        work.result.broken.append(row)
        work.result.quarantined["row_malformed"] += 1
    elif draw < 0.36:
        required = [column for column in work.columns() if column.required]
        # Nothing at all, or an empty text between quotes.
        work.edit(required[0].name, row, None if work.rng.random() < 0.7 else "")
        work.result.quarantined["required_missing"] += 1
    else:
        _spoil_cell(work, row)


def _changeable(work: _Work, row: int) -> str | None:
    """A column outside of the key whose content can be another in a second row of the same key."""
    for column in work.columns():
        number = work.value(column.name, row)
        # A share is at its limit already: one more would be another fault.
        limited = column.maximum is not None and column.maximum <= 100
        countable = column.type in ("money", "decimal", "int") and not limited
        if not column.key and countable and number.replace(".", "", 1).isdigit():
            return column.name
    return next((c.name for c in work.columns() if c.type == "name" and not c.key and work.value(c.name, row)), None)


def _spoil_cell(work: _Work, row: int) -> None:
    kinds = list(cells.FAULTS)
    for place in work.rng.permutation(len(kinds)):
        for column in work.columns():
            changed = cells.FAULTS[kinds[place]](work.rng, column, work.value(column.name, row))
            if changed is None:
                continue
            work.edit(column.name, row, changed)
            counts = work.result.quarantined if column.required or column.key else work.result.cells
            counts[kinds[place]] += 1
            return


def _vary(work: _Work, row: int) -> None:
    kinds = list(cells.HARMLESS)
    for place in work.rng.permutation(len(kinds)):
        for column in work.columns():
            changed = cells.HARMLESS[kinds[place]](work.rng, column, work.value(column.name, row))
            if changed is not None and changed != work.value(column.name, row):
                work.edit(column.name, row, changed)
                work.result.harmless[kinds[place]] += 1
                return


def _applied(work: _Work) -> Injected:
    text = work.text
    for name, changes in work.edits.items():
        series = text[name].scatter(list(changes), list(changes.values()))
        text = text.with_columns(series.alias(name))
    if work.copies:
        extra = work.text[[row for row, _ in work.copies]]
        for place, (_, column) in enumerate(work.copies):
            if column is not None:
                extra = extra.with_columns(extra[column].scatter(place, _another(extra[column][place])).alias(column))
        text = pl.concat([text, extra])
    work.result.text = text
    return work.result


def _another(value: str) -> str:
    try:
        return str(round(float(value) + 1, 2)) if "." in value else str(int(value) + 1)
    except ValueError:
        return value + "某"
