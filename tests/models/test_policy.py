"""Parameters: dated regional lookup, exact rounding, files that cannot be used; the catalogue beside them."""

import shutil
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest

from models.codes import load_code_tables
from models.policy import (
    ParameterError,
    load_benefits,
    load_overlaps,
    load_parameters,
    parameter_value,
    policy_version,
    resolve,
    round_half_up,
)
from models.policy.catalogue import POLICY_DIRECTORY
from models.policy.parameters import NATION, OPEN_END, Parameter, read_parameter

PARAMETERS = load_parameters()
MARCH = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("name", "region", "on", "key", "yuan"),
    [
        ("dibao_standard", "420702", date(2022, 12, 31), "urban", "580"),
        ("dibao_standard", "420702", date(2023, 1, 1), "urban", "750"),
        ("dibao_standard", "420704100201", MARCH, "rural", "590"),
        ("dibao_standard", "420100", date(2023, 6, 14), "rural", "820"),
        ("dibao_standard", "610102", date(2020, 10, 1), "rural", "560"),
        ("marginal_line", "440304", MARCH, "urban", "2225"),
        ("destitute_standard", "440304", MARCH, "urban", "2373"),
        ("destitute_standard", "420702", date(2022, 6, 1), "urban", "1160"),
        ("destitute_standard", "420702", date(2023, 6, 1), "rural", "944"),
        ("deposit_limit_pc", "420702", MARCH, "urban", "27000"),
    ],
)
def test_value_of_place_and_day(name: str, region: str, on: date, key: str, yuan: str) -> None:
    assert parameter_value(name, region, on, key) == Decimal(yuan)


def test_rounding_is_exact() -> None:
    assert round_half_up(Decimal("1483") * Decimal("1.5")) == Decimal(2225)
    assert round(1483 * 1.5) == 2224, "what binary floats and bankers' rounding would have paid"


def test_nothing_set_is_an_error_and_never_zero() -> None:
    with pytest.raises(ParameterError, match="dibao_standard has no number"):
        parameter_value("dibao_standard", "420702", date(2018, 1, 1), "urban")
    with pytest.raises(ParameterError, match="no parameter"):
        parameter_value("dibao_standart", "420702", MARCH)


def test_county_goes_before_city_before_nation(tmp_path: Path) -> None:
    path = tmp_path / "visit_capacity.yaml"
    rows = "".join(
        f"- {{region: '{region}', from: 2023-01-01, value: {value}, source: test}}\n"
        for region, value in ((NATION, 1), ("420700", 2), ("420702", 3))
    )
    path.write_text(f"parameter: visit_capacity\nlabel: {{zh: a, en: a}}\nunit: count\nvalues:\n{rows}")
    known = {"visit_capacity": read_parameter(path)}
    found = [resolve("visit_capacity", region, MARCH, "", known) for region in ("420702", "420703", "110101")]
    assert [row and row.value for row in found] == [Decimal(3), Decimal(2), Decimal(1)]


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=PARAMETERS)
def test_rows_of_one_region_and_key_never_overlap(parameter: Parameter) -> None:
    for row in parameter.rows:
        assert row.valid_from < row.valid_to <= OPEN_END
        assert row.source
        same = [other for other in parameter.rows if (other.region, other.key) == (row.region, row.key)]
        assert sum(other.valid_from <= row.valid_from < other.valid_to for other in same) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("unit: yuan_per_month", "unit: dollars", "dollars"),
        ("dimension: area_type", "dimension: shire", "shire"),
        ("urban: 750", "town: 750", "town"),
        ("region: '420700', from: 2023", "region: 420700, from: 2023", "six digits"),
        ("parameter: dibao_standard", "parameter: other", "named after"),
        ("from: 2023-01-01", "from: 2019-04-01", "ends before it begins"),
        ("value: {urban: 750, rural: 590}", "value: 750", "dimension"),
        ("value: {urban: 750, rural: 590}", "value: {urban: many, rural: 590}", "dibao_standard"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (POLICY_DIRECTORY / "parameters" / "dibao_standard.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "dibao_standard.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_parameter(path)


def test_version_follows_every_policy_file(tmp_path: Path) -> None:
    shutil.copytree(POLICY_DIRECTORY, tmp_path / "policy")
    before = policy_version(tmp_path / "policy")
    assert before == policy_version()
    assert before.isalpha()
    with (tmp_path / "policy" / "parameters" / "visit_capacity.yaml").open("a") as stream:
        stream.write("# changed\n")
    assert policy_version(tmp_path / "policy") != before


def test_benefits_use_known_codes() -> None:
    tables = load_code_tables()
    assert set(load_benefits()) == set(tables["benefit"].labels)
    for overlap in load_overlaps():
        assert {overlap.benefit_a, overlap.benefit_b} <= set(load_benefits())


def test_each_pair_of_benefits_has_one_rule() -> None:
    pairs = [tuple(sorted((overlap.benefit_a, overlap.benefit_b))) for overlap in load_overlaps()]
    assert len(pairs) == len(set(pairs))


def test_every_pair_of_monthly_benefits_is_decided() -> None:
    """One-off aid (LS) and the price subsidy (WJ) go beside anything; nobody is a child and eighty."""
    monthly = sorted(set(load_benefits()) - {"LS", "WJ"})
    decided = {frozenset((overlap.benefit_a, overlap.benefit_b)) for overlap in load_overlaps()}
    impossible = {frozenset(("GL", "GE")), frozenset(("GL", "SS"))}
    wanted = {frozenset(pair) for pair in combinations(monthly, 2)} - impossible
    assert wanted - decided == set()


def test_disability_allowances_beside_destitute_support_and_orphans() -> None:
    rules = {frozenset((overlap.benefit_a, overlap.benefit_b)): overlap.rule for overlap in load_overlaps()}
    for allowance in ("CS", "CH"):
        assert rules[frozenset((allowance, "TK"))] == "excluded"
        assert rules[frozenset((allowance, "HL"))] == "excluded"
    assert (rules[frozenset(("CH", "GE"))], rules[frozenset(("CS", "GE"))]) == ("allowed", "excluded")
