"""The raw files of the sample city read without any of the product's code: the newest accepted file of each month and
district, its rows as texts by Chinese heading.

Belongs here: reading for checks that must not trust ingestion. It reads only what those checks need, and no defects
but those of writing (blanks, full width, marks of money).
"""

from __future__ import annotations

import csv
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import fastexcel

HEADING = {"身份证号", "公民身份号码", "证件号码"}
SPREADSHEET_BEGIN = date(1899, 12, 30)
Row = dict[str, str]


@dataclass(frozen=True)
class Month:
    """What stood for a month in the files: rows of all districts."""

    period: str
    rows: tuple[Row, ...]


@cache
def months_of(city: Path, feed: str) -> list[Month]:
    """The rows of each month in order; of a district that sent nothing its rows of before where it is a snapshot."""
    newest: dict[str, dict[str, dict]] = defaultdict(dict)
    snapshot = False
    for line in (city / "deliveries_expected.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if told["feed"] == feed and told["expected_status"] == "accepted":
            newest[told["period"]][told["division"] or ""] = told
            snapshot = told["mode"] == "snapshot"
    standing: dict[str, tuple[Row, ...]] = {}
    found = []
    for period in sorted(newest):
        standing = dict(standing) if snapshot else {}
        for division, told in sorted(newest[period].items()):
            standing[division] = tuple(rows_of(city / told["file"]))
        found.append(Month(period, tuple(row for rows in standing.values() for row in rows)))
    return found


def rows_of(path: Path) -> Iterator[Row]:
    """Rows under the heading; a row without a number of a person is framing."""
    heads: list[str] | None = None
    above: list[str] = []
    for cells in _cells(path):
        texts = [_plain(cell) for cell in cells]
        if HEADING & set(texts):
            # A heading of two lines: what is merged over both stands in the upper one.
            heads = [text or upper for text, upper in zip(texts, above or texts, strict=False)]
        elif heads and any(texts):
            row = dict(zip(heads, texts, strict=False))
            number = next((row[name] for name in HEADING if row.get(name)), "").upper()
            if len(number) == 18:
                yield row | {"身份证号": number}
        above = texts


def _cells(path: Path) -> Iterator[list[object]]:
    data = path.read_bytes()
    if data[:2] == b"PK":
        sheet = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string")
        yield from (list(row) for row in sheet.to_polars().iter_rows())
        return
    text = _decoded(data)
    if text.lstrip().startswith("{"):
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        heads = list(dict.fromkeys(name for row in rows for name in row))
        yield heads  # type: ignore[misc]
        yield from ([row.get(name) for name in heads] for row in rows)
        return
    mark = max(",\t;|", key=text[:2000].count)
    yield from csv.reader(text.splitlines(), delimiter=mark)  # type: ignore[misc]


def _decoded(data: bytes) -> str:
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("no known encoding")


def _plain(cell: object) -> str:
    text = unicodedata.normalize("NFKC", "" if cell is None else str(cell))
    return "".join(character for character in text if unicodedata.category(character) != "Cf").strip(" '\u3000")


@cache
def yuan(text: str) -> int:
    """An amount in yuan as the files write it: 1,234.50 or ¥1234.5元."""
    return round(float(text.replace(",", "").replace("¥", "").replace("￥", "").removesuffix("元")))


def month_of(text: str) -> str:
    """202301, 2023-01 or 2023年1月 as YYYYMM."""
    digits = text.replace("年", "-").replace("月", "").replace("/", "-").split("-")
    return digits[0][:6] if len(digits) == 1 else f"{digits[0]}{int(digits[1]):02d}"


def day_of(text: str) -> date:
    """20240314, 2024-03-14, 2024/3/14, 2024.3.14, 2024年3月14日, with a time, or a spreadsheet's number."""
    text = text.split(" ")[0].split("T")[0]
    if text.isdigit() and len(text) == 8:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if text.removesuffix(".0").isdigit():
        return SPREADSHEET_BEGIN + timedelta(days=int(float(text)))
    year, month, day = (int(part) for part in text.replace("年", "-").replace("月", "-").replace("日", "")
                        .replace("/", "-").replace(".", "-").split("-"))  # fmt: skip
    return date(year, month, day)
