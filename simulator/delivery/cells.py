"""What can be wrong or merely odd about one cell: each kind takes a text and gives another, or None where it cannot.

Belongs here: single cells. Does not belong here: which cells are hit (``faults``).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from models.codes import load_code_tables
from models.contract import Column

# GB 11643-1999, mod 11-2.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ID = re.compile(r"\d{17}[\dX]")
_MONEY = re.compile(r"\d+\.\d{1,2}")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

Change = Callable[[np.random.Generator, Column, str], "str | None"]


def check_character(digits: str) -> str:
    """The eighteenth character that belongs to seventeen digits."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]


# Faults: the reason under which the row is quarantined (required column) or the cell is emptied (optional one).
def wrong_check(rng: np.random.Generator, column: Column, value: str) -> str | None:
    if column.type != "id" or not _ID.fullmatch(value):
        return None
    # Never a nought: three at the end look like a number that a spreadsheet has cut.
    others = [check for check in "123456789" if check != value[-1]]
    return value[:-1] + str(rng.choice(others))


def lost_precision(rng: np.random.Generator, column: Column, value: str) -> str | None:
    """Scientific notation, or fifteen digits and three zeros that fail the check."""
    if column.type != "id" or not _ID.fullmatch(value):
        return None
    cut = value[:15] + "000"
    if check_character(cut[:17]) != "0" and rng.random() < 0.5:
        return cut
    return f"{value[0]}.{value[1:15]}E+17"


def impossible_date(rng: np.random.Generator, column: Column, value: str) -> str | None:
    if column.type != "date" or not value:
        return None
    return str(rng.choice(["20230230", "2023-13-01", "2022/2/30", "20230631"]))


def unknown_code(rng: np.random.Generator, column: Column, value: str) -> str | None:
    return str(rng.choice(["Z9", "未知代码"])) if column.code_table and value else None


def unreadable_number(_: np.random.Generator, column: Column, value: str) -> str | None:
    if not value or column.type not in ("money", "int", "decimal", "wan", "month"):
        return None
    return "202313" if column.type == "month" else "待核实"


def out_of_range(_: np.random.Generator, column: Column, value: str) -> str | None:
    if not value or column.type not in ("money", "decimal", "wan", "int"):
        return None
    if column.minimum is not None or column.exclusive_minimum is not None:
        return "-5"
    return "200000000" if column.type == "money" and column.maximum is not None else None


def unknown_division(_: np.random.Generator, column: Column, value: str) -> str | None:
    return "420702999999" if column.type == "division" and value.startswith("4207") else None


def wrong_credit_code(rng: np.random.Generator, column: Column, value: str) -> str | None:
    if column.type != "uscc" or len(value) != 18:
        return None
    return value[:-1] + str(rng.choice([check for check in "0123456789" if check != value[-1]]))


FAULTS: dict[str, Change] = {
    "id_invalid": wrong_check,
    "id_precision_lost": lost_precision,
    "date_invalid": impossible_date,
    "code_unknown": unknown_code,
    "value_invalid": unreadable_number,
    "out_of_range": out_of_range,
    "division_unknown": unknown_division,
    "uscc_invalid": wrong_credit_code,
}


# Harmless variants: other ways of writing that ingestion must take as the same value.
def _full_width(_: np.random.Generator, column: Column, value: str) -> str | None:
    return value.translate(_FULL_WIDTH) if column.type in ("date", "month", "division") and value.isdigit() else None


def _blanks(_: np.random.Generator, column: Column, value: str) -> str | None:
    return f" {value} " if value and column.type in ("id", "name", "code", "date", "division", "text") else None


def _ideographic(_: np.random.Generator, column: Column, value: str) -> str | None:
    return value + "\u3000" if value and column.type in ("id", "name", "code") else None


def _zero_width(_: np.random.Generator, column: Column, value: str) -> str | None:
    return value[:3] + "\u200b" + value[3:] if value and column.type in ("id", "division") else None


def _apostrophe(_: np.random.Generator, column: Column, value: str) -> str | None:
    return "'" + value if value and column.type in ("id", "division") else None


def _lower_x(_: np.random.Generator, column: Column, value: str) -> str | None:
    return value.lower() if column.type == "id" and value.endswith("X") else None


def _fifteen_digits(_: np.random.Generator, column: Column, value: str) -> str | None:
    """The old form without century and check; only for those born in the last one."""
    return value[:6] + value[8:17] if column.type == "id" and _ID.fullmatch(value) and value[6:8] == "19" else None


def _dotted_date(rng: np.random.Generator, column: Column, value: str) -> str | None:
    parts = _COMPACT.fullmatch(re.sub(r"\D", "", value)) if column.type == "date" and len(value) in (8, 10) else None
    if parts is None:
        return None
    year, month, day = (int(part) for part in parts.groups())
    return str(rng.choice([f"{year}.{month}.{day}", f"{year}年{month}月{day}日", f"{year}/{month}/{day} 08:30:00"]))


def _code_or_label(_: np.random.Generator, column: Column, value: str) -> str | None:
    if not column.code_table or not value:
        return None
    labels = {code: label.zh for code, label in load_code_tables()[column.code_table].labels.items()}
    codes = {label: code for code, label in labels.items()}
    return labels.get(value) or codes.get(value)


def _number_code(_: np.random.Generator, column: Column, value: str) -> str | None:
    """A code as a spreadsheet leaves it: without its leading zero, or with a decimal."""
    if not column.code_table or not value.isdigit():
        return None
    bare = value.lstrip("0")
    if not bare:
        return None
    return bare if bare != value else bare + ".0"


def _thousands(_: np.random.Generator, column: Column, value: str) -> str | None:
    return f"{float(value):,.2f}" if _is_money(column, value) and float(value) >= 1000 else None


def _yuan(_: np.random.Generator, column: Column, value: str) -> str | None:
    return value + "元" if _is_money(column, value) else None


def _sign(_: np.random.Generator, column: Column, value: str) -> str | None:
    return "¥" + value if _is_money(column, value) else None


def _month_text(rng: np.random.Generator, column: Column, value: str) -> str | None:
    if column.type != "month" or len(value) != 6:
        return None
    return str(rng.choice([f"{value[:4]}-{value[4:]}", f"{value[:4]}年{int(value[4:])}月"]))


def _is_money(column: Column, value: str) -> bool:
    return column.type == "money" and bool(_MONEY.fullmatch(value))


HARMLESS: dict[str, Change] = {
    "full_width": _full_width,
    "blanks": _blanks,
    "ideographic_space": _ideographic,
    "zero_width": _zero_width,
    "apostrophe": _apostrophe,
    "lower_x": _lower_x,
    "id15": _fifteen_digits,
    "date_form": _dotted_date,
    "code_or_label": _code_or_label,
    "code_number": _number_code,
    "money_thousands": _thousands,
    "money_yuan": _yuan,
    "money_sign": _sign,
    "month_form": _month_text,
}
