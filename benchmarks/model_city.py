"""How well the declared experiment finds entries in a simulated city, against the ceiling, and in worlds it never saw.

Belongs here: AUC, recall among the best 1 % and 5 % of households with intervals and bounds by ties, calibration, the
least informed fifth; for each candidate, for a reference learnt from all of another city, for the simulator's own risk,
for a null world and for other worlds. Does not belong here: how the experiment learns (``ml``).

Run: ``.venv/bin/python -m benchmarks.model_city [--households N] [--months M] [--seed S]``; or of a city that is built
already ``--home HOME --city FOLDER`` (what ``zhaoren simulate --out`` wrote, with the same three numbers), with
``--learn-from HOME`` another city's home as reference.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from benchmarks.household_truth import _zhaoren as zhaoren
from benchmarks.model_truth import first_month_of, told_risk, true_risk
from benchmarks.model_worlds import WORLDS, null_events
from ml.cohort import cohort, known_events, label, reporting_delay
from ml.experiment import Experiment, load_experiment
from ml.folds import Fold, World, fit_at, outcomes, run_fold, score_cohort
from ml.label_watch import calibration_line
from ml.metrics import Estimate, calibration_error, household_weights
from ml.ranking import among_best, ranking_metrics
from ml.sample import draw_sample, find_leaks
from ml.selection import calibrated_rows
from ml.splits import rolling_origins

FEATURES = "select * from indicators.household_month_feature order by month, household_id"
EVENTS = "select * from indicators.household_month_label_event order by all"
SILENT_SHARE = 0.2  # of the households of a month: those of whom the fewest kinds of feeds know anything
REPLICATES = 200
SHOWN = ("recall_top_1", "recall_top_5", "ndcg_at_capacity")


@dataclass(frozen=True)
class Built:
    """A city's two tables for the model, and where its truth lies."""

    features: pl.DataFrame
    events: pl.DataFrame
    home: Path
    city: Path | None

    @property
    def last_month(self) -> date:
        month: date = self.features["month"].max()  # type: ignore[assignment]
        return month


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=20_000)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--origins", type=int, default=3)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--city", type=Path)
    parser.add_argument("--learn-from", type=Path)
    parser.add_argument("--worlds", action="store_true", help="other worlds and the null world too")
    told = parser.parse_args()
    if told.home is not None:
        measure(read(told.home, told.city), told)
        return
    with tempfile.TemporaryDirectory() as place:
        city, home = Path(place) / "city", Path(place) / "home"
        size = ("--households", told.households, "--months", told.months, "--seed", told.seed)
        zhaoren(home, "simulate", "--out", str(city), *map(str, size))
        zhaoren(home, "run", "--inbox", str(city / "inbox"))
        measure(read(home, city), told)


def read(home: Path, city: Path | None) -> Built:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
        return Built(warehouse.execute(FEATURES).pl(), warehouse.execute(EVENTS).pl(), home, city)


def measure(built: Built, told: argparse.Namespace) -> None:
    experiment = load_experiment()
    world = world_of(built.features, built.events, experiment)
    folds = folds_of(world, built, told.origins)
    rows = with_coverage(outcomes(world, folds, built.last_month), built.features)
    kinds = [candidate.kind for candidate in experiment.candidates]
    print(f"{rows.height} rows, {rows['label'].sum()} entries, base rate {rows['label'].mean():.4f},", end=" ")
    print(f"{len(experiment.features)} features, origins {', '.join(f'{fold.origin.month:%Y-%m}' for fold in folds)}")
    if told.learn_from is not None:
        rows = with_reference(rows, built, read(told.learn_from, None), experiment)
        kinds.append("reference")
    if built.city is not None:
        risk = true_risk(told.seed, told.households, told.months, experiment.horizon_months, first_month_of(built.city))
        truth = told_risk(built.city, built.home, risk).rename({"risk": "score_truth"})
        rows = rows.join(truth, on=["month", "household_id"], how="left").with_columns(
            pl.col("score_truth").fill_null(0.0)
        )
        kinds.append("truth")
    show(rows, kinds, experiment)
    for kind in [candidate.kind for candidate in experiment.candidates if candidate.kind != "rules"]:
        show_calibration(calibrated_rows(world, folds, rows, kind), kind)
    if told.worlds:
        show_worlds(world, built, folds[-1])
        show_null(built, experiment)


def world_of(features: pl.DataFrame, events: pl.DataFrame, experiment: Experiment) -> World:
    """The same steps as ``ml.training.train`` takes before its folds."""
    as_of: date = features["month"].max()  # type: ignore[assignment]
    known, rows = known_events(events, as_of), cohort(features, experiment, until=as_of)
    embargo = reporting_delay(known, experiment).months
    sample = draw_sample(features, label(rows, known, experiment, as_of, embargo), experiment)
    excluded = find_leaks(sample, experiment)
    print(f"leaks: {', '.join(excluded) or 'none'}")
    return World(features, known, rows, sample, experiment, embargo, excluded)


def folds_of(world: World, built: Built, most: int) -> list[Fold]:
    first: date = built.features["month"].min()  # type: ignore[assignment]
    origins = rolling_origins(first, built.last_month, world.experiment.horizon_months, world.embargo, 1, most)
    return [fold for origin in origins if (fold := run_fold(world, origin)) is not None]


def with_coverage(rows: pl.DataFrame, features: pl.DataFrame) -> pl.DataFrame:
    """Whether each household is among the fifth of its month of which the feeds know least; ties by household."""
    known = features.select("household_id", "month", "known_source_count")
    place = pl.struct("known_source_count", "household_id").rank("ordinal").over("month")
    return rows.join(known, on=["household_id", "month"], how="left").with_columns(
        (place <= SILENT_SHARE * pl.len().over("month")).alias("is_silent")
    )


def with_reference(rows: pl.DataFrame, built: Built, other: Built, experiment: Experiment) -> pl.DataFrame:
    """What the learning candidates together say who learnt from every month of another city: more than a city has."""
    world = world_of(other.features, other.events, experiment)
    scores = np.zeros(rows.height)
    for candidate in experiment.candidates:
        if candidate.kind == "rules":
            continue
        fitted = fit_at(world, candidate.kind, other.last_month, other.last_month)
        assert fitted is not None
        table = rows.select("household_id", "month").join(
            built.features, on=["household_id", "month"], how="left", maintain_order="left"
        )
        matrix = table.select(pl.col(experiment.feature_names).cast(pl.Float64)).to_numpy()
        scores += fitted[0].baseline_ + fitted[0].explain(matrix).sum(axis=1)
    return rows.with_columns(pl.Series("score_reference", scores))


def show(rows: pl.DataFrame, kinds: list[str], experiment: Experiment) -> None:
    weights = household_weights(rows, REPLICATES, experiment.seed)
    entered = rows["label"].cast(pl.Float64).to_numpy()
    print("| kind | AUC | recall in the top 1 % | in the top 5 % | NDCG | ties | least informed fifth, top 5 % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind in kinds:
        score = f"score_{kind}"
        found = ranking_metrics(rows, score, weights)
        auc = np.mean([roc_auc_score(part["label"], part[score]) for part in rows.partition_by("month")])
        listed = among_best(rows, score, 0.05)
        silent = rows["is_silent"].to_numpy()
        least = float((entered * listed)[silent].sum() / max(entered[silent].sum(), 1))
        ties = f"{found['recall_ties_worst'].value:.3f} to {found['recall_ties_best'].value:.3f}"
        cells = " | ".join(_interval(found[name]) for name in SHOWN)
        print(f"| {kind} | {auc:.3f} | {cells} | {ties} | {least:.3f} of {int(entered[silent].sum())} |", flush=True)


def show_calibration(rows: pl.DataFrame, kind: str) -> None:
    if rows.is_empty():
        print(f"{kind}: no calibration yet")
        return
    entered, probability = (rows[name].cast(pl.Float64).to_numpy() for name in ("label", "probability"))
    ratio, slope = calibration_line(entered, probability)
    error = calibration_error(entered, probability, 10) / entered.mean()
    print(f"{kind}: ECE / base rate {error:.2f}, observed / expected {ratio:.2f}, slope {slope:.2f}", flush=True)


def show_worlds(world: World, built: Built, fold: Fold) -> None:
    """The newest origin's models in worlds they never saw: what they were fitted on stays, the judged month changes."""
    found: dict[str, list[float]] = {}
    for change in WORLDS.values():
        features, events = change(built.features, built.events, np.random.default_rng(world.experiment.seed))
        other = World(
            features, known_events(events, built.last_month), world.cohort, world.sample, world.experiment,
            world.embargo, world.excluded,
        )  # fmt: skip
        scored = score_cohort(other, fold.origin.month, fold.estimators)
        rows = label(scored, other.events, world.experiment, built.last_month, world.embargo)
        rows = rows.filter(pl.col("label").is_not_null())
        for kind in fold.estimators:
            hit = among_best(rows, f"score_{kind}", 0.05) * rows["label"].to_numpy()
            found.setdefault(kind, []).append(float(hit.sum() / rows["label"].sum()))
    print(f"worlds, recall in the top 5 %: {', '.join(WORLDS)}")
    for kind, values in found.items():
        told = " ".join(f"{value:.3f}" for value in values)
        print(f"{kind}: {told}; mean {np.mean(values):.3f}, worst {min(values):.3f}", flush=True)


def show_null(built: Built, experiment: Experiment) -> None:
    """Entries given to other households by lot: nothing may be found."""
    events = null_events(built.features, built.events, experiment.seed)
    world = world_of(built.features, events, experiment)
    folds = folds_of(world, built, 1)
    rows = outcomes(world, folds, built.last_month)
    weights = household_weights(rows, REPLICATES, experiment.seed)
    for kind in (candidate.kind for candidate in experiment.candidates):
        auc = roc_auc_score(rows["label"], rows[f"score_{kind}"])
        found = ranking_metrics(rows, f"score_{kind}", weights)
        told = ", ".join(f"{name} {_interval(found[name])}" for name in ("recall_top_1", "recall_top_5"))
        print(f"null world, {kind}: AUC {auc:.3f}, {told}", flush=True)


def _interval(figure: Estimate) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "not measurable"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


if __name__ == "__main__":
    main()
