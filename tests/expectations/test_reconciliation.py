"""Rule by rule: the ledger, the rows kept and the rows accepted must tell the same."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from expectations import unreconciled, validate_deliveries, waived_failures
from expectations.check import WAIVER_SCHEMA
from orchestration.warehouse.inspection import PublicationStoppedError, require_reconciled
from tests.expectations.city import AS_OF, FEEDS, City, clean_city, months

PENSION = "pension_payment"


def counted(city: City) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The counts by rule, and the ledger, which is also published."""
    ledger = city.write()
    ledger.write_parquet(city.reference / "delivery.parquet")
    validate_deliveries(city.lake, ledger, {PENSION: FEEDS[PENSION]}, city.reference, city.home / "results", AS_OF)
    return pl.read_parquet(city.reference / "rule_count.parquet"), ledger


def test_what_agrees_may_be_published(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,))
    city.quarantine(city.last(PENSION)["delivery_id"], {"id_invalid": 2, "code_unknown": 1})
    counts, ledger = counted(city)
    assert counts.select("rule", "ledger_count", "quarantine_count", "accepted_count").rows() == [
        ("code_unknown", 1, 1, 0),
        ("id_invalid", 2, 2, 0),
    ]
    assert unreconciled(counts, ledger).is_empty()
    require_reconciled(city.reference)


def test_a_row_under_another_rule_stops_the_publication(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,))
    city.quarantine(city.last(PENSION)["delivery_id"], {"id_invalid": 1})
    city.last(PENSION)["quarantined_by_reason"] = '{"code_unknown": 1}'
    counts, ledger = counted(city)
    assert unreconciled(counts, ledger).select("rule", "difference").rows() == [("code_unknown", -1), ("id_invalid", 1)]
    with pytest.raises(PublicationStoppedError, match=r"2 counts .* id_invalid: counted 1, stated 0"):
        require_reconciled(city.reference)


def test_an_accepted_row_that_breaks_a_rule_stops_it_too(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,))
    rows = city.rows(PENSION)
    city.rewrite(PENSION, [{**rows[0], "amount": -1.0}, *rows[1:]])
    counts, _ = counted(city)
    assert counts.select("rule", "ledger_count", "accepted_count", "difference").rows() == [("out_of_range", 0, 1, 1)]
    with pytest.raises(PublicationStoppedError):
        require_reconciled(city.reference)


def test_what_is_held_stops_nothing(tmp_path: Path) -> None:
    city = clean_city(tmp_path, (PENSION,))
    city.quarantine(city.last(PENSION)["delivery_id"], {"id_invalid": 1})
    city.last(PENSION)["quarantined_by_reason"] = '{"code_unknown": 1}'
    city.last(PENSION)["status"] = "held"
    counts, ledger = counted(city)
    assert counts["difference"].to_list() == [-1, 1]
    assert unreconciled(counts, ledger).is_empty()


@pytest.mark.parametrize(
    ("waiver", "covered"),
    [
        ({}, True),
        ({"division": "420702"}, True),
        ({"division": "420703"}, False),
        ({"month_from": "2024-04", "month_to": "2024-04"}, True),
        ({"month_from": "2024-05"}, False),
        ({"month_to": "2024-03"}, False),
        ({"check_id": "another"}, False),
    ],
)
def test_a_waiver_covers_what_it_names_and_no_more(waiver: dict[str, str], covered: bool) -> None:
    (period,) = months(1)
    results = pl.DataFrame({"check_id": ["c"], "delivery_id": ["d"], "period": [period], "state": ["failed"]})
    deliveries = pl.DataFrame({"delivery_id": ["d"], "division": ["420702"]})
    row = {"waiver_id": "w", "check_id": "c"} | waiver
    given = pl.DataFrame([row]).with_columns(
        (pl.col(name) + "-01").str.to_date() for name in ("month_from", "month_to") if name in row
    )
    frame = pl.concat([pl.DataFrame(schema=WAIVER_SCHEMA), given], how="diagonal")
    assert waived_failures(results, deliveries, frame).height == int(covered)
