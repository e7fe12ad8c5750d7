"""A tiny city in the form that ingestion leaves it, and the warehouse that dbt builds from it.

Belongs here: the rows of the tiny city and the one build that all tests of this folder share. Does not belong
here: how deliveries are read (``tests/ingestion``) or what alerts follow.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from ingestion.in_force import VALIDITY_SCHEMA
from ingestion.lake import lake_schema, write_empty_tables
from ingestion.linkage.evidence import EVIDENCE, publish_links
from ingestion.name_conflict import SCHEMA as NAME_CONFLICT
from models.contract import load_feeds
from models.publish import publish_reference
from orchestration.decisions.alerts import ensure_alert_life
from orchestration.home.given import ensure_given
from orchestration.home.settings import DataHome
from orchestration.home.stores import store_of

PROJECT = Path(__file__).parents[2] / "dbt_project"
JANUARY, FEBRUARY, MARCH, APRIL = (date(2023, month, 1) for month in (1, 2, 3, 4))
OPEN_END = date(9999, 12, 31)
# A village of each of two districts, and who lives there: birth dates make ages.
TOWN, HAMLET, OTHER_DISTRICT = "420702104001", "420702100216", "420704001004"
BORN = {
    "father": date(1980, 3, 1),
    "mother": date(1982, 3, 1),
    "child": date(2012, 3, 1),
    "grandma": date(1950, 3, 1),
    "neighbour": date(1975, 3, 1),
    "newcomer": date(1970, 3, 1),
}
Row = dict[str, Any]


def resident(person: str, hukou: str, relation: str, village: str = TOWN, **more: Any) -> Row:
    return {
        "person_key": person, "sex": "1", "born_on": BORN[person], "hukou_no": hukou, "relation_to_head": relation,
        "hukou_type": "1", "registered_division": TOWN, "residence_division": village, "marital_status": "20",
        "status": "1",
    } | more  # fmt: skip


def wage(person: str, month: date, amount: int) -> Row:
    return {"person_key": person, "income_month": month, "income_type": "1", "amount": Decimal(amount)}


def registered(person: str, certificate: str, applicant: str, village: str = TOWN) -> Row:
    return {
        "certificate_no": certificate, "programme": "11", "applicant_key": applicant, "person_key": person,
        "relation": "01" if person == applicant else "10", "review_class": "A", "household_size": 1,
        "declared_income_pc": Decimal(300), "monthly_amount": Decimal(450), "approved_on": date(2022, 5, 1),
        "division": village,
    }  # fmt: skip


# feed, name of the delivery, month, divisions for which it does not count, valid until, rows
FAMILY = [resident("father", "H1", "02"), resident("mother", "H1", "10"), resident("child", "H1", "20")]
DELIVERIES: list[tuple[str, str, date, str | None, date, list[Row]]] = [
    ("population_register", "a", JANUARY, None, MARCH, [
        *FAMILY, resident("grandma", "H1", "52", HAMLET),
        resident("neighbour", "H2", "02", OTHER_DISTRICT, registered_division=OTHER_DISTRICT),
    ]),
    # In March a whole-city file; of its rows those of 420704 are superseded by that district's own part.
    ("population_register", "b", MARCH, ",420704,", OPEN_END, [
        *FAMILY, resident("grandma", "H1", "52", HAMLET),
        resident("neighbour", "H2", "02", OTHER_DISTRICT, registered_division=OTHER_DISTRICT, status="2"),
    ]),
    ("population_register", "c", MARCH, None, OPEN_END, [
        resident("neighbour", "H2", "02", OTHER_DISTRICT, registered_division=OTHER_DISTRICT),
    ]),
    ("income_tax", "a", JANUARY, None, FEBRUARY, [wage("father", JANUARY, 5000), wage("mother", JANUARY, 1000)]),
    # Nothing was sent for February.
    ("income_tax", "c", MARCH, None, APRIL, [wage("mother", MARCH, 1000)]),
    ("death_record", "b", FEBRUARY, None, MARCH, [
        {"person_key": "father", "died_on": date(2023, 2, 7), "source": "1"},
    ]),
    ("assistance_register", "a", JANUARY, None, OPEN_END, [
        registered("grandma", "C1", "grandma", HAMLET), registered("newcomer", "C2", "newcomer"),
    ]),
    ("medical_settlement", "a", JANUARY, None, FEBRUARY, [
        {"settlement_no": "S1", "person_key": "child", "settled_on": date(2023, 1, 9), "care_type": "3",
         "total_cost": Decimal(900), "basic_paid": Decimal(500), "out_of_pocket": Decimal(400)},
    ]),
    ("medical_settlement", "b", FEBRUARY, None, MARCH, [
        {"settlement_no": "S1", "person_key": "child", "settled_on": date(2023, 1, 9), "care_type": "3",
         "total_cost": Decimal(900), "basic_paid": Decimal(600), "out_of_pocket": Decimal(300)},
    ]),
]  # fmt: skip


Delivered = tuple[str, str, date, str | None, date, list[Row]]


def write_lake(lake: Path, deliveries: list[Delivered]) -> None:
    write_empty_tables(lake, load_feeds())
    for feed in load_feeds().values():
        schema, folder = lake_schema(feed), lake / feed.name
        for name, delivery, month, _, _, rows in deliveries:
            if name == feed.name:
                period, delivery_id = month.strftime("%Y-%m"), f"{name}.{month:%Y-%m}.{delivery}"
                filled = [
                    dict.fromkeys(schema) | row | {"delivery_id": delivery_id, "row_number": at, "period": period}
                    for at, row in enumerate(rows, start=2)
                ]
                (folder / f"period={period}").mkdir(exist_ok=True)
                pl.DataFrame(filled, schema=schema).write_parquet(folder / f"period={period}/{delivery_id}.parquet")


def write_reference(
    reference: Path, deliveries: list[Delivered], born: dict[str, date], first: date, last: date
) -> None:
    publish_reference(reference, first, last)
    ids = [f"{feed}.{month:%Y-%m}.{name}" for feed, name, month, *_ in deliveries]
    validity = [
        {"delivery_id": delivery_id, "feed": feed, "division": None, "area": None,
         "excepted": excepted, "valid_from": month, "valid_to": until}
        for delivery_id, (feed, name, month, excepted, until, _) in zip(ids, deliveries, strict=True)
    ]  # fmt: skip
    tables = {
        "delivery_validity": pl.DataFrame(validity, schema=VALIDITY_SCHEMA),
        # All that is sent for a month arrives on the 5th of the next.
        "delivery": pl.DataFrame({"delivery_id": ids, "period": [item[2] for item in deliveries]}).select(
            "delivery_id",
            received_at=pl.col("period").dt.month_end().dt.offset_by("5d").cast(pl.Datetime("us")),
        ),
        "person_key": pl.DataFrame([{"person_key": key, "born_on": on, "sex": "1"} for key, on in born.items()]),
        "name_conflict": pl.DataFrame(schema=NAME_CONFLICT),
        "run": pl.DataFrame({"first_month": [first], "last_month": [last], "rebuild_from": [first]}),
    }
    for name, table in tables.items():
        table.write_parquet(reference / f"{name}.parquet")
    ensure_given(reference)
    ensure_alert_life(reference)
    write_links(reference)


def write_links(reference: Path) -> None:
    """Nobody merged; one row of the child's was linked by a person's decision."""
    publish_links(store_of(DataHome(reference.parent / "home").create()), reference, [])
    at = datetime(2023, 2, 1, tzinfo=UTC)
    told = [
        ("medical_settlement.2023-01.a", 9, "person_key", "typing_error", "child", None, "name", None, "accepted", at)
    ]
    evidence = pl.DataFrame(told, schema=EVIDENCE, orient="row").with_columns(published("decided_at"))
    evidence.write_parquet(reference / "link_evidence.parquet")


def published(moment: str) -> pl.Expr:
    """A column of moments as reference tables have it: in UTC, without a zone."""
    return pl.col(moment).dt.replace_time_zone(None)


def dbt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run dbt on the city of that folder; targets, logs and warehouse stay in the folder."""
    environment = os.environ | {
        "ZHAOREN_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "ZHAOREN_LAKE": str(folder / "lake"),
        "ZHAOREN_REFERENCE": str(folder / "reference"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command = [str(Path(sys.executable).parent / "dbt"), *arguments, "--profiles-dir", str(PROJECT)]
    return subprocess.run(
        [*command, "--project-dir", str(PROJECT), "--threads", "2"],
        env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder of the tiny city and the outcome of ``dbt build`` of its lower layers, data tests included.

    dbt's unit tests run with the city of the policy cases (``tests/policy/build``), where all layers are built.
    """
    folder = tmp_path_factory.mktemp("tiny_city")
    write_lake(folder / "lake", DELIVERIES)
    write_reference(folder / "reference", DELIVERIES, BORN, JANUARY, MARCH)
    layers = ["staging", "identity", "indicators"]
    # Cautious: a test that also reads a later layer waits for that layer.
    tests = ["--indirect-selection", "cautious", "--exclude-resource-type", "unit_test"]
    return folder, dbt(folder, "build", "--select", *layers, *tests)


@pytest.fixture(scope="session")
def warehouse(built: tuple[Path, subprocess.CompletedProcess[str]]) -> Iterator[duckdb.DuckDBPyConnection]:
    folder, outcome = built
    assert outcome.returncode == 0, outcome.stdout[-3000:]
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        yield connection
