"""Parsers against a second opinion: what is accepted is what was written, everything else is a fault.

The second opinion is plain Python over single texts, written from feeds.md and not from the parsers.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestion.framing import kind_below, split_framing, unit_of
from ingestion.header import find_header
from ingestion.normalise import normalise_cells
from ingestion.parse import parse_column
from ingestion.parse_code import parse_code, parse_division
from ingestion.parse_date import parse_date, parse_month
from ingestion.parse_number import parse_decimal, parse_int, parse_money
from ingestion.parsed import ParseContext
from ingestion.table import ROW_NUMBER
from models.codes import load_code_tables, load_divisions
from models.contract import Feed, load_feeds
from tests.ingestion.conftest import good_row

FEEDS = load_feeds()
RECEIVED = date(2024, 1, 1)
often = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))

UNITS = {"万元": 10_000, "万": 10_000, "元": 1, "亿元": 10**8, "千元": 1_000, "百元": 100}
moneyish = st.text(alphabet=st.sampled_from("0123456789" * 2 + ".,,-+()¥￥元万 eE－，（）%$"), max_size=12)
dateish = st.text(alphabet=st.sampled_from("0123456789" * 2 + "--//..年月日 :T"), min_size=4, max_size=16)


def normal(*texts: str) -> pl.Series:
    return normalise_cells(pl.Series(texts, dtype=pl.String))


def yuan_of(text: str) -> Decimal | None:
    """A second opinion about an amount in a cell without unit of its column; None where it is none."""
    text = text.strip()
    found = re.fullmatch(r"[¥￥]? ?\((.*)\) ?(亿元|万元|千元|百元|万|元)?", text)
    negative, unit = bool(found), ""
    if found:
        text, unit = found.group(1).strip(), found.group(2) or ""
        if re.search("^[¥￥ ]*[+-]", text):
            return None
    text = re.sub(r"^([+-]?) *(?:[¥￥] *)?([+-]?)", lambda match: match[1] + match[2], text)
    inner = re.search(r" ?(亿元|万元|千元|百元|万|元)$", text)
    if inner and unit:
        return None
    if inner:
        text, unit = text[: inner.start()], inner.group(1)
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}([, ])\d{3}(\1\d{3})*(\.\d*)?([eE][+-]?\d{1,3})?", text, re.ASCII):
        text = re.sub("[, ]", "", text)
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII):
        return None
    amount = Decimal(text) * UNITS.get(unit, 1)
    return -amount if negative else amount


@often
@given(moneyish)
@example("1¥2")
@example("12 34")
@example("(5)元")
@example("1e3")
def test_an_amount_is_what_is_written_or_a_fault(text: str) -> None:
    cells = normal(text)
    parsed = parse_money(cells, 1)
    fault = None if parsed.fault is None else parsed.fault[0]
    expected = yuan_of(str(cells[0] or ""))
    if expected is None or cells[0] is None:
        assert parsed.value[0] is None
        return
    if abs(expected) >= 10**12:
        assert (parsed.value[0], fault) == (None, "out_of_range")
        return
    rounded = expected.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if "e" not in text.lower():
        assert (parsed.value[0], fault) == (rounded, None)
    else:
        assert abs(parsed.value[0] - rounded) <= Decimal("0.01")


@settings(often, max_examples=30)
@given(st.lists(moneyish, min_size=1, max_size=6))
def test_a_cell_is_read_alike_whatever_stands_beside_it(texts: list[str]) -> None:
    cells = normal(*texts)
    for parse in (lambda one: parse_money(one, 1), parse_decimal, parse_int, parse_date, parse_month):
        together = parse(cells)
        apart = [parse(cells[at : at + 1]) for at in range(len(cells))]
        assert together.value.to_list() == [one.value[0] for one in apart]
        faults = [None] * len(cells) if together.fault is None else together.fault.to_list()
        assert faults == [None if one.fault is None else one.fault[0] for one in apart]


def day_of(text: str) -> date | None:
    """A second opinion about a date."""
    clock = r"(?:(?:T|\s+)(?:([01]?\d|2[0-4])(?::([0-5]?\d)(?::([0-5]?\d)(?:\.\d+)?)?|[时点].*)|\d{4}|\d{6}).*)?"
    forms = [rf"(\d{{4}})\s*{sign}\s*(\d{{1,2}})\s*{sign}\s*(\d{{1,2}}){clock}" for sign in ("-", "/", r"\.")]
    forms += [
        r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日?.*",
        rf"(\d{{4}})(\d\d)(\d\d)(?:\.0+|\d{{4}}|\d{{6}})?{clock}",
    ]
    for form in forms:
        found = re.fullmatch(form, text, re.ASCII)
        if found:
            try:
                return date(*(int(part) for part in found.groups()[:3]))
            except ValueError:
                return None
    serial = re.fullmatch(r"(\d{4,5})(\.\d+)?", text, re.ASCII)
    return date(1899, 12, 30) + timedelta(int(serial.group(1))) if serial else None


@often
@given(dateish)
@example("2023-03-1408:30")
@example("2024-3/14")
@example("20240314.5")
def test_a_date_is_what_is_written_or_a_fault(text: str) -> None:
    cells = normal(text)
    found = parse_date(cells).value[0]
    assert found is None or found == day_of(str(cells[0]))


@often
@given(dateish)
def test_a_month_is_what_is_written_or_a_fault(text: str) -> None:
    cells = normal(text)
    found = parse_month(cells).value[0]
    if found is not None:
        digits = re.findall(r"\d+", str(cells[0]))
        year, month = (digits[0][:4], digits[0][4:6]) if len(digits[0]) == 6 else (digits[0], digits[1])
        assert (found.year, found.month, found.day) == (int(year), int(month), 1)


@often
@given(st.sampled_from(sorted(load_code_tables())), st.text(max_size=4))
def test_a_code_is_one_of_the_table_or_a_fault(table: str, text: str) -> None:
    labels = load_code_tables()[table].labels
    found = parse_code(normal(text), table).value[0]
    assert found is None or found in labels


@pytest.mark.parametrize("table", sorted(load_code_tables()))
def test_every_code_is_read_in_every_form_and_stands_for_itself(table: str) -> None:
    labels = load_code_tables()[table].labels
    for code, label in labels.items():
        forms = [code, f" {code} ", label.zh, " ".join(label.zh), code.lower()]
        forms += [f"{code}.0", code.lstrip("0") or "0"] if code.isdigit() else []
        assert set(parse_code(normal(*forms), table).value.to_list()) == {code}


@often
@given(st.from_regex(r"[0-9]{4,13}(\.0)?", fullmatch=True))
def test_a_division_is_one_of_the_list_or_of_another_city(text: str) -> None:
    found = parse_division(normal(text)).value[0]
    code = text.removesuffix(".0")
    known = {division.code for division in load_divisions()}
    is_shaped = len(code) in (6, 9, 12) and code[0] != "0"
    assert (found == code) == (is_shaped and (not code.startswith("4207") or code.ljust(12, "0") in known))


feeds = st.sampled_from(sorted(FEEDS)).map(FEEDS.__getitem__)


@often
@given(feeds, st.data())
def test_a_header_is_found_in_any_order_and_writing(feed: Feed, data: st.DataObject) -> None:
    columns = data.draw(st.permutations(feed.columns))
    labels = [data.draw(st.sampled_from(column.headers)) for column in columns]
    dressed = [
        data.draw(st.sampled_from([str, str.upper, " {}".format, "{}\u3000".format, _wide]))(label) for label in labels
    ]
    above = data.draw(st.lists(st.sampled_from([["报表"], ["", "", "单位：元"], [""], ["2023年3月"]]), max_size=3))
    header = find_header([*above, [*dressed, "备用栏"], ["1"] * len(labels)], feed)
    assert header is not None
    assert (header.first_row, header.row_count) == (len(above), 1)
    assert [header.columns[at].name for at in range(len(columns))] == [column.name for column in columns]
    assert header.drift == ("备用栏",)


def _wide(label: str) -> str:
    return label.replace("(", "（").replace(")", "）")


@often
@given(feeds, st.integers(0, 400), st.data())
def test_a_row_of_a_person_is_never_framing(feed: Feed, at: int, data: st.DataObject) -> None:
    row = good_row(feed, at)
    header = find_header([list(row)], feed)
    assert header is not None
    persons = [column.header for column in feed.columns if column.type == "id" and column.required]
    emptied = data.draw(st.sets(st.sampled_from(sorted(set(row) - set(persons[:1]))))) if persons else set()
    cells = ["" if name in emptied else cell for name, cell in row.items()]
    assert kind_below(cells, header) is None


below = st.sampled_from(
    [
        (["合计"], "total"),
        (["总 计："], "total"),
        (["合计（元）", "12人"], "total"),
        (["小计"], "subtotal"),
        (["填表人：某某"], "signature"),
        (["审核人：某某", "", "填表日期：2023年4月2日"], "signature"),
        (["单位盖章"], "signature"),
        (["备注：共两页"], "signature"),
        (["第1页"], "signature"),
    ]
)


@often
@given(feeds, below, st.integers(1, 20))
def test_framing_below_is_told_from_data_in_every_feed(feed: Feed, row: tuple[list[str], str], before: int) -> None:
    rows = [list(good_row(feed, at).values()) for at in range(before)]
    header = find_header([list(good_row(feed, 0))], feed)
    assert header is not None
    width = len(header.labels)
    lines = [*rows, [*row[0], *[""] * (width - len(row[0]))][:width]]
    table = pl.DataFrame(lines, schema=[str(at) for at in range(width)], orient="row").with_row_index(ROW_NUMBER)
    data, framing = split_framing(table, header)
    assert data.height == before
    assert [one.kind for one in framing] == [row[1]]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("单位:万元", 10_000),
        ("（单位：元）", 1),
        ("金额单位：人民币万元", 10_000),
        ("单位：户、人、元", 1),
        ("鄂州市低保表 单位:千元", 1_000),
        ("填报单位：万元村委会", None),
        ("单位：人", None),
        ("单位盖章", None),
    ],
)
def test_unit_row(text: str, unit: int | None) -> None:
    assert unit_of([["", text]]) == unit


@often
@given(st.sampled_from([(f, c) for f in FEEDS.values() for c in f.columns]), st.text(max_size=12))
def test_no_text_is_lost_without_a_fault(where: tuple[Feed, object], text: str) -> None:
    column = where[1]
    cells = normal(text)
    parsed = parse_column(column, cells, ParseContext(RECEIVED))  # type: ignore[arg-type]
    if cells[0] is not None and parsed.value[0] is None and (parsed.fault is None or parsed.fault[0] is None):
        assert cells[0] in ("-", "--", "—", "——", "–", "―", "─", "──", "无")
