"""The model between the two dbt builds: its tables leave the warehouse, it is trained when due, it scores all months.

Belongs here: when to train and the handing over of tables. Everything learnt belongs to ``ml``.
"""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl

import ml
import ml.registry
from ml.drift import month_drift, score_drift
from ml.experiment import load_experiment
from ml.label_watch import mature_calibration
from orchestration.home.generation import FOLDER, VALIDITY
from orchestration.home.machine import duckdb_config
from orchestration.home.published import copy_out
from orchestration.home.settings import DataHome
from orchestration.home.versions import code_version, current_policy_version
from orchestration.reporting.model_cards import write_model_card
from orchestration.resources import WAREHOUSE_POOL, HomeResource
from orchestration.trail.archive import keep_models
from orchestration.warehouse.run_plan import RunPlan, write_plan

GROUP = "model"
OWNERS = ["team:data_science"]
FEATURES, EVENTS = "household_month_feature", "household_month_label_event"
# For measuring alone, never learnt from: attributes by which groups are compared, and the lists sent so far.
GROUPS, LISTED = "household_month_group", "alert_list"
SCORE_FILE, SCORE_MONTHS = "household_score.parquet", "score_months.parquet"


class TrainConfig(dg.Config):
    """``force`` trains though the model in force is not old enough yet."""

    force: bool = False


def exchange(home: DataHome) -> Path:
    """The folder through which the warehouse hands tables to the model."""
    folder = home.root / "exchange"
    folder.mkdir(exist_ok=True)
    return folder


@dg.asset(
    key=["model", "training_tables"],
    deps=[["indicators", FEATURES], ["indicators", EVENTS], ["indicators", GROUPS]],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"duckdb", "parquet"},
    pool=WAREHOUSE_POOL,
    description="Features and label events of every household and month: the model never opens the warehouse.",
)
def training_tables(home: HomeResource) -> dg.MaterializeResult[None]:
    """Copy the two tables out of the warehouse."""
    tables = dict.fromkeys((FEATURES, EVENTS, GROUPS), "indicators")
    counts = copy_out(home.home.warehouse, tables, exchange(home.home), duckdb_config(home.home))
    return dg.MaterializeResult(metadata={name: dg.MetadataValue.int(count) for name, count in counts.items()})


@dg.asset(
    key=["model", "risk_model"],
    deps=[training_tables],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"scikitlearn"},
    description="The model in force, trained anew when it is old; with too little history the rules alone.",
)
def risk_model(
    context: dg.AssetExecutionContext, home: HomeResource, config: TrainConfig
) -> dg.MaterializeResult[None]:
    """Train where due, adopt what is better, and say what is in force."""
    month = home.plan.last_month
    # A list of a day gone by is made with the model that stood then, or the rules: nothing is learnt for it.
    may_learn = not home.home.past_mark.is_file()
    after_months = home.settings.model.retrain_after_months
    if config.force or (may_learn and training_due(home.home.registry, month, after_months)):
        result = train_model(home.home, month)
        context.log.info(result.message)
    version = ml.registry.champion_version(home.home.registry) or "rules"
    return dg.MaterializeResult(metadata={"model_version": version})


def train_model(home: DataHome, month: date) -> ml.TrainingResult:
    """Train as of a month on the exchanged tables; the registry decides whether the new version is adopted."""
    folder = exchange(home)
    features, events = (folder / f"{name}.parquet" for name in (FEATURES, EVENTS))
    result = ml.train(features, events, home.registry, month, beside=measured_with(home))
    write_model_card(result.directory)
    ml.registry.adopt(home.registry, result.model_version)
    return result


def measured_with(home: DataHome) -> ml.Beside:
    """What a training is measured with and does not learn from, as far as it is there yet."""
    groups, listed = exchange(home) / f"{GROUPS}.parquet", home.published / f"{LISTED}.parquet"
    told = listed.is_file() and "selection_arm" in pl.read_parquet_schema(listed)
    validity = home.basis / VALIDITY
    data = hashlib.sha256(pl.read_parquet(validity).write_csv().encode()).hexdigest() if validity.is_file() else ""
    return ml.Beside(
        groups=groups if groups.is_file() else None,
        listed=listed if told else None,
        versions={"data": data, "policy": current_policy_version(), "code": code_version()},
    )


def training_due(registry: Path, month: date, after_months: int) -> bool:
    """Whether no model is in force yet, only the rules speak, or the champion is old."""
    champion = next((entry for entry in ml.registry.list_models(registry) if entry.is_champion), None)
    if champion is None or champion.basis == "rules":
        return True
    trained = champion.as_of_month
    return (month.year - trained.year) * 12 + month.month - trained.month >= after_months


@dg.asset(
    key=["model", "household_score"],
    deps=[risk_model],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"scikitlearn", "parquet"},
    description="Risk score, rank in the township and reasons of every household and month not on assistance.",
)
def household_score(home: HomeResource) -> dg.MaterializeResult[None]:
    """Score all months; each by the model that was known by then."""
    scores = ml.score(exchange(home.home) / f"{FEATURES}.parquet", home.home.registry)
    ml.write_scores(scores, home.home.reference / SCORE_FILE)
    note_scores_since(home.home, home.plan, scores)
    keep_models(home.home, home.plan)
    return dg.MaterializeResult(metadata={"rows": scores.height})


def note_scores_since(home: DataHome, plan: RunPlan, scores: pl.DataFrame) -> None:
    """Add to the plan from which month on scores differ from those of the generation published last: a model newly
    adopted may score months past anew, and what follows from scores goes back so far."""
    months = score_months(scores)
    months.write_parquet(home.basis / SCORE_MONTHS)
    published = home.published / FOLDER / SCORE_MONTHS
    since = scores_since(pl.read_parquet(published), months) if published.is_file() else plan.first_month
    write_plan(replace(plan, scores_from=since), current_policy_version(), code_version(), home.plan_file)


def score_months(scores: pl.DataFrame) -> pl.DataFrame:
    """One number for all scores of a month, whatever the order of the rows."""
    numbered = scores.select("month").with_columns(number=scores.hash_rows())
    return numbered.group_by("month").agg(pl.col("number").sum(), pl.len().alias("rows")).sort("month")


def scores_since(before: pl.DataFrame, after: pl.DataFrame) -> date | None:
    """The first month whose scores are other ones; None where all are the same."""
    columns = before.columns
    gone, come = before.join(after, on=columns, how="anti"), after.join(before, on=columns, how="anti")
    first: date | None = pl.concat([gone, come]).select(pl.col("month").min()).item()
    return first


@dg.asset_check(
    asset=household_score,
    name="feeds_are_sound",
    description="No feed of the newest month is dead, in another unit or broken; other people are told, not failed.",
)
def feeds_are_sound(home: HomeResource) -> dg.AssetCheckResult:
    """Compare the newest month of the features with those before."""
    drift = month_drift(exchange(home.home) / f"{FEATURES}.parquet", load_experiment(), home.plan.last_month)
    told = [" ".join(filter(None, (one.kind, one.feed, one.column))) for one in drift.findings]
    moved = score_drift(pl.read_parquet(home.home.reference / SCORE_FILE), home.plan.last_month)
    return dg.AssetCheckResult(
        passed=not any(one.is_fault for one in drift.findings),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"findings": "; ".join(told), "score_psi": moved},
    )


@dg.asset_check(
    asset=household_score,
    name="probabilities_came_true",
    description="Where outcomes are known by now, as many entered as the probabilities of that time said.",
)
def probabilities_came_true(home: HomeResource) -> dg.AssetCheckResult:
    """Judge the probabilities of all months whose outcome has matured by the newest month."""
    tables = exchange(home.home)
    found = mature_calibration(
        home.home.reference / SCORE_FILE,
        tables / f"{FEATURES}.parquet",
        tables / f"{EVENTS}.parquet",
        load_experiment(),
        home.plan.last_month,
    )
    told = {"ratio": found.ratio, "slope": found.slope}
    return dg.AssetCheckResult(
        passed=found.is_right(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": found.rows, "entries": found.entries}
        | {name: value for name, value in told.items() if np.isfinite(value)},
    )


MODEL_CHECKS = [feeds_are_sound, probabilities_came_true]
MODEL_ASSETS = [training_tables, risk_model, household_score]
