"""Files that mean harm or break on the way: the outcome of feeds.md, and never more memory than a delivery may take."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ingestion import Ledger, ignored
from ingestion.reading import spool
from models.contract import load_feeds
from tests.ingestion.conftest import ARRIVED, NOW, City, as_csv, good_row
from tests.ingestion.whole import read_whole

DEATH = "death_record"
NAME = "报送_202303.xlsx"
SHEET = "xl/worksheets/sheet1.xml"
ROOT = Path(__file__).parents[2]


def workbook(rows: list[dict[str, str]]) -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(rows).write_excel(stream)
    return stream.getvalue()


def changed(data: bytes, **members: bytes | Callable[[bytes], bytes]) -> bytes:
    """The archive with members put in or changed; ``__`` stands for the slash and ``_`` for the dot of a name."""
    stream = io.BytesIO()
    renamed = {name.replace("__", "/").replace("_", "."): content for name, content in members.items()}
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = renamed.pop(name, None)
            new.writestr(name, content(old.read(name)) if callable(content) else content or old.read(name))
        for name, content in renamed.items():
            assert isinstance(content, bytes)
            new.writestr(name, content)
    return stream.getvalue()


def sheet_of(cells: str) -> Callable[[bytes], bytes]:
    """The sheet with those rows of XML instead of its own."""
    return lambda xml: re.sub(rb"<sheetData>.*</sheetData>", f"<sheetData>{cells}</sheetData>".encode(), xml)


def good(city: City, count: int = 12) -> bytes:
    return workbook(city.rows(DEATH, count))


def rejected(city: City, data: bytes | str, name: str = NAME) -> str | None:
    taken = city.take_one(DEATH, data, name)
    assert taken.status == "rejected", taken.status
    return taken.reason


def test_a_good_workbook_is_accepted(city: City) -> None:
    assert city.take_one(DEATH, good(city), NAME).rows_accepted == 12


# Archives


def test_bomb_by_expansion(city: City) -> None:
    assert rejected(city, changed(good(city), xl__media__a_xml=b" " * (10 << 20))) == "unsafe"


def test_bomb_by_total_of_members(city: City) -> None:
    parts = {f"xl__media__a{at}_bin": os.urandom(1 << 10) + bytes(1 << 20) for at in range(40)}
    assert rejected(city, changed(good(city), **parts)) == "unsafe"


def test_bomb_by_length(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    data = changed(good(city), xl__media__a_bin=os.urandom(1 << 20))
    monkeypatch.setattr("ingestion.reading.archive.MAX_BYTES", 1 << 20)
    assert rejected(city, data) == "unsafe"


def lying(data: bytes, member: str, size: int) -> bytes:
    """The archive with another size stated for a member, at its head and in the directory."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        local = archive.getinfo(member).header_offset
    central = data.rfind(b"PK\x01\x02", 0, data.rfind(member.encode()))
    changed = bytearray(data)
    changed[local + 22 : local + 26] = struct.pack("<I", size)
    changed[central + 24 : central + 28] = struct.pack("<I", size)
    return bytes(changed)


def test_bomb_that_states_a_small_size(city: City) -> None:
    data = changed(good(city), xl__media__a_xml=b" " * (10 << 20))
    assert rejected(city, lying(data, "xl/media/a.xml", 100)) == "unsafe"


def test_size_that_is_not_true_is_unreadable(city: City) -> None:
    assert rejected(city, lying(good(city), SHEET, 100)) == "unreadable"


def test_archive_in_an_archive_is_not_unpacked(city: City) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(50 << 20))
    assert city.take_one(DEATH, changed(good(city), xl__media__a_zip=inner.getvalue()), NAME).status == "accepted"
    assert rejected(city, zipped({"inner.zip": inner.getvalue()}), "内_202303.xlsx") == "unreadable"


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_thousands_of_members(city: City) -> None:
    assert rejected(city, zipped({f"{at}": b"" for at in range(10_001)})) == "unsafe"


def test_members_on_top_of_each_other(city: City) -> None:
    """Many entries of the directory that name the same bytes: each counts."""
    block = zipped({"xl/media/a.bin": os.urandom(1 << 10) + bytes(4 << 20)})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/a.bin", zipfile.ZipFile(io.BytesIO(block)).read("xl/media/a.bin"))
        (entry,) = archive.filelist
        archive.filelist += [entry] * 200
    assert rejected(city, stream.getvalue()) == "unsafe"


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/evil.xml", "xl\\..\\..\\evil.xml", "C:\\evil.xml"])
def test_member_that_leaves_its_folder(city: City, name: str) -> None:
    with zipfile.ZipFile(stream := io.BytesIO(good(city)), "a") as archive:
        archive.writestr(name, b"x")
    assert rejected(city, stream.getvalue()) == "unsafe"
    assert not (city.inbox.parent / "evil.xml").exists()


def test_archive_cut_short(city: City) -> None:
    data = good(city)
    for length in (10, 100, len(data) // 2, len(data) - 1):
        assert rejected(city, data[:length], f"{length}_202303.xlsx") == "unreadable"


# Sheets


def test_entities_that_grow(city: City) -> None:
    lol = '<!ENTITY a "lol">' + "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9))
    bomb = good(city)
    sheet = lambda xml: xml.replace(b"?>", f"?><!DOCTYPE worksheet [{lol}]>".encode(), 1)  # noqa: E731
    assert rejected(city, changed(bomb, xl__worksheets__sheet1_xml=sheet)) == "unsafe"
    texts = lambda xml: xml.replace(b"<sst", b"<!DOCTYPE sst [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><sst", 1)  # noqa: E731
    assert rejected(city, changed(bomb, xl__sharedStrings_xml=texts), "外_202303.xlsx") == "unsafe"


def test_box_of_cells_that_is_nearly_empty(city: City) -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert rejected(city, changed(good(city), xl__worksheets__sheet1_xml=sheet_of(far))) == "unsafe"


def test_box_of_cells_without_references(city: City) -> None:
    rows = "<row>" + "<c><v>1</v></c>" * 16_000 + "</row>" + "<row><c><v>1</v></c></row>" * 4_000
    assert rejected(city, changed(good(city), xl__worksheets__sheet1_xml=sheet_of(rows))) == "unsafe"


def test_one_long_text_in_very_many_cells(city: City) -> None:
    text = b"<si><t>" + os.urandom(1 << 19).hex()[: 1 << 19].encode() + b"</t></si>"
    cells = "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(1, 3_000))
    texts = lambda xml: re.sub(rb"<si>.*</si>", text, xml, flags=re.DOTALL)  # noqa: E731
    data = changed(good(city), xl__worksheets__sheet1_xml=sheet_of(cells), xl__sharedStrings_xml=texts)
    assert rejected(city, data) == "unsafe"


def test_formula_counts_with_its_stored_value_and_nothing_is_computed(city: City) -> None:
    rows = city.rows(DEATH)

    def with_formulas(xml: bytes) -> bytes:
        name, died = rows[1]["姓名"].encode(), rows[2]["死亡日期"].encode()
        xml = re.sub(rb'<c r="B3"[^>]*>.*?</c>', b'<c r="B3" t="str"><f>[1]X!A1</f><v>' + name + b"</v></c>", xml)
        xml = re.sub(rb'<c r="C4"[^>]*>.*?</c>', b'<c r="C4" t="str"><f>NOW()</f><v>' + died + b"</v></c>", xml)
        return re.sub(rb'<c r="C5"[^>]*>.*?</c>', b'<c r="C5"><f>1+1</f></c>', xml)

    external = b'<externalLink xmlns="x"><externalBook r:id="rId1" xmlns:r="y"/></externalLink>'
    data = changed(
        workbook(rows), xl__worksheets__sheet1_xml=with_formulas, xl__externalLinks__externalLink1_xml=external
    )
    taken = city.take_one(DEATH, data, NAME)
    assert (taken.rows_accepted, taken.quarantined_by_reason) == (11, {"value_invalid": 1})


def test_macros_are_not_looked_at(city: City) -> None:
    taken = city.take_one(DEATH, changed(good(city), xl__vbaProject_bin=b"Sub AutoOpen()"), "报送_202303.xlsm")
    assert (taken.status, taken.warnings) == ("accepted", ["type_mismatch"])


# Long things


LIMIT = 1 << 20


@pytest.mark.parametrize(("length", "status"), [(LIMIT, "accepted"), (LIMIT + 1, "rejected")])
def test_giant_cell(city: City, length: int, status: str) -> None:
    feed = "visit_outcome"
    rows = city.rows(feed, note="啊" * (length // 3) + "a" * (length % 3))
    extra = [{**row, "附注": row.pop("情况说明")} for row in rows]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in extra)
    for name, data in (("a_202303.csv", as_csv(extra).encode()), ("b_202303.jsonl", lines.encode())):
        assert city.take_one(feed, data, name).status == status
    city.put(feed, as_csv(extra).replace("\n", "\r\n").encode("gb18030"), "c_202303.csv")
    assert [item.status for item in city.take()] == [status]


def test_giant_cell_in_a_sheet(city: City) -> None:
    row = b'<row r="99"><c r="A99" t="str"><v>' + os.urandom(1 << 20).hex().encode() + b"</v></c></row></sheetData>"

    def with_long_row(xml: bytes) -> bytes:
        return xml.replace(b"</sheetData>", row)

    assert rejected(city, changed(good(city), xl__worksheets__sheet1_xml=with_long_row)) == "unsafe"


def test_line_without_end(city: City) -> None:
    row = ",".join(f"c{at}" for at in range(40))
    data = ",".join(good_row(city.feeds[DEATH], 1)) + "\n" + ",".join([row] * (80_000_000 // len(row)))
    assert rejected(city, data, "a_202303.csv") == "unsafe"


def test_lines_without_anything(city: City) -> None:
    data = as_csv(city.rows(DEATH)) + "\n" * 3_000_000 + ",,,\n" * 1_000_000
    assert city.take_one(DEATH, data).rows_accepted == 12


def test_more_rows_than_any_feed(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.limits.MAX_ROWS", 11)
    lines = [json.dumps(row, ensure_ascii=False) for row in city.rows(DEATH)]
    for name, data in (
        ("a_202303.csv", as_csv(city.rows(DEATH)).encode()),
        ("b_202303.jsonl", "\n".join(lines).encode()),
        ("c_202303.xlsx", good(city)),
    ):
        assert rejected(city, data, name) == "unsafe"
        fewer = name.replace("_", "x_")
        data = {"c": good(city, 11), "b": "\n".join(lines[:11]).encode()}.get(name[0], data[: data[:-1].rfind(b"\n")])
        assert city.take_one(DEATH, data, fewer).rows_accepted == 11


def test_file_longer_than_any_delivery(city: City) -> None:
    path = city.put(DEATH, as_csv(city.rows(DEATH)))
    os.truncate(path, (2 << 30) + 1)
    os.utime(path, (ARRIVED.timestamp(), ARRIVED.timestamp()))
    (taken,) = city.take()
    assert (taken.reason, taken.sha256) == ("unsafe", None)


def test_objects_with_a_key_of_their_own_each(city: City) -> None:
    lines = [json.dumps({**row, f"键{at}": 1}) for at, row in enumerate(city.rows(DEATH, 200) * 10)]
    assert rejected(city, "\n".join(lines), "a_202303.jsonl") == "unsafe"


def test_object_in_an_object_in_an_object(city: City) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in city.rows(DEATH)]
    deep = '{"身份证号":' + "[" * 200_000 + "]" * 200_000 + "}"
    taken = city.take_one(DEATH, "\n".join([*lines, deep, '{"身份证号":' + "[" * 100_000]), "a_202303.jsonl")
    assert (taken.rows_accepted, taken.quarantined_by_reason) == (12, {"row_malformed": 2})


# What is no file


def test_what_is_no_file_is_not_opened(city: City, tmp_path: Path) -> None:
    folder = city.inbox / DEATH
    folder.mkdir()
    outside = tmp_path / "outside.csv"
    outside.write_text("secret")
    (folder / "a_202303.csv").symlink_to(outside)
    (folder / "b_202303.csv").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "c_202303.csv")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # names of sockets must be short
        try:
            server.bind("d_202303.csv")
        finally:
            os.chdir(here)
    (folder / "e_202303.csv").symlink_to("/dev/zero")
    (city.inbox / "elder_register").symlink_to(tmp_path)
    taken = city.take()
    assert [(item.feed, item.reason, item.sha256) for item in taken] == [(DEATH, "unsafe", None)] * 5


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_put_in_the_place_of_a_file_after_it_was_listed(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = city.put(DEATH, city.rows(DEATH))
    real = spool._opened

    def swapped(target: Path) -> int:
        target.unlink()
        if kind == "link":
            target.symlink_to(tmp_path)
        elif kind == "pipe":
            os.mkfifo(target)
        else:
            target.mkdir()
        return real(target)

    monkeypatch.setattr(spool, "_opened", swapped)
    (taken,) = city.take()
    assert (taken.file_name, taken.reason) == (path.name, "unsafe")


# Files that change while they are read


def grow(path: Path) -> None:
    with path.open("a") as stream:
        stream.write("x" * 100)


def shrink(path: Path) -> None:
    os.truncate(path, 100)


def vanish(path: Path) -> None:
    path.unlink(missing_ok=True)


def replace_by_other(path: Path) -> None:
    other = path.with_name(".other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def write_over(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-5] + b"xxxxx")


@pytest.mark.parametrize("change", [grow, shrink, replace_by_other, write_over, vanish])
@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_file_that_changes_while_it_is_read(
    city: City, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None], when: str
) -> None:
    """No entry in the ledger; what it has become is taken in at the next pass."""
    path = city.put(DEATH, city.rows(DEATH, 200))
    other = city.put("pension_payment", city.rows("pension_payment"))
    monkeypatch.setattr(spool, "BLOCK_BYTES", 1000)
    real, calls = os.read, []

    def read(descriptor: int, length: int) -> bytes:
        if os.fstat(descriptor).st_size == path_size:
            calls.append(length)
            if (when, len(calls)) in (("before", 1), ("between", 3)):
                change(path)
        block = real(descriptor, length)
        if not block and when == "after":
            change(path)
        return block

    path_size = path.stat().st_size
    monkeypatch.setattr(os, "read", read)
    taken = city.take()
    monkeypatch.undo()
    assert [item.file_name for item in taken] == [other.name]
    with Ledger(city.store.ledger_file) as ledger:
        assert len(ledger.deliveries()) == 1
    written = [found for found in city.store.home.rglob("*.parquet") if DEATH in found.parts]
    assert {found.name for found in written} == {"schema.parquet"}
    if path.exists():
        os.utime(path, (ARRIVED.timestamp(), ARRIVED.timestamp()))
        assert [item.file_name for item in city.take()] == [path.name]


def test_file_that_changed_just_now_is_listed_as_unfinished(city: City) -> None:
    path = city.put(DEATH, city.rows(DEATH))
    os.utime(path, ((NOW - timedelta(seconds=1)).timestamp(),) * 2)
    assert city.take() == []
    assert [(item.path, item.reason) for item in ignored(city.inbox, NOW)] == [(f"{DEATH}/{path.name}", "unfinished")]


def test_file_that_vanishes_while_it_is_listed(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = city.put(DEATH, city.rows(DEATH), "a_202303.csv")
    city.put(DEATH, city.rows(DEATH), "b_202304.csv")
    real = Path.lstat

    def lstat(self: Path) -> os.stat_result:
        if self == gone:
            self.unlink(missing_ok=True)
        return real(self)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert [item.file_name for item in city.take()] == ["b_202304.csv"]
    assert ignored(city.inbox, NOW) == []


def test_hash_of_the_ledger_is_that_of_the_bytes_parsed(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is opened once: what stands in its place afterwards is not looked at."""
    path = city.put(DEATH, city.rows(DEATH))
    real, opened = os.open, []

    def counted(target: Any, *arguments: Any, **named: Any) -> int:
        if Path(str(target)) == path:
            opened.append(target)
        return real(target, *arguments, **named)

    monkeypatch.setattr(os, "open", counted)
    (taken,) = city.take()
    assert len(opened) == 1
    assert taken.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_folder_without_files_that_have_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    with spool.Spool(tmp_path) as kept:
        kept.write(b"abc")
        kept.write(b"def")
        assert list(tmp_path.iterdir()) == []
        assert kept.read(2, 3) == b"cde"
        assert kept.stream().read() == b"abcdef"


# Memory

_BOMBS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ingestion import Store, ingest
from ingestion.keys import Keys
from models.contract import load_feeds
store = Store(Path(sys.argv[2]), Keys(b"p" * 32, b"v" * 32))
taken = ingest(Path(sys.argv[1]), store, load_feeds(), datetime(2023, 6, 1, tzinfo=UTC))
(peak,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak) * 1024, *(item.reason for item in taken))
"""


def test_bombs_together_stay_under_two_gibibytes(city: City) -> None:
    header = ",".join(good_row(city.feeds[DEATH], 1))
    data = good(city)
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="900000"><c r="AZ900000"><v>1</v></c></row>'
    city.put(DEATH, changed(data, xl__media__a_xml=b" " * (100 << 20)), "a_202303.xlsx")
    city.put(DEATH, changed(data, xl__worksheets__sheet1_xml=sheet_of(far)), "b_202303.xlsx")
    city.put(DEATH, zipped({f"{at}": b"" for at in range(60_000)}), "c_202303.xlsx")
    city.put(DEATH, header + "\n" + "x" * (150 << 20), "d_202303.csv")
    city.put(DEATH, header + "\n" + '"' * 3_000_000 + "\n" * 100, "e_202303.csv")
    city.put(DEATH, bytes(200 << 20), "f_202303.csv")
    command = [sys.executable, "-c", _BOMBS, str(city.inbox), str(city.store.home)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    peak, *reasons = result.stdout.split()
    assert reasons == ["unsafe", "unsafe", "unsafe", "unsafe", "unsafe", "unreadable"]
    assert int(peak) < 2 << 30


def test_lone_quotes_do_not_make_reading_slow() -> None:
    feed = load_feeds()[DEATH]
    lines = [",".join(good_row(feed, 1)), *['4207,"没有收尾,2023-01-01,1' for _ in range(30_000)]]
    table = read_whole("\n".join(lines).encode(), feed)
    assert table.malformed.height + table.cells.height <= 30_000
