"""Every case of the catalogue is taken in, and everything that the ledger says of it is compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ingestion import Delivery, Vault, ingest, reason
from tests.ingestion.conftest import NOW, City, balance, id_number
from tests.ingestion.defects.broken import BUILDERS
from tests.ingestion.defects.catalogue import NEAR_MISS, Case, load_cases, load_rules
from tests.ingestion.defects.files import EXTENSIONS, file_of

SPECIFICATION = Path(__file__).parents[3] / "shared" / "feeds.md"


def _parameters() -> Iterator[Any]:
    for case in load_cases():
        marks = [pytest.mark.xfail(strict=True, reason=case.xfail)] if case.xfail else []
        for form in case.forms:
            yield pytest.param(case, form, id=f"{case.id}-{form}", marks=marks)


@pytest.mark.parametrize(("case", "form"), list(_parameters()))
def test_case(city: City, case: Case, form: str) -> None:
    feed = city.feeds[case.feed]
    for earlier in case.before:
        earlier_case = Case(id="", rule="", is_="hit", feed=case.feed, **earlier)
        _put(city, earlier_case, file_of(earlier_case, feed, "csv"), ".csv")
    data = BUILDERS[case.build](case, feed) if case.build else file_of(case, feed, form)
    _put(city, case, data, case.extension or EXTENSIONS[form])
    taken = ingest(city.inbox, city.store, {case.feed: feed}, NOW)
    delivery = next(item for item in taken if item.file_name.startswith(case.name))
    balance(delivery)
    assert _said(delivery) == _expected(case)
    _check_values(city, delivery, case)


def _put(city: City, case: Case, data: bytes, extension: str) -> None:
    sidecar = case.sidecar.encode() if isinstance(case.sidecar, str) else case.sidecar
    city.put(case.feed, data, case.name + extension, sidecar=sidecar)


def _said(delivery: Delivery) -> dict[str, Any]:
    return {
        "status": delivery.status,
        "reason": delivery.reason,
        "data": delivery.rows_data,
        "framing": delivery.rows_framing,
        "accepted": delivery.rows_accepted,
        "quarantined": delivery.quarantined_by_reason,
        "defects": delivery.cell_defects_by_reason,
        "warnings": delivery.warnings,
        "drift": delivery.schema_drift,
        "period": delivery.period,
        "division": delivery.division,
    }


def _expected(case: Case) -> dict[str, Any]:
    data = case.rows if case.data is None else case.data
    is_taken = case.status in ("accepted", "held")
    return {
        "status": case.status,
        "reason": case.reason,
        "data": data,
        "framing": case.framing,
        "accepted": data - sum(case.quarantined.values()) if is_taken else 0,
        "quarantined": case.quarantined,
        "defects": case.defects,
        "warnings": list(case.warnings),
        "drift": list(case.drift),
        "period": case.period,
        "division": case.division,
    }


def _check_values(city: City, delivery: Delivery, case: Case) -> None:
    """What each text of the case has become: the value stored, or null in a row that was kept."""
    if delivery.status != "accepted":
        return
    wanted = [(case.column, at, text, case.values[text]) for at, text in enumerate(case.values, start=1)
              if isinstance(case.values, dict)]  # fmt: skip
    wanted += [(name, 1, name, value) for name, value in case.stored.items()]
    wrong = {
        text: found
        for name, at, text, value in wanted
        if (found := _stored(city, delivery, case, name, at)) != _comparable(value)
    }
    assert not wrong


def _stored(city: City, delivery: Delivery, case: Case, name: str, at: int) -> Any:
    """What became of that column's cell in the good row of that number (0 is the first)."""
    column = city.feeds[case.feed].column(name)
    lake = city.lake(delivery).sort("row_number")
    if column.type in ("name", "phone", "address") and case.column != "id_number":
        keys = Vault(city.store).person_keys_of([id_number(at)])["person_key"].to_list()
        return Vault(city.store).identities(keys)[column.type].to_list()[0]
    if column.type == "id":
        keys = lake["person_key" if name == "id_number" else name.removesuffix("_id") + "_key"]
        known = Vault(city.store).identities([keys[at]])["id_number"].to_list() if keys[at] else [None]
        return known[0]
    value = lake[name][at]
    return value.isoformat() if isinstance(value, date) else value if not isinstance(value, Decimal) else str(value)


def _comparable(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def test_every_rule_has_a_hit_and_a_near_miss() -> None:
    kinds: dict[str, set[str]] = {rule: set() for rule in load_rules()}
    for case in load_cases():
        kinds[case.rule].add(case.is_)
    assert {rule: kind for rule, kind in kinds.items() if kind != {"hit", NEAR_MISS}} == {}


def test_every_reason_is_reached_and_narrowly_missed() -> None:
    codes = {value for name, value in vars(reason).items() if name.isupper() and isinstance(value, str)}
    reached: set[str] = set()
    rules_of: dict[str, set[str]] = {}
    for case in load_cases():
        codes_here = {str(case.reason), *case.quarantined, *case.defects, *(one.split(":")[0] for one in case.warnings)}
        reached |= codes_here
        for code in codes_here:
            rules_of.setdefault(code, set()).add(case.rule)
    # Of several deliveries together, of folders and of rows sent again, which have tests of their own.
    elsewhere = {"part_missing", "feed_unknown", "row_unknown"}
    assert codes - reached - elsewhere == set()
    missed = {case.rule for case in load_cases() if case.is_ == NEAR_MISS}
    assert {code for code in codes - elsewhere if not rules_of[code] & missed} == set()


def test_every_builder_is_used() -> None:
    assert {case.build for case in load_cases() if case.build} == set(BUILDERS)


def test_ids_of_cases_are_unique() -> None:
    ids = [case.id for case in load_cases()]
    assert len(ids) == len(set(ids))


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification lies beside a checkout only")
def test_rules_are_the_sentences_of_the_specification() -> None:
    text = _plain(SPECIFICATION.read_text(encoding="utf-8"))
    assert {name for name, sentence in load_rules().items() if _plain(sentence) not in text} == set()


@pytest.mark.skipif(not SPECIFICATION.exists(), reason="the specification lies beside a checkout only")
def test_every_line_of_the_table_is_a_rule() -> None:
    lines = SPECIFICATION.read_text(encoding="utf-8").splitlines()
    start = lines.index("| defect | treatment |") + 2
    table = [line for line in lines[start:] if line.startswith("|")][: _first_gap(lines[start:])]
    rules = " ".join(_plain(sentence) for sentence in load_rules().values())
    assert [line for line in table if _plain(line.split("|")[1]) not in rules and _plain(line)[:60] not in rules] == []


def _first_gap(lines: list[str]) -> int:
    return next(at for at, line in enumerate(lines) if not line.startswith("|"))


def _plain(text: str) -> str:
    return "".join(text.replace("`", "").replace("**", "").replace("\\", "").split())


def test_the_catalogue_can_be_listed() -> None:
    """One line a case, for people who ask what is tested."""
    assert all(json.dumps({"id": case.id, "rule": case.rule}) for case in load_cases())
    assert pl.DataFrame([{"id": case.id, "rule": case.rule, "is": case.is_} for case in load_cases()]).height > 200
