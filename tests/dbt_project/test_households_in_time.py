"""Who lives with whom from which day, and from which month that was known: one family for each thing that happens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from ingestion.name_conflict import SCHEMA as NAME_CONFLICT
from orchestration.home.given import SCHEMA as HOUSEHOLD_GIVEN
from tests.dbt_project.conftest import dbt, write_lake, write_reference
from tests.dbt_project.household_city import (
    APRIL,
    BORN,
    DELIVERIES,
    FEBRUARY,
    HAMLET,
    JANUARY,
    JULY,
    JUNE,
    MARCH,
    MAY,
    MONTHS,
    OPEN_END,
    TOWN,
    until,
)

pytestmark = pytest.mark.slow
Connection = duckdb.DuckDBPyConnection
FOREVER = date(9999, 12, 31)


def build(folder: Path, last: date, *command: str) -> Connection:
    """The identity layer of what had been told by that month; an old household of somebody was given out before."""
    write_lake(folder / "lake", until(last))
    write_reference(folder / "reference", until(last), BORN, JANUARY, last)
    given = [("gone", JANUARY, "husband", True), ("gone", JANUARY, "kid", False), ("gone", JANUARY, "groom", False)]
    file = folder / "reference" / "household_given.parquet"
    pl.DataFrame(given, schema=HOUSEHOLD_GIVEN, orient="row").write_parquet(file)
    named = ("dad", "population_register", "population_register.2023-01.a", 7, "pension_payment", "p", 3, MARCH)
    pl.DataFrame([named], schema=NAME_CONFLICT, orient="row").write_parquet(
        folder / "reference" / "name_conflict.parquet"
    )
    outcome = dbt(folder, *command)
    assert outcome.returncode == 0, outcome.stdout[-3000:]
    return duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    command = ("build", "--select", "staging", "identity", "--exclude-resource-type", "unit_test")
    folder = tmp_path_factory.mktemp("households")
    with build(folder, JULY, *command, "--indirect-selection", "cautious") as connection:
        yield connection


def rows(city: Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    return city.execute(query, list(values)).fetchall()


def household(city: Connection, person: str, month: date) -> str | None:
    query = "select household_id from identity.household_member_month where person_key = ? and month = ?"
    found = rows(city, query, person, month)
    return found[0][0] if found else None


def together(city: Connection, person: str, counted: bool = True) -> dict[date, set[str]]:
    """With whom (and the person too) somebody lives, month by month."""
    query = """
        select own.month, other.person_key from identity.household_member_month as own
        inner join identity.household_member_month as other using (month, household_id)
        where own.person_key = ? and other.is_counted = ?
    """
    found: dict[date, set[str]] = {}
    for month, other in rows(city, query, person, counted):
        found.setdefault(month, set()).add(other)
    return found


def stays(city: Connection, person: str) -> list[tuple[Any, ...]]:
    query = """
        select reason_joined, reason_left, valid_from, valid_to, known_from from identity.household_member
        where person_key = ? order by known_from
    """
    return rows(city, query, person)


def test_a_couple_joins_in_the_month_in_which_the_marriage_is_known(city: Connection) -> None:
    found = together(city, "groom")
    assert found[JANUARY] == {"groom"}
    assert all(found[month] == {"groom", "bride"} for month in (FEBRUARY, MARCH, APRIL, MAY))
    assert found[JUNE] == {"groom"}
    assert stays(city, "bride") == [
        ("first_known", "married", JANUARY, date(2023, 2, 11), JANUARY),
        ("married", "divorced", date(2023, 2, 11), date(2023, 6, 1), FEBRUARY),
        ("divorced", None, date(2023, 6, 1), FOREVER, JUNE),
    ]


def test_a_couple_in_two_villages_does_not_join(city: Connection) -> None:
    assert set(map(frozenset, together(city, "faraway_groom").values())) == {frozenset({"faraway_groom"})}


def test_a_marriage_told_late_counts_from_when_it_was_told_and_dates_from_its_own_day(city: Connection) -> None:
    found = together(city, "stale_groom")
    assert found[FEBRUARY] == {"stale_groom"}
    assert found[MARCH] == {"stale_groom", "stale_bride"}
    moved = "stale_bride" if len(stays(city, "stale_bride")) == 2 else "stale_groom"
    assert stays(city, moved)[1][2:] == (date(2023, 1, 20), FOREVER, MARCH)


def test_divorced_under_one_hukou_are_two_households_until_they_marry_again(city: Connection) -> None:
    found = together(city, "husband")
    assert found[FEBRUARY] == {"husband", "wife", "kid"}
    assert found[MARCH] == found[APRIL] == {"husband", "kid"}
    assert found[MAY] == found[JULY] == {"husband", "wife", "kid"}
    assert len({household(city, "husband", month) for month in MONTHS}) == 1
    assert stays(city, "wife")[1][:3] == ("divorced", "moved", date(2023, 3, 5))


def test_divorced_by_the_register_is_known_from_the_register(city: Connection) -> None:
    found = together(city, "register_head")
    assert found[MARCH] == {"register_head", "register_ex", "son"}
    assert found[APRIL] == {"register_head", "son"}


def test_a_newborn_is_known_from_a_means_check_before_the_register(city: Connection) -> None:
    found = together(city, "mum")
    assert found[FEBRUARY] == {"mum", "dad"}
    assert found[MARCH] == found[APRIL] == {"mum", "dad", "baby"}
    (first, *_) = stays(city, "baby")
    assert (first[0], first[2], first[4]) == ("born", date(2023, 2, 20), MARCH)
    assert household(city, "baby", MARCH) == household(city, "baby", JULY) == household(city, "mum", JANUARY)


def test_a_newborn_registered_two_months_later_is_a_member_from_birth_known_from_then(city: Connection) -> None:
    assert household(city, "infant", MARCH) is None
    assert stays(city, "infant") == [("born", None, date(2023, 2, 25), FOREVER, APRIL)]
    assert household(city, "infant", APRIL) == household(city, "young_mum", JANUARY)


def test_a_child_of_a_detained_parent_goes_to_the_guardian_and_comes_back(city: Connection) -> None:
    found = together(city, "ward")
    assert found[JANUARY] == {"ward", "prisoner"}
    assert all(found[month] == {"ward", "grandma"} for month in (FEBRUARY, MARCH, APRIL, MAY))
    assert found[JUNE] == {"ward", "prisoner"}
    assert household(city, "ward", JUNE) == household(city, "ward", JANUARY)
    assert stays(city, "ward")[1][:3] == ("guardian", "moved", date(2023, 2, 12))


def test_a_prisoner_does_not_count_while_detained_and_counts_when_released(city: Connection) -> None:
    assert stays(city, "prisoner") == [
        ("first_known", "custody", JANUARY, date(2023, 2, 9), JANUARY),
        ("custody", "released", date(2023, 2, 9), date(2023, 6, 3), FEBRUARY),
        ("released", None, date(2023, 6, 3), FOREVER, JUNE),
    ]
    assert household(city, "prisoner", MARCH) == household(city, "prisoner", JUNE)


def test_a_student_belongs_to_the_parents_until_the_end_of_the_studies(city: Connection) -> None:
    found = together(city, "pupil")
    assert found[MARCH] == found[APRIL] == found[MAY] == {"pupil", "father_p", "mother_p"}
    assert found[JUNE] == {"pupil"}
    assert [row[0] for row in stays(city, "pupil")] == ["first_known", "student", "studies_ended"]


def test_a_student_moves_to_one_parent_until_it_is_told_that_the_other_is_at_home(city: Connection) -> None:
    found = together(city, "scholar")
    assert found[APRIL] == found[MAY] == {"scholar", "scholar_dad"}
    assert found[JUNE] == found[JULY] == {"scholar", "scholar_mum"}


def test_a_child_alone_goes_to_a_parent_from_the_month_in_which_that_parent_is_told(city: Connection) -> None:
    found = together(city, "foundling")
    assert found[JANUARY] == found[MAY] == {"foundling"}
    assert found[JUNE] == {"foundling", "late_mum", "heir"}


def test_a_child_goes_along_with_a_parent_who_marries_once_it_is_told_whose_child_it_is(city: Connection) -> None:
    found = together(city, "stale_kid")
    assert found[MARCH] == found[MAY] == {"stale_kid"}
    assert found[JUNE] == {"stale_kid", "stale_bride", "stale_groom"}


def test_the_widow_keeps_the_household_and_the_dead_stays_known(city: Connection) -> None:
    assert len({household(city, "widow", month) for month in MONTHS}) == 1
    assert together(city, "widow", counted=False)[FEBRUARY] == {"old_head"}
    assert stays(city, "old_head")[0] == ("first_known", "dead", JANUARY, date(2023, 2, 7), JANUARY)


def test_a_death_told_late_counts_from_when_it_was_told_for_the_dead_and_for_who_lived_with_them(
    city: Connection,
) -> None:
    found = together(city, "heir")
    assert found[FEBRUARY] == found[APRIL] == {"heir", "late_dead"}
    assert found[MAY] == {"heir", "late_mum"}
    assert stays(city, "late_dead")[1][0::2] == ("dead", date(2023, 3, 9), MAY)


def test_a_dead_person_who_is_still_in_the_register_stays_dead(city: Connection) -> None:
    assert together(city, "ghost_wife")[APRIL] == {"ghost_wife"}
    assert [row[0] for row in stays(city, "ghost")] == ["first_known", "dead"]
    query = """
        select distinct contradiction, source_a, source_b, source_used, known_from from identity.contradiction
        where person_key = 'ghost' and contradiction = 'registered_after_death' order by 5
    """
    told = ("registered_after_death", "death_record", "population_register", "death_record")
    assert rows(city, query) == [(*told, APRIL), (*told, JULY)]


def test_most_members_keep_the_household(city: Connection) -> None:
    before = household(city, "five1", JANUARY)
    assert [household(city, "five3", month) == before for month in (MARCH, APRIL, JUNE)] == [True, True, True]
    apart = household(city, "five1", APRIL)
    assert apart not in (before, None)
    # In July two come back to those who were left: nobody's key changes but theirs.
    assert household(city, "five4", JULY) == household(city, "five1", JULY) == apart
    assert household(city, "five3", JULY) == before
    assert stays(city, "five3")[1][:3] == ("moved", None, date(2023, 3, 9))


def test_a_household_that_moves_as_a_whole_keeps_its_key(city: Connection) -> None:
    assert len({household(city, "twin", month) for month in MONTHS}) == 1
    query = (
        "select event, event_on, known_month from identity.household_event where household_id = ? and event = 'moved'"
    )
    assert rows(city, query, household(city, "twin", JULY)) == [("moved", date(2023, 2, 14), APRIL)]


def test_absent_from_one_register_is_kept_and_from_two_is_not(city: Connection) -> None:
    assert {household(city, "absent", month) for month in MONTHS} == {household(city, "host", JANUARY)}
    assert household(city, "carried", JUNE) == household(city, "carer", JUNE)
    assert household(city, "carried", JULY) is None
    assert stays(city, "carried")[-1][1] == "no_longer_told"


def test_two_on_one_certificate_live_together_and_do_not_change_places(city: Connection) -> None:
    assert together(city, "swap_a")[MARCH] == {"swap_a", "swap_b"}


def test_one_person_on_two_certificates_is_a_finding_with_both(city: Connection) -> None:
    query = """
        select month, certificate_no, other_certificate_no, conflict_on, row_number <> other_row_number
        from identity.benefit_conflict_month where person_key = 'double' order by month
    """
    told = rows(city, query)
    assert {row[1:] for row in told} == {("C1", "C2", date(2023, 2, 3), True)}
    assert [row[0] for row in told] == list(MONTHS[1:])
    counted = "select person_key from identity.benefit_member_month where is_counted_here group by month, person_key"
    assert rows(city, counted + " having count(*) > 1") == []


def test_events_of_a_household_say_who_from_where_and_by_which_row(city: Connection) -> None:
    query = """
        select event, person_key, event_on, known_month, delivery_id from identity.household_event
        where household_id = ? order by known_month, event
    """
    groom = household(city, "groom", JANUARY)
    joined, left = ("joined", "bride", date(2023, 2, 11), FEBRUARY), ("left", "bride", date(2023, 6, 1), JUNE)
    told = [row for row in rows(city, query, groom) if row[1]]
    assert [row[:4] for row in told] == [joined, left]
    assert told[0][4] == "marriage_register.2023-02.a"
    assert rows(city, query, household(city, "wife", MARCH))[0][:2] == ("split_from", None)


def test_a_key_given_out_leads_to_the_household_in_which_most_of_its_members_are_now(city: Connection) -> None:
    query = "select current_household_id, since_month, reason from identity.household_alias where household_id = 'gone'"
    assert rows(city, query) == [(household(city, "husband", JULY), JANUARY, "derived_anew")]


def test_every_household_is_in_one_place_a_month(city: Connection) -> None:
    query = """
        select member.month, member.household_id from identity.household_member_month as member
        left join identity.household_month as house using (month, household_id)
        group by all having count(distinct house.village_code) <> 1
    """
    assert rows(city, query) == []


def test_every_row_says_by_which_delivery_and_when_it_came(city: Connection) -> None:
    query = "select count(*) from identity.household_member where delivery_id is null or known_on is null"
    assert rows(city, query) == [(0,)]


def test_what_was_known_in_a_month_does_not_change_by_what_came_later(
    city: Connection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    query = "select * from identity.household_member_month where month <= ? order by all"
    command = ("run", "--select", "+household_member_month")
    with build(tmp_path_factory.mktemp("until_march"), MARCH, *command) as earlier:
        assert rows(earlier, query, MARCH) == rows(city, query, MARCH)


def test_the_city_has_a_case_for_each_feed_that_tells_of_members() -> None:
    assert {name for name, *_ in DELIVERIES} >= {
        "population_register", "marriage_register", "death_record", "check_request", "custody_record",
        "child_register", "student_register", "assistance_register",
    }  # fmt: skip
    assert OPEN_END == FOREVER


# What is said against each other: who believes whom, first and last month (end of time: it stands).
CONTRADICTIONS = [
    ("birth_date_differs", "mum", "id_number", "population_register", "id_number", JANUARY, APRIL),
    ("sex_differs", "dad", "id_number", "population_register", "id_number", JANUARY, APRIL),
    ("pension_after_death", "old_head", "death_record", "pension_payment", "death_record", MARCH, APRIL),
    ("treated_after_death", "ghost", "death_record", "medical_settlement", "death_record", MARCH, APRIL),
    ("student_after_death", "ghost", "death_record", "student_register", "death_record", JUNE, FOREVER),
    ("employed_in_custody", "prisoner", "custody_record", "social_insurance", "custody_record", MARCH, APRIL),
    ("unemployed_and_employed", "carer", "social_insurance", "unemployment_register", "social_insurance",
     FEBRUARY, MARCH),
    ("name_differs", "dad", "population_register", "pension_payment", "population_register", MARCH, FOREVER),
]  # fmt: skip


@pytest.mark.parametrize("told", CONTRADICTIONS, ids=[row[0] for row in CONTRADICTIONS])
def test_a_contradiction_has_both_sources_and_says_who_is_believed(city: Connection, told: tuple[Any, ...]) -> None:
    """One row each: the near misses (the month of death, another status, the other spouse) are not among them."""
    query = """
        select contradiction, person_key, source_a, source_b, source_used, known_from, known_to
        from identity.contradiction
        where contradiction = ? and person_key not in ('bride', 'wife') and delivery_a is not null
            and delivery_b is not null
    """
    assert rows(city, query, told[0]) == [told]


def test_a_place_differs_only_where_the_register_tells_another_one(city: Connection) -> None:
    query = """
        select person_key, class_a, class_b, source_b, min(known_from), max(known_to)
        from identity.contradiction where contradiction = 'place_differs' group by all
    """
    assert rows(city, query) == [("carer", TOWN, HAMLET, "elder_register", FEBRUARY, FOREVER)]


def test_the_source_that_is_believed_is_the_one_used(city: Connection) -> None:
    born = "select born_on, sex from identity.person where person_key = ?"
    assert rows(city, born, "mum") == [(date(1980, 3, 1), "1")]
    assert rows(city, born, "dad") == [(date(1980, 3, 1), "1")]
    died = "select died_on, basis, known_month from identity.person_death where person_key = 'old_head'"
    assert rows(city, died) == [(date(2023, 2, 7), "death_record", FEBRUARY)]
