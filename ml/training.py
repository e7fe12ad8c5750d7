"""Train as of a month: from the two tables of the warehouse to a registered model, or plainly to the rules alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ml.audit import audit_figures, exploration_figures, finite, judged_rows
from ml.candidate import rules_of
from ml.cohort import Delay, Source, cohort, known_events, label, lazy, reporting_delay
from ml.drift import drift_figures
from ml.experiment import Experiment, letters, load_experiment
from ml.folds import Fold, World, fit_at, matured, outcomes, run_fold, score_cohort
from ml.months import month_date, month_number
from ml.ranking import overlap
from ml.reasons import reason_contributions
from ml.registry import save_model
from ml.sample import Sample, draw_sample, find_leaks, silent_features, without
from ml.scorer import Scorer
from ml.selection import Verdict, calibrated_rows, calibrator_of, choose, measure
from ml.splits import origin_at, rolling_origins
from models.labels import label as text_label


@dataclass(frozen=True)
class TrainingResult:
    """What a training gave: the version registered, on what basis it speaks, why, and every figure measured."""

    model_version: str
    basis: str
    kind: str
    as_of_month: date
    experiment_hash: str
    message: str
    warnings: tuple[str, ...]
    metrics: dict[str, Any]
    directory: Path


@dataclass(frozen=True)
class Message:
    """Why it turned out so: a key under ml.message and its places, so that it can be said in either language."""

    key: str
    places: dict[str, Any]

    def text(self, lang: str) -> str:
        return text_label(f"ml.message.{self.key}", lang, **self.places)


@dataclass(frozen=True)
class Beside:
    """What a training is measured with and never learns from: household_month_group, alert_list, and versions of data,
    policy and code for the manifest."""

    groups: Source | None = None
    listed: Source | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Record:
    """Figures gathered on the way; they become metrics.json and the card."""

    versions: Mapping[str, str] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    warnings: list[Message] = field(default_factory=list)


def train(
    features: Source,
    events: Source,
    registry: Path,
    as_of_month: date,
    experiment: Experiment | None = None,
    beside: Beside | None = None,
) -> TrainingResult:
    """Train every candidate as of a month, choose one, and register it with its rolling predecessors.

    features: household_month_feature, one row a household and month. events: household_month_label_event. Nothing
    observed after `as_of_month` is read. With too little history or too few entries the result's basis is 'rules', its
    message says why, and the rules are registered so that scoring goes on. `beside` is measured with, never learnt
    from.
    """
    experiment = experiment or load_experiment()
    beside = beside or Beside()
    record = _Record(versions=beside.versions)
    known = known_events(events, as_of_month)
    rows = cohort(features, experiment, until=as_of_month)
    delay = reporting_delay(known, experiment)
    first = _first_month(features)
    labelled = label(rows, known, experiment, as_of_month, delay.months)
    _record_data(record, first, as_of_month, rows, labelled, delay, experiment)
    record.figures["drift"] = finite(drift_figures(features, None, experiment, as_of_month))
    if beside.listed is not None:
        told = exploration_figures(beside.listed, known, experiment, delay.months)
        record.figures["exploration"] = finite(told)
    why = _too_little(record.figures, experiment)
    if why:
        return _rules_alone(experiment, registry, as_of_month, why, record)
    if silent := silent_features(features, as_of_month, experiment):
        record.warnings.append(Message("silent", {"features": ", ".join(silent)}))
    sample = draw_sample(features, labelled, experiment)
    excluded = find_leaks(sample, experiment)
    if excluded:
        record.warnings.append(Message("leak", {"features": ", ".join(excluded)}))
    world = World(features, known, rows, sample, experiment, delay.months, excluded)
    return _model(world, first, as_of_month, registry, record, beside)


def _first_month(features: Source) -> date | None:
    first: date | None = lazy(features).select(pl.col("month").min()).collect().item()
    return first


def _record_data(
    record: _Record,
    first: date | None,
    as_of: date,
    rows: pl.DataFrame,
    labelled: pl.DataFrame,
    delay: Delay,
    experiment: Experiment,
) -> None:
    counts = dict(labelled.group_by("outcome").len().sort("outcome").iter_rows())
    entered = labelled.filter(pl.col("label") == 1)
    record.figures["data"] = {
        "first_month": first.isoformat() if first else None,
        "as_of_month": as_of.isoformat(),
        "history_months": month_number(as_of) - month_number(first) + 1 if first else 0,
        "household_months": rows.height,
        "households": rows["household_id"].n_unique(),
        "outcomes": counts,
        "positive_households": entered["household_id"].n_unique(),
        "base_rate": entered.height / max(1, labelled["label"].is_not_null().sum()),
        "horizon_months": experiment.horizon_months,
        "embargo_months": delay.months,
        "delay_entries": delay.entries,
    }


def _too_little(figures: dict[str, Any], experiment: Experiment) -> Message | None:
    """Why no model may speak, in plain words; None where one may."""
    data = figures["data"]
    if data["history_months"] < experiment.min_history_months:
        return Message("short_history", {"months": data["history_months"], "least": experiment.min_history_months})
    if data["positive_households"] < experiment.min_positive_households:
        places = {"households": data["positive_households"], "least": experiment.min_positive_households}
        return Message("few_entries", places)
    return None


def _rules_alone(experiment: Experiment, registry: Path, as_of: date, why: Message, record: _Record) -> TrainingResult:
    version = f"rules-{as_of:%Y%m}-{letters((experiment.hash + why.text('en')).encode(), 8)}"
    scorer = Scorer(version, "rules", as_of.isoformat(), rules_of(experiment))
    return _register(experiment, registry, [scorer], "rules", why, record)


def _model(
    world: World, first: date | None, as_of: date, registry: Path, record: _Record, beside: Beside
) -> TrainingResult:
    folds = _folds(world, first or as_of, as_of)
    rows = outcomes(world, folds, as_of)
    verdict = choose(rows, world.experiment)
    if verdict is None:
        return _rules_alone(world.experiment, registry, as_of, Message("no_origin", {}), record)
    _record_folds(record, folds, rows, verdict, measure(world, folds, rows))
    judged = judged_rows(rows, verdict.kind, calibrated_rows(world, folds, rows, verdict.kind))
    record.figures["audit"] = finite(audit_figures(judged, beside.groups, world.experiment))
    fingerprint = _fingerprint(world)
    until = origin_at(as_of, as_of, world.experiment.horizon_months, world.embargo).learn_until
    final = _scorer(world, verdict.kind, as_of, until, rows, fingerprint)
    record.figures["reasons"] = _importance(final, world.sample, world)
    record.figures["overlap"] = _overlap(world, final, as_of)
    scorers = [*_rolling(world, folds, fingerprint), final]
    return _register(world.experiment, registry, scorers, verdict.kind, _said(verdict), record)


def _folds(world: World, first: date, as_of: date) -> list[Fold]:
    validation, experiment = world.experiment.validation, world.experiment
    origins = rolling_origins(
        first, as_of, experiment.horizon_months, world.embargo, validation.min_training_months, validation.origins
    )
    return [fold for origin in origins if (fold := run_fold(world, origin)) is not None]


def _scorer(world: World, kind: str, as_of: date, learn_until: date, rows: pl.DataFrame, fingerprint: str) -> Scorer:
    """The chosen kind fitted on everything known at the as-of month, calibrated on matured out-of-time scores."""
    fitted = fit_at(world, kind, as_of, learn_until)
    estimator = fitted[0] if fitted is not None else rules_of(world.experiment)
    kind = kind if fitted is not None else "rules"
    version = f"{kind}-{as_of:%Y%m}-{fingerprint}"
    basis = "rules" if kind == "rules" else "model"
    return Scorer(version, basis, as_of.isoformat(), estimator, calibrator_of(rows, kind, world.experiment))


def _rolling(world: World, folds: list[Fold], fingerprint: str) -> list[Scorer]:
    """What would have been in force at each origin: its kind chosen and calibrated only by folds matured by then.

    An origin before the shortest history, or without any matured fold, leaves the word to the rules.
    """
    scorers = []
    for fold in folds:
        month = fold.origin.month
        earlier = outcomes(world, matured(folds, month), month)
        verdict = choose(earlier, world.experiment)
        history = month_number(month) - month_number(fold.origin.learn_from) + 1
        if verdict is None or history < world.experiment.min_history_months:
            continue
        basis = "rules" if verdict.kind == "rules" else "model"
        version = f"{verdict.kind}-{month:%Y%m}-{fingerprint}"
        calibrator = calibrator_of(earlier, verdict.kind, world.experiment)
        scorers.append(Scorer(version, basis, month.isoformat(), fold.estimators[verdict.kind], calibrator))
    return scorers


def _record_folds(
    record: _Record, folds: list[Fold], rows: pl.DataFrame, verdict: Verdict, measured: dict[str, Any]
) -> None:
    record.figures["validation"] = {
        "origins": [
            {
                "month": fold.origin.month.isoformat(),
                "learn_until": fold.origin.learn_until.isoformat(),
                "learnt_rows": fold.learnt_rows,
                "learnt_entries": fold.learnt_positives,
                "cohort": fold.rows.height,
            }
            for fold in folds
        ],
        "labelled_rows": rows.height,
        "entries": int(rows["label"].sum()),
        "households_entered": rows.filter(pl.col("label") == 1)["household_id"].n_unique(),
        "listed": int(rows[f"listed_{verdict.kind}"].sum()),
        "best": verdict.best,
        "behind_best": {kind: {"recall": gap, "error": error} for kind, (gap, error) in verdict.behind.items()},
    }
    record.figures["metrics"] = {
        kind: {name: asdict(value) for name, value in figures.items()} for kind, figures in measured.items()
    }


def _importance(scorer: Scorer, sample: Sample, world: World) -> dict[str, float]:
    """Mean absolute contribution of each reason over the sampled rows (weighted), largest first."""
    parts = scorer.estimator.explain(without(sample.matrix, world.experiment, world.excluded))
    grouped = np.abs(reason_contributions(parts, world.experiment))
    weights = sample.weights(sample.rows["label"].cast(pl.Float64).to_numpy())
    mean = (grouped * weights[:, None]).sum(axis=0) / weights.sum()
    ranked = sorted(zip(world.experiment.reason_codes, mean.tolist(), strict=True), key=lambda pair: -pair[1])
    return dict(ranked)


def _overlap(world: World, scorer: Scorer, as_of: date) -> dict[str, Any]:
    """How much of the list of the month before stands on that of the as-of month, both by the same model."""
    before = month_date(month_number(as_of) - 1)
    lists = [
        score_cohort(world, month, {"final": scorer.estimator}).rename({"listed_final": "listed"})
        for month in (before, as_of)
        if world.cohort["month"].is_in([month]).any()
    ]
    share = overlap(*lists) if len(lists) == 2 else None
    return {"month": as_of.isoformat(), "before": before.isoformat(), "share": share}


def _fingerprint(world: World) -> str:
    """Eight letters from the experiment and every number learnt from: the same data and declaration, the same name."""
    sample = world.sample
    label_bytes = sample.rows["label"].fill_null(-1).to_numpy().tobytes()
    keys = "|".join(sample.rows["household_id"]).encode()
    content = b"".join([world.experiment.hash.encode(), sample.matrix.tobytes(), label_bytes, keys])
    return letters(content, 8)


def _said(verdict: Verdict) -> Message:
    gap, error = verdict.behind[verdict.kind]
    if verdict.kind == verdict.best:
        return Message("best", {"recall": f"{verdict.recall[verdict.kind]:.3f}"})
    return Message("within_error", {"best": verdict.best, "gap": f"{gap:.3f}", "error": f"{error:.3f}"})


def _register(
    experiment: Experiment, registry: Path, scorers: list[Scorer], kind: str, message: Message, record: _Record
) -> TrainingResult:
    final = scorers[-1]
    record.figures |= {
        "kind": kind,
        "basis": final.basis,
        "message": asdict(message),
        "warnings": [asdict(warning) for warning in record.warnings],
    }
    directory = save_model(registry, scorers, experiment, record.figures, record.versions)
    return TrainingResult(
        model_version=final.model_version,
        basis=final.basis,
        kind=kind,
        as_of_month=final.month,
        experiment_hash=experiment.hash,
        message=message.text("en"),
        warnings=tuple(warning.text("en") for warning in record.warnings),
        metrics=record.figures,
        directory=directory,
    )
