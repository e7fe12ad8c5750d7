"""How well the indicators find what was planted in cities nobody has seen: recall and precision of each.

``nice .venv/bin/python -m benchmarks.indicator_truth [--households N] [--months M] [--seeds S ...]`` simulates each
city, takes it in, builds the warehouse (no checks, no model, no lists) and asks ``monitoring.indicator_hit`` for the
named cases of ``planted.jsonl``. A true case is found where its indicator stands for its person or household between
the month it happened and the month after the feeds suffice to see it; a near miss is wrong where it stands
between the month it happened and that in which a careless rule would see it. Recall is found / true cases, precision
found / (found + near misses that fired). Cities hold more true cases than are named.

Belongs here: the count. Does not belong here: what a case is (``simulator.planted``).
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl

from expectations import ensure_tables
from ingestion import Store, Vault, ingest, publish
from ml import write_scores
from ml.scorer import SCORE_SCHEMA
from models.calendar import months_between
from models.contract import load_feeds
from models.publish import publish_reference
from orchestration.decisions.alerts import ensure_alert_life
from orchestration.home.given import ensure_given
from simulator import simulate
from tests.dbt_project.conftest import dbt

FIRST = date(2023, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAYERS = ("staging", "identity", "indicators", "monitoring")
# Their hits are about the household; those of all others about the person named.
OF_HOUSEHOLD = ("N01", "N03", "N04", "N05", "N08", "N14", "N17", "N18", "X04", "X05", "X08", "X09")
TOLD = """
    select hit.month, hit.indicator, coalesce(member.person_key, hit.person_key) as person_key,
        coalesce(hit.person_key = coalesce(member.person_key, hit.person_key), false) as is_named
    from monitoring.indicator_hit as hit
    left join identity.household_member_month as member
        on hit.month = member.month and hit.household_id = member.household_id
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=3_000)
    parser.add_argument("--months", type=int, default=14)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 202])
    parser.add_argument("--defects", type=float, default=1.0)
    parser.add_argument("--keep", type=Path, help="leave the cities and homes in this folder")
    arguments = parser.parse_args()
    judged = []
    with tempfile.TemporaryDirectory() as aside:
        for seed in arguments.seeds:
            folder = (arguments.keep or Path(aside)) / f"city{seed}"
            summary = simulate(folder, arguments.households, arguments.months, seed, FIRST, arguments.defects)
            home = built(folder, arguments.months)
            judged.append(judge(home, summary.truth).with_columns(seed=pl.lit(seed)))
    cases = pl.concat(judged)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
        print(table(cases))
        wrong = cases.filter(pl.col("fired") == pl.col("near_miss"))
        print(wrong.select("seed", "indicator", "what", "near_miss", "event_month", "detectable_month"))


def built(folder: Path, months: int) -> Path:
    """The data home of an inbox with its warehouse: what a run does, without checks, model and lists."""
    home, last = folder / "home", date(FIRST.year + (months - 1) // 12, (months - 1) % 12 + 1, 1)
    store = Store.open(home)
    ingest(folder / "inbox", store, load_feeds(), NOW)
    publish(store, load_feeds(), NOW)
    ensure_tables(store.reference)
    ensure_given(store.reference)
    ensure_alert_life(store.reference)
    publish_reference(store.reference, FIRST, last)
    write_scores(pl.DataFrame(schema=SCORE_SCHEMA), store.reference / "household_score.parquet")
    run = {"first_month": [FIRST], "last_month": [last], "rebuild_from": [FIRST]}
    pl.DataFrame(run).write_parquet(store.reference / "run.parquet")
    assert len(list(months_between(FIRST, last))) == months
    outcome = dbt(home, "run", "--select", *LAYERS)
    if outcome.returncode:
        raise SystemExit(outcome.stdout[-3000:])
    return home


def judge(home: Path, truth: Path) -> pl.DataFrame:
    """One row a named case, with whether its indicator (any of those named) fired in its months."""
    cases = pl.read_ndjson(truth / "planted.jsonl").with_row_index("case").explode("indicator")
    store = Store.open(home)
    cases = cases.with_columns(pl.col("event_month", "detectable_month").str.to_date("%Y%m"))
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        hits = warehouse.execute(TOLD).pl()
    until = pl.when("near_miss").then("detectable_month").otherwise(pl.col("detectable_month").dt.offset_by("1mo"))
    shared = pl.col("indicator").is_in(OF_HOUSEHOLD)
    # Of a household's case any member leads to it; that of a person is about that person, where it must be silent.
    asked = cases.explode("member_id_numbers").filter(shared | (pl.col("member_id_numbers") == pl.col("id_number")))
    keys = Vault(store).person_keys_of(asked["member_id_numbers"].unique().to_list())
    asked = asked.drop("id_number").join(keys, left_on="member_id_numbers", right_on="id_number")
    seen = asked.join(hits, on=["indicator", "person_key"]).filter(
        pl.col("month") >= pl.col("event_month"),
        pl.col("month") <= until,
        shared | pl.col("is_named") | ~pl.col("near_miss"),
    )
    one = cases.group_by("case", maintain_order=True).agg(
        pl.col("indicator", "what", "near_miss", "event_month", "detectable_month").first()
    )
    return one.with_columns(fired=pl.col("case").is_in(seen["case"].unique().to_list()))


def table(cases: pl.DataFrame) -> pl.DataFrame:
    """One row an indicator."""
    true, near, fired = ~pl.col("near_miss"), pl.col("near_miss"), pl.col("fired")
    counts = cases.group_by("indicator").agg(
        planted=true.sum(), found=(true & fired).sum(), near_misses=near.sum(), fired_wrongly=(near & fired).sum()
    )
    found = pl.col("found")
    return counts.sort("indicator").with_columns(
        recall=(found / pl.col("planted")).round(3), precision=(found / (found + pl.col("fired_wrongly"))).round(3)
    )


if __name__ == "__main__":
    main()
