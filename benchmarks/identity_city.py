"""A lake of a city of any size in the form that ingestion leaves it, written in minutes; no file is ever parsed.

Belongs here: rows in realistic numbers, random and cheap. Does not belong here: what is measured on them
(``identity_million``), stories with a known truth (``simulator``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from ingestion.delivery import Delivery
from ingestion.lake import lake_schema, write_empty_tables
from models.codes import load_divisions
from models.contract import Feed, load_feeds

EPOCH, QUARTER = date(1970, 1, 1), 3
PER_HUKOU = 2.9
# What share of the people a feed tells of in a month (a quarter for the registers that come quarterly).
SHARE = {
    "social_insurance": 0.60, "income_tax": 0.25, "pension_payment": 0.18, "medical_settlement": 0.25,
    "utility_usage": 0.33, "assistance_payment": 0.08, "housing_fund": 0.14, "disability_register": 0.04,
    "elder_register": 0.02, "unemployment_register": 0.01, "custody_record": 0.002, "child_register": 0.004,
    "rural_monitoring": 0.015, "assistance_register": 0.045, "property_register": 0.35, "vehicle_register": 0.15,
    "student_register": 0.18, "business_register": 0.05, "death_record": 0.0006, "marriage_register": 0.0006,
    "temporary_assistance": 0.001, "disaster_event": 0.0003, "visit_outcome": 0.003, "community_report": 0.0005,
    "check_request": 0.002,
}  # fmt: skip
# Registers that come in parts of districts.
PARTED = ("population_register", "assistance_register")


@dataclass
class People:
    """Everybody by number; arrays of one length."""

    key: pl.Series
    born: np.ndarray
    sex: np.ndarray
    hukou: np.ndarray
    relation: np.ndarray
    village: np.ndarray
    status: np.ndarray
    changed: np.ndarray


class Lake:
    """Writes month after month; keeps the deliveries written."""

    def __init__(self, folder: Path, persons: int, seed: int = 1) -> None:
        self.folder, self.chance = folder, np.random.default_rng(seed)
        self.villages = np.array(sorted(item.code for item in load_divisions() if item.level == "village"))
        self.people = self._everybody(persons)
        self.deliveries: list[Delivery] = []
        # Who works, studies, drives is mostly the same every month.
        self.order = self.chance.permutation(persons)
        write_empty_tables(folder, load_feeds())

    def _everybody(self, persons: int) -> People:
        letters = self.chance.integers(97, 123, size=(persons, 24), dtype=np.uint8)
        hukou = np.sort(self.chance.integers(0, int(persons / PER_HUKOU), persons))
        place = np.cumsum(np.r_[True, hukou[1:] != hukou[:-1]])
        first = np.r_[True, hukou[1:] != hukou[:-1]]
        position = np.arange(persons) - np.maximum.accumulate(np.where(first, np.arange(persons), 0))
        relation = np.array(["02", "10", "20", "30", "51", "52", "40", "80"])[np.minimum(position, 7)]
        # Grown-up heads and spouses, young children, old parents.
        age = np.choose(np.minimum(position, 5), [45, 43, 14, 12, 72, 70]) + self.chance.normal(0, 9, persons)
        born = ((2023 - np.clip(age, 0, 99)) * 365.25 - 1970 * 365.25).astype(np.int32)
        return People(
            pl.Series(letters.view("S24").ravel().astype("U24")), born, np.where(position % 2 == 0, "1", "2"), hukou,
            relation, self.villages[place % len(self.villages)], np.full(persons, "1"),
            np.full(persons, np.datetime64("NaT", "D")),
        )  # fmt: skip

    def person_keys(self) -> pl.DataFrame:
        born = pl.Series(self.people.born).cast(pl.Date)
        return pl.DataFrame({"person_key": self.people.key, "born_on": born, "sex": self.people.sex})

    def month(self, month: date) -> int:
        """Write all feeds of a month; returns the number of rows."""
        rows = 0
        for feed in load_feeds().values():
            if feed.frequency == "quarterly" and (month.month - 1) % QUARTER:
                continue
            if feed.name == "population_register":
                rows += self._population(feed, month)
            elif feed.name in SHARE:
                rows += self._told(feed, month)
        return rows

    def _population(self, feed: Feed, month: date) -> int:
        """The register of everybody, after a quarter's deaths, moves and divorces."""
        people, size = self.people, len(self.people.key)
        day = np.datetime64(month, "D")
        for share, status in ((0.0017, "3"), (0.001, "2")):
            gone = self.chance.choice(size, int(size * share), replace=False)
            people.status[gone], people.changed[gone] = status, day
        moved = self.chance.choice(size, int(size * 0.004), replace=False)
        people.village[moved] = self.chance.choice(self.villages, len(moved))
        people.changed[moved] = day
        frame = pl.DataFrame({
            "person_key": people.key, "sex": people.sex, "born_on": pl.Series(people.born).cast(pl.Date),
            "hukou_no": pl.Series(people.hukou).cast(pl.String), "relation_to_head": people.relation,
            "registered_division": people.village, "residence_division": people.village, "status": people.status,
            "changed_on": people.changed,
        }).with_columns(
            hukou_type=pl.lit("1"), marital_status=pl.when(pl.col("relation_to_head") < "20").then(pl.lit("20"))
        )  # fmt: skip
        return self._deliver(feed, month, frame)

    def _told(self, feed: Feed, month: date) -> int:
        """Rows of persons of the feed's share, filled by type; events under new numbers, registers under the same."""
        size = len(self.people.key)
        count = max(1, int(size * SHARE[feed.name]))
        # Nine in ten are those of the month before.
        shift = (month.year * 12 + month.month) * count // 100
        who = self.order[(np.arange(count) + shift) % size]
        columns = {item.name: self._column(feed, item.name, item.source, who, month) for item in feed.lake_fields}
        return self._deliver(feed, month, pl.DataFrame(columns))

    def _column(self, feed: Feed, name: str, source: str, who: np.ndarray, month: date) -> pl.Series:
        column, count = feed.column(source), len(who)
        if name.endswith("_key") and column.type == "id":
            # The applicant, spouse or guardian is a neighbour in the numbering: often of the same household.
            other = who if name in {"person_key", "husband_key"} else np.maximum(who - 1, 0)
            return self.people.key.gather(other)
        if column.type == "code":
            return pl.Series(np.full(count, USUAL.get(name, "1")))
        if column.type == "date":
            days = (month - EPOCH).days - self.chance.integers(0, 27, count, dtype=np.int32)
            return pl.Series(days - (0 if feed.mode == "events" else 400)).cast(pl.Int32).cast(pl.Date)
        if column.type == "month":
            return pl.Series([month]).new_from_index(0, count)
        if column.type == "division":
            return pl.Series(self.people.village[who])
        if column.type in {"money", "wan", "int", "decimal"}:
            return pl.Series(self.chance.integers(100, 9000, count))
        if name == "certificate_no" and feed.name == "assistance_register":
            return pl.Series(self.people.hukou[who]).cast(pl.String)
        if column.type == "uscc" and not column.key:
            return pl.Series(who // 40).cast(pl.String)
        if not column.key:
            return pl.Series(["text"]).new_from_index(0, count)
        stem = f"{month:%Y%m}" if feed.mode == "events" else ""
        numbers = pl.Series(np.arange(count) if feed.mode == "events" else who)
        return pl.Series([stem]).new_from_index(0, count) + numbers.cast(pl.String)

    def _deliver(self, feed: Feed, month: date, frame: pl.DataFrame) -> int:
        parts: dict[str | None, pl.DataFrame] = {None: frame}
        if feed.name in PARTED:
            districts = frame.with_columns(county=pl.col(str(feed.division_column)).str.slice(0, 6))
            parts = {str(key[0]): part for key, part in districts.partition_by("county", as_dict=True).items()}
        for division, part in parts.items():
            delivery = f"{feed.name}.{month:%Y-%m}.{division or 'city'}"
            self._write(feed, delivery, month, part)
            received = datetime(month.year + month.month // 12, month.month % 12 + 1, 9, tzinfo=UTC)
            self.deliveries.append(Delivery(
                delivery, feed.name, feed.mode, f"{delivery}.csv", delivery, delivery, "", f"{month:%Y-%m}", division,
                "accepted", received, received, sequence=len(self.deliveries),
                rows_data=part.height, rows_accepted=part.height,
            ))  # fmt: skip
        return frame.height

    def _write(self, feed: Feed, name: str, month: date, frame: pl.DataFrame) -> None:
        folder = self.folder / feed.name / f"period={month:%Y-%m}"
        folder.mkdir(parents=True, exist_ok=True)
        number = pl.int_range(2, pl.len() + 2, dtype=pl.Int64)
        period = pl.lit(f"{month:%Y-%m}")
        told = frame.with_columns(delivery_id=pl.lit(name), row_number=number, period=period)
        filled = [
            (pl.col(column) if column in told.columns else pl.lit(None)).cast(kind).alias(column)
            for column, kind in lake_schema(feed).items()
        ]
        told.select(filled).write_parquet(folder / f"{name}.parquet", compression="zstd", compression_level=1)


USUAL = {
    "status": "1", "programme": "11", "relation": "01", "benefit": "DB", "pay_status": "1", "insurance": "1",
    "pension_type": "1", "income_type": "1", "care_type": "1", "stage": "2", "custody_type": "1", "use": "1",
    "vehicle_type": "K", "disability_type": "4", "disability_grade": "3", "child_category": "3", "category": "1",
    "elder_category": "1", "guardian_relation": "60", "event": "1", "source": "1", "outcome": "4",
}  # fmt: skip
