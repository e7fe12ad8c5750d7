"""Is the policy fit to be used? All files read, and every fault with its file and line, for whoever edits one.

Belongs here: faults that a person makes in a file of parameters, and what does not fit together. Does not belong here:
reading for use (``parameters``, ``catalogue``), which stops at the first fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import yaml

from models.calendar import is_known
from models.codes import load_divisions
from models.documents import read_document
from models.policy.catalogue import POLICY_DIRECTORY, load_benefits, load_indicators, load_overlaps
from models.policy.parameters import (
    NATION,
    OPEN_END,
    Parameter,
    ParameterError,
    ParameterRow,
    read_parameter,
    regions_above,
)
from models.policy.precedence import load_precedence

# A share above one, or a percentage above a hundred, is a slip of the decimal point.
HIGHEST = {"percent": Decimal(100), "day_of_month": Decimal(31), "years": Decimal(120), "months": Decimal(1200)}


@dataclass(frozen=True)
class Fault:
    """What is wrong in which file; ``line`` counts from 1, 0 where it is the file as a whole."""

    file: str
    line: int
    what: str


def policy_faults(directory: Path = POLICY_DIRECTORY) -> list[Fault]:
    """All faults of all policy files, in order of file and line; empty where the policy can be used."""
    found = list(_of_catalogues(directory))
    parameters: dict[str, Parameter] = {}
    for path in sorted((directory / "parameters").glob("*.yaml")):
        faults = list(_of_file(path))
        found += faults
        if not faults:
            parameters[path.stem] = read_parameter(path)
    for parameter in parameters.values():
        found += _of_values(parameter, directory / "parameters" / f"{parameter.name}.yaml", parameters)
    return sorted(set(found), key=lambda fault: (fault.file, fault.line, fault.what))


def _of_catalogues(directory: Path) -> Iterator[Fault]:
    readers: dict[str, Callable[[Path], object]] = {
        "indicators.yaml": lambda path: load_indicators(path.parent),
        "benefits.yaml": lambda path: (load_benefits(path), load_overlaps(path)),
        "precedence.yaml": load_precedence,
    }
    for name, read in readers.items():
        try:
            read(directory / name)
        except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            yield Fault(name, _line_of_error(error), _sentence(error))


def _of_file(path: Path) -> Iterator[Fault]:
    """Faults of one parameter file: each value is tried on its own, so that the line is that of the value."""
    text = path.read_text(encoding="utf-8")
    try:
        read_parameter(path)
    except ParameterError as error:
        cause = error.__cause__
        if isinstance(cause, yaml.YAMLError):
            yield Fault(path.name, _line_of_error(cause), _sentence(cause))
            return
        told = [Fault(path.name, line, what) for line, item in _items(text) for what in _wrong_alone(item)]
        yield from told or [Fault(path.name, 0, str(error).removeprefix(f"{path.name}: "))]
    for line, item in _items(text):
        if not str(item.get("source") or "").strip():
            yield Fault(path.name, line, "a value without the document that says so (source)")


def _items(text: str) -> list[tuple[int, dict[str, object]]]:
    """The entries of ``values`` with the line on which each begins."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    for key, node in getattr(root, "value", []):
        if key.value == "values" and isinstance(node, yaml.SequenceNode):
            plain = read_document(text).get("values") or []
            return [(entry.start_mark.line + 1, item) for entry, item in zip(node.value, plain, strict=True)]
    return []


def _wrong_alone(item: dict[str, object]) -> Iterator[str]:
    """What is wrong with one value by itself."""
    region, value = item.get("region"), item.get("value")
    if not (isinstance(region, str) and len(region) == 6 and region.isdigit()):
        yield f"region {region} is not a quoted code of six digits"
    for name in ("from", "to"):
        if not isinstance(item.get(name), date) and (name == "from" or item.get(name)):
            yield f"{name}: {item.get(name)} is not a day like 2024-01-01"
    for cell in value.values() if isinstance(value, dict) else [value]:
        if (isinstance(cell, str) and cell[:1].isdigit()) or cell is None:
            yield f"{cell} is no number"


def _of_values(parameter: Parameter, path: Path, known: dict[str, Parameter]) -> Iterator[Fault]:
    lines = {
        (str(item["region"]), item["from"]): line for line, item in _items(path.read_text(encoding="utf-8"))
    }  # fmt: skip
    for factor in parameter.factors:
        if factor not in known:
            yield Fault(path.name, 0, f"derived from {factor}, which is no parameter or cannot be read")
    for row in parameter.rows:
        for what in _odd(parameter, row):
            yield Fault(path.name, lines.get((row.region, row.valid_from), 0), what)


def _odd(parameter: Parameter, row: ParameterRow) -> Iterator[str]:
    if row.region not in _regions() and row.region[:4] == _city():
        yield f"region {row.region} is no division of the city"
    if row.value is None:
        return
    highest = HIGHEST.get(parameter.unit)
    if row.value < 0:
        yield f"{row.value} is below 0"
    if highest is not None and row.value > highest:
        yield f"{row.value} is more than {highest} {parameter.unit}"


def _city() -> str:
    return next(division.code[:4] for division in load_divisions() if division.level == "city")


def _regions() -> set[str]:
    codes = {region for division in load_divisions() for region in regions_above(division.code)}
    return codes | {NATION}


def holidays_unknown_from() -> date:
    """The first day whose holiday notice is not known to the calendar; from then on weekends alone are free."""
    day = date(date.min.year + 2003, 1, 1)
    while is_known(day):
        day = (day.replace(month=12, day=31)) + timedelta(days=1)
    return day


def _line_of_error(error: BaseException) -> int:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 0


def _sentence(error: BaseException) -> str:
    problem = getattr(error, "problem", None)
    return f"not YAML: {problem}" if problem else f"{error}".strip() or type(error).__name__


def ends(row: ParameterRow) -> date | None:
    """The day from which a row no longer holds, or None."""
    return None if row.valid_to == OPEN_END else row.valid_to
