"""JSON Lines with odd keys and values, or broken.

Belongs here: lines that are JSON, and some that are not quite. Does not belong here: the ordinary form (``files``).
"""

from __future__ import annotations

import json
from typing import Any

from models.contract import Feed
from tests.ingestion.defects.catalogue import Case
from tests.ingestion.defects.files import as_json_lines, as_records, table_of, table_with_cause


def giant_json_cell(case: Case, feed: Feed) -> bytes:
    return as_json_lines(table_with_cause(case, feed, "x" * ((1 << 20) + 1)))


def json_numbers(case: Case, feed: Feed) -> bytes:
    """Numbers instead of texts, keys missing or null, in another order."""
    records = _records(case, feed)
    for record in records:
        record["金额"] = 100.5
        record["发放月份"] = 202303
        record["身份证号"] = (
            int(record["身份证号"]) if not str(record["身份证号"]).endswith("X") else record["身份证号"]
        )
    records[4] = dict(reversed(records[4].items()))
    return _json_lines(records)


def json_missing_key(case: Case, feed: Feed) -> bytes:
    records = _records(case, feed)
    del records[3]["金额"]
    records[4]["金额"] = None
    return _json_lines(records)


def json_exponent(case: Case, feed: Feed) -> bytes:
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[1] = lines[1].replace('"420702198001010039"', "4.2070219800101E+17")
    return "\n".join(lines).encode()


def json_broken_line(case: Case, feed: Feed) -> bytes:
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[4] = lines[4][:-6]
    return "\n".join(lines).encode()


def json_broken_first_line(case: Case, feed: Feed) -> bytes:
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[0] = lines[0][5:]
    return "\n".join(lines).encode()


def json_other_values(case: Case, feed: Feed) -> bytes:
    """Lines that are JSON but no objects."""
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    return "\n".join([*lines, "[1, 2]", '"text"', "null"]).encode()


def json_empty_objects(case: Case, feed: Feed) -> bytes:
    """Objects without a value are blank rows."""
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    return "\n".join([*lines, "{}", '{"姓名": "", "身份证号": null}', ""]).encode()


def json_two_keys_for_one_field(case: Case, feed: Feed) -> bytes:
    records = _records(case, feed)
    records[5]["name"] = records[5].pop("姓名")
    return _json_lines(records)


def json_same_key_twice(case: Case, feed: Feed) -> bytes:
    """A line that says two different things under one key."""
    lines = _json_lines(_records(case, feed)).decode().splitlines()
    lines[2] = lines[2].replace("{", '{"姓名": "别人", ', 1)
    return "\n".join(lines).encode()


def json_nested(case: Case, feed: Feed) -> bytes:
    records = _records(case, feed)
    records[1]["姓名"] = {"姓": "王", "名": "明"}
    records[2]["死亡日期"] = ["2023-03-05"]
    return _json_lines(records)


def json_pretty(case: Case, feed: Feed) -> bytes:
    return json.dumps(_records(case, feed), ensure_ascii=False, indent=1).encode()


def json_bom_and_windows(case: Case, feed: Feed) -> bytes:
    return b"\xef\xbb\xbf" + _json_lines(_records(case, feed)).replace(b"\n", b"\r\n")


def json_nul_in_the_bom(case: Case, feed: Feed) -> bytes:
    """Without it what is left is a byte order mark all the same, and no part of the first object."""
    return b"\xef\x00\xbb\xbf" + _json_lines(_records(case, feed))


def json_gb18030(case: Case, feed: Feed) -> bytes:
    return _json_lines(_records(case, feed)).decode().encode("gb18030")


def json_no_object(case: Case, feed: Feed) -> bytes:
    return b"{broken json\n{still broken\n"


def _records(case: Case, feed: Feed) -> list[dict[str, Any]]:
    return as_records(table_of(case, feed))


def _json_lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()
