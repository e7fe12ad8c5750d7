"""The macros that cut deliveries by district say of every row what ingestion says; run on DuckDB without dbt."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import jinja2
import polars as pl
import pytest

from ingestion.delivery import Delivery
from ingestion.in_force import delivery_validity, validity_rows
from tests.ingestion.conftest import ARRIVED
from tests.ingestion.entries import entry

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"
EAST, WEST, TOWN = "420702", "420703", "420702104"
PLACES = ["420702104001", "420702001002", "420702", "420702104", "420703001001", "420111001", None]
QUERY = """
{% from 'deliveries.sql' import deliveries_in_force, row_in_force with context %}
with validity as ({{ deliveries_in_force('place') }})
select delivered.delivery_id, delivered.place, validity.valid_from, validity.valid_to
from delivered
inner join validity on {{ row_in_force('delivered', 'validity', 'place') }}
"""
UNCUT = """
{% from 'deliveries.sql' import deliveries_in_force, row_in_force with context %}
with validity as ({{ deliveries_in_force() }})
select delivered.delivery_id, validity.valid_from, validity.valid_to
from delivered
inner join validity on {{ row_in_force('delivered', 'validity') }}
"""
HISTORIES = [
    [(1, None), (1, EAST)],
    [(1, None), (2, EAST), (3, None)],
    [(1, EAST), (1, TOWN), (2, TOWN)],
    [(1, TOWN), (1, EAST), (1, None), (1, TOWN), (1, WEST)],
    [(1, None), (1, TOWN), (2, EAST), (2, TOWN), (4, WEST)],
]


def rendered(query: str) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(MACROS), undefined=jinja2.StrictUndefined)
    return environment.from_string(query).render(source=lambda _, table: table)


def entries_of(history: list[tuple[int, str | None]]) -> list[Delivery]:
    return [
        entry(at, period=f"2023-{month:02d}", division=division, received_at=ARRIVED + timedelta(days=at))
        for at, (month, division) in enumerate(history)
    ]


def run(query: str, entries: list[Delivery]) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.register("delivery_validity", delivery_validity(entries))
        rows = [(item.delivery_id, place) for item in entries for place in PLACES]
        delivered = pl.DataFrame(rows, schema={"delivery_id": pl.String, "place": pl.String}, orient="row")
        connection.register("delivered", delivered)
        return connection.execute(rendered(query)).fetchall()


@pytest.mark.parametrize("history", HISTORIES)
def test_every_row_counts_when_ingestion_says_so(history: list[tuple[int, str | None]]) -> None:
    entries = entries_of(history)
    found = run(QUERY, entries)
    assert len(found) == len(set(found))
    expected = {
        (row.delivery_id, place, row.valid_from, row.valid_to)
        for row in validity_rows(entries)
        for place in PLACES
        if row.speaks_for(place)
    }
    assert set(found) == expected


def test_a_feed_without_divisions_counts_as_a_whole_once(tmp_path: Path) -> None:
    found = run(UNCUT, entries_of([(1, None), (2, EAST), (3, None)]))
    ends = {row[1:] for row in found if row[0] == "custody_record.2023-01.0"}
    assert ends == {(date(2023, 1, 1), date(2023, 3, 1))}
    assert len(found) == 3 * len(PLACES)
