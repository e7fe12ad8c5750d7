"""Each line of the defect table that concerns a file: formats, encodings, headers, framing, sidecars, safety."""

from __future__ import annotations

import io
import json
import os
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook

from ingestion import Vault, ignored, ingest
from models.contract import load_feeds
from tests.ingestion.conftest import ARRIVED, NOW, City, as_csv, good_row, id_number, person_name

DEATH = "death_record"


def workbook(
    rows: list[list[object]], *, name: str = "Sheet1", more: dict[str, list[list[object]]] | None = None
) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for title, cells in (more or {}).items():
        other = book.create_sheet(title.removeprefix("hidden:"))
        other.sheet_state = "hidden" if title.startswith("hidden:") else "visible"
        for row in cells:
            other.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def table(city: City, feed: str = DEATH, count: int = 12) -> list[list[object]]:
    rows = city.rows(feed, count)
    return [list(rows[0]), *[list(row.values()) for row in rows]]


def renamed(rows: list[dict[str, str]], old: str, new: str) -> list[dict[str, str]]:
    return [{name.replace(old, new): cell for name, cell in row.items()} for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_every_encoding_and_delimiter(city: City, encoding: str, delimiter: str) -> None:
    taken = city.take_one(DEATH, city.rows(DEATH), encoding=encoding, delimiter=delimiter)
    assert (taken.status, taken.rows_accepted, taken.warnings) == ("accepted", 12, [])


def test_four_byte_gb18030_characters(city: City) -> None:
    rows = city.rows(DEATH, name="王\U00020164\u3400")
    taken = city.take_one(DEATH, rows, encoding="gb18030")
    assert taken.rows_accepted == 12
    keys = city.lake(taken)["person_key"].to_list()
    assert "王\U00020164\u3400" in Vault(city.store).identities(keys)["name"].to_list()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends(city: City, line_end: str) -> None:
    text = as_csv(city.rows(DEATH)).replace("\n", line_end)
    assert city.take_one(DEATH, text.encode()).rows_accepted == 12


def test_single_nul_bytes_are_removed(city: City) -> None:
    data = as_csv(city.rows(DEATH)).encode()
    inside_a_character = data.index("赵".encode()) + 1
    assert city.take_one(DEATH, data[:inside_a_character] + b"\x00" + data[inside_a_character:]).rows_accepted == 12


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 500,
        "姓名,身份证号".encode() + b"\xff\xff\xfe",
        b"%PDF-1.7 something",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
        b"<html><table><tr><td>x</td></tr></table></html>",
        b"PK\x03\x04 broken archive",
        b"just some words without any table",
        b"{broken json",
    ],
)
def test_unreadable(city: City, data: bytes) -> None:
    taken = city.take_one(DEATH, data)
    assert (taken.status, taken.reason) == ("rejected", "unreadable")


def test_archive_that_is_no_workbook_is_unreadable(city: City) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert city.take_one(DEATH, stream.getvalue(), "x_202303.xlsx").reason == "unreadable"


@pytest.mark.parametrize("data", [b"", b"  \n \n", "身份证号,姓名,死亡日期,火化日期,信息来源\n".encode()])
def test_nothing_but_a_header_is_empty(city: City, data: bytes) -> None:
    assert city.take_one(DEATH, data).reason == "empty"


@pytest.mark.parametrize("data", [b"", "身份证号,姓名,死亡日期,火化日期,信息来源\n".encode()])
def test_quiet_month_of_events_with_a_sidecar_is_accepted(city: City, data: bytes) -> None:
    taken = city.take_one(DEATH, data, sidecar={"rows": 0})
    assert (taken.status, taken.rows_data) == ("accepted", 0)


def test_quiet_month_of_a_snapshot_is_empty(city: City) -> None:
    header = as_csv(city.rows("custody_record", 1)).splitlines()[0] + "\n"
    assert city.take_one("custody_record", header, sidecar={"rows": 0}).reason == "empty"


def test_columns_in_another_order_under_aliases_and_english_names(city: City) -> None:
    rows = [
        {
            " 信息 来源 ": row["信息来源"],
            "公民身份号码": row["身份证号"],
            "DIED_ON": row["死亡日期"],
            "成员姓名": row["姓名"],
            "更新批次": "1",
        }
        for row in city.rows(DEATH)
    ]
    taken = city.take_one(DEATH, rows)
    assert (taken.rows_accepted, taken.schema_drift) == (12, ["更新批次"])


def test_header_with_full_width_brackets(city: City) -> None:
    rows = [
        {name.replace("(万元)", "（万元）"): cell for name, cell in row.items()}
        for row in city.rows("vehicle_register")
    ]
    taken = city.take_one("vehicle_register", rows)
    assert (taken.rows_accepted, taken.schema_drift) == (12, [])
    assert city.lake(taken)["price"][0] == Decimal("55000.00")


def test_unit_in_the_header_of_a_money_column(city: City) -> None:
    rows = [
        {name.replace("金额", "金额(万元)"): cell for name, cell in row.items()} for row in city.rows("pension_payment")
    ]
    taken = city.take_one("pension_payment", [{**row, "金额(万元)": "0.2"} for row in rows])
    assert city.lake(taken)["amount"][0] == Decimal("2000.00")


def test_required_column_missing_is_named(city: City) -> None:
    rows = [{name: cell for name, cell in row.items() if name != "信息来源"} for row in city.rows(DEATH)]
    taken = city.take_one(DEATH, rows)
    assert (taken.reason, taken.detail, taken.rows_data) == ("column_missing", "source", 12)


def test_optional_column_missing_is_no_fault(city: City) -> None:
    rows = [{name: cell for name, cell in row.items() if name != "火化日期"} for row in city.rows(DEATH)]
    assert city.take_one(DEATH, rows).rows_accepted == 12


def test_two_columns_for_one_field(city: City) -> None:
    rows = [{**row, "证件号码": row["身份证号"]} for row in city.rows(DEATH)]
    assert city.take_one(DEATH, rows).reason == "column_ambiguous"


def test_workbook_with_title_unit_two_line_header_total_and_signature(city: City) -> None:
    data = workbook(
        [
            ["鄂州市养老金发放（2023年3月）"],
            ["填报单位：社保局", None, None, None, "单位：万元"],
            ["人员信息", None, "待遇类型", "发放月份", "金额"],
            ["身份证号", "姓名"],
            *[[id_number(at), person_name(at), "1", "202303", 0.1] for at in range(12)],
            ["合计", None, None, None, 1.2],
            [None],
            ["填表人：某某", None, "审核人：某某"],
        ]
    )
    taken = city.take_one("pension_payment", data, "x_202303.xlsx")
    assert (taken.rows_data, taken.rows_accepted, taken.rows_framing, taken.warnings) == (12, 12, 4, [])
    lake = city.lake(taken)
    assert (lake["amount"][0], lake["row_number"][0]) == (Decimal("1000.00"), 5)


def test_group_and_header_below_make_one_name(city: City) -> None:
    rows = city.rows("marriage_register")
    data = workbook(
        [
            ["登记证字号", "业务类型", "登记日期", "男方", None, "女方", None],
            [None, None, None, "身份证号", "姓名", "身份证号", "姓名"],
            *[list(row.values()) for row in rows],
        ]
    )
    assert city.take_one("marriage_register", data, "x_202303.xlsx").rows_accepted == 12


@pytest.mark.parametrize(("total", "warnings"), [("1206.00", []), ("1206.01", []), ("1300", ["total_mismatch"])])
def test_total_row_is_framing_and_compared(city: City, total: str, warnings: list[str]) -> None:
    text = as_csv(city.rows("pension_payment")) + f"总计,,,,{total}\n审核人：某某\n"
    taken = city.take_one("pension_payment", text)
    assert (taken.rows_data, taken.rows_framing, taken.warnings) == (12, 2, warnings)


@pytest.mark.parametrize(("second", "warnings"), [("603", []), ("1206", ["total_mismatch"])])
def test_subtotal_is_compared_with_the_rows_since_the_last(city: City, second: str, warnings: list[str]) -> None:
    lines = as_csv(city.rows("pension_payment")).splitlines()
    text = "\n".join([*lines[:7], "小计,,,,603", *lines[7:], f"小 计,,,,{second}", "合计,,,,1206"])
    taken = city.take_one("pension_payment", text)
    assert (taken.rows_data, taken.rows_framing, taken.warnings) == (12, 3, warnings)


def test_person_of_the_name_total_is_data(city: City) -> None:
    rows = [{"姓名": "合计" if at == 1 else row["姓名"], **row} for at, row in enumerate(city.rows(DEATH))]
    rows[1]["姓名"] = "合计"
    assert city.take_one(DEATH, rows).rows_accepted == 12


def test_header_repeated_inside_the_data(city: City) -> None:
    lines = as_csv(city.rows(DEATH)).splitlines()
    taken = city.take_one(DEATH, "\n".join([*lines[:6], lines[0], *lines[6:]]))
    assert (taken.rows_data, taken.rows_accepted, taken.rows_framing) == (12, 12, 0)


def test_an_empty_text_between_quotes_is_an_empty_cell(city: City) -> None:
    text = as_csv(city.rows(DEATH)).replace(person_name(3), '""', 1)
    assert '""' in text
    assert city.take_one(DEATH, text).quarantined_by_reason == {"required_missing": 1}


def test_json_lines_with_numbers_strings_and_missing_keys(city: City) -> None:
    rows = [dict(row) for row in city.rows("pension_payment")]
    records: list[dict[str, object]] = [{**row, "金额": 100.5, "发放月份": 202303} for row in rows]
    del records[3]["金额"]
    text = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    taken = city.take_one("pension_payment", text, "x_202303.jsonl")
    assert taken.quarantined_by_reason == {"required_missing": 1}
    assert (taken.rows_data, taken.warnings) == (12, [])


def test_broken_json_line_is_malformed_by_physical_line(city: City) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in city.rows(DEATH)]
    taken = city.take_one(DEATH, "\n".join([*lines[:4], lines[4][:-5], *lines[5:]]), "x_202303.jsonl")
    assert taken.quarantined_by_reason == {"row_malformed": 1}


@pytest.mark.parametrize(("name", "warnings"), [("x_202303.txt", []), ("x_202303.xlsx", ["type_mismatch"])])
def test_content_decides_the_format(city: City, name: str, warnings: list[str]) -> None:
    taken = city.take_one(DEATH, city.rows(DEATH), name)
    assert (taken.rows_accepted, taken.warnings) == (12, warnings)


def test_old_excel_is_unreadable_and_a_workbook_named_csv_is_read(city: City) -> None:
    assert city.take_one(DEATH, workbook(table(city)), "x_202303.csv").warnings == ["type_mismatch"]


def test_hidden_sheet_is_ignored_and_named(city: City) -> None:
    data = workbook(table(city), more={"hidden:旧表": table(city)})
    taken = city.take_one(DEATH, data, "x_202303.xlsx")
    assert (taken.rows_accepted, taken.warnings) == (12, ["hidden_sheet:旧表"])


def test_second_sheet_without_the_header_is_no_matter(city: City) -> None:
    data = workbook([["说明"], ["本表由某局填报"]], more={"数据": table(city)})
    assert city.take_one(DEATH, data, "x_202303.xlsx").rows_accepted == 12


def test_two_sheets_with_the_header(city: City) -> None:
    data = workbook(table(city), more={"Sheet2": table(city)})
    assert city.take_one(DEATH, data, "x_202303.xlsx").reason == "sheets_ambiguous"


def test_numeric_id_cells_errors_and_formulas_without_a_value(city: City) -> None:
    rows = table(city, "pension_payment", 20)
    rows[2][0] = int(id_number(1))
    rows[3][0] = 420702800101999
    rows[4][4] = "=1/0"
    rows[5][4] = "#DIV/0!"
    data = workbook(rows)
    taken = city.take_one("pension_payment", data, "x_202303.xlsx")
    assert taken.quarantined_by_reason == {"id_precision_lost": 1, "value_invalid": 2}


def test_date_cells(city: City) -> None:
    rows = table(city)
    rows[1][2] = ARRIVED.replace(tzinfo=None)
    assert city.take_one(DEATH, workbook(rows), "x_202303.xlsx").rows_accepted == 12


def test_cell_beyond_the_header_of_a_sheet_is_malformed(city: City) -> None:
    rows = table(city)
    rows[3].append("多余")
    assert city.take_one(DEATH, workbook(rows), "x_202303.xlsx").quarantined_by_reason == {"row_malformed": 1}


@pytest.mark.parametrize(
    ("name", "sidecar", "period"),
    [
        ("202303_x.csv", None, "2023-03"),
        ("x(2023年3月).csv", None, "2023-03"),
        ("x_2023-03_更正.csv", None, "2023-03"),
        ("第20230301批_202303.csv", None, "2023-03"),
        ("第499批.csv", {"period": "202303"}, "2023-03"),
        ("第499批.csv", {"period": "2023-03"}, "2023-03"),
        ("第499批.csv", None, None),
        ("x_202313.csv", None, None),
        ("x_1202303.csv", None, None),
        ("x_198903.csv", None, None),
    ],
)
def test_period_from_name_or_sidecar(city: City, name: str, sidecar: dict[str, str] | None, period: str | None) -> None:
    taken = city.take_one(DEATH, city.rows(DEATH), name, sidecar=sidecar)
    assert taken.period == period
    assert taken.reason == (None if period else "period_missing")


@pytest.mark.parametrize(
    ("name", "sidecar", "division"),
    [
        ("x_202303_420702.csv", None, "420702"),
        ("x_202303_420702100.csv", None, "420702100"),
        ("x_202303_420799.csv", None, None),
        ("x_202303.csv", {"division": "420702"}, "420702"),
        ("x_202303.csv", {"division": None}, None),
        ("x_202303_420700.csv", None, None),
    ],
)
def test_division_from_name_or_sidecar(
    city: City, name: str, sidecar: dict[str, str] | None, division: str | None
) -> None:
    taken = city.take_one(DEATH, city.rows(DEATH), name, sidecar=sidecar)
    assert (taken.status, taken.division) == ("accepted", division)


@pytest.mark.parametrize(
    "sidecar",
    [
        {"rows": 11},
        {"sha256": "0" * 64},
        {"control_totals": {"金额": 1206.02}},
        {"control_totals": {"nonsense": 1}},
        {"feed": "death_record"},
        {"period": "202304"},
        {"division": "420703"},
        {"rows": "many"},
        b"[1, 2]",
        b"{broken",
        b"",
    ],
)
def test_sidecar_that_disagrees(city: City, sidecar: dict[str, object] | bytes) -> None:
    taken = city.take_one("pension_payment", city.rows("pension_payment"), "x_202303_420702.csv", sidecar=sidecar)
    assert (taken.status, taken.reason) == ("rejected", "manifest_mismatch")


@pytest.mark.parametrize(
    "sidecar",
    [
        {"rows": 12, "feed": "pension_payment", "period": "202303", "division": "420702"},
        {"control_totals": {"金额": 1206.0}},
        {"control_totals": {"amount": 1206.01}},
        {"sent_at": "2023-04-09T10:00:00+08:00"},
        {"unknown": "key"},
    ],
)
def test_sidecar_that_agrees(city: City, sidecar: dict[str, object]) -> None:
    taken = city.take_one("pension_payment", city.rows("pension_payment"), "x_202303_420702.csv", sidecar=sidecar)
    assert taken.status == "accepted"


def test_control_totals_are_of_all_readable_cells_before_quarantine(city: City) -> None:
    rows = city.rows("pension_payment", id_number="1")
    assert city.take_one("pension_payment", rows, sidecar={"control_totals": {"amount": 1206}}).rows_accepted == 11


def test_time_of_receipt(city: City) -> None:
    city.put(DEATH, city.rows(DEATH), "a_202303.csv", sidecar={"sent_at": "2023-04-02T08:00:00+08:00"})
    city.put(DEATH, city.rows(DEATH, name="某某人"), "b_202302.csv")
    city.put(DEATH, city.rows(DEATH, name="某某某"), "c_202301.csv", arrived=NOW + timedelta(days=3))
    received = {item.file_name[0]: item.received_at for item in city.take()}
    assert received["a"] == datetime.fromisoformat("2023-04-02T08:00:00+08:00")
    assert (received["b"], received["c"]) == (ARRIVED, NOW)
    assert all(item.ingested_at == NOW for item in city.deliveries())


def test_folder_that_is_no_feed(city: City) -> None:
    taken = city.take_one("weather", b"a,b\n1,2\n")
    assert (taken.status, taken.reason, taken.feed) == ("rejected", "feed_unknown", "weather")


def test_unfinished_files_wait(city: City) -> None:
    for name in ("a_202303.csv.part", "a_202303.tmp", "a_202303.crdownload", "~$a_202303.xlsx", ".a_202303.csv"):
        city.put(DEATH, city.rows(DEATH), name)
    city.put(DEATH, city.rows(DEATH), "fresh_202303.csv", arrived=NOW - timedelta(seconds=3))
    city.put(DEATH, city.rows(DEATH), "settled_202303.csv", arrived=NOW - timedelta(seconds=6))
    assert [item.file_name for item in city.take()] == ["settled_202303.csv"]
    assert {item.reason for item in ignored(city.inbox, NOW)} == {"unfinished"}


def test_what_is_not_read_is_listed(city: City) -> None:
    (city.inbox / "root.csv").write_bytes(b"x")
    (city.inbox / DEATH / "sub").mkdir(parents=True)
    (city.inbox / DEATH / "gone_202303.csv.manifest.json").write_bytes(b"{}")
    assert city.take() == []
    assert {(item.path, item.reason) for item in ignored(city.inbox, NOW)} == {
        ("root.csv", "root_file"),
        (f"{DEATH}/sub", "subfolder"),
        (f"{DEATH}/gone_202303.csv.manifest.json", "orphan_sidecar"),
    }


def test_links_and_pipes_are_unsafe(city: City, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text(as_csv(city.rows(DEATH)))
    (city.inbox / DEATH).mkdir()
    (city.inbox / DEATH / "link_202303.csv").symlink_to(outside)
    os.mkfifo(city.inbox / DEATH / "pipe_202303.csv")
    taken = ingest(city.inbox, city.store, city.feeds, NOW + timedelta(days=4000))
    assert [item.reason for item in taken] == ["unsafe", "unsafe"]
    assert ingest(city.inbox, city.store, city.feeds, NOW + timedelta(days=4001)) == []


@pytest.mark.parametrize("member", ["../evil.xml", "/etc/evil", "a\\..\\..\\evil"])
def test_archive_member_that_leaves_its_folder(city: City, member: str) -> None:
    stream = io.BytesIO(workbook(table(city)))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(member, "x")
    assert city.take_one(DEATH, stream.getvalue(), "x_202303.xlsx").reason == "unsafe"


def test_archive_that_unpacks_to_too_much(city: City) -> None:
    stream = io.BytesIO(workbook(table(city)))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/blob.bin", b"\x00" * (16 << 20))
    assert city.take_one(DEATH, stream.getvalue(), "x_202303.xlsx").reason == "unsafe"


@pytest.mark.parametrize(("size", "status"), [((1 << 20) + 1, "rejected"), ((1 << 20) - 8, "accepted")])
def test_cell_over_a_mebibyte(city: City, size: int, status: str) -> None:
    rows = city.rows("temporary_assistance", cause="x" * size)
    taken = city.take_one("temporary_assistance", rows)
    assert (taken.status, taken.reason) == (status, None if status == "accepted" else "unsafe")


def test_file_without_permission_to_read(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    path = city.put(DEATH, city.rows(DEATH))
    real = os.open

    def closed(target: object, *args: int, **kwargs: int) -> int:
        if target == path:
            raise PermissionError(13, "no")
        return real(target, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("ingestion.reading.spool.os.open", closed)
    (taken,) = city.take()
    assert taken.reason == "unreadable"


def test_names_of_files_are_masked(city: City) -> None:
    taken = city.take_one(DEATH, city.rows(DEATH), f"{id_number(7)}_202303.csv")
    assert id_number(7) not in taken.file_name
    assert taken.period == "2023-03"


def test_every_feed_has_a_table_before_its_first_delivery(city: City) -> None:
    city.take()
    for feed in city.feeds.values():
        rows = pl.read_parquet(city.store.lake / feed.name / "schema.parquet")
        assert rows.height == 0
        assert set(rows.columns) == {field.name for field in feed.lake_fields} | {"delivery_id", "row_number", "period"}


@pytest.mark.parametrize("feed", sorted(load_feeds()))
def test_good_rows_of_every_feed_are_accepted(city: City, feed: str) -> None:
    rows = [good_row(city.feeds[feed], at) for at in range(3 if feed != "price_index" else 1)]
    taken = city.take_one(feed, rows)
    assert (taken.status, taken.rows_accepted, taken.warnings) == ("accepted", len(rows), [])
    assert taken.cell_defects_by_reason == {}
    assert city.lake(taken).height == len(rows)
