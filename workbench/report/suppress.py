"""Small counts hidden: those below the limit, and as many others as needed so that no sum gives them away.

Belongs here: which cells the reader of a report does not see. Does not belong here: which cells there are and which of
them add up (the report knows that), how a hidden one is shown (``figure``).

Primary: a count of people from 1 to below the limit. Complementary: whoever knows all other terms of a sum can subtract
them, so where a sum has one hidden term, or hidden terms that together stay below the limit, the smallest other one is
hidden too. Several sums together may still determine a cell (tables that share margins): the system of all sums is
solved, and what it determines is hidden one cell further, until nothing hidden can be computed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)
_NOTHING = 1e-9


@dataclass(frozen=True)
class Cell:
    """A value before it is hidden or shown.

    ``is_count`` is false for money, which is hidden with ``people``, the counts it rests on. ``rank``: of two cells
    that may be hidden the one of the higher rank goes (townships before the city).
    """

    value: Decimal
    is_count: bool = True
    rank: int = 0
    people: tuple[Hashable, ...] = ()


@dataclass(frozen=True)
class Sum(Generic[Key]):
    """Terms that add up to nothing: ``(+1, total), (-1, part), …``."""

    terms: tuple[tuple[int, Key], ...]


def hide(cells: Mapping[Key, Cell], sums: Iterable[Sum[Key]], limit: int) -> dict[Key, str]:
    """The hidden cells with why: ``small`` (below the limit) or ``rest`` (would give another away)."""
    hidden = {key: "small" for key, cell in cells.items() if cell.is_count and 0 < cell.value < limit}
    lines = [_known_terms(one, cells) for one in sums]
    at = {key: number for number, key in enumerate(cells)}
    while _amounts(cells, hidden) or _complete(cells, lines, hidden, limit, at) or _solved(cells, lines, hidden, at):
        pass
    return hidden


def _known_terms(one: Sum[Key], cells: Mapping[Key, Cell]) -> list[tuple[int, Key]]:
    return [(sign, key) for sign, key in one.terms if key in cells and cells[key].value != 0]


def _amounts(cells: Mapping[Key, Cell], hidden: dict[Key, str]) -> bool:
    """Money goes with the people it was paid to."""
    more = [
        key
        for key, cell in cells.items()
        if key not in hidden and cell.value != 0 and any(base in hidden for base in cell.people)
    ]
    hidden.update(dict.fromkeys(more, "rest"))
    return bool(more)


def _complete(
    cells: Mapping[Key, Cell],
    lines: list[list[tuple[int, Key]]],
    hidden: dict[Key, str],
    limit: int,
    at: Mapping[Key, int],
) -> bool:
    """One more cell for each sum that gives a hidden one away; whether there was any."""
    changed = False
    for line in lines:
        unknown = [key for _, key in line if key in hidden]
        if not unknown or not _is_told(line, unknown, cells, limit):
            continue
        changed |= _hide_next([key for _, key in line], cells, hidden, at)
    return changed


def _is_told(line: list[tuple[int, Key]], unknown: list[Key], cells: Mapping[Key, Cell], limit: int) -> bool:
    if len(unknown) == 1:
        return True
    counted = [(sign, key) for sign, key in line if key in unknown and cells[key].is_count]
    # The rest of a sum is known: hidden counts on one side of it that together stay small are told by it.
    same_side = len({sign for sign, _ in counted}) == 1
    return len(counted) == len(unknown) and same_side and sum(cells[key].value for key in unknown) < limit


def _hide_next(keys: list[Key], cells: Mapping[Key, Cell], hidden: dict[Key, str], at: Mapping[Key, int]) -> bool:
    free = [key for key in keys if key not in hidden]
    if not free:
        return False
    hidden[min(free, key=lambda key: (-cells[key].rank, abs(cells[key].value), at[key]))] = "rest"
    return True


def _solved(
    cells: Mapping[Key, Cell], lines: list[list[tuple[int, Key]]], hidden: dict[Key, str], at: Mapping[Key, int]
) -> bool:
    """One more cell for each hidden one that all sums together determine."""
    changed = False
    for key in determined(lines, hidden):
        for line in lines:
            names = [name for _, name in line]
            if key in names and _hide_next(names, cells, hidden, at):
                changed = True
                break
    return changed


def determined(lines: list[list[tuple[int, Key]]], hidden: Mapping[Key, str]) -> list[Key]:
    """Hidden cells that follow from the shown ones by the sums, as a reader with patience would find."""
    open_lines = [[(sign, key) for sign, key in line if key in hidden] for line in lines]
    found: list[Key] = []
    for group in _connected([line for line in open_lines if line]):
        found += _determined_in(group)
    return found


def _connected(lines: list[list[tuple[int, Key]]]) -> list[list[list[tuple[int, Key]]]]:
    """Sums that share hidden cells, together: each such group is solved for itself."""
    group_of: dict[Key, int] = {}
    groups: dict[int, list[list[tuple[int, Key]]]] = {}
    for number, line in enumerate(lines):
        groups[number] = [line]
        for other in sorted({group_of[key] for _, key in line if key in group_of}):
            groups[number] += groups.pop(other)
        for joined in groups[number]:
            group_of.update((key, number) for _, key in joined)
    return list(groups.values())


def _determined_in(lines: list[list[tuple[int, Key]]]) -> list[Key]:
    unknown = list(dict.fromkeys(key for line in lines for _, key in line))
    position = {key: number for number, key in enumerate(unknown)}
    system = np.zeros((len(lines), len(unknown)))
    for row, line in enumerate(lines):
        for sign, key in line:
            system[row, position[key]] += sign
    free = _free_directions(system)
    return [key for key in unknown if np.abs(free[:, position[key]]).sum() < _NOTHING * 1e3]


def _free_directions(system: NDArray[np.float64]) -> NDArray[np.float64]:
    """In which ways the unknowns may still vary: a basis of the null space, one direction a row."""
    _, sizes, directions = np.linalg.svd(system, full_matrices=True)
    rank = int((sizes > _NOTHING * max(system.shape)).sum())
    return directions[rank:]
