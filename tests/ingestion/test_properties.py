"""Parsers under any input: what is written is read again, and nothing makes them fail."""

from __future__ import annotations

import csv
import hmac
import io
import json
from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.cn import uscc as stdnum_uscc

from ingestion.normalise import normalise_cells, normalise_text
from ingestion.parse import parse_column
from ingestion.parse_code import parse_uscc
from ingestion.parse_date import parse_date, parse_month
from ingestion.parse_identity import check_character, parse_id
from ingestion.parse_number import parse_decimal, parse_int, parse_money
from ingestion.parsed import ParseContext
from ingestion.pseudonym import hmac_digests, pseudonyms
from ingestion.reason import FileRejectedError
from ingestion.rows import check_rows
from ingestion.statement import period_of, read_sidecar
from models.contract import load_feeds
from tests.ingestion.whole import read_whole

RECEIVED = date(2024, 1, 1)
FEEDS = load_feeds()
COLUMNS = [(feed.name, column.name) for feed in FEEDS.values() for column in feed.columns]
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

birthdays = st.dates(date(1900, 1, 1), RECEIVED)
anything = st.one_of(st.text(), st.from_regex(r"[-+(]?[0-9０-９,.万元年月日/Ee ]{0,20}[)]?", fullmatch=True))


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    first = f"{draw(st.integers(110000, 659999))}{draw(birthdays):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first + check_character(first)


def one(series: pl.Series) -> object:
    return series[0]


@quick
@given(id_numbers())
def test_valid_id_number_is_read_as_it_is(number: str) -> None:
    for text in (number, number.lower(), f" {number}"):
        parsed = parse_id(normalise_cells(pl.Series([text])), RECEIVED)
        assert (one(parsed.value), parsed.fault) == (number, None)


@quick
@given(st.from_regex(r"[1-6][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]{4}[0-9X]", fullmatch=True))
def test_check_of_id_numbers_agrees_with_another_implementation(text: str) -> None:
    in_time = "19000101" <= text[6:14] <= f"{RECEIVED:%Y%m%d}" and _date_is_real(text)
    found = parse_id(pl.Series([text]), RECEIVED)
    assert (found.fault is None) == (in_time and ric.calc_check_digit(text) == text[17])


def _date_is_real(text: str) -> bool:
    try:
        datetime.strptime(text[6:14], "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        return False
    return True


@quick
@given(id_numbers(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_found(number: str, at: int, off: int) -> None:
    wrong = number[:at] + str((int(number[at]) + off) % 10) + number[at + 1 :]
    parsed = parse_id(pl.Series([wrong]), RECEIVED)
    assert parsed.fault is not None


@quick
@given(st.decimals(-(10**9), 10**9, places=2))
def test_money_as_written_is_read_again(amount: Decimal) -> None:
    plain, grouped = f"{amount:.2f}", f"{amount:,.2f}"
    bracketed = f"({-amount:.2f})" if amount < 0 else plain
    tens = f"{amount / 10_000:.6f}万元"
    texts = pl.Series([plain, grouped, bracketed, f"¥{grouped}", f"{plain}元", tens])
    parsed = parse_money(texts, 1)
    assert parsed.fault is None
    assert set(parsed.value.to_list()) == {amount}


@quick
@given(st.dates(date(1900, 1, 1), date(2150, 1, 1)))
def test_dates_as_written_are_read_again(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    texts = [
        f"{day:%Y%m%d}",
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.isoformat()} 23:59:59",
        *([str(serial)] if 2_200 < serial <= 73_050 else []),
    ]
    parsed = parse_date(pl.Series(texts))
    assert parsed.fault is None
    assert set(parsed.value.to_list()) == {day}


@quick
@given(st.dates(date(1900, 1, 1), date(2150, 1, 1)))
def test_months_as_written_are_read_again(day: date) -> None:
    texts = [f"{day:%Y%m}", f"{day:%Y-%m}", f"{day.year}年{day.month}月", f"{day.year}/{day.month}"]
    assert set(parse_month(pl.Series(texts)).value.to_list()) == {day.replace(day=1)}


@quick
@given(st.integers(-(10**12), 10**12))
def test_whole_numbers_are_read_again(number: int) -> None:
    texts = pl.Series([str(number), f"{number:,}", f"{number}.0"])
    assert set(parse_int(texts).value.to_list()) == {number}
    assert set(parse_decimal(texts).value.to_list()) == {float(number)}


@quick
@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_check_of_credit_codes_agrees_with_another_implementation(first: str) -> None:
    good = first + stdnum_uscc.calc_check_digit(first)
    assert one(parse_uscc(pl.Series([good])).value) == good
    bad = first + ("0" if good[17] != "0" else "1")
    assert parse_uscc(pl.Series([bad])).fault is not None


@quick
@given(st.lists(anything, min_size=1, max_size=5), st.sampled_from(COLUMNS))
def test_no_cell_makes_a_parser_fail(texts: list[str], where: tuple[str, str]) -> None:
    column = FEEDS[where[0]].column(where[1])
    cells = normalise_cells(pl.Series(texts, dtype=pl.String))
    parsed = parse_column(column, cells, ParseContext(RECEIVED))
    assert len(parsed.value) == len(texts)
    if parsed.fault is not None:
        assert not (parsed.fault.is_not_null() & parsed.value.is_not_null()).any()
        assert not (parsed.fault.is_not_null() & cells.is_null()).any()


@quick
@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once
    assert one(normalise_cells(pl.Series([text]))) == (once or None)


@quick
@given(st.binary(max_size=300))
def test_no_bytes_make_a_reader_fail(data: bytes) -> None:
    for prefix in (b"", "身份证号,姓名,死亡日期,信息来源\n".encode(), b"PK\x03\x04", b"{", b"\xff\xfe"):
        try:
            table = read_whole(prefix + data, FEEDS["death_record"])
        except FileRejectedError:
            continue
        if table.header.position("id_number") is not None and table.cells.height:
            checked = check_rows(table, FEEDS["death_record"], RECEIVED)
            assert table.rows_data == checked.valid.height + checked.faults["row_number"].n_unique()


cells = st.text(alphabet=st.sampled_from("甲乙1ax,;|\t\"' \n."), max_size=8)


@quick
@given(st.lists(st.lists(cells, min_size=4, max_size=4), min_size=1, max_size=6), st.sampled_from(",;|\t"))
def test_any_quoted_table_is_read_again(rows: list[list[str]], delimiter: str) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["身份证号", "姓名", "死亡日期", "信息来源"])
    filled = [[*row[:3], row[3] + "x"] for row in rows]
    writer.writerows(filled)
    table = read_whole(stream.getvalue().encode(), FEEDS["death_record"])
    read = [tuple(cell or "" for cell in row[1:]) for row in table.cells.rows()]
    assert read == [tuple(cell.replace("\n", " ") for cell in row) for row in filled]
    assert table.malformed.is_empty()


@quick
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_sidecar_makes_its_reader_fail(document: object) -> None:
    reasons = set()
    for value in (document, {"rows": document, "period": document}, {"control_totals": document, "sent_at": document}):
        try:
            read_sidecar(json.dumps(value).encode())
        except FileRejectedError as error:
            reasons.add(error.reason)
    assert reasons <= {"manifest_mismatch"}


@quick
@given(st.text())
def test_no_file_name_makes_the_period_fail(name: str) -> None:
    period = period_of(name)
    assert period is None or (1990 <= int(period[:4]) <= 2099 and 1 <= int(period[5:]) <= 12)


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_pseudonyms_are_letters_and_depend_on_key_and_value(algorithm: str) -> None:
    values = pl.Series(["a", "b", None, "a"])
    keys = pseudonyms(values, b"k" * 32, algorithm)  # type: ignore[arg-type]
    assert keys[0] == keys[3] != keys[1]
    assert keys[2] is None
    assert keys.str.contains(r"^[a-z]{24}$").drop_nulls().all()
    assert keys[0] != pseudonyms(values, b"l" * 32, algorithm)[0]  # type: ignore[arg-type]


@quick
@given(st.binary(min_size=1, max_size=100), st.lists(st.text(), max_size=5), st.sampled_from(["sha256", "sm3"]))
def test_digests_are_those_of_the_standard_library(key: bytes, values: list[str], algorithm: str) -> None:
    values = [value.encode("utf-8", "replace").decode() for value in values]
    expected = [hmac.digest(key, value.encode(), algorithm) for value in values]
    assert hmac_digests(values, key, algorithm) == expected  # type: ignore[arg-type]


json_cells = st.one_of(st.none(), st.text(max_size=6), st.integers(-(10**9), 10**9), st.booleans())
json_rows = st.lists(
    st.dictionaries(st.sampled_from(["姓名", "身份证号", "死亡日期", "信息来源", "x"]), json_cells), min_size=1
)


@quick
@given(json_rows)
def test_json_lines_are_read_as_they_are_written(rows: list[dict[str, object]]) -> None:
    rows = [{"身份证号": "1", "姓名": "甲", "死亡日期": "2", "信息来源": "3"}, *rows]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    table = read_whole(text, FEEDS["death_record"])
    read = [dict(zip(table.header.labels, cells[1:], strict=True)) for cells in table.cells.rows()]
    written = [{key: _as_text(value) for key, value in row.items()} for row in rows]
    # A row without any value is blank, as in a table.
    written = [
        row
        for row in written
        if any((cell or "").strip(" \t\r\x0b\x0c'\u3000\u00a0\u200b\ufeff") for cell in row.values())
    ]
    assert [{key: cell for key, cell in row.items() if cell is not None} for row in read] == [
        {key: cell for key, cell in row.items() if cell is not None} for row in written
    ]
    assert table.malformed.is_empty()


def _as_text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
