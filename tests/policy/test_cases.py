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
from tests.policy.case import Case, load_cases
from tests.policy.deliveries import persons

pytestmark = pytest.mark.slow
Hits = dict[tuple[str, str, Any], dict[str, Any]]

# Scores come from the model; its rule is tested by dbt's unit tests and in tests/ml.
WITHOUT_CASES = {"N30"}
ENOUGH = 3


@pytest.fixture(scope="module")
def hits(tmp_path_factory: pytest.TempPathFactory) -> Hits:
    """What stands, by case, rule and month; a hit belongs to the case of its person or of its household's members."""
    home, keys = built_city(tmp_path_factory.mktemp("policy"))
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        frame = warehouse.execute("""
            select hit.*, coalesce(hit.person_key, household.reference_person_key) as known_key
            from monitoring.indicator_hit as hit
            left join identity.household_month as household
                on hit.month = household.month and hit.household_id = household.household_id
        """).pl()
    cases = {keys[person["id_number"]]: label for (label, _), person in persons().items()}
    return {(cases[row["known_key"]], row["indicator"], row["month"]): row for row in frame.iter_rows(named=True)}


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.label)
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


def test_cases_are_where_their_rule_is() -> None:
    folder = Path(__file__).parent / "cases"
    assert {path.stem for path in folder.glob("*.yaml")} == {case.rule.lower() for case in load_cases()}
