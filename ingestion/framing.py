"""Rows that are neither header nor data: titles, units, totals and signatures of official spreadsheets.

Belongs here: recognising them, each row by itself. Does not belong here: reading files, comparing totals
(``totals``), checking data rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import TypeVar

import polars as pl

from ingestion.header import UNITS, Header, fold, row_key
from ingestion.normalise import normalise_text
from ingestion.parse import parse_column
from ingestion.parsed import ParseContext
from ingestion.table import BLANKS, ROW_NUMBER, Framing, cell_name, is_blank_cell
from models.contract import Column

TITLE, UNIT, TOTAL, SUBTOTAL, SIGNATURE, HEADER = "title", "unit", "total", "subtotal", "signature", "header"

_TOTAL = (
    r"^(?:本页|本表|本月|本年|全市|全区|全县|全镇|各区)?"
    r"(?:合\s*计|总\s*计|小\s*计|累\s*计|共\s*计|总\s*数)(?:\s*[::(0-9].*)?$"
    r"|^共\s*[0-9]+\s*(?:人|户|条|笔|项|件)"
)
# Words that begin a row of signatures; with a colon behind they are one however full the row is.
_SIGNED = (
    r"^.{0,8}?(?:人|员|者|单位|部门|机构|科室|局长|主任|领导|日期|时间|电话|盖章|公章|签字|签章|签名|备注|说明|附注|注|意见)"
    r"\s*(?:\((?:签字|签章|签名|盖章|公章|章)\))?\s*:"
)
_SIGNATURE = (
    r"^(?:填\s*表|制\s*表|审\s*核|复\s*核|审\s*批|经\s*办|填\s*报|报\s*送|负\s*责|主\s*管|分\s*管|统计负责|联\s*系\s*(?:人|电话)"
    r"|单位\s*\(?\s*(?:负责|盖章|公章)|盖\s*章|签\s*字|签\s*章|公\s*章|打印|制作"
    r"|续\s*表|第\s*[0-9]+\s*页|共\s*[0-9]+\s*页|备\s*注|说\s*明|附\s*注)"
)
_SIGNED_APART = r"^(?:填表|制表|审核|复核|经办|填报|报送|审批|(?:单位|科室)?负责)人?(?:\((?:签字|签章|签名|盖章)\))?$"
_DAY = r"^[0-9]{4}\s*年\s*[0-9]{1,2}\s*月(?:\s*[0-9]{1,2}\s*日)?$"
_OFFICE = r"^.{3,}(?:局|厅|委|办|院|所|站|社|中心|办公室|委员会|政府|办事处|公司|银行)(?:\(?(?:盖章|公章|签章|章)\)?)?$"
_LIKELY = f"{_TOTAL}|{_SIGNED}|{_SIGNATURE}|{_DAY}|{_OFFICE}"
_UNIT = re.compile(
    r"(?:^|\s|[(]|金额|货币|计量)单\s*位\s*[::]?\s*(?:(?:人民币|人|户|人次|%|平方米|亩|年|月)\s*[、,/\s]?\s*)*(亿元|万元|千元|百元|元)"
)
_ID_NUMBER = re.compile(r"[0-9]{14,17}[0-9Xx]|[0-9]\.[0-9]+[Ee]\+?1[4-7]")
_REMARK = re.compile(r"^(?=.*[\u4e00-\u9fff]{2})[\u4e00-\u9fff0-9\s,.;:!?()<>\"/+%、。《》“”·—-]{4,}$")
_FREE_TYPES = ("text", "name", "address", "phone")
_NUMERIC_TYPES = ("money", "wan", "int", "decimal")
# A row that numbers the columns, as statistical tables have it: 甲 乙 1 2 3.
_STEMS, _CIRCLED = "甲乙丙丁戊己庚辛壬癸", "①②③④⑤⑥⑦⑧⑨⑩"
_FIRST_NUMBERS = ["1", "甲", "(1)", "（1）", "①"]
_SECOND_NUMBERS = ["2", "1", "乙", "(2)", "（2）", "②"]
_FEW_CELLS = 2

Texts = TypeVar("Texts", pl.Series, pl.Expr)


def unit_of(rows: Sequence[Sequence[str]]) -> int | None:
    """Yuan per unit that a unit row (单位:万元) among those rows states; None where none does."""
    for row in rows:
        texts = [normalise_text(cell) for cell in row]
        # The word and its unit may stand in two cells.
        for text in (*texts, " ".join(filter(None, texts))):
            found = _UNIT.search(text)
            if found:
                return UNITS[found.group(1)]
    return None


def framing_above(rows: Sequence[tuple[int, Sequence[str]]]) -> list[Framing]:
    """The rows above the header that are not blank."""
    filled = [(number, row) for number, row in rows if any(normalise_text(cell) for cell in row)]
    return [Framing(number, UNIT if unit_of([row]) else TITLE, tuple(row)) for number, row in filled]


def kind_below(cells: Sequence[str], header: Header) -> str | None:
    """What a row below the header is if it is not data: header, title, total, subtotal, signature; else None."""
    texts = [normalise_text(cell) for cell in cells]
    first = next((text for text in texts if text), "")
    if not first:
        return None
    key = row_key(texts)
    if key in header.lines or _is_header(texts, header):
        return HEADER
    if key in header.titles or _numbers_columns(texts):
        return UNIT if unit_of([texts]) else TITLE
    # A row with the number of a person is data, whatever else it says.
    if any(_ID_NUMBER.search(text) for text in texts):
        return None
    if re.match(_TOTAL, first) and _count_of_values(texts, header) < _FEW_CELLS:
        return SUBTOTAL if "小" in first[:4] else TOTAL
    return SIGNATURE if _is_signature(texts, first, header) else None


def _is_signature(texts: Sequence[str], first: str, header: Header) -> bool:
    if re.match(f"{_SIGNED}|{_SIGNED_APART}", first):
        return True
    if not _is_sparse(texts, header):
        return False
    return bool(re.match(_SIGNATURE, first)) or _is_foreign(texts, header)


def likely_framing(lines: pl.Series, header: Header) -> pl.Series:
    """Which lines of another width than the header's are worth a look: all that may be framing, few others."""
    lead = lines.str.strip_chars_start(f'{BLANKS}",;|').str.extract('^([^",;|\t]*)')
    labels = [label for label in map(normalise_text, header.labels) if label]
    # A header has no digits; a row of data has.
    return (
        _narrow(lead).str.contains(_LIKELY)
        | lines.str.contains("[\uff01-\uff5e\u200b-\u200f\u2060\u00ad]")
        | lines.str.contains_any(labels)
        | ~lines.str.contains("[0-9]{4}")
    )


def split_framing(cells: pl.DataFrame, header: Header) -> tuple[pl.DataFrame, list[Framing]]:
    """Data rows, and the framing and header rows among them."""
    names = [name for name in cells.columns if name != ROW_NUMBER]
    likely = _candidates(cells, names, header)
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
    """Few rows worth a look: those where a required column is empty, or that begin like a header or framing."""
    if cells.is_empty():
        return cells
    required = [cell_name(at) for at, column in header.columns.items() if column.required] or names
    label = next((one for one in map(normalise_text, header.labels) if one), "")
    begins = pl.any_horizontal(
        pl.col(names[0]).str.contains_any([":", "：", "计", "共"]),
        pl.col(required[0]).str.contains(normalise_text(header.labels[int(required[0])])[:1], literal=True),
        pl.col(names[0]).str.contains(label[:1], literal=True),
        # A line of English names has no digits where an ID number stands.
        pl.col(required[0]).str.contains("^[A-Za-z_ ]{4,}$"),
        pl.col(names[0]).is_in(_FIRST_NUMBERS) & pl.col(names[min(1, len(names) - 1)]).is_in(_SECOND_NUMBERS),
    ).fill_null(False)
    if not any(cells[name].null_count() for name in required) and not _has_blank(cells, required):
        return cells.filter(begins)
    sparse = cells.filter(begins | pl.any_horizontal(map(is_blank_cell, required)))
    filled = [pl.when(~is_blank_cell(name)).then(pl.col(name)) for name in names]
    lead = _narrow(pl.coalesce(*filled).str.strip_chars(BLANKS))
    few = pl.sum_horizontal(cell.is_not_null() for cell in filled) <= _FEW_CELLS
    wordy = ~pl.any_horizontal(pl.col(name).str.contains("[0-9]{4}").fill_null(False) for name in names)
    return sparse.filter(begins | few | wordy | lead.str.contains(f"{_LIKELY}|[\uff01-\uff5e]"))


def _narrow(texts: Texts) -> Texts:
    """With the full-width signs that the patterns ask for made narrow."""
    return texts.str.replace_all("：", ":").str.replace_all("（", "(").str.replace_all("）", ")")


def _has_blank(cells: pl.DataFrame, names: list[str]) -> bool:
    return bool(cells.select(pl.any_horizontal(is_blank_cell(name).any() for name in names)).item())


def _is_header(texts: Sequence[str], header: Header) -> bool:
    """A repeated header, or the second line of one: every filled cell is a label of its own column."""
    filled = [(at, text) for at, text in enumerate(texts) if text]
    hits = sum(at < len(header.labels) and fold(text) in _labels_at(header, at) for at, text in filled)
    return (hits >= _FEW_CELLS and hits == len(filled)) or hits > max(_FEW_CELLS, len(header.labels) // 2)


def _labels_at(header: Header, at: int) -> set[str]:
    """What the header may say there: its own label, or any other of that column (a line of English names)."""
    column = header.columns.get(at)
    return {fold(label) for label in (header.labels[at], *(column.headers if column else ()))} - {""}


def _numbers_columns(texts: Sequence[str]) -> bool:
    """Whether the cells only count: stems first, if any, then one, two, three."""
    filled = [text.strip("()") for text in texts if text]
    stems = sum(text in _STEMS for text in filled)
    numbers = [str(_CIRCLED.index(text) + 1) if text in _CIRCLED else text for text in filled[stems:]]
    return (
        len(filled) > _FEW_CELLS
        and "".join(filled[:stems]) == _STEMS[:stems]
        and numbers == [str(at) for at in range(1, len(numbers) + 1)]
    )


def _count_of_values(texts: Sequence[str], header: Header) -> int:
    """How many cells hold what only a row of data would: a date, month, code, division of its column."""
    cells = ((header.columns.get(at), text) for at, text in enumerate(texts) if text)
    return sum(
        column is not None and column.type not in (*_FREE_TYPES, *_NUMERIC_TYPES) and _fits(text, column)
        for column, text in cells
    )


@lru_cache(maxsize=1024)
def _fits(text: str, column: Column) -> bool:
    return parse_column(column, pl.Series([text]), ParseContext(date.max)).fault is None


def _is_sparse(texts: Sequence[str], header: Header) -> bool:
    """Fewer filled cells than the contract requires."""
    required = sum(column.required for column in header.columns.values())
    return sum(map(bool, texts)) < max(_FEW_CELLS, required)


def _is_foreign(texts: Sequence[str], header: Header) -> bool:
    """One or two cells of words that their columns cannot hold: an office and a day below the table, a remark."""
    filled = [(header.columns.get(at), text) for at, text in enumerate(texts) if text]
    return len(filled) <= _FEW_CELLS and all(_is_remark(text, column) for column, text in filled)


def _is_remark(text: str, column: Column | None) -> bool:
    if re.match(_DAY, text) or re.search(_OFFICE, text):
        return column is None or column.type in ("id", *_FREE_TYPES) or not _fits(text, column)
    if column is None or not _REMARK.match(text):
        return False
    if column.type in _FREE_TYPES:
        return column.type == "text" and column.key and not re.search("[0-9]", text)
    return not _fits(text, column)
