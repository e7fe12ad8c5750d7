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
                "valid_from": start,
                "valid_to": date(9999, 12, 31) if entry["mode"] == "snapshot" else following,
            }
        )

    def write(self) -> pl.DataFrame:
        """Write the reference tables; the ledger is returned."""
        ensure_tables(self.reference)
        validity = {"delivery_id": pl.String, "feed": pl.String, "division": pl.String}
        pl.DataFrame(self.validity, schema={**validity, "valid_from": pl.Date, "valid_to": pl.Date}).write_parquet(
            self.reference / "delivery_validity.parquet"
        )
        persons = [(key, born, sex) for key, (born, sex) in self.persons.items()]
        pl.DataFrame(
            persons, schema={"person_key": pl.String, "born_on": pl.Date, "sex": pl.String}, orient="row"
        ).write_parquet(self.reference / "person_key.parquet")
        quarantined = {"feed": pl.String, "delivery_id": pl.String, "row_number": pl.Int64, "reason": pl.String}
        pl.DataFrame(self.quarantined, schema=quarantined).write_parquet(self.reference / "quarantine_row.parquet")
        return pl.DataFrame(self.ledger, infer_schema_length=None, schema_overrides={"division": pl.String})
