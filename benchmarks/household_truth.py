"""How well households are known: who lives together according to the warehouse, against the truth of a synthetic city.

Belongs here: precision and recall over pairs of persons and months, by a run of the product as a person would do it.
Run: ``.venv/bin/python -m benchmarks.household_truth [--households N] [--months M] [--seed S]``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import polars as pl

from orchestration.home.settings import DataHome
from orchestration.home.stores import vault_of

ZHAOREN = Path(sys.executable).parent / "zhaoren"
# The detained belong to their household, though they do not count.
TOLD = """
    select month, household_id, person_key from identity.household_member_month
    where is_alive and (is_counted or not_counted_reason = 'custody')
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=2_000)
    parser.add_argument("--months", type=int, default=14)
    parser.add_argument("--seed", type=int, default=77)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        city, home = Path(place) / "city", Path(place) / "home"
        wanted = {"--households": arguments.households, "--months": arguments.months, "--seed": arguments.seed}
        _zhaoren(home, "simulate", "--out", str(city), *(str(word) for pair in wanted.items() for word in pair))
        _zhaoren(home, "run", "--inbox", str(city / "inbox"))
        report(told(home), truth(city, home))


def _zhaoren(home: Path, *words: str) -> None:
    done = subprocess.run([str(ZHAOREN), "--home", str(home), *words], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr[-2000:])


def told(home: Path) -> pl.DataFrame:
    """Month, household and person as the warehouse knows them."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(TOLD).pl().rename({"household_id": "household"})


def truth(city: Path, home: Path) -> pl.DataFrame:
    """Month, household and person as they truly are."""
    members = pl.read_parquet(city / "truth" / "members.parquet")
    keys = vault_of(DataHome(home)).person_keys_of(members["id_number"].unique().to_list())
    return members.join(keys, on="id_number").select("month", "household", "person_key")


def pairs(members: pl.DataFrame) -> pl.DataFrame:
    """Two persons of one household in one month, each pair once."""
    both = members.join(members, on=["month", "household"], suffix="_other")
    return both.filter(pl.col("person_key") < pl.col("person_key_other")).drop("household")


def report(found: pl.DataFrame, known: pl.DataFrame) -> None:
    """Precision and recall over pairs; persons whom only one side has make pairs that the other lacks."""
    mine, true = pairs(found), pairs(known)
    right = mine.join(true, on=mine.columns, how="semi").height
    print(f"{known.height} person-months, {true.height} pairs, {mine.height} found, {right} of them right")
    print(f"precision {right / mine.height:.4f}  recall {right / true.height:.4f}")


if __name__ == "__main__":
    main()
