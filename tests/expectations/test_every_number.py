"""Every check of one number of a delivery, of a table and of arrival: a defect that it alone finds, and a near miss.

Generated from the catalogue: each case is a delivery of 100 rows of a feed, in a district of its own, with six months
before it in which all was well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from expectations.catalogue import load_catalogue, resolve_feed_checks, resolve_table_checks
from expectations.check import Check, judged
from expectations.delivery_checks import (
    arrivals,
    compare,
    counts_of,
    lake_numbers,
    ledger_numbers,
    numbers_frame,
    quarantine_numbers,
)
from expectations.measures import MEASURE_SCHEMA
from expectations.row_checks import ROW_KINDS, check_rows
from expectations.steady import steady_numbers
from expectations.tables import _flagged
from models.contract import load_feeds
from tests.expectations.city import letters
from tests.expectations.planted import WRITTEN

FEEDS = load_feeds()
CATALOGUE = load_catalogue()
CHECKS = [check for check in resolve_feed_checks(FEEDS) if check.kind not in ROW_KINDS]
PERIOD, AS_OF = "2024-04", datetime(2024, 12, 31)  # noqa: DTZ001
ROWS, PAST, TOTAL, DAYS = 100, 6, 100_000.0, 9


@dataclass
class Numbers:
    """What ledger and lake say of one delivery; by default all is well."""

    ledger: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    mix: dict[str, dict[str, float]] = field(default_factory=dict)
    stated: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)


def planted(check: Check) -> tuple[Numbers, Numbers]:
    """The defect and the near miss of a check."""
    column = check.columns[0] if check.columns else ""
    due = due_moment(check.subject)
    late, just = due + timedelta(days=1), due + timedelta(hours=23)
    by_kind = {
        "quarantined_share": (quarantined(6), quarantined(5)),
        "cell_defect_share": (nulled(6), nulled(5)),
        "on_time": (Numbers({"received_at": late}), Numbers({"received_at": just})),
        "lake_equals_ledger": (measured("rows", ROWS - 1), measured("rows", ROWS)),
        "rows_balance": (Numbers({"rows_data": ROWS + 1}), quarantined(1)),
        "quarantine_equals_ledger": (
            Numbers(stated={"id_invalid": 1}, found={"code_unknown": 1}),
            quarantined(1),
        ),
        "in_period": (measured(f"outside:{column}", 51), measured(f"outside:{column}", 50)),
        "not_constant": (measured(f"commonest:{column}", 51), measured(f"commonest:{column}", 50)),
        "row_count_steady": (sized(131), sized(130)),
        "total_steady": (measured(f"total:{column}", TOTAL * 1.5 + 1), measured(f"total:{column}", TOTAL * 1.5)),
        "filled_share_steady": (measured(f"filled:{column}", 84), measured(f"filled:{column}", 86)),
        "lateness_steady": (measured("days", DAYS + 4), measured("days", DAYS + 3)),
        "code_mix_steady": (mixed(column, 27), mixed(column, 23)),
    }
    return by_kind[check.kind]


def measured(name: str, value: float) -> Numbers:
    return Numbers(measures={name: value})


def quarantined(count: int) -> Numbers:
    """So many rows set aside besides the hundred accepted; kept as stated."""
    rows = {"id_invalid": count}
    return Numbers({"rows_data": ROWS, "rows_accepted": ROWS - count, "rows_quarantined": count}, {}, {}, rows, rows)


def nulled(count: int) -> Numbers:
    return Numbers({"cell_defects_by_reason": json.dumps({"code_unknown": count})})


def sized(count: int) -> Numbers:
    return Numbers({"rows_data": count, "rows_accepted": count})


def mixed(column: str, count: int) -> Numbers:
    return Numbers(mix={column: {"a": ROWS - count, "b": count}})


def due_moment(feed: str) -> datetime:
    return datetime(2024, 5, FEEDS[feed].due_day)  # noqa: DTZ001 (times of the city)


def measures_of(feed: str, delivery_id: str, numbers: Numbers, rows: int) -> list[tuple[str, str, str | None, float]]:
    own = [check for check in CHECKS if check.subject == feed and check.columns]
    usual = {"rows": float(rows), "days": DAYS}
    for check in own:
        column = check.columns[0]
        if check.kind == "in_period":
            usual |= {f"dated:{column}": rows, f"outside:{column}": 0}
        elif check.kind == "not_constant":
            usual[f"commonest:{column}"] = 1
        elif check.kind == "total_steady":
            usual[f"total:{column}"] = TOTAL
        elif check.kind == "filled_share_steady":
            usual[f"filled:{column}"] = rows
    mixes = {check.columns[0]: {"a": float(rows)} for check in own if check.kind == "code_mix_steady"}
    plain = [(delivery_id, name, None, value) for name, value in (usual | numbers.measures).items()]
    coded = [
        (delivery_id, f"code:{column}", code, value)
        for column, mix in (mixes | numbers.mix).items()
        for code, value in mix.items()
    ]
    return [*plain, *coded]


@pytest.fixture(scope="module")
def failed() -> dict[str, set[str]]:
    """Failed checks of each case, named by its check and whether it is the defect; one validation of all."""
    ledger, measures, pairs, kept = [], [], [], []
    for number, (check, numbers, fails) in enumerate(cases()):
        delivery_id = f"{check.subject}.{PERIOD}.{letters(number)}"
        entry = {
            "delivery_id": delivery_id, "feed": check.subject, "period": PERIOD, "status": "accepted",
            "received_at": due_moment(check.subject), "rows_data": ROWS, "rows_accepted": ROWS, "rows_quarantined": 0,
            "cell_defects_by_reason": "{}", "case": f"{check.check_id}|{fails}",
        } | numbers.ledger  # fmt: skip
        ledger.append(entry)
        measures += measures_of(check.subject, delivery_id, numbers, entry["rows_accepted"])
        for past in range(PAST):
            past_id = f"{delivery_id}p{letters(past)}"
            measures += measures_of(check.subject, past_id, Numbers(), ROWS)
            pairs.append((delivery_id, past_id))
        kept += [
            (delivery_id, rule, numbers.stated.get(rule, 0), numbers.found.get(rule, 0))
            for rule in {**numbers.stated, **numbers.found}
        ]
    deliveries = pl.DataFrame(ledger)
    results = results_of(
        deliveries,
        pl.DataFrame(measures, schema=MEASURE_SCHEMA, orient="row"),
        pl.DataFrame(pairs, schema=["delivery_id", "past_id"], orient="row"),
        pl.DataFrame(kept, schema=["delivery_id", "rule", "stated", "found"], orient="row"),
    )
    found: dict[str, set[str]] = {case: set() for case in deliveries["case"]}
    bad = results.filter(pl.col("state") == "failed").join(deliveries.select("delivery_id", "case"), on="delivery_id")
    for case, check_id in bad.select("case", "check_id").iter_rows():
        found[case].add(check_id)
    return found


def cases() -> list[tuple[Check, Numbers, bool]]:
    wanted = [check for check in CHECKS if check.kind != "arrived"]
    return [(check, numbers, fails) for check in wanted for numbers, fails in zip(planted(check), (True, False))]  # noqa: B905


def results_of(
    deliveries: pl.DataFrame, measures: pl.DataFrame, pairs: pl.DataFrame, kept: pl.DataFrame
) -> pl.DataFrame:
    checks = [check for check in CHECKS if check.kind != "arrived"]
    numbers = [
        *ledger_numbers(deliveries, checks, FEEDS),
        *lake_numbers(deliveries, checks, measures),
        *steady_numbers(deliveries, measures, pairs, checks, CATALOGUE.over_time),
        quarantine_numbers(deliveries, checks, kept),
    ]
    return judged(counts_of(compare("numbers", numbers_frame(numbers))), checks)


def test_each_number_out_of_bounds_is_found_by_its_check_alone(failed: dict[str, set[str]]) -> None:
    wrong = {
        case: sorted(found)
        for case, found in failed.items()
        if found != ({case.split("|")[0]} if case.endswith("True") else set())
    }
    assert wrong == {}
    assert {case.split("|")[0] for case in failed} == {check.check_id for check in CHECKS if check.kind != "arrived"}


def test_each_check_of_a_number_switched_off_turns_its_own_case_red(failed: dict[str, set[str]]) -> None:
    for check_id in {check.check_id for check in CHECKS if check.kind != "arrived"}:
        red = {
            case.split("|")[0]
            for case, found in failed.items()
            if found - {check_id} != ({case.split("|")[0]} if case.endswith("True") else set())
        }
        assert red == {check_id}


def test_each_feed_that_does_not_come_is_found_and_one_that_comes_is_not() -> None:
    checks = [check for check in CHECKS if check.kind == "arrived"]
    months = ["2024-01", "2024-02", "2024-03", "2024-04"]
    quiet = "price_index"
    ledgers = {}
    for name in FEEDS:
        every = [(other, month) for other in FEEDS for month in months]
        without = [pair for pair in every if pair[0] != name or pair[1] == months[0]]
        ledgers[name] = pl.DataFrame(without, schema=["feed", "period"], orient="row").with_columns(
            status=pl.lit("accepted")
        )
    numbers = [
        arrivals(ledger, checks, FEEDS, AS_OF).with_columns(delivery_id=pl.lit(name))
        for name, ledger in ledgers.items()
    ]
    results = judged(counts_of(compare("arrivals", numbers_frame(numbers))), checks)
    failed = results.filter(pl.col("state") == "failed").select("delivery_id", "check_id").unique()
    assert set(failed.rows()) == {(name, f"{name}.arrived") for name in FEEDS}
    assert results.filter((pl.col("delivery_id") == quiet) & (pl.col("state") == "passed")).height > len(FEEDS)


# --- the published tables ---------------------------------------------------------------------------------------------

TABLES = WRITTEN["tables"]
# Households of other cases, in which alerts are looked up: the one has a hit and is known, the others lack one of it.
OTHERS = {"indicator_hit": ("with_hit", "unknown"), "household_month": ("with_hit", "without_hit")}
YEARS = 40


def table_rows(name: str, case: str, detail: dict[str, Any], which: str) -> list[dict[str, Any]]:
    """A clean row and the one changed; its month is its own, so that no case is told by another."""
    clean = {"alert_id": "a", "household_id": "with_hit", "person_key": "p"} | TABLES["clean"][name]
    again = detail.get("again" if which == "fails" else "near_again")
    changed = {**clean, **(again if again is not None else detail[which])}
    rows = [clean, changed] if again is not None else [changed]
    return [{**row, "delivery_id": f"{case}|{which}"} for row in rows]


def test_each_check_of_a_table_finds_its_defect_alone() -> None:
    checks = list(resolve_table_checks())
    assert {check.check_id for check in checks} == set(TABLES["cases"])
    frames = {name: table_frame(name) for name in TABLES["clean"]}
    wrong = {}
    for name, frame in frames.items():
        own = [check for check in checks if check.subject == name]
        found = failing_table_checks(name, frame, own, frames)
        for case, fired in found.items():
            check_id, which = case.split("|")
            if fired != ({check_id} if which == "fails" else set()):
                wrong[case] = sorted(fired)
    assert wrong == {}


def table_frame(name: str) -> pl.DataFrame:
    own = {case: detail for case, detail in TABLES["cases"].items() if case.startswith(f"{name}.")}
    rows: list[dict[str, Any]] = []
    for number, (case, detail) in enumerate(own.items()):
        for at, which in enumerate(("fails", "near")):
            month = f"{2000 + number * 2 + at}-01"
            rows += [{"month": month, **row} for row in table_rows(name, case, detail, which)]
    shared = TABLES["clean"][name] | {"person_key": "other", "delivery_id": "others"}
    rows += [
        shared | {"month": f"{2000 + year}-01", "household_id": home}
        for year in range(YEARS)
        for home in OTHERS.get(name, ())
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(row_number=pl.int_range(pl.len()))


def failing_table_checks(
    name: str, frame: pl.DataFrame, checks: list[Check], frames: dict[str, pl.DataFrame]
) -> dict[str, set[str]]:
    counts = check_rows(name, _flagged(frame, checks, frames), checks, within=("delivery_id",)).counts
    results = judged(counts.with_columns(period=pl.lit(None, pl.String)), checks)
    found: dict[str, set[str]] = {case: set() for case in frame["delivery_id"].unique() if case != "others"}
    bad = results.filter((pl.col("state") == "failed") & (pl.col("delivery_id") != "others"))
    for case, check_id in bad.select("delivery_id", "check_id").iter_rows():
        found[case].add(check_id)
    return found
