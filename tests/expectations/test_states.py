"""Four states that are never confused, results that are kept once, and no value of a row in any of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import expectations.encoding as encoding
import expectations.row_checks as row_checks
import expectations.suite as suite
from expectations import ensure_tables, validate_deliveries, validate_tables
from expectations.check import CHECK_SCHEMA, FAILING_ROW_SCHEMA, RESULT_SCHEMA
from expectations.store import CHECK_FILE, FAILING_ROW_FILE, RESULT_FILE, read_table
from tests.expectations.city import AS_OF, FEEDS, City, clean_city, clean_rows, month_start, months, person

PENSION = "pension_payment"
PERIOD = months(1)[0]


def validated(city: City) -> pl.DataFrame:
    ledger = city.write()
    known = {name: FEEDS[name] for name in ledger["feed"].unique().sort()}
    return validate_deliveries(city.lake, ledger, known, city.reference, city.home / "results", AS_OF)


def state_of(results: pl.DataFrame, check_id: str) -> str:
    (row,) = results.filter(pl.col("check_id") == check_id).to_dicts()
    return str(row["state"])


def test_a_quiet_month_is_not_applicable_and_still_reconciled(tmp_path: Path) -> None:
    city = clean_city(tmp_path, ())
    city.deliver("death_record", PERIOD, [])
    results = validated(city)
    assert state_of(results, "death_record.not_null.person_key") == "not_applicable"
    assert state_of(results, "death_record.lake_equals_ledger") == "passed"
    assert "could_not_run" not in set(results["state"])


def test_nothing_checked_is_never_passed(tmp_path: Path) -> None:
    results = validated(clean_city(tmp_path, (PENSION, "medical_settlement", "assistance_payment")))
    passed = results.filter(pl.col("state") == "passed")
    assert passed.height > 50
    assert passed.filter(pl.col("denominator") == 0).is_empty()
    assert set(results.filter(pl.col("denominator") == 0)["state"]) == {"not_applicable"}
    assert set(results.filter(pl.col("denominator").is_null())["state"]) == {"could_not_run"}


def test_too_little_history_is_not_applicable(tmp_path: Path) -> None:
    results = validated(clean_city(tmp_path, (PENSION,), 7))
    steady = results.filter(pl.col("check_id") == f"{PENSION}.row_count_steady").sort("period")
    assert steady["state"].to_list() == ["not_applicable"] * 6 + ["passed"]


def test_a_backlog_says_nothing_of_punctuality(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,), 4)
    for entry in city.ledger:
        entry["received_at"] = AS_OF
    results = validated(city).filter(pl.col("check_id") == f"{PENSION}.on_time")
    assert set(results["state"]) == {"not_applicable"}


def test_a_missing_reference_could_not_run_and_stops_no_other(tmp_path: Path) -> None:
    city = clean_city(tmp_path, ("population_register", PENSION))
    ledger = city.write()
    for name in ("person_key", "delivery_validity", "quarantine_row"):
        (city.reference / f"{name}.parquet").unlink()
    known = {name: FEEDS[name] for name in ledger["feed"]}
    results = validate_deliveries(city.lake, ledger, known, city.reference, city.home / "results", AS_OF)
    for check_id in (
        "population_register.sex_agrees_with_id",
        f"{PENSION}.person_known",
        f"{PENSION}.quarantine_equals_ledger",
    ):
        assert state_of(results, check_id) == "could_not_run"
    assert state_of(results, f"{PENSION}.not_null.amount") == "passed"
    assert "failed" not in set(results["state"])


def test_an_answer_about_other_rows_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = encoding.run_suite

    def counting_wrong(name, frame, expected):  # type: ignore[no-untyped-def]
        outcomes = real(name, frame, expected)
        return {key: replace(value, evaluated=value.evaluated - 1) for key, value in outcomes.items()}

    monkeypatch.setattr(encoding, "run_suite", counting_wrong)
    results = validated(clean_city(tmp_path, (PENSION,)))
    assert state_of(results, f"{PENSION}.not_null.amount") == "could_not_run"


def test_a_second_run_changes_nothing_and_a_new_death_is_seen(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,))
    first = validated(city)
    assert validated(city).equals(first)
    record = {"person_key": person(0), "died_on": month_start("2024-01"), "source": "1"}
    city.deliver("death_record", PERIOD, [record])
    assert state_of(validated(city), f"{PENSION}.pension_to_the_living") == "failed"


def test_what_held_a_delivery_stays_on_record(tmp_path: Path) -> None:
    city = clean_city(tmp_path, ("medical_settlement",))
    rows = [{**row, "person_key": person(0)} for row in clean_rows("medical_settlement", PERIOD)]
    city.rewrite("medical_settlement", rows)
    validated(city)
    city.last("medical_settlement")["status"] = "held"
    assert state_of(validated(city), "medical_settlement.not_constant.person_key") == "failed"


def test_results_tell_deliveries_apart(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,), 3)
    rows = city.rows(PENSION)
    city.rewrite(PENSION, [{**rows[0], "amount": -1.0}, *rows[1:]])
    results = validated(city).filter(pl.col("check_id") == f"{PENSION}.between.amount").sort("period")
    assert results["numerator"].to_list() == [0, 0, 1]
    assert results["denominator"].to_list() == [40, 40, 40]
    failing = read_table(city.reference / FAILING_ROW_FILE, FAILING_ROW_SCHEMA)
    assert failing.select("delivery_id", "row_number").rows() == [(city.last(PENSION)["delivery_id"], 2)]


def test_counts_are_complete_though_the_list_of_rows_is_cut(tmp_path: Path) -> None:
    city = clean_city(tmp_path, ())
    city.deliver(PENSION, PERIOD, [{**row, "amount": -1.0} for row in clean_rows(PENSION, PERIOD, 300)])
    (result,) = validated(city).filter(pl.col("check_id") == f"{PENSION}.between.amount").to_dicts()
    assert (result["numerator"], result["denominator"]) == (300, 300)
    failing = read_table(city.reference / FAILING_ROW_FILE, FAILING_ROW_SCHEMA)
    listed = failing.filter(pl.col("check_id") == f"{PENSION}.between.amount")
    assert listed.height == row_checks.MAX_FAILING_ROWS


def test_no_value_of_a_row_is_in_any_result(tmp_path: Path) -> None:
    city = clean_city(tmp_path, ("population_register", PENSION))
    secret = {"hukou_no": "SECRETTEXT", "marital_status": "SECRETTEXT", "residence_division": "SECRETTEXT"}
    rows = [{**row, **secret, "person_key": "SECRETTEXT"} for row in city.rows("population_register")]
    city.rewrite("population_register", rows)
    city.rewrite(PENSION, [{**row, "amount": -987654.25} for row in city.rows(PENSION)])
    results = validated(city)
    assert {"population_register.in_set.marital_status", "population_register.unique.person_key"} <= set(
        results.filter(pl.col("state") == "failed")["check_id"]
    )
    texts = [path.read_text(encoding="utf-8") for path in (city.home / "results").glob("*.json")]
    texts += [
        pl.read_parquet(city.reference / name).write_csv() for name in (RESULT_FILE, FAILING_ROW_FILE, CHECK_FILE)
    ]
    assert len(texts) == 5
    for text in texts:
        assert "SECRETTEXT" not in text
        assert "987654" not in text
        assert person(0) not in text


def test_great_expectations_itself_answers_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = []
    real = suite._outcome

    def listening(result):  # type: ignore[no-untyped-def]
        answers.append(json.dumps(result.to_json_dict()["result"]))
        return real(result)

    monkeypatch.setattr(suite, "_outcome", listening)
    rule = suite.Expected("ExpectColumnValuesToBeInSet", {"column": "code", "value_set": ["1"]})
    outcomes = suite.run_suite("secret", pl.DataFrame({"code": ["1", "SECRETTEXT", None]}), {"rule": rule})
    assert outcomes["rule"].failing.to_list() == [1]
    assert outcomes["rule"].evaluated == 2
    assert len(answers) == 1
    assert "SECRETTEXT" not in answers[0]


def test_kept_json_has_counts_by_delivery(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,))
    validated(city)
    document = json.loads((city.home / "results" / f"{PENSION}.json").read_text(encoding="utf-8"))
    assert document["validated"] == PENSION
    assert {row["delivery_id"] for row in document["results"]} == {city.last(PENSION)["delivery_id"], None}


def test_tables_that_are_not_there_could_not_be_checked(tmp_path: Path) -> None:
    household = {"month": [month_start("2024-04")], "household_id": ["h"], "township_code": ["420702100"]}
    household |= {"area_type": ["urban"], "member_count": [2], "counted_member_count": [2]}
    alert = {"alert_id": ["a", "a"], "month": [month_start("2024-04")] * 2, "household_id": ["h", "other"]}
    alert |= {"side": ["need", "need"], "level": ["red", "pink"], "due_on": [month_start("2024-05")] * 2}
    alert |= {"township_code": ["420702100", "420702100"]}
    tables = {"household_month": pl.DataFrame(household), "alert_list": pl.DataFrame(alert)}
    results = validate_tables(tables, tmp_path, tmp_path / "results", AS_OF)
    failed = set(results.filter(pl.col("state") == "failed")["check_id"])
    assert failed == {"alert_list.alert_once", "alert_list.level_known", "alert_list.household_known"}
    missing = results.filter(pl.col("feed_or_table").is_in(["indicator_hit", "household_score"]))
    assert set(missing["state"]) == {"could_not_run"}
    assert state_of(results, "alert_list.backed_by_indicators") == "could_not_run"
    assert state_of(results, "household_month.household_once") == "passed"


def test_readers_find_result_tables_before_the_first_run(tmp_path: Path) -> None:
    ensure_tables(tmp_path)
    for name, schema in (
        (RESULT_FILE, RESULT_SCHEMA),
        (FAILING_ROW_FILE, FAILING_ROW_SCHEMA),
        (CHECK_FILE, CHECK_SCHEMA),
    ):
        table = pl.read_parquet(tmp_path / name)
        assert table.is_empty()
        assert dict(table.schema) == schema
