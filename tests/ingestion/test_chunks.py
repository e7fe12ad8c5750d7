"""A file cut into chunks of any size says the same as in one piece, byte for byte."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion import Quarantine, Vault
from ingestion.checking import check_file
from ingestion.reading import read
from ingestion.segments import Segments
from ingestion.totals import RunningTotals
from models.contract import load_feeds
from tests.ingestion.conftest import ARRIVED, City, balance, good_row, id_number
from tests.ingestion.whole import FOLDER, source_of

PENSION = "pension_payment"
FEED = load_feeds()[PENSION]
HEADER = [column.header for column in FEED.columns]
slow = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def line(at: int, amount: str = "100.50", name: str | None = None) -> str:
    row = good_row(FEED, at)
    return ",".join([row["身份证号"], name or row["姓名"], "1", "202303", amount])


LINES = st.one_of(
    st.builds(line, st.integers(0, 30)),
    st.builds(line, st.integers(0, 5), st.sampled_from(["1", "1.0", "-5", "?", "0.1万元", "300000000", ""])),
    st.sampled_from(
        [
            "",
            "  ",
            ",,,,",
            ",".join(HEADER),
            "小计,,,,201.00",
            "小计,,,,100.5",
            "合计,,,,603",
            "填表人：王五,,,,",
            "单位：元,,,,",
            "单位:万元,,,,",
            "只有三个,格,子",
            "4207021980010,缺,1,202303,5,多",
            f'{id_number(7)},"一行,二格",1,202303,5',
            f'{id_number(8)},"跨\n两行",1,202303,5',
            f'{id_number(9)},"跨\n\n三行",1,202303,"6"',
            '"没有收尾,1,202303,5',
            f'{id_number(10)},引"号,1,202303,7',
        ]
    ),
)


def outcome(folder: Path, name: str, data: bytes, chunk_bytes: int, feed: str = PENSION) -> dict[str, Any]:
    """Everything that taking in a file leaves behind."""
    city = City(folder)
    city.put(feed, data, name)
    before, read.CHUNK_BYTES = read.CHUNK_BYTES, chunk_bytes
    try:
        (delivery,) = city.take()
    finally:
        read.CHUNK_BYTES = before
    balance(delivery)
    held, lake = city.store.held_file, city.store.lake_file
    rows = [held(feed, delivery.delivery_id), lake(feed, str(delivery.period), delivery.delivery_id)]
    faults = sorted(path for path in city.store.faults.rglob("*.parquet"))
    raw = sorted(city.store.quarantine.rglob("*.rows.parquet"))
    return {
        "entry": asdict(delivery),
        "rows": [path.read_bytes() for path in rows if path.exists()],
        "faults": {path.parent.parent.name: path.read_bytes() for path in faults},
        "raw": [city.store.encrypted.read(path).rows() for path in raw],
        "cells": Quarantine(city.store).cell_defects(feed, delivery.delivery_id).rows(),
        "people": _people(city, delivery.delivery_id, feed),
    }


def _people(city: City, delivery_id: str, feed: str) -> list[tuple[object, ...]]:
    path = Vault(city.store).file(feed, delivery_id)
    return city.store.encrypted.read(path).drop("row_number").unique().sort(pl.all()).rows() if path.exists() else []


def same_in_chunks(name: str, data: bytes, sizes: list[int], feed: str = PENSION) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        whole = outcome(_fresh(folder, "whole"), name, data, 1 << 25, feed)
        for size in sizes:
            assert outcome(_fresh(folder, str(size)), name, data, size, feed) == whole
    return whole


def _fresh(folder: str, name: str) -> Path:
    path = Path(folder) / name
    path.mkdir()
    return path


@slow
@given(st.lists(LINES, min_size=1, max_size=25), st.integers(1, 400), st.booleans())
def test_delimited_text_in_chunks(lines: list[str], size: int, ends: bool) -> None:
    text = "\n".join(["养老金发放表", ",".join(HEADER), *lines]) + ("\n" if ends else "")
    same_in_chunks("报送_202303.csv", text.encode("gb18030"), [size])


@slow
@given(
    st.lists(
        st.one_of(
            st.builds(
                lambda at, amount: json.dumps({**good_row(FEED, at), "金额": amount}, ensure_ascii=False),
                st.integers(0, 20),
                st.one_of(st.integers(0, 9), st.just("12.50"), st.just(1.5), st.none(), st.just({"a": [1]})),
            ),
            st.sampled_from(["", "{", '{"身份证号": "1", "新": 2}', "[1]", "null", '{"金额": 1e2}', '{"金额": true}']),
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(1, 400),
)
def test_json_lines_in_chunks(lines: list[str], size: int) -> None:
    text = "\n".join([json.dumps(good_row(FEED, 25), ensure_ascii=False), *lines])
    same_in_chunks("报送_202303.jsonl", text.encode(), [size])


def test_sheet_in_chunks(tmp_path: Path) -> None:
    lines = [line(at).split(",") for at in (1, 2, 2, 3, 1)]
    rows = [["养老金发放表"], HEADER, *lines, ["小计", "", "", "", "502.50"], ["1", "2", "3", "4", "5", "多"], HEADER]
    rows += [line(9).split(","), ["合计", "", "", "", "603"], ["填表人：王五"], ["单位:万元"]]
    path = tmp_path / "x.xlsx"
    pl.DataFrame([[*row, *[""] * (6 - len(row))] for row in rows], orient="row").write_excel(path, include_header=False)
    whole = same_in_chunks("报送_202303.xlsx", path.read_bytes(), [1, 200, 300])
    assert whole["entry"]["warnings"] == []
    assert whole["entry"]["rows_data"] == 7


def test_duplicates_subtotals_and_units_across_chunks() -> None:
    """Each of them far from what it belongs to, so that no chunk holds both."""
    body = [line(at) for at in range(40)]
    lines = [*body, body[0], line(1, "7"), "小计,,,,4127.50", ",".join(HEADER), *body[2:4], "单位：万元,,,,"]
    text = "\n".join([",".join(HEADER), *lines])
    whole = same_in_chunks("报送_202303.csv", text.encode(), [100, 1000])
    entry = whole["entry"]
    assert entry["rows_data"] == 44
    assert entry["quarantined_by_reason"] == {"duplicate_key": 1, "duplicate_row": 3}
    assert entry["warnings"] == []
    assert entry["rows_framing"] == 2
    # The unit below applies to the rows above it.
    assert entry["control_totals"] == {"amount": str(44 * 1_005_000 - 935_000) + ".00"}


def test_rows_that_are_kept_for_later_are_nowhere_by_name(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is spilt, and while that lies on disk no file of the home holds a name in clear text."""
    monkeypatch.setattr("ingestion.segments._MEMORY_BYTES", 0)
    monkeypatch.setattr(read, "CHUNK_BYTES", 500)
    names = (line(3).split(",")[1].encode(), id_number(3).encode())
    seen = []

    def look(self: RunningTotals, *arguments: Any) -> None:
        files = [path for path in city.store.home.rglob("*") if path.is_file()]
        seen.append([path for path in files if any(name in path.read_bytes() for name in names)])
        real(self, *arguments)

    real = RunningTotals.add
    monkeypatch.setattr(RunningTotals, "add", look)
    taken = city.take_one(PENSION, "\n".join([",".join(HEADER), *[line(at) for at in range(40)]]))
    assert taken.rows_accepted == 40
    assert len(seen) > 3
    assert not any(seen)


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_segments_give_back_what_they_were_given(tmp_path: Path, memory: int) -> None:
    frames = [pl.DataFrame({"a": [at, None], "b": ["x" * at, "\U00020164"]}) for at in range(5)]
    with Segments(tmp_path, memory) as segments:
        for frame in frames:
            segments.add({"one": frame, "none": frame.clear()})
        assert [segments.frame(at, "one").rows() for at in range(5)] == [frame.rows() for frame in frames]
        assert segments.frame(2, "none").schema == frames[2].schema
    assert list(tmp_path.iterdir()) == []


def test_keys_whose_hashes_meet_are_still_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """With hashes that say nothing every row is a suspect, and the outcome is the same."""
    text = "\n".join([",".join(HEADER), *[line(at % 30, str(at // 20)) for at in range(60)]]).encode()

    def found(chunk_bytes: int) -> dict[str, int]:
        with Segments(FOLDER) as segments:
            checked = check_file(source_of(text, FEED, chunk_bytes), FEED, ARRIVED.date(), segments)
            return dict(checked.quarantined_by_reason)

    expected = found(1 << 20)
    monkeypatch.setattr("ingestion.duplicates.key_hashes", lambda rows, *_: np.zeros(rows.height, dtype=np.uint64))
    monkeypatch.setattr("ingestion.duplicates._ROWS_AT_A_TIME", 100)
    assert found(300) == expected
    assert expected["duplicate_key"] > 0
