"""The policy for people: what holds in a place on a day, the page that is current, faults told with file and line."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.calendar import add_working_days, is_known, is_working_day
from models.policy.catalogue import POLICY_DIRECTORY
from models.policy.inspection import holidays_unknown_from, policy_faults
from models.policy.page import PAGE, page, values_on
from orchestration.cli import app


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m models.policy.page`"


def test_the_page_names_every_parameter() -> None:
    text = PAGE.read_text(encoding="utf-8")
    missing = [
        path.stem for path in (POLICY_DIRECTORY / "parameters").glob("*.yaml") if f"| `{path.stem}` |" not in text
    ]
    assert missing == []


def test_derived_values_are_shown_with_their_factors() -> None:
    (urban,) = [one for one in values_on("440304", date(2024, 3, 1), ["marginal_line"]) if one.key == "urban"]
    assert (urban.value, urban.since) == ("2225", date(2024, 1, 1))
    assert "dibao_standard" in urban.source


def test_the_policy_has_no_fault() -> None:
    assert policy_faults() == []


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "message"),
    [
        ("dibao_standard", "urban: 750,", "urban: 7x0,", 9, "7x0"),
        ("dibao_standard", "from: 2023-01-01, value: {urban: 750", "from: someday, value: {urban: 750", 9, "someday"),
        ("dibao_standard", "{urban: 750, rural: 590}, source", "{urban: -750, rural: 590}, source", 9, "below 0"),
        ("dibao_standard", "'420700', from: 2023", "'420799', from: 2023", 9, "no division"),
        ("work_cost_deduction_ratio", "unit: ratio", "unit: [", 0, "not YAML"),
        ("list_day", "value: 10", "value: 100", 7, "more than 31"),
        ("visit_capacity", "  source: Published practice, cut from 22 to 11 a month", "  source: ''", 7, "source"),
    ],
)
def test_a_fault_is_told_with_its_file_and_line(
    tmp_path: Path, name: str, old: str, new: str, line: int, message: str
) -> None:
    shutil.copytree(POLICY_DIRECTORY, tmp_path / "policy")
    path = tmp_path / "policy" / "parameters" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    (fault,) = [one for one in policy_faults(tmp_path / "policy") if one.file == path.name]
    assert message in fault.what
    assert line in (0, fault.line)


def test_the_command_shows_what_holds_and_finds_no_fault() -> None:
    shown = CliRunner().invoke(
        app, ["policy", "show", "dibao_standard", "--region", "420702", "--on", "2024-06-01", "--json"]
    )
    values = {one["key"]: one["value"] for one in json.loads(shown.stdout)["values"]}
    assert values == {"urban": "750", "rural": "590"}
    checked = CliRunner().invoke(app, ["policy", "check", "--json"])
    assert (checked.exit_code, json.loads(checked.stdout)["faults"]) == (0, [])


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 2, 4), True),  # a Sunday worked for the Spring Festival
        (date(2024, 2, 12), False),  # the Spring Festival
        (date(2024, 4, 6), False),  # a Saturday of the Qingming holiday
        (date(2024, 4, 7), True),  # a Sunday worked for it
        (date(2024, 10, 1), False),
        (date(2024, 10, 12), True),  # a Saturday worked for the National Day
    ],
)
def test_holidays_and_make_up_days(day: date, works: bool) -> None:
    assert is_working_day(day) == works


def test_days_to_answer_skip_the_festival_and_count_the_worked_sunday() -> None:
    assert add_working_days(date(2024, 2, 8), 3) == date(2024, 2, 19)
    assert add_working_days(date(2024, 2, 2), 1) == date(2024, 2, 4)


def test_beyond_the_last_notice_weekends_alone_are_free() -> None:
    beyond = holidays_unknown_from()
    assert is_known(date(beyond.year - 1, 12, 31))
    assert not is_known(beyond)
    assert not is_working_day(date(beyond.year, 1, 2 + (5 - date(beyond.year, 1, 2).weekday()) % 7))
