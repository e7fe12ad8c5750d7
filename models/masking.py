"""How names, ID numbers and phones are shown to people who need not know them.

Belongs here: masking of single values, of text and of whole columns. Does not belong here: pseudonyms, which
are made with a key (``ingestion``).
"""

from __future__ import annotations

import re

import polars as pl

MASK = "*"
_ID_LENGTHS = (15, 18)
# Look-arounds instead of \b, since Chinese characters are word characters; a longer run of digits is no ID.
ID_PATTERN = r"[1-9]\d{16}[\dXx]|[1-9]\d{14}"
PHONE_PATTERN = r"1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}"
_ID_IN_TEXT = re.compile(rf"(?<![0-9A-Za-z])(?:{ID_PATTERN})(?!\d)")
_PHONE_IN_TEXT = re.compile(rf"(?<![0-9A-Za-z])(?:{PHONE_PATTERN})(?!\d)")


def mask_name(name: str) -> str:
    """``张三`` becomes ``张*``, ``张三丰`` becomes ``张*丰``, ``欧阳娜娜`` becomes ``欧**娜``."""
    name = name.strip()
    if len(name) <= 1:
        return MASK * len(name)
    if len(name) == 2:
        return name[0] + MASK
    return name[0] + MASK * (len(name) - 2) + name[-1]


def mask_id(id_number: str) -> str:
    """``42070419800101002X`` becomes ``420704********002X``; what has no known length is masked wholly."""
    id_number = id_number.strip()
    if len(id_number) not in _ID_LENGTHS:
        return MASK * len(id_number)
    tail = 4 if len(id_number) == 18 else 3
    return id_number[:6] + MASK * (len(id_number) - 6 - tail) + id_number[-tail:]


def mask_phone(phone: str) -> str:
    """``13812341234`` becomes ``138****1234``; a shorter number keeps its last two digits."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) < 10:
        return MASK * max(len(digits) - 2, 0) + digits[-2:] if len(digits) > 4 else MASK * len(digits)
    return digits[:3] + MASK * (len(digits) - 7) + digits[-4:]


def mask_text(text: str) -> str:
    """ID numbers and phone numbers inside a text masked, the rest untouched."""
    text = _ID_IN_TEXT.sub(lambda match: mask_id(match.group()), text)
    return _PHONE_IN_TEXT.sub(lambda match: mask_phone(match.group()), text)


def masked_name(column: pl.Expr) -> pl.Expr:
    """``mask_name`` over a column."""
    name = column.str.strip_chars()
    length = name.str.len_chars()
    stars = pl.lit(MASK).repeat_by(length.clip(lower_bound=2) - 2).list.join("")
    long = pl.concat_str(name.str.slice(0, 1), stars, name.str.slice(-1, 1))
    short = pl.when(length == 2).then(name.str.slice(0, 1) + MASK)
    return short.when(length == 1).then(pl.lit(MASK)).when(length == 0).then(pl.lit("")).otherwise(long)


def masked_id(column: pl.Expr) -> pl.Expr:
    """``mask_id`` over a column of 15- or 18-digit ID numbers; anything else is masked wholly."""
    value = column.str.strip_chars()
    length = value.str.len_chars()
    eighteen = pl.concat_str(value.str.slice(0, 6), pl.lit(MASK * 8), value.str.slice(-4, 4))
    fifteen = pl.concat_str(value.str.slice(0, 6), pl.lit(MASK * 6), value.str.slice(-3, 3))
    whole = pl.lit(MASK).repeat_by(length).list.join("")
    return pl.when(length == 18).then(eighteen).when(length == 15).then(fifteen).otherwise(whole)
