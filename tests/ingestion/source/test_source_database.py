"""Tables of a PostgreSQL database as deliveries: complete months, exact values, nothing lost between two fetches."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestion import Delivery
from ingestion.source import Record, Source, SourceError, new_in, reachable, standing
from ingestion.source.landing import Landing
from models.contract import load_feeds
from tests.ingestion.conftest import as_csv, good_row, id_number
from tests.ingestion.source.conftest import Home, into_folder, source_of

adbc = pytest.importorskip("adbc_driver_postgresql.dbapi")

READER, READER_PASSWORD = "collector", "hush-Pg-4711"
# The month before is over, its deliveries are not yet due.
APRIL = datetime(2023, 4, 5, 2, 0, tzinfo=UTC)
SETTLEMENT = """
    CREATE TABLE settlement (
        结算单号 text, 身份证号 text, 姓名 text, 结算日期 date, care_type char(1), total_cost numeric(20, 6),
        basic_paid numeric(14, 2), out_of_pocket double precision, changed_at timestamp, office text
    )
"""
Sql = Callable[..., None]


@pytest.fixture
def sql(postgres_port: int) -> Iterator[Sql]:
    """Sends statements as the owner of an empty database."""
    with adbc.connect(f"postgresql://owner@127.0.0.1:{postgres_port}/postgres", autocommit=True) as connection:

        def run(*statements: str) -> None:
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)

        run("DROP SCHEMA IF EXISTS public CASCADE", "CREATE SCHEMA public", "GRANT USAGE ON SCHEMA public TO public")
        run("DO $$ BEGIN CREATE ROLE collector LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
        run(f"ALTER ROLE {READER} PASSWORD '{READER_PASSWORD}'")
        run(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}", SETTLEMENT)
        yield run


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSURANCE_PASSWORD", READER_PASSWORD)


def database(port: int, *tables: dict[str, Any], **keys: Any) -> Source:
    """The insurance office's database; by default its settlements."""
    settlement = {
        "feed": "medical_settlement",
        "table": "public.settlement",
        "watermark": "changed_at",
        "month": "结算日期",
    }
    return source_of(
        **{
            "name": "insurance",
            "kind": "database",
            "url": f"postgresql://{READER}@127.0.0.1:{port}/postgres",
            "password_env": "INSURANCE_PASSWORD",
            "timeout_seconds": 10,
            "table": list(tables) or [settlement],
            **keys,
        }
    )


def settlements(sql: Sql, first: int, count: int, day: str = "2023-03-05", changed: str = "2023-03-06 10:00") -> None:
    """Rows with numbers from ``first`` on; care types and amounts follow from the number."""
    rows = (
        f"('J{at}', '{id_number(at)}', '王{chr(0x4E00 + at % 500)}', date '{day}', '{1 + at % 3}', {at}.25, "
        f"{at}.10, {at % 50}.5, timestamp '{changed}', 'a')"
        for at in range(first, first + count)
    )
    sql(f"INSERT INTO settlement VALUES {', '.join(rows)}")


def test_a_table_is_delivered_by_month_as_a_file_with_the_same_rows_would_be(
    sql: Sql, postgres_port: int, home: Home, tmp_path: Path
) -> None:
    settlements(sql, 0, 30, "2023-02-05", "2023-02-06 10:00")
    settlements(sql, 100, 20)
    source = database(postgres_port)
    assert reachable(source, home.folder) == "1 tables readable"
    assert home.fetch(source, APRIL).fetched == 2
    inbox = Landing(home.folder, "insurance").inbox
    plain = Home(tmp_path / "plain")
    plain.ingest(inbox, APRIL)
    february, march = home.take_in(source, APRIL)

    assert home.ledger() == plain.ledger()
    assert home.lake() == plain.lake()
    assert [(item.period, item.status, item.rows_accepted) for item in (february, march)] == [
        ("2023-02", "accepted", 30),
        ("2023-03", "accepted", 20),
    ]
    # When it was sent is its newest change, in the time of the bureau.
    assert march.received_at == datetime(2023, 3, 6, 2, 0, tzinfo=UTC)
    # A column of theirs is drift, month and watermark are not.
    assert march.schema_drift == ["office"]
    assert not home.landed()
    assert standing(source, home.folder).watermark == "2023-03-06 10:00:00"
    assert home.fetch(source, APRIL).fetched == 0


def test_values_arrive_exactly(sql: Sql, postgres_port: int, home: Home) -> None:
    number, name = id_number(7), '𠀀"引",\n换行\\'
    sql(
        "CREATE TABLE odd (id_number bigint, name text, total_cost numeric(30, 10), basic_paid real, settled_on "
        "timestamptz, aided boolean, care_type int, settlement_no text, out_of_pocket money, changed_at bigint)",
        "SET lc_monetary = 'C'",
        f"INSERT INTO odd VALUES ({number[:17]}0, $t${name}$t$, 12345678901234567.0123456789, 0.1, "
        "'2023-02-28 16:30+00', true, NULL, '00012', 12.5, 9007199254740993), "
        "(NULL, NULL, 'NaN', 1e20, 'infinity', false, 3, '', NULL, NULL), "
        "(NULL, NULL, NULL, NULL, '2023-03-02 00:00+08', NULL, NULL, NULL, NULL, NULL)",
    )
    table = {"feed": "medical_settlement", "table": "odd", "watermark": "changed_at", "month": "settled_on"}
    report = home.fetch(database(postgres_port, table), APRIL)
    assert report.problem is None
    # A day without end has no month: said, not guessed.
    assert [item.why for item in report.waiting] == ["no month can be read in settled_on"]
    (path,) = Landing(home.folder, "insurance").inbox.glob("*/*.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[0]["settlement_no"] is None
    assert set(lines[0].values()) == {None, "2023-03-02 00:00:00"}
    assert lines[1] == {
        "id_number": number[:17] + "0",
        "name": name,
        "total_cost": "12345678901234567.0123456789",
        "basic_paid": "0.1",
        # Half past midnight on the first of March in the city.
        "settled_on": "2023-03-01 00:30:00",
        "aided": "1",
        "care_type": None,
        "settlement_no": "00012",
        "out_of_pocket": "$12.50",
    }


def test_a_row_added_to_a_delivered_month_brings_the_whole_month_again(
    sql: Sql, postgres_port: int, home: Home
) -> None:
    settlements(sql, 0, 30, "2023-02-05", "2023-02-06 10:00")
    settlements(sql, 100, 20)
    source = database(postgres_port)
    first = home.run(source, APRIL)
    settlements(sql, 200, 1, "2023-02-20", "2023-03-20 08:00")
    (again,) = home.run(source, APRIL)
    assert (again.period, again.rows_accepted, again.supersedes) == ("2023-02", 31, first[0].delivery_id)


def copied(watermark: str) -> str:
    """Another settlement like J3 with that watermark."""
    cells = f"'other', 身份证号, 姓名, 结算日期, care_type, 1, 1, 1, {watermark}"
    return f"INSERT INTO settlement SELECT {cells} FROM settlement WHERE 结算单号 = 'J3'"


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (copied("changed_at"), 13),
        (copied("timestamp '2001-01-01'"), 13),
        (copied("NULL"), 13),
        ("UPDATE settlement SET total_cost = 77 WHERE 结算单号 = 'J3'", 12),
        ("UPDATE settlement SET total_cost = 77, changed_at = '2023-03-30' WHERE 结算单号 = 'J3'", 12),
        ("DELETE FROM settlement WHERE 结算单号 = 'J3'", 11),
        ("UPDATE settlement SET 结算日期 = '2023-02-03' WHERE 结算单号 = 'J3'", 11),
    ],
    ids=["equal watermark", "older", "none", "changed silently", "changed", "deleted", "moved"],
)  # fmt: skip
def test_no_change_of_a_month_is_lost(change: str, rows: int, sql: Sql, postgres_port: int, home: Home) -> None:
    settlements(sql, 0, 12)
    settlements(sql, 50, 12, "2023-02-05")
    source = database(postgres_port)
    home.run(source, APRIL)
    sql(change)
    march = [item for item in home.run(source, APRIL) if item.period == "2023-03"]
    assert [item.rows_accepted for item in march] == [rows]
    assert march[0].supersedes
    assert home.run(source, APRIL) == []


def test_a_correction_that_lowers_the_watermark_still_takes_the_place_of_the_first(
    sql: Sql, postgres_port: int, home: Home
) -> None:
    settlements(sql, 0, 12)
    settlements(sql, 50, 1, changed="2023-03-20 09:00")
    source = database(postgres_port)
    (first,) = home.run(source, APRIL)
    sql("DELETE FROM settlement WHERE 结算单号 = 'J50'")
    (second,) = home.run(source, APRIL)
    assert (second.rows_accepted, second.supersedes) == (12, first.delivery_id)
    assert second.received_at > first.received_at


def test_a_month_without_rows_any_more_is_delivered_empty(sql: Sql, postgres_port: int, home: Home) -> None:
    settlements(sql, 0, 12)
    settlements(sql, 50, 12, "2023-02-05")
    source = database(postgres_port)
    home.run(source, APRIL)
    sql("DELETE FROM settlement WHERE 结算日期 >= '2023-03-01'")
    (empty,) = home.run(source, APRIL)
    assert (empty.period, empty.status, empty.rows_data) == ("2023-03", "accepted", 0)
    assert home.run(source, APRIL) == []


def test_a_month_that_is_not_over_waits(sql: Sql, postgres_port: int, home: Home) -> None:
    settlements(sql, 0, 12, "2023-04-02", "2023-04-02")
    report = home.fetch(database(postgres_port), APRIL)
    assert (report.fetched, [(item.what, item.why) for item in report.waiting]) == (
        0,
        [("medical_settlement 2023-04: 12 rows", "the month is not over")],
    )
    may = datetime(2023, 4, 30, 16, 5, tzinfo=UTC)
    assert [item.period for item in home.run(database(postgres_port), may)] == ["2023-04"]


def test_a_register_is_the_state_of_last_month_until_it_is_due(sql: Sql, postgres_port: int, home: Home) -> None:
    sql('CREATE TABLE vehicles ("号牌号码" text, "车辆类型" text, "所有人身份证号" text, "所有人姓名" text, '
        '"初次登记日期" date, "状态" text)')  # fmt: skip
    rows = [f"('鄂G{at:05d}', 'K', '{id_number(at)}', '王明', '2020-01-02', '1')" for at in range(12)]
    sql(f"INSERT INTO vehicles VALUES {', '.join(rows)}")
    table = {"feed": "vehicle_register", "query": "SELECT * FROM vehicles -- all of them\n;", "division": "420702"}
    source = database(postgres_port, table)
    (first,) = home.run(source, APRIL)
    assert (first.period, first.division, first.rows_accepted) == ("2023-03", "420702", 12)
    assert home.run(source, APRIL) == []
    sql("DELETE FROM vehicles WHERE \"号牌号码\" = '鄂G00003'")
    (second,) = home.run(source, datetime(2023, 4, 9, tzinfo=UTC))
    assert (second.period, second.rows_accepted, second.supersedes) == ("2023-03", 11, first.delivery_id)
    sql("DELETE FROM vehicles WHERE \"号牌号码\" = '鄂G00004'")
    assert home.run(source, datetime(2023, 4, 20, tzinfo=UTC)) == []
    (third,) = home.run(source, datetime(2023, 5, 2, tzinfo=UTC))
    assert (third.period, third.rows_accepted) == ("2023-04", 10)


def test_a_kill_between_landing_and_ledger_neither_loses_nor_doubles(sql: Sql, postgres_port: int, home: Home) -> None:
    settlements(sql, 0, 12)
    source = database(postgres_port)
    home.fetch(source, APRIL)
    assert standing(source, home.folder).watermark is None
    home.fetch(source, APRIL)
    assert statuses(home.take_in(source, APRIL)) == ["accepted"]
    # Killed after the ledger's commit: what was noted of it is lost, and the month is fetched once more.
    settlements(sql, 50, 1)
    home.fetch(source, APRIL)
    assert statuses(home.ingest(Landing(home.folder, "insurance").inbox, APRIL)) == ["accepted"]
    record = Record(home.folder)
    for item in record.all_fetched("insurance"):
        record.forget(item)
    Landing(home.folder, "insurance").discard("medical_settlement", "202303-insurance.jsonl")
    assert home.run(source, APRIL) == []
    assert not home.landed()
    assert standing(source, home.folder).watermark == "2023-03-06 10:00:00"


def test_a_line_that_breaks_while_rows_come_is_tried_again(
    sql: Sql, postgres_port: int, home: Home, breaking: Callable[[int, int, int], int]
) -> None:
    settlements(sql, 0, 300)
    sql(
        "INSERT INTO settlement SELECT 结算单号 || '.' || n, 身份证号, 姓名, 结算日期, care_type, total_cost, "
        "basic_paid, out_of_pocket, changed_at FROM settlement, generate_series(1, 20) n"
    )
    source = database(breaking(postgres_port, 200_000, 1))
    (delivery,) = home.run(source, APRIL)
    assert (delivery.rows_data, home.pauses) == (6300, [1.0])
    sql("DELETE FROM settlement WHERE 结算单号 = 'J3'")
    report = home.fetch(database(breaking(postgres_port, 200_000, 99)), APRIL)
    assert report.problem is not None
    assert not home.landed()
    assert [item.rows_data for item in home.run(database(postgres_port), APRIL)] == [6299]


def test_a_table_that_cannot_be_read_keeps_no_other_waiting(sql: Sql, postgres_port: int, home: Home) -> None:
    settlements(sql, 0, 12)
    gone = {"feed": "income_tax", "table": "tax", "watermark": "at", "month": "month"}
    report = home.fetch(database(postgres_port, gone, dict(database(postgres_port).table[0])), APRIL)  # type: ignore[union-attr]
    assert report.fetched == 1
    assert report.problem == "database postgres on 127.0.0.1 has no table of that name (SQLSTATE 42P01)"
    assert report.next_step == "correct table in zhaoren.toml (schema.table, as it is spelled there)"


@pytest.mark.parametrize(
    ("keys", "table", "said"),
    [
        ({"password_env": "WRONG_PASSWORD"}, {}, "refuses the credentials"),
        ({"password_env": "NO_PASSWORD"}, {}, "environment variable NO_PASSWORD is not set"),
        ({"url": "postgresql://collector@127.0.0.1:1/postgres"}, {}, "cannot be read"),
        ({}, {"watermark": "changed"}, "there is no column changed; there are 结算单号"),
        ({}, {"table": "closed"}, "refuses to read a table"),
        ({}, {"query": "SELECT nextval('counter')", "table": None}, "has no column|writes|no column"),
        ({}, {"query": "SELECT * FROM settlement WHERE 姓名 = 3", "table": None}, "does not understand"),
        ({}, {"query": "SELECT *, 1 / (total_cost - 3.25) AS x FROM settlement", "table": None}, "cannot be read"),
    ],
)
def test_a_fault_says_what_and_what_to_do_and_nothing_secret(
    keys: dict[str, Any],
    table: dict[str, Any],
    said: str,
    sql: Sql,
    postgres_port: int,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("WRONG_PASSWORD", "hush-Wrong-4711")
    caplog.set_level(logging.DEBUG)
    settlements(sql, 0, 12)
    sql("CREATE TABLE closed (x int)", f"REVOKE ALL ON closed FROM {READER}", "CREATE SEQUENCE counter")
    given = {**dict(database(postgres_port).table[0]), **table}  # type: ignore[union-attr]
    source = database(postgres_port, {name: value for name, value in given.items() if value is not None}, **keys)
    report = home.fetch(source, APRIL)
    assert report.problem is not None
    assert any(words in report.problem for words in said.split("|")), report.problem
    assert report.next_step
    with contextlib.suppress(SourceError):
        new_in(source, home.folder, APRIL)
    shown = " ".join([repr(report), repr(source), caplog.text])
    assert "hush" not in shown
    assert id_number(3) not in shown


@pytest.mark.parametrize("column", ["身份证号", "姓名"])
def test_who_somebody_is_is_no_watermark(column: str, sql: Sql, postgres_port: int, home: Home) -> None:
    settlements(sql, 1, 3)
    table = {"feed": "medical_settlement", "table": "public.settlement", "watermark": column, "month": "结算日期"}
    report = home.fetch(database(postgres_port, table), APRIL)
    assert (report.fetched, report.problem) == (
        0,
        f"medical_settlement: {column} says who somebody is and is no watermark",
    )
    kept = (home.folder / "sources.db").read_bytes()
    assert not any(
        text.encode() in kept for text in (id_number(1), good_row(load_feeds()["medical_settlement"], 1)["姓名"])
    )


def test_rows_come_in_batches(sql: Sql, postgres_port: int, home: Home) -> None:
    from ingestion.source.database import Database
    from ingestion.source.settings import DatabaseSource

    settlements(sql, 0, 300)
    source = database(postgres_port, batch_megabytes=1)
    assert isinstance(source, DatabaseSource)
    connection = Database(source, home.folder)
    query = "SELECT a.*, b.* FROM settlement a, (SELECT 结算日期 FROM settlement LIMIT 100) b"
    sizes = [batch.height for batch in connection.batches(query.replace("b.*", "1 AS x"))]
    connection.close()
    assert sum(sizes) == 30_000
    assert len(sizes) > 2


def test_a_database_that_repeats_what_the_inbox_brought_says_the_same(
    sql: Sql, postgres_port: int, home: Home, tmp_path: Path
) -> None:
    feed = load_feeds()["price_index"]
    sql("CREATE TABLE cpi (month text, cpi_yoy numeric, food_yoy numeric, low_income_yoy numeric, at int)")
    sql("INSERT INTO cpi VALUES ('202303', 50, 50, 50, 1)")
    table = {"feed": "price_index", "table": "cpi", "watermark": "at", "month": "month"}
    (by_database,) = home.run(database(postgres_port, table), APRIL)
    arrived = datetime(2023, 4, 4, tzinfo=UTC)
    into_folder(tmp_path / "inbox")("price_index/202303.csv", as_csv([good_row(feed, 0)]).encode(), arrived)
    plain = Home(tmp_path / "plain")
    (by_file,) = plain.ingest(tmp_path / "inbox", APRIL)
    ours, theirs = (home.rows(by_database).drop("delivery_id"), plain.rows(by_file).drop("delivery_id"))
    assert ours.drop("row_number").equals(theirs.drop("row_number"))
    assert Decimal(str(ours["cpi_yoy"][0])) == 50


def statuses(deliveries: list[Delivery]) -> list[str]:
    return [item.status for item in deliveries]
