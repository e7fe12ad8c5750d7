"""A tiny lake and ledger for tests, written as ingestion leaves them. Nothing here is random."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from expectations import ensure_tables
from expectations.lake import lake_schema
from models.contract import load_feeds

FEEDS = load_feeds()
AS_OF = datetime(2024, 6, 30)  # noqa: DTZ001
TEXTS = ("division", "reason", "supersedes")
LETTERS = "abcdefghij"


def letters(number: int) -> str:
    """A key that has no digits, as all generated keys."""
    return "".join(LETTERS[int(digit)] for digit in f"{number:06d}")


def month_start(period: str) -> date:
    return date.fromisoformat(f"{period}-01")


@dataclass
class City:
    """Deliveries are added one by one; ``write`` gives lake and reference as the room expects them."""

    home: Path
    ledger: list[dict[str, Any]] = field(default_factory=list)
    validity: list[dict[str, Any]] = field(default_factory=list)
    persons: dict[str, tuple[date, str]] = field(default_factory=dict)
    quarantined: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def reference(self) -> Path:
        return self.home / "reference"

    def deliver(self, feed: str, period: str, rows: list[dict[str, Any]], **given: Any) -> str:
        """Add an accepted delivery of these rows; ``given`` overrides what the ledger says."""
        number = len(self.ledger)
        delivery_id = f"{feed}.{period}.{letters(number)}xy"
        start = month_start(period)
        schema = lake_schema(FEEDS[feed])
        full = [
            {**dict.fromkeys(schema), **row, "delivery_id": delivery_id, "period": period, "row_number": position + 2}
            for position, row in enumerate(rows)
        ]
        path = self.lake / feed / f"period={period}" / f"{delivery_id}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        if full:
            pl.DataFrame(full, schema=schema).write_parquet(path)
        entry = {
            "delivery_id": delivery_id,
            "feed": feed,
            "mode": FEEDS[feed].mode,
            "file_name": f"{feed}_{period}.csv",
            "sha256": "x",
            "period": period,
            "division": None,
            "status": "accepted",
            "reason": None,
            "received_at": datetime.combine(start + timedelta(days=36), datetime.min.time()),
            "ingested_at": AS_OF,
            "rows_data": len(rows),
            "rows_framing": 0,
            "rows_accepted": len(rows),
            "rows_quarantined": 0,
            "quarantined_by_reason": "{}",
            "cell_defects_by_reason": "{}",
            "warnings": "[]",
            "schema_drift": "[]",
            "supersedes": None,
        }
        self.ledger.append(entry | given)
        self._in_force(entry | given)
        return delivery_id

    def last(self, feed: str) -> dict[str, Any]:
        """The ledger's entry of the feed's last delivery, to be changed in place."""
        return [row for row in self.ledger if row["feed"] == feed][-1]

    def rows(self, feed: str) -> list[dict[str, Any]]:
        """The rows of the feed's last delivery."""
        return pl.read_parquet(self._path(self.last(feed))).to_dicts()

    def rewrite(self, feed: str, rows: list[dict[str, Any]]) -> None:
        """Give the feed's last delivery other rows, and the ledger their number."""
        entry = self.last(feed)
        schema = lake_schema(FEEDS[feed])
        own = {"delivery_id": entry["delivery_id"], "period": entry["period"]}
        full = [{**dict.fromkeys(schema), **row, **own, "row_number": n + 2} for n, row in enumerate(rows)]
        pl.DataFrame(full, schema=schema).write_parquet(self._path(entry))
        entry["rows_accepted"] = entry["rows_data"] = len(rows)

    def _path(self, entry: dict[str, Any]) -> Path:
        return self.lake / entry["feed"] / f"period={entry['period']}" / f"{entry['delivery_id']}.parquet"

    def quarantine(self, delivery_id: str, reasons: dict[str, int]) -> None:
        """Add quarantined rows by reason to a delivery, in the ledger and in the list of rows."""
        (entry,) = (row for row in self.ledger if row["delivery_id"] == delivery_id)
        count = sum(reasons.values())
        entry["quarantined_by_reason"] = json.dumps(reasons)
        entry["rows_quarantined"] = count
        entry["rows_data"] = entry["rows_accepted"] + count
        row_number = 1000
        for reason, rows in reasons.items():
            for _ in range(rows):
                row_number += 1
                self.quarantined.append(
                    {"feed": entry["feed"], "delivery_id": delivery_id, "row_number": row_number, "reason": reason}
                )

    def _in_force(self, entry: dict[str, Any]) -> None:
        if entry["status"] != "accepted":
            return
        start = month_start(entry["period"])
        following = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
        if entry["mode"] == "snapshot":
            for row in self.validity:
                if row["feed"] == entry["feed"] and row["division"] == entry["division"]:
                    row["valid_to"] = min(row["valid_to"], start)
        self.validity.append(
            {
                "delivery_id": entry["delivery_id"],
                "feed": entry["feed"],
                "division": entry["division"],
                "area": None,
                "excepted": None,
                "valid_from": start,
                "valid_to": date(9999, 12, 31) if entry["mode"] == "snapshot" else following,
            }
        )

    def write(self) -> pl.DataFrame:
        """Write the reference tables; the ledger is returned."""
        ensure_tables(self.reference)
        validity = dict.fromkeys(("delivery_id", "feed", "division", "area", "excepted"), pl.String)
        pl.DataFrame(self.validity, schema={**validity, "valid_from": pl.Date, "valid_to": pl.Date}).write_parquet(
            self.reference / "delivery_validity.parquet"
        )
        persons = [(key, born, sex) for key, (born, sex) in self.persons.items()]
        pl.DataFrame(
            persons, schema={"person_key": pl.String, "born_on": pl.Date, "sex": pl.String}, orient="row"
        ).write_parquet(self.reference / "person_key.parquet")
        quarantined = {"feed": pl.String, "delivery_id": pl.String, "row_number": pl.Int64, "reason": pl.String}
        pl.DataFrame(self.quarantined, schema=quarantined).write_parquet(self.reference / "quarantine_row.parquet")
        return pl.DataFrame(self.ledger, infer_schema_length=None, schema_overrides=dict.fromkeys(TEXTS, pl.String))


def person(number: int) -> str:
    return "person" + letters(number)


def clean_rows(feed: str, period: str, count: int = 40) -> list[dict[str, Any]]:
    """Rows of a feed with nothing wrong in them; person ``n`` is born on 5 May 1950, a man."""
    start = month_start(period)
    common = [{"person_key": person(number)} for number in range(count)]
    own: dict[str, dict[str, Any]] = {
        "population_register": {
            "sex": "1",
            "born_on": date(1950, 5, 5),
            "hukou_no": "h",
            "relation_to_head": "02",
            "hukou_type": "1",
            "registered_division": "420702001001",
            "status": "1",
        },
        "pension_payment": {"pension_type": "3", "pension_month": start, "amount": 200.0},
        "death_record": {"died_on": start + timedelta(days=2), "source": "1"},
        "medical_settlement": {
            "settled_on": start + timedelta(days=3),
            "care_type": "1",
            "total_cost": 100.0,
            "basic_paid": 60.0,
            "out_of_pocket": 40.0,
        },
        "social_insurance": {
            "insurance": "2",
            "contribution_month": start,
            "employer_name": "somebody",
            "base": 4000.0,
            "status": "1",
        },
        "assistance_register": {
            "programme": "11",
            "applicant_key": "applicant",
            "relation": "01",
            "household_size": 1,
            "approved_on": date(2020, 1, 1),
            "division": "420702001001",
        },
        "assistance_payment": {
            "batch_no": "b",
            "benefit": "LS",
            "benefit_month": start,
            "amount": 100.0,
            "pay_status": "1",
            "paid_on": start + timedelta(days=9),
        },
        "property_register": {
            "use": "1",
            "area": 80.0,
            "share": 100.0,
            "registered_on": date(2010, 1, 1),
            "status": "1",
        },
    }
    keys = {
        "medical_settlement": "settlement_no",
        "assistance_register": "certificate_no",
        "property_register": "unit_no",
    }
    rows = [{**row, **own[feed]} for row in common]
    if feed in keys:
        rows = [{**row, keys[feed]: f"n{letters(number)}"} for number, row in enumerate(rows)]
    if feed == "assistance_register":
        rows = [{**row, "applicant_key": row["person_key"]} for row in rows]
    return rows


def months(count: int) -> list[str]:
    """The last ``count`` months up to 2024-04."""
    return pl.date_range(date(2022, 1, 1), date(2024, 4, 1), "1mo", eager=True).dt.strftime("%Y-%m").to_list()[-count:]


def clean_city(home: Path, feeds: tuple[str, ...], month_count: int = 1) -> City:
    """A city whose feeds delivered clean rows in each of the last months."""
    city = City(home)
    city.persons = {person(number): (date(1950, 5, 5), "1") for number in range(60)}
    for period in months(month_count):
        for feed in feeds:
            city.deliver(feed, period, clean_rows(feed, period))
    return city
