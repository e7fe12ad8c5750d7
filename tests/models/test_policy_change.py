"""Wishes for other values of policy: what can be read, what is refused, what follows."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.policy import load_parameters
from models.policy.change import ChangeError, changed_parameters, parse_change, resting_on, standard_change
from models.policy.parameters import resolve

MONTH = date(2024, 3, 1)
COUNTIES = ["420702", "420703", "420704"]


def value(parameters: dict, name: str, key: str = "", county: str = "420702", on: date = MONTH) -> Decimal | None:
    row = resolve(name, county, on, key, parameters)
    return None if row is None else row.value


@given(step=st.decimals(min_value="-99.9", max_value=500, places=1))
def test_every_sensible_step_is_a_factor(step: Decimal) -> None:
    change = standard_change(f"{step:+}%")
    assert change.factor == 1 + step / 100
    assert change.value is None


@given(amount=st.decimals(min_value=0, max_value=100_000, places=2), key=st.sampled_from(["urban", "rural"]))
def test_a_number_is_the_value_itself(amount: Decimal, key: str) -> None:
    change = parse_change(f"dibao_standard:{key}={amount}")
    assert (change.key, change.value, change.factor) == (key, amount, None)


@given(text=st.text(max_size=30))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        change = standard_change(text)
    except ChangeError:
        return
    assert (change.value is None) != (change.factor is None)


@pytest.mark.parametrize(
    "text",
    [
        "dibao_standard",
        "no_such_parameter=5",
        "dibao_standard:suburban=800",
        "dibao_standard=+5",
        "dibao_standard=5%",
        "dibao_standard=-100%",
        "dibao_standard=-150%",
        "dibao_standard=+501%",
        "dibao_standard=-5",
        "dibao_standard=abc",
        "dibao_standard=",
        "dibao_standard=+%",
        "check_purpose_layer=1",
        "marginal_ratio:urban=2",
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ChangeError):
        parse_change(text)


def test_derived_standards_follow_in_whole_yuan() -> None:
    # 750 x 1.05 = 787.5, rounded half up to 788; x 1.5 = 1182; x 1.6 = 1260.8, rounded to 1261.
    parameters = changed_parameters([standard_change("+5%")], COUNTIES, MONTH)
    assert value(parameters, "dibao_standard", "urban") == 788
    assert value(parameters, "marginal_line", "urban") == 1182
    assert value(parameters, "destitute_standard", "urban") == 1261
    assert value(parameters, "dibao_standard", "urban", on=date(2024, 2, 1)) == 750
    assert load_parameters()["dibao_standard"].rows[0].source != "what if"


def test_one_key_and_one_county_change_and_no_other() -> None:
    parameters = changed_parameters([parse_change("dibao_standard:rural=700")], ["420703"], MONTH)
    assert value(parameters, "dibao_standard", "rural", "420703") == 700
    assert value(parameters, "dibao_standard", "rural", "420702") == 590
    assert value(parameters, "dibao_standard", "urban", "420703") == 750


def test_changes_one_after_the_other_build_on_each_other() -> None:
    wishes = [parse_change("dibao_standard=1000"), standard_change("+10%")]
    assert value(changed_parameters(wishes, COUNTIES, MONTH), "dibao_standard", "urban") == 1100


def test_a_parameter_that_holds_nowhere_there_is_refused() -> None:
    with pytest.raises(ChangeError):
        changed_parameters([standard_change("+5%")], ["999999"], MONTH)


def test_what_rests_on_the_standard() -> None:
    assert {"dibao_standard", "marginal_line", "destitute_standard", "deposit_limit_pc"} <= resting_on(
        ["dibao_standard"]
    )
    assert resting_on(["marginal_line"]) == {"marginal_line"}
