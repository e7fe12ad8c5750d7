"""Parameters as they are not: a value raised, lowered or set from a month on, for asking what would follow.

Belongs here: reading such a wish and applying it to parameters, derived ones included. Does not belong here: what
follows from it (dbt). Nothing here is written back: policy is changed in its files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from models.policy.parameters import (
    OPEN_END,
    Parameter,
    ParameterRow,
    keys_of,
    load_parameters,
    resolve,
    round_half_up,
)

STANDARD = "dibao_standard"
# Larger steps than these are slips of the hand.
MOST_PERCENT = Decimal(500)
_EXPRESSION = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(?::\s*([^=\s]+)\s*)?=\s*(\S+)\s*")
_PERCENT = re.compile(r"([+-])(\d+(?:\.\d+)?)%")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class ChangeError(ValueError):
    """A wish that cannot be read, or one that names what there is not."""


@dataclass(frozen=True)
class Change:
    """One wish: a new value, or a factor to the one that holds; ``key`` None means every key of the parameter."""

    parameter: str
    key: str | None
    value: Decimal | None = None
    factor: Decimal | None = None

    def applied(self, before: Decimal, unit: str) -> Decimal:
        """The value after the change; money in whole yuan, as standards are published."""
        if self.factor is None:
            return Decimal(str(self.value))
        after = before * self.factor
        return round_half_up(after) if unit.startswith("yuan") else after


def parse_change(text: str) -> Change:
    """Read ``PARAMETER[:KEY]=VALUE|+N%|-N%``."""
    found = _EXPRESSION.fullmatch(text)
    if found is None:
        raise ChangeError(f"{text!r} is no change; write dibao_standard=+5% or dibao_standard:urban=800")
    parameter, key, amount = found.groups()
    known = load_parameters()
    if parameter not in known:
        raise ChangeError(f"{parameter} is no parameter")
    if known[parameter].unit == "text":
        raise ChangeError(f"{parameter} is no number")
    if key is not None and key not in keys_of(known[parameter], known):
        raise ChangeError(f"{parameter} has no key {key} ({', '.join(keys_of(known[parameter], known)) or 'none'})")
    factor = _factor_of(amount)
    if factor is None and not _NUMBER.fullmatch(amount):
        raise ChangeError(f"{amount!r} is neither a number nor a step such as +5% or -10%")
    return Change(parameter, key, None if factor is not None else Decimal(amount), factor)


def standard_change(text: str) -> Change:
    """Read a change of the dibao standard: a step or a value."""
    return parse_change(f"{STANDARD}={text}")


def _factor_of(amount: str) -> Decimal | None:
    found = _PERCENT.fullmatch(amount)
    if found is None:
        return None
    step = Decimal(found[1] + found[2])
    if step <= -100:
        raise ChangeError(f"{amount} leaves nothing")
    if step > MOST_PERCENT:
        raise ChangeError(f"{amount} is more than +{MOST_PERCENT}%; if it is meant, set the value itself")
    return 1 + step / 100


def changed_parameters(
    changes: Iterable[Change], counties: Sequence[str], month: date, known: Mapping[str, Parameter] | None = None
) -> dict[str, Parameter]:
    """All parameters with other values in those counties from the month on; what is derived from them follows.

    ``ChangeError`` where nothing of that name holds in any of the counties.
    """
    parameters = dict(load_parameters() if known is None else known)
    for change in changes:
        parameter = parameters[change.parameter]
        keys = [change.key] if change.key is not None else list(keys_of(parameter, parameters))
        rows = [row for county in counties for key in keys if (row := _row(change, county, key, month, parameters))]
        if not rows:
            raise ChangeError(f"{change.parameter} has no value there in {month:%Y-%m}")
        # The first row that holds counts, so those of now stand before the others.
        parameters[change.parameter] = replace(parameter, rows=(*rows, *parameter.rows))
    return parameters


def _row(change: Change, county: str, key: str, month: date, parameters: dict[str, Parameter]) -> ParameterRow | None:
    before = resolve(change.parameter, county, month, key, parameters)
    if before is None or before.value is None:
        return None
    value = change.applied(before.value, parameters[change.parameter].unit)
    return ParameterRow(county, key, value, None, month, OPEN_END, "what if")


def resting_on(names: Iterable[str], known: Mapping[str, Parameter] | None = None) -> frozenset[str]:
    """Those parameters and all that are derived from them."""
    parameters, found = (load_parameters() if known is None else known), set(names)
    while True:
        more = {name for name, item in parameters.items() if name not in found and found & set(item.factors)}
        if not more:
            return frozenset(found)
        found |= more
