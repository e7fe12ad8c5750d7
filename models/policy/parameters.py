"""Policy parameters: one YAML file each, values by region and date, read into typed rows and looked up.

Belongs here: the file format, dated regional lookup, derived parameters and their rounding. Does not belong
here: the numbers themselves (``parameters/*.yaml``) and where they are applied (dbt).

A file of ``parameters/`` is named after its parameter and reads::

    parameter: dibao_standard
    label: {zh: 最低生活保障标准, en: Minimum living standard}
    unit: yuan_per_month                    # one of UNITS
    dimension: area_type                    # only where the value is a map; one of DIMENSIONS
    values:
    - {region: '420700', from: 2023-01-01, value: {urban: 750, rural: 590}, source: the decree that says so}

``region`` is a county, city or province code of six digits, or ``'000000'`` for the nation. A row holds until
the next row of the same region, or until its own ``to`` (exclusive). A value is a number, or a text where the
unit is ``text``. A parameter that follows from others names them instead::

    derived: {product: [dibao_standard, marginal_ratio], round: yuan_half_up}

and may still carry ``values``, which go before the derivation where they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from models.documents import read_document
from models.policy.place import OWN_DIRECTORY, POLICY_DIRECTORY

PARAMETER_DIRECTORY = POLICY_DIRECTORY / "parameters"
NATION = "000000"
OPEN_END = date(9999, 12, 31)

# fmt: off
UNITS = frozenset({
    "yuan", "yuan_per_month", "yuan_per_year", "ratio", "percent", "months", "days", "working_days", "years",
    "count", "square_metre", "kwh", "points", "day_of_month", "text",
})
# fmt: on
# What the keys of a value map stand for, and which keys there may be (empty: any).
DIMENSIONS: dict[str, frozenset[str]] = {
    "area_type": frozenset({"urban", "rural"}),
    "layer": frozenset(
        {"destitute", "dibao", "marginal", "rigid_expenditure", "relapse_risk", "other_hardship", "none"}
    ),
    "level": frozenset({"red", "orange", "yellow", "blue"}),
    "side": frozenset({"need", "exit"}),
    "review_class": frozenset("ABC"),
    "care_mode": frozenset("12"),
    "disability_grade": frozenset("1234"),
    "self_care": frozenset({"full", "half", "none"}),
    "grade_part": frozenset({"on_time", "accepted", "mandatory", "verifying", "contradiction"}),
    "grade": frozenset("ABCD"),
    "age_band": frozenset(),
    "benefit": frozenset(),
    "code": frozenset(),
}
_YUAN = Decimal(1)
_ROUNDINGS = {"yuan_half_up": _YUAN, "cent_half_up": Decimal("0.01")}


class ParameterError(ValueError):
    """A parameter file that cannot be used, or a value that nobody has set for that place and day."""


@dataclass(frozen=True)
class ParameterRow:
    """One value: where and in which half-open time it holds. Exactly one of ``value`` and ``text`` is set."""

    region: str
    key: str
    value: Decimal | None
    text: str | None
    valid_from: date
    valid_to: date
    source: str

    def holds(self, region: str, key: str, on: date) -> bool:
        return self.region == region and self.key == key and self.valid_from <= on < self.valid_to


@dataclass(frozen=True)
class Parameter:
    """One parameter with all its rows. ``key`` of a row is empty where the parameter has no dimension."""

    name: str
    label_zh: str
    label_en: str
    unit: str
    dimension: str | None
    factors: tuple[str, ...]
    rounding: str | None
    rows: tuple[ParameterRow, ...]


def round_half_up(value: Decimal, rounding: str = "yuan_half_up") -> Decimal:
    """Round as the standards do: 2224.5 becomes 2225 (binary floats give 2224)."""
    return value.quantize(_ROUNDINGS[rounding], rounding=ROUND_HALF_UP)


@cache
def load_parameters(directory: Path = PARAMETER_DIRECTORY) -> dict[str, Parameter]:
    """All parameters by name; raises ``ParameterError`` naming the file that is wrong.

    Where the policy of a day gone by is read, a parameter that nobody knew of then is that of the program: it asks for
    it, and before there was a parameter the value stood elsewhere.
    """
    own = OWN_DIRECTORY / PARAMETER_DIRECTORY.name
    files = {path.stem: path for path in own.glob("*.yaml")} if directory == PARAMETER_DIRECTORY else {}
    files |= {path.stem: path for path in directory.glob("*.yaml")}
    parameters = {name: read_parameter(files[name]) for name in sorted(files)}
    for parameter in parameters.values():
        for factor in parameter.factors:
            if factor not in parameters:
                raise ParameterError(f"{parameter.name}.yaml: derived from {factor}, which is no parameter")
    return parameters


def read_parameter(path: Path) -> Parameter:
    """Read one file of the format above."""
    try:
        document = read_document(path.read_text(encoding="utf-8"))
        return _parameter_of(document, path.stem)
    except (KeyError, TypeError, ValueError, ArithmeticError, yaml.YAMLError) as error:
        raise ParameterError(f"{path.name}: {error}") from error


def parameter_value(name: str, region: str, on: date, key: str | None = None) -> Decimal:
    """The number that holds in a region on a day, from the county up to the nation.

    ``region`` is a division code of any length, ``key`` the dimension's key. Raises ``ParameterError`` where
    nothing holds: a missing standard must never pass for zero.
    """
    row = resolve(name, region, on, key or "")
    if row is None or row.value is None:
        raise ParameterError(f"{name} has no number for region {region[:6]}, key {key or '-'}, on {on}")
    return row.value


def resolve(
    name: str, region: str, on: date, key: str = "", parameters: dict[str, Parameter] | None = None
) -> ParameterRow | None:
    """The row that holds in a region on a day (county over city over province over nation), or None."""
    known = load_parameters() if parameters is None else parameters
    if name not in known:
        raise ParameterError(f"{name} is no parameter")
    parameter = known[name]
    for code in regions_above(region):
        for row in parameter.rows:
            if row.holds(code, key, on):
                return row
    return _derive(parameter, region, on, key, known) if parameter.factors else None


def regions_above(region: str) -> tuple[str, ...]:
    """The county, its city, its province and the nation, each once."""
    county = region[:6].ljust(6, "0")
    return tuple(dict.fromkeys((county, county[:4] + "00", county[:2] + "0000", NATION)))


def _derive(parameter: Parameter, region: str, on: date, key: str, known: dict[str, Parameter]) -> ParameterRow | None:
    product, start, end, sources = Decimal(1), date.min, OPEN_END, []
    for factor in parameter.factors:
        factor_key = key if known[factor].dimension else ""
        row = resolve(factor, region, on, factor_key, known)
        if row is None or row.value is None:
            return None
        product *= row.value
        start, end = max(start, row.valid_from), min(end, row.valid_to)
        sources.append(f"{factor} ({row.source})")
    value = round_half_up(product, parameter.rounding) if parameter.rounding else product
    return ParameterRow(regions_above(region)[0], key, value, None, start, end, " × ".join(sources))


def keys_of(parameter: Parameter, known: dict[str, Parameter]) -> tuple[str, ...]:
    """Every dimension key under which the parameter has a value; the empty key where it has no dimension."""
    keys = {row.key for row in parameter.rows}
    if not parameter.dimension:
        return ("",)
    for factor in parameter.factors:
        if known[factor].dimension == parameter.dimension:
            keys |= set(keys_of(known[factor], known))
    return tuple(sorted(keys))


def _parameter_of(document: dict[str, Any], stem: str) -> Parameter:
    unexpected = set(document) - {"parameter", "label", "unit", "dimension", "derived", "values", "note"}
    if unexpected:
        raise ValueError(f"unknown keys {', '.join(sorted(unexpected))}")
    if document["parameter"] != stem:
        raise ValueError(f"the file must be named after its parameter {document['parameter']}")
    unit, dimension = document["unit"], document.get("dimension")
    if unit not in UNITS:
        raise ValueError(f"unit {unit} is none of {', '.join(sorted(UNITS))}")
    if dimension is not None and dimension not in DIMENSIONS:
        raise ValueError(f"dimension {dimension} is none of {', '.join(DIMENSIONS)}")
    derived = document.get("derived") or {}
    rounding = derived.get("round")
    if rounding is not None and rounding not in _ROUNDINGS:
        raise ValueError(f"rounding {rounding} is none of {', '.join(_ROUNDINGS)}")
    rows = _closed(list(_rows_of(document.get("values") or [], unit, dimension)))
    if not rows and not derived:
        raise ValueError("neither values nor a derivation")
    return Parameter(
        name=stem,
        label_zh=document["label"]["zh"],
        label_en=document["label"]["en"],
        unit=unit,
        dimension=dimension,
        factors=tuple(derived.get("product", ())),
        rounding=rounding,
        rows=rows,
    )


def _rows_of(values: list[dict[str, Any]], unit: str, dimension: str | None) -> Iterator[ParameterRow]:
    for item in values:
        if isinstance(item["value"], dict) != bool(dimension):
            raise ValueError("a value is a map where the parameter has a dimension, and only there")
        cells = item["value"] if dimension else {"": item["value"]}
        for key, cell in cells.items():
            _check_key(dimension, str(key))
            yield ParameterRow(
                region=_region(item["region"]),
                key=str(key),
                value=None if unit == "text" else Decimal(str(cell)),
                text=str(cell) if unit == "text" else None,
                valid_from=_day(item["from"]),
                valid_to=_day(item["to"]) if item.get("to") else OPEN_END,
                source=str(item["source"]),
            )


def _closed(rows: list[ParameterRow]) -> tuple[ParameterRow, ...]:
    """Let each row end where the next of its region and key begins; two that begin together are an error."""
    ordered = sorted(rows, key=lambda row: (row.region, row.key, row.valid_from))
    closed = []
    for row, following in zip_longest(ordered, ordered[1:]):
        end = row.valid_to
        if following is not None and (following.region, following.key) == (row.region, row.key):
            end = min(end, following.valid_from)
        if end <= row.valid_from:
            raise ValueError(f"a value of region {row.region} from {row.valid_from} ends before it begins")
        closed.append(ParameterRow(row.region, row.key, row.value, row.text, row.valid_from, end, row.source))
    return tuple(closed)


def _check_key(dimension: str | None, key: str) -> None:
    allowed = DIMENSIONS[dimension] if dimension else frozenset()
    if allowed and key not in allowed:
        raise ValueError(f"{key} is no key of {dimension} ({', '.join(sorted(allowed))})")


def _region(value: Any) -> str:
    if not (isinstance(value, str) and len(value) == 6 and value.isdigit()):
        raise ValueError(f"region {value} is not a quoted code of six digits")
    return value


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise ValueError(f"{value} is not a date")
    return value
