"""How well the layer by rule is known: the SQL against an independent reading, and both against the true need.

``nice .venv/bin/python -m benchmarks.layer_truth [--households N] [--months M] [--seed S]`` simulates a city, takes it
in, builds the warehouse (no checks, no model, no lists) and compares ``monitoring.household_layer_month``

- with ``layer_oracle``, the domain page read anew over the lake: whether the SQL says what the rules say;
- with ``households.parquet`` of the truth: how near the rules come to the true need. The truth counts what no feed
  shows (odd jobs, fields, help by relatives, children elsewhere), so this says how much of the need is visible.

Belongs here: the comparison. Does not belong here: what the rules are.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.indicator_city import LakeCity
from benchmarks.indicator_truth import FIRST, built
from benchmarks.layer_oracle import HOUSE, layers
from ingestion import Store, Vault
from orchestration.home.published import copy_out
from simulator import simulate

READ = {"household_month": "identity", "household_member_month": "identity", "household_layer_month": "monitoring"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=2_000)
    parser.add_argument("--months", type=int, default=13)
    parser.add_argument("--seed", type=int, default=404)
    parser.add_argument("--city", type=Path, help="a folder with inbox, truth and home made before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside, pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True):
        folder = arguments.city or Path(aside)
        if not arguments.city:
            simulate(folder, arguments.households, arguments.months, arguments.seed, FIRST)
            built(folder, arguments.months)
        home = folder / "home"
        (home / "published").mkdir(exist_ok=True)
        copy_out(home / "warehouse.duckdb", READ, home / "published")
        against_reading(home)
        against_truth(home, folder / "truth")


def against_reading(home: Path) -> None:
    """The share of household-months on which SQL and reading agree, and where they do not."""
    city = LakeCity(home)
    said = city.published("household_layer_month").filter(pl.col("is_income_known"))
    both = said.join(layers(city), on=HOUSE)
    # The reading knows no supporters, no recognitions and no layers that income does not decide.
    rule = pl.col("rule_layer").replace({"relapse_risk": "none", "other_hardship": "none"})
    read = pl.when((pl.col("layer") == "destitute") & pl.col("has_able_supporter")).then(pl.lit("dibao"))
    both = both.filter(pl.col("rule_reason") != "rigid_recognised").with_columns(
        rule.alias("rule"), read.otherwise("layer").alias("read")
    )
    same = pl.col("rule") == pl.col("read")
    due = (pl.col("amount_due_yuan").cast(pl.Float64) - pl.col("due")).abs() < 0.005
    print(f"household-months compared: {both.height}, layers the same: {both.select(same.mean()).item():.5f}")
    dibao = both.filter(same, pl.col("rule") == "dibao", ~pl.col("is_phase_out"))
    print(f"dibao: {dibao.height}, amounts the same: {dibao.select(due.mean()).item():.5f}")
    print(both.filter(~same).group_by("rule", "rule_reason", "read").len().sort("len", descending=True))


def against_truth(home: Path, truth: Path) -> None:
    """Layer by rule against true need, by household and month; what differs for lack of anything to see is counted."""
    both = told(home).join(true_need(home, truth), on=["month", "person_key"])
    both = both.group_by(HOUSE).agg(pl.col("need", "rule_layer", "rule_reason", "pc", "income_pc").first())
    rule = pl.col("rule_layer").replace({"relapse_risk": "none", "other_hardship": "none"})
    both = both.with_columns(rule.alias("rule"), in_layer=rule != "none", in_need=pl.col("need") != "none")
    same, unseen = pl.col("rule") == pl.col("need"), pl.col("pc") < 0.95 * pl.col("income_pc")
    print(f"household-months with a truth: {both.height}, true layer: {both.select(same.mean()).item():.4f}")
    wrong = both.filter(~same)
    print(f"of those that differ, true income above what feeds show: {wrong.select(unseen.mean()).item():.4f}")
    seen = both.filter(~unseen)
    print(f"where feeds show the income ({seen.height}): true layer {seen.select(same.mean()).item():.4f}")
    needed = both.filter("in_need")
    print(f"in need: {needed.height}, in any layer by rule: {needed.select(pl.col('in_layer').mean()).item():.4f}")
    print(both.group_by("need", "rule").len().sort("len", descending=True))


def told(home: Path) -> pl.DataFrame:
    layer = pl.read_parquet(home / "published" / "household_layer_month.parquet")
    member = pl.read_parquet(home / "published" / "household_member_month.parquet").filter("is_counted")
    rows = member.join(layer, on=HOUSE).with_columns(pl.col("income_pc_yuan").cast(pl.Float64).alias("pc"))
    return rows.select(*HOUSE, "person_key", "rule_layer", "rule_reason", "pc")


def true_need(home: Path, truth: Path) -> pl.DataFrame:
    """Need and true income per head of each person's true household."""
    members = pl.read_parquet(truth / "members.parquet")
    households = pl.read_parquet(truth / "households.parquet").select("month", "household", "need", "income_pc")
    keys = Vault(Store.open(home)).person_keys_of(members["id_number"].unique().to_list())
    rows = members.join(keys, on="id_number").join(households, on=["month", "household"])
    return rows.select(pl.col("month").cast(pl.Date), "person_key", "need", "income_pc")


if __name__ == "__main__":
    main()
