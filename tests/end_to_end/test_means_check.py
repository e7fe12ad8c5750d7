"""``zhaoren check`` over the sample city: a file with every kind of defect, each request answered once.

One dbt call in all. The feed's own requests need none: they stand published.
"""

import csv
import json
import stat
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from ingestion.parse_identity import check_character
from orchestration.home.settings import DataHome
from tests.command import zhaoren

MONTH = "2024-04"


def stranger() -> str:
    """An ID number with a right check digit that no department has told."""
    return "110101190003074" + "47" + check_character("11010119000307447")


@pytest.fixture(scope="module")
def requests(sample_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven requests of the feed, one as it is and the others each with something wrong or odd."""
    source = next((sample_city / "inbox" / "check_request").glob("*_202404.csv"))
    header, *rows = list(csv.reader(source.read_text(encoding="gb18030").splitlines()))
    groups: dict[str, list[list[str]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    fine, last_day, ended, unsigned, bad_id, two, added = list(groups.values())[:7]
    for row in last_day:
        row[2] = row[4]
    for row in ended:
        row[2] = "2024年03月31日"
    unsigned[-1][1] = ""
    wrong = "0" if bad_id[0][7][-1] != "0" else "1"
    bad_id[0][7] = bad_id[0][7][:-1] + wrong
    unknown = [*added[0][:6], added[0][6], stranger(), "赵六", "子"]
    nobody = ["HD-NOBODY", *two[0][1:6], stranger(), stranger(), "赵六", "本人"]
    lines = [header, *fine, *last_day, *ended, *unsigned, *bad_id, *added, unknown, nobody]
    path = tmp_path_factory.mktemp("requests") / "核对委托.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


@pytest.fixture(scope="module")
def checked(sample_home: DataHome, requests: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The folder of the answers and the JSON document in it."""
    out = tmp_path_factory.mktemp("answers") / "out"
    result = zhaoren(sample_home.root, "check", str(requests), "--month", MONTH, "--out", str(out), "--bound")
    assert result.returncode == 1, result.stderr
    return out, json.loads(next(out.glob("*.json")).read_text(encoding="utf-8"))


def test_every_request_is_answered_once(checked: tuple[Path, dict], requests: Path) -> None:
    asked = {row[0] for row in csv.reader(requests.read_text(encoding="gb18030").splitlines())} - {"委托编号"}
    answers = checked[1]["answers"]
    assert sorted(answer["request_no"] for answer in answers) == sorted(asked)
    assert (checked[1]["requests"], checked[1]["answered"], checked[1]["refused"]) == (7, 3, 4)


def test_refusals_say_why_and_nothing_else(checked: tuple[Path, dict]) -> None:
    refused = [answer for answer in checked[1]["answers"] if answer["status"] == "refused"]
    reasons = sorted(item["reason"] for answer in refused for item in answer["refusals"])
    assert reasons == ["applicant_unknown", "authorisation_ended", "row_defect", "row_defect"]
    faults = {item["column"]: item["fault"] for answer in refused for item in answer["refusals"] if item["column"]}
    assert faults == {"authorisation_no": "required_missing", "id_number": "id_invalid"}
    for answer in refused:
        told = {name for name in ("member", "means", "declared", "contradiction", "rule_layer") if answer[name]}
        assert not told


def test_a_report_has_members_means_sources_and_a_layer(checked: tuple[Path, dict]) -> None:
    for answer in checked[1]["answers"]:
        if answer["status"] == "refused":
            continue
        assert answer["rule_layer"]
        assert answer["verdict"]
        assert answer["source"]
        assert sum(member["is_applicant"] for member in answer["member"]) == 1
        assert all(row["delivery_id"] and row["row_number"] for row in answer["means"])


def test_a_member_whom_nobody_knows_is_a_contradiction_and_the_finding_may_change(checked: tuple[Path, dict]) -> None:
    known = [answer for answer in checked[1]["answers"] if answer["status"] == "answered"]
    with_stranger = [answer for answer in known if any(not member["is_known"] for member in answer["member"])]
    assert len(with_stranger) == 1
    assert with_stranger[0]["is_provisional"]
    assert "member_unknown" in {item["contradiction"] for item in with_stranger[0]["contradiction"]}


def test_files_are_for_their_reader_alone(checked: tuple[Path, dict]) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in checked[0].iterdir()}
    assert modes == {0o600}


def test_the_workbook_has_all_requests_and_masked_numbers(checked: tuple[Path, dict]) -> None:
    book = openpyxl.load_workbook(next(checked[0].glob("*.xlsx")))
    assert book.sheetnames == ["核对结果一览", "收入支出财产明细", "矛盾情况", "未予核对"]
    overview = [row[0] for row in book["核对结果一览"].iter_rows(min_row=5, values_only=True)]
    assert sorted(overview) == sorted(answer["request_no"] for answer in checked[1]["answers"])
    texts = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    numbers = {member["id_number"] for answer in checked[1]["answers"] for member in answer["member"] or []}
    assert not numbers & {str(text) for text in texts if "*" not in str(text)}


def test_the_bound_document_can_be_read_and_names_no_whole_number(checked: tuple[Path, dict]) -> None:
    text = "".join(page.extract_text() for page in PdfReader(next(checked[0].glob("*.pdf"))).pages)
    for answer in checked[1]["answers"]:
        assert answer["request_no"] in text
        for member in answer["member"] or []:
            assert member["id_number"] not in text or "*" in member["id_number"]
    assert "授权已过期" in text
    assert "需进一步核实" in text
