"""Builds the layers once for each state of deliveries and keeps the tables: ``python build.py CITY...``.

A process of its own, since dbt keeps its manifest between builds of one process. A city is a folder with ``lake`` and
``states/<number>``; each state is built upon the one before (``months``), the last one from nothing too (``whole``), as
a run does it: what is known, the scores, what follows; of a city with a file ``identity_only`` no more than that. The
tables land in ``<city>/<months|whole>/<number>/<schema>.<table>.parquet``.

Between two states the lists go out, as a publication does it (``hand_over``): what they said is remembered, visits come
back under their numbers, and in the state that ``DECIDED`` names people have decided about some.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import polars as pl
from dbt.cli.main import dbtRunner

from ml import write_scores
from ml.scorer import SCORE_SCHEMA
from orchestration.assets.model import score_months, scores_since
from orchestration.assets.warehouse import DERIVED_LAYERS, KNOWN_LAYERS
from orchestration.decisions.alerts import JOURNAL_FILE, decisions_since, keep_alerts, publish_alert_life
from orchestration.home.generation import facts_since
from orchestration.home.given import FILE as HOUSEHOLD_FILE
from orchestration.home.given import keep_given
from orchestration.warehouse.run_plan import read_plan, write_plan
from tests.dbt_project.months.city import ANSWERED

PROJECT = Path(__file__).parents[3] / "dbt_project"
MANIFEST: list[object] = []
# What readers get of each state, as far as it is remembered.
READ = ("alerts.alert_list", "alerts.alert_end", "identity.household_month", "identity.household_member_month")
# In which state somebody has decided, and of which month: long before what that state builds anew for other reasons.
DECIDED, DECIDED_MONTH = "02", date(2023, 2, 1)


def main(cities: list[Path]) -> None:
    # One place for all cities and states: its paths are written into the manifest, which is read only once.
    place = cities[0] / "place"
    place.mkdir()
    os.environ |= {
        "ZHAOREN_WAREHOUSE": str(place / "warehouse.duckdb"),
        "ZHAOREN_LAKE": str(place / "lake"),
        "ZHAOREN_REFERENCE": str(place / "reference"),
        "ZHAOREN_THREADS": "1",
        "DBT_TARGET_PATH": str(place / "target"),
        "DBT_LOG_PATH": str(place / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    for city in cities:
        point(place / "lake", city / "lake")
        states = sorted((city / "states").iterdir())
        for mode, chosen in (("months", states), ("whole", states[-1:])):
            (place / "warehouse.duckdb").unlink(missing_ok=True)
            before = None
            for state in chosen:
                if before and not (city / "identity_only").exists():
                    hand_over(city, before, state)
                point(place / "reference", state)
                kept = city / mode / state.name
                kept.mkdir(parents=True)
                if (city / "identity_only").exists():
                    dbt("run", *([] if before else ["--full-refresh"]), "--select", "staging", "identity")
                else:
                    build(place, before, kept)
                keep(place / "warehouse.duckdb", kept)
                before = kept


def point(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def build(place: Path, before: Path | None, kept: Path) -> None:
    """One run, upon the tables kept of the run before."""
    reference, warehouse = place / "reference", place / "warehouse.duckdb"
    plan = read_plan(reference / "run.parquet")
    if before:
        reach = before / "identity.event_reach.parquet"
        plan = replace(plan, facts_from=facts_since(reach, plan.rebuild_from, None))
    plan = replace(plan, decisions_from=decisions_since(reference, kept, before or kept / "none"))
    write_plan(plan, "policy", "code", reference / "run.parquet")
    whole = ["--full-refresh"] if before is None else []
    dbt("run", *whole, "--select", *KNOWN_LAYERS)
    scores = scored(warehouse, json.loads((reference / "model.json").read_text(encoding="utf-8")))
    write_scores(scores, reference / "household_score.parquet")
    score_months(scores).write_parquet(kept / "score_months.parquet")
    if before:
        since = scores_since(pl.read_parquet(before / "score_months.parquet"), score_months(scores))
        write_plan(replace(plan, scores_from=since), "policy", "code", reference / "run.parquet")
    dbt("run", *whole, "--select", *DERIVED_LAYERS)


def hand_over(city: Path, kept: Path, following: Path) -> None:
    """What was built goes out to readers; what they answer is in the state that follows."""
    state, published = city / "states" / kept.name, kept / "published"
    published.mkdir()
    for table in READ:
        shutil.copyfile(kept / f"{table}.parquet", published / f"{table.split('.')[1]}.parquet")
    keep_alerts(published, state)
    keep_given(published, state)
    for name in (JOURNAL_FILE, HOUSEHOLD_FILE):
        shutil.copyfile(state / name, following / name)
    listed = pl.read_parquet(published / "alert_list.parquet").sort("month", "alert_id")
    answer(city / "lake", listed["alert_id"].unique(maintain_order=True).to_list(), deliveries(state))
    said: Any = Decisions(listed, read_plan(following / "run.parquet").as_of if following.name >= DECIDED else None)
    publish_alert_life(said, following, read_plan(following / "run.parquet").as_of)


def deliveries(state: Path) -> set[str]:
    return set(pl.read_parquet(state / "delivery_validity.parquet")["delivery_id"])


def answer(lake: Path, numbers: list[str], known: set[str]) -> None:
    """Results of visits that came in since bear the numbers of alerts that were listed."""
    for file in sorted((lake / "visit_outcome").glob("*/*.parquet")):
        if file.stem not in known:
            rows = pl.read_parquet(file)
            told = [
                numbers[int(told.removeprefix(ANSWERED)) % len(numbers)] if told.startswith(ANSWERED) else told
                for told in rows["alert_id"]
            ]
            rows.with_columns(pl.Series("alert_id", told, dtype=pl.String)).write_parquet(file)


class Decisions:
    """The first alerts of a month closed, returned and given to another township; as ``Operations`` tells it."""

    told: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, listed: pl.DataFrame, decided_at: Any) -> None:
        of_month = listed.filter(pl.col("month") == DECIDED_MONTH).to_dicts()
        if decided_at and not Decisions.told:
            for number, (event, alert) in enumerate(
                zip(("close", "return", "assign"), of_month, strict=False), start=1
            ):
                place = {"township_code": "420702100", "village_code": None} if event == "assign" else {}
                Decisions.told.append(
                    {"transition_id": number, "alert_id": alert["alert_id"], "side": alert["side"],
                     "household_id": alert["household_id"], "event": event, "from_state": alert["status"],
                     "to_state": "closed", "role": "county", "month": DECIDED_MONTH, "township_code": None,
                     "village_code": None, "decided_at": decided_at.replace(tzinfo=None)} | place
                )  # fmt: skip

    def alert_transitions(self) -> list[dict[str, Any]]:
        return Decisions.told


def scored(warehouse: Path, version: int) -> pl.DataFrame:
    """Scores out of nothing but household, month and version of the model, so that another version scores otherwise."""
    with duckdb.connect(str(warehouse)) as connection:
        rows = connection.execute(
            "select month, household_id, (hash(household_id, month, ?) % 1000) / 1000.0 as score"
            " from indicators.household_month_feature where not is_on_assistance order by all",
            [version],
        ).pl()
    rank = pl.col("score").rank("ordinal", descending=True).over("month").cast(pl.Int32)
    told = rows.with_columns(probability="score", rank_in_township=rank, basis=pl.lit("model"))
    empty = pl.DataFrame(schema=SCORE_SCHEMA)
    return pl.concat([empty, told.cast({"score": pl.Float64, "probability": pl.Float64})], how="diagonal")


def dbt(*arguments: str) -> None:
    folders = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    if not MANIFEST:
        MANIFEST.append(dbtRunner().invoke(["parse", "--quiet", *folders]).result)
    outcome = dbtRunner(manifest=MANIFEST[0]).invoke([*arguments, "--quiet", *folders])  # type: ignore[arg-type]
    if not outcome.success:
        failed = [item for item in getattr(outcome.result, "results", []) if str(item.status) == "error"]
        sys.exit("; ".join(f"{item.node.name}: {item.message}" for item in failed) or str(outcome.exception))


def keep(warehouse: Path, folder: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        found = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        ).fetchall()
        for schema, table in found:
            file = folder / f"{schema}.{table}.parquet"
            connection.execute(f'copy (from "{schema}"."{table}" order by all) to \'{file}\'')


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
