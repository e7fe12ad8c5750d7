"""The page of all parameters (``docs/policy.md``), and the values that hold in a place on a day.

Belongs here: the policy as tables for people. Does not belong here: the values (``parameters/*.yaml``).
``python -m models.policy.page`` writes the page anew; a test says when it is not current.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from models.policy.catalogue import load_overlaps
from models.policy.inspection import ends, holidays_unknown_from
from models.policy.parameters import NATION, Parameter, ParameterRow, keys_of, load_parameters, resolve

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"


@dataclass(frozen=True)
class Holding:
    """One value that holds: ``region`` is where it was set, ``since`` from when; ``key`` of its dimension or empty."""

    parameter: str
    label_zh: str
    label_en: str
    key: str
    value: str
    unit: str
    region: str
    since: date
    until: date | None
    source: str


def values_on(region: str, on: date, names: Iterable[str] | None = None) -> list[Holding]:
    """What holds in a region on a day, derived values included; parameters without a value there are left out."""
    known = load_parameters()
    found = []
    for name in names or known:
        parameter = known[name]
        for key in keys_of(parameter, known):
            row = resolve(name, region, on, key, known)
            if row is not None:
                found.append(_holding(parameter, row))
    return found


def _holding(parameter: Parameter, row: ParameterRow) -> Holding:
    return Holding(
        parameter.name, parameter.label_zh, parameter.label_en, row.key, _shown(row), parameter.unit, row.region,
        row.valid_from, ends(row), row.source,
    )  # fmt: skip


def _shown(row: ParameterRow) -> str:
    return row.text or "" if row.value is None else plain(row.value)


def plain(value: Decimal) -> str:
    """A number without needless noughts: 0.60 is 0.6, 750 stays 750."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def page() -> str:
    """The whole page as Markdown."""
    known = load_parameters()
    parts = [_HEAD.format(count=len(known), until=f"{holidays_unknown_from():%Y-%m-%d}")]
    for title, chosen in _sections(known).items():
        parts += [f"\n## {title}\n", "| parameter | what | value | unit | from | source |", "|---|---|---|---|---|---|"]
        parts += [line for parameter in chosen for line in _lines(parameter)]
    parts += ["\n## Which benefits one person may have in one month\n", _BENEFITS, "| benefits | rule | why | source |"]
    parts += ["|---|---|---|---|"]
    parts += [
        f"| {overlap.benefit_a} + {overlap.benefit_b} | {overlap.rule} | {overlap.reason_zh} | {overlap.source} |"
        for overlap in load_overlaps()
    ]
    return "\n".join(parts) + "\n"


_HEAD = """# The policy, parameter by parameter

Written by `python -m models.policy.page` from `models/policy/parameters/*.yaml` ({count} parameters): do not edit it by
hand. One file is one parameter; to change a value, add a row with region, first day, value and document to its file,
run `zhaoren policy check`, and run the month. Values of before keep for the months in which they held. The nearest
region wins: county, city, province, nation (`000000`). A derived parameter is a product of others, rounded half up to
the yuan in decimal arithmetic (1,483 × 1.5 = 2,224.5 is 2,225). `zhaoren policy show PARAMETER --region 420702 --on
2024-06-01` says what holds somewhere on a day. Every run records the version of the policy (twelve letters over all its
files): `zhaoren status` shows it, and every list carries it in the comments of its file properties.

Values marked *Fictitious* belong to the synthetic cities; *Default …* are those of the catalogue or of this project and
are to be set by the place. Work-injury care (工伤护理) excludes the disability allowances too, but no feed tells of it.
Working days follow the published holidays and make-up days; from {until} on no notice is known to the calendar, and
weekends alone are free until it is updated (`zhaoren policy check` says so)."""


_BENEFITS = """DB 低保金, TK 特困供养金, HL 照料护理费, CS 困难残疾人生活补贴, CH 重度残疾人护理补贴, GE 孤儿基本生活费,
SS 事实无人抚养儿童补贴, GL 高龄津贴. One-off aid (LS) and the price subsidy (WJ, once a person) go beside anything.
"""


def _sections(known: dict[str, Parameter]) -> dict[str, list[Parameter]]:
    """Parameters of the indicators by themselves, all others by unit of what they say."""
    rules = [one for name, one in known.items() if name[:1] in "nx" and name[1:3].isdigit()]
    other = [one for one in known.values() if one not in rules]
    money = [one for one in other if one.unit.startswith("yuan") or one.rounding]
    rest = [one for one in other if one not in money]
    return {"Standards and amounts": money, "Limits, periods and states": rest, "Numbers of the indicators": rules}


def _lines(parameter: Parameter) -> list[str]:
    what = f"{parameter.label_zh} · {parameter.label_en}"
    lines = []
    if parameter.factors:
        derived = " × ".join(f"`{factor}`" for factor in parameter.factors)
        rounded = ", rounded half up" if parameter.rounding else ""
        lines.append(f"| `{parameter.name}` | {what} | {derived}{rounded} | {parameter.unit} | always | derived |")
    groups: dict[tuple[str, date, str], list[ParameterRow]] = {}
    for row in parameter.rows:
        groups.setdefault((row.region, row.valid_from, row.source), []).append(row)
    for (region, since, source), rows in groups.items():
        value = ", ".join(f"{row.key}: {_shown(row)}" if row.key else _shown(row) for row in rows)
        until = ends(rows[0])
        place = "" if region == NATION else f" ({region})"
        lines.append(
            f"| `{parameter.name}` | {what} | {value}{place} | {parameter.unit} | {since}"
            f"{f' to {until}' if until else ''} | {source} |"
        )
    return lines


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
