"""The rules decide as the policy says: every case of ``cases/*.yaml`` is delivered, built and asked for.

Belongs here: whether the warehouse says what a case expects. A failure names the case, never a person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest

from models.policy import load_indicators
from tests.policy.build import built_city
from tests.policy.case import Case, TableExpectation, load_cases
from tests.policy.deliveries import persons

pytestmark = pytest.mark.slow
Hits = dict[tuple[str, str, Any], dict[str, Any]]
Layers = dict[tuple[str, Any], dict[str, Any]]

# Files of cases about the layer of a household by rule, not about an indicator.
LAYER_RULE = "layer_"
LAYER_CASES = [case for case in load_cases() if case.rule.startswith(LAYER_RULE)]
INDICATOR_CASES = [case for case in load_cases() if case.expectations and not case.rule.startswith(LAYER_RULE)]

# Scores come from the model; its rule is tested by dbt's unit tests and in tests/ml.
WITHOUT_CASES = {"N30"}
ENOUGH = 3


# Of a table the first of these columns that it has says whom a row is about.
KEYS = ("person_key", "household_id", "county_code")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The data home of all cases, and the person key of every ID number."""
    return built_city(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def hits(city: tuple[Path, dict[str, str]]) -> Hits:
    """What stands, by case, rule and month; a hit belongs to the case of its person or of its household's members."""
    home, keys = city
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        frame = warehouse.execute("""
            select hit.*, coalesce(hit.person_key, household.reference_person_key) as known_key
            from monitoring.indicator_hit as hit
            left join identity.household_month as household
                on hit.month = household.month and hit.household_id = household.household_id
        """).pl()
    cases = {keys[person["id_number"]]: label for (label, _), person in persons().items()}
    return {(cases[row["known_key"]], row["indicator"], row["month"]): row for row in frame.iter_rows(named=True)}


@pytest.fixture(scope="module")
def layers(city: tuple[Path, dict[str, str]]) -> Layers:
    """The layer by rule, by person key and month: that of the household the person belongs to."""
    home, keys = city
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        frame = warehouse.execute("""
            select layer.*, layer.rule_layer as layer, member.person_key
            from monitoring.household_layer_month as layer
            inner join identity.household_member_month as member
                on layer.month = member.month and layer.household_id = member.household_id
        """).pl()
    named = {keys[person["id_number"]]: who for (_, who), person in persons().items()}
    return {
        (row["person_key"], row["month"]): {**row, "single_person": named.get(row["single_person_key"])}
        for row in frame.iter_rows(named=True)
    }


@pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.label)
def test_the_layer_is_what_the_case_says(case: Case, layers: Layers, city: tuple[Path, dict[str, str]]) -> None:
    """A case is about the household of the person named first."""
    first = persons()[case.label, next(iter(case.people))]
    for expected in case.expectations:
        found = layers[city[1][first["id_number"]], expected.month]
        for column, value in expected.stated.items():
            where = f"{case.label} {case.name} {expected.month:%Y-%m}: {column} is {found[column]}"
            assert _is(found[column], value) or str(found[column]) == value, where


@pytest.mark.parametrize("case", INDICATOR_CASES, ids=lambda case: case.label)
def test_the_rule_decides_as_the_case_says(case: Case, hits: Hits) -> None:
    for expected in case.expectations:
        where = f"{case.label} {case.name} {expected.month:%Y-%m}"
        hit = hits.get((case.label, case.rule, expected.month))
        assert (hit is not None) == expected.fires, where
        for column, value in expected.stated.items():
            found = (hit or {})[column]
            assert str(found) == value if isinstance(value, str) else float(found) == pytest.approx(value), where
        if expected.alone:
            others = {rule for label, rule, month in hits if (label, month) == (case.label, expected.month)}
            assert others == {case.rule}, f"{where}: also {sorted(others - {case.rule})}"


@pytest.mark.parametrize("case", [case for case in load_cases() if case.rows], ids=lambda case: case.label)
def test_the_tables_say_what_the_case_says(case: Case, city: tuple[Path, dict[str, str]]) -> None:
    home, keys = city
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        for expected in case.rows:
            person = keys[persons()[case.label, expected.who]["id_number"]]
            found = rows_about(warehouse, expected, person)
            matching = [row for row in found if all(_is(row[name], value) for name, value in expected.stated.items())]
            shown = [{name: row[name] for name in expected.stated} for row in found]
            where = f"{case.label} {case.name} {expected.table} {expected.month:%Y-%m} {expected.who}"
            assert bool(matching) == expected.stands, f"{where}: stated {expected.stated}, found {shown}"


def rows_about(warehouse: duckdb.DuckDBPyConnection, expected: TableExpectation, person: str) -> list[dict[str, Any]]:
    """The rows of a table and month about a person, or about the household or county of that month."""
    columns = [name for name, *_ in warehouse.execute(f"describe {expected.table}").fetchall()]
    key = next(name for name in KEYS if name in columns)
    household = "select household_id from identity.household_member_month where month = $month and person_key = $person"
    about = {
        "person_key": "$person",
        "household_id": household,
        "county_code": f"select county_code from identity.household_month where month = $month "
        f"and household_id in ({household})",
    }[key]
    # What is told once for several months has the first of them.
    when = "month" if "month" in columns else "first_month"
    query = f"select * from {expected.table} where {when} = $month and {key} in ({about}) and $person is not null"
    return warehouse.execute(query, {"month": expected.month, "person": person}).pl().to_dicts()


def _is(found: Any, stated: Any) -> bool:
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return found is not None and float(found) == pytest.approx(stated)
    return bool(found == stated)


def test_every_rule_has_its_cases() -> None:
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    outcomes: dict[str, set[bool]] = defaultdict(set)
    for case in load_cases():
        kinds[case.rule][case.kind] += 1
        outcomes[case.rule] |= {expected.fires for expected in case.expectations}
    for rule in load_indicators():
        if rule not in WITHOUT_CASES:
            assert sum(kinds[rule].values()) >= ENOUGH, rule
            assert kinds[rule]["boundary"], f"{rule} has no case at its boundary"
            assert kinds[rule]["near_miss"], f"{rule} has no near miss"
            assert outcomes[rule] == {True, False}, rule


def test_every_layer_has_its_cases() -> None:
    for rule in {case.rule for case in LAYER_CASES}:
        kinds = [case.kind for case in LAYER_CASES if case.rule == rule]
        assert len(kinds) >= ENOUGH, rule
        assert {"boundary", "near_miss"} <= set(kinds), rule


def test_every_table_with_cases_has_enough() -> None:
    cases: dict[str, list[Case]] = defaultdict(list)
    for case in load_cases():
        for table in {expected.table for expected in case.rows}:
            cases[table].append(case)
    for table, told in cases.items():
        assert len(told) >= ENOUGH, table
        assert {"boundary", "near_miss"} <= {case.kind for case in told}, table


def test_every_case_expects_something() -> None:
    assert [case.label for case in load_cases() if not case.expectations and not case.rows] == []


def test_cases_are_where_their_rule_is() -> None:
    folder = Path(__file__).parent / "cases"
    assert {path.stem for path in folder.glob("*.yaml")} == {case.rule.lower() for case in load_cases()}
