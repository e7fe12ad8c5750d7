"""Score months with the model that was in force for each: household_score; no learning, no choice of model."""

import os
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ml.candidate import rules_of
from ml.cohort import Source, lazy
from ml.experiment import Experiment, letters, load_experiment, stored_experiment
from ml.registry import champion_line, load_scorers
from ml.scorer import SCORE_SCHEMA, Scorer


def score(
    features: Source,
    registry: Path,
    months: Collection[date] | None = None,
    experiment: Experiment | None = None,
    model_version: str | None = None,
) -> pl.DataFrame:
    """household_score for every household not on assistance, in the months asked for (default: all in the features).

    A month is scored by the newest scorer whose as-of month is not later: of the champions in force since their as-of
    month, and before the first of them of its rolling predecessors; before all of these by the rules alone.
    `model_version` asks for one registered version (with its predecessors) instead of the champions. A model reads
    the features of the experiment it was trained by; `experiment` is that of the rules alone.
    """
    experiment = experiment or load_experiment()
    scorers = scorers_in_force(registry, experiment, model_version)
    wanted = sorted(months) if months is not None else _months(features)
    return pl.concat(_scored(features, scorers, wanted), how="vertical")


def write_scores(scores: pl.DataFrame, path: Path) -> None:
    """Write household_score.parquet aside and rename it, so that a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    scores.write_parquet(aside)
    with aside.open("rb") as file:
        os.fsync(file.fileno())
    aside.replace(path)


class Speaker(NamedTuple):
    """A scorer with the experiment it was trained by."""

    scorer: Scorer
    experiment: Experiment


def scorers_in_force(registry: Path, experiment: Experiment, model_version: str | None = None) -> list[Speaker]:
    """All scorers that may speak, by as-of month; the rules alone stand before the first."""
    line = [model_version] if model_version is not None else champion_line(registry)
    ordered: list[Speaker] = []
    for version in line:
        declared = stored_experiment(registry / version / "experiment.yaml")
        own = [Speaker(scorer, declared) for scorer in load_scorers(registry, version)]
        # A later champion never rewrites the months before it: the lists of those months have been sent.
        ordered = [one for one in ordered if one.scorer.month < own[-1].scorer.month] + (
            own if not ordered else own[-1:]
        )
    version = f"rules-{letters(experiment.hash.encode(), 8)}"
    rules = Scorer(version, "rules", date.min.isoformat(), rules_of(experiment))
    return [Speaker(rules, experiment), *ordered]


def scorer_at(scorers: Sequence[Speaker], month: date) -> Speaker:
    """The newest scorer whose as-of month is not later than the month."""
    return [one for one in scorers if one.scorer.month <= month][-1]


def _scored(features: Source, scorers: Sequence[Speaker], months: Sequence[date]) -> Iterator[pl.DataFrame]:
    yield pl.DataFrame(schema=SCORE_SCHEMA)
    source = lazy(features).filter(~pl.col("is_on_assistance"))
    for month in months:
        rows = source.filter(pl.col("month") == month).sort("household_id").collect()
        speaker = scorer_at(scorers, month)
        yield speaker.scorer.score_month(rows, speaker.experiment)


def _months(features: Source) -> list[date]:
    found: list[date] = lazy(features).select(pl.col("month").unique()).collect()["month"].sort().to_list()
    return found
