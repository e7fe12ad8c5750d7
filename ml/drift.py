"""Has what comes in changed: feeds that died, units that changed, columns that moved, a population that is another one.

Belongs here: a month of features or scores against the months before it. Does not belong here: whether the model is
right (``label_watch``, ``fairness``), and telling anybody (``orchestration``).

A broken feed is told apart from a changed population by who changed: households that were there before and are still
there do not all change in one column at once unless the feed did; where they stand where they stood, others came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ml.cohort import Source, lazy
from ml.columns import feature_matrix
from ml.experiment import Experiment
from ml.watching import Drift, feature_sources, load_watch

Vector = npt.NDArray[np.float64]
DEAD_FEED, DEAD_COLUMN, UNIT, MISSING = "dead_feed", "dead_column", "unit_change", "more_missing"
BROKEN, POPULATION, WORLD = "broken_feed", "changed_population", "changed_world"
# What points at a delivery, not at the people in it.
FAULTS = (DEAD_FEED, DEAD_COLUMN, UNIT, MISSING, BROKEN)


@dataclass(frozen=True)
class Moved:
    """One feature of a month against the months before: stability index of all and of those who stayed, missing."""

    feature: str
    psi: float
    stayed_psi: float
    missing: float
    missing_before: float
    expected: float
    """Values to be expected by the months before."""
    unit_power: int
    unit_share: float
    usual_psi: float = 0.0
    """The furthest it moved in the months before."""


@dataclass(frozen=True)
class Finding:
    """Something that happened: kind, feed and its column (empty where no one feed did it), features that show it."""

    month: date
    kind: str
    feed: str
    column: str
    features: tuple[str, ...]
    value: float
    threshold: float

    @property
    def is_fault(self) -> bool:
        """Whether a delivery is to be looked at, rather than the people in it."""
        return self.kind in FAULTS


@dataclass(frozen=True)
class MonthDrift:
    """What a month showed, feature by feature, and what follows from it."""

    month: date
    moved: tuple[Moved, ...]
    findings: tuple[Finding, ...]


def stability_index(before: Vector, now: Vector, bins: int) -> float:
    """Population stability index over quantiles of `before`; missing (NaN) is a bin of its own."""
    if not len(before) or not len(now):
        return 0.0
    known = before[np.isfinite(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])) if len(known) else np.empty(0)
    shares = []
    for values in (before, now):
        # A value below an edge, equal to it or above it are three things where one value is held by many.
        place = np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")
        place = np.where(np.isfinite(values), place, 2 * len(edges) + 1)
        counts = np.bincount(place, minlength=2 * len(edges) + 2)[: 2 * len(edges) + 2]
        # Half a row in every bin: an empty one would make the index infinite.
        shares.append((counts + 0.5) / (len(values) + 0.5 * len(counts)))
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def month_drift(features: Source, experiment: Experiment, month: date, watch: Drift | None = None) -> MonthDrift:
    """Compare a month of household_month_feature with the months before it; empty where either says too little."""
    watch = watch or load_watch().drift
    table = _window(features, experiment, month, watch)
    months = table["month"].unique().sort().to_list()
    if len(months) <= watch.reference_months or months[-1] != month:
        return MonthDrift(month, (), ())
    now, before = _against(table, months, len(months) - 1, watch)
    if min(now.height, before.height) < watch.least_rows:
        return MonthDrift(month, (), ())
    stayed = _stayed(before.filter(pl.col("month") == months[-2]), now)
    names = experiment.feature_names
    all_four = [feature_matrix(one, names) for one in (before, now, *stayed)]
    moved = tuple(_moved(name, [matrix[:, at] for matrix in all_four], watch) for at, name in enumerate(names))
    usual = _usual(table, months, [one.feature for one in moved if one.psi >= watch.psi], watch)
    moved = tuple(replace(one, usual_psi=usual.get(one.feature, 0.0)) for one in moved)
    return MonthDrift(month, moved, tuple(findings_of(month, moved, watch)))


def _window(features: Source, experiment: Experiment, month: date, watch: Drift) -> pl.DataFrame:
    source = lazy(features)
    known = set(source.collect_schema().names())
    months = source.filter(pl.col("month") <= month).select(pl.col("month").unique().sort()).collect()["month"]
    wanted = months.to_list()[-(watch.reference_months + watch.usual_months + 1) :]
    columns = [name for name in experiment.feature_names if name in known]
    # The same households every month, as many as a share needs: which ones, their letters decide.
    drawn = pl.col("household_id").hash(seed=experiment.seed).rank("ordinal").over("month") <= watch.most_rows
    wanted_rows = source.filter(pl.col("month").is_in(wanted)).filter(drawn)
    return wanted_rows.select("household_id", "month", *columns).collect()


def _against(table: pl.DataFrame, months: Sequence[date], at: int, watch: Drift) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of the month at a place, and those of its reference."""
    reference = list(months[max(0, at - watch.reference_months) : at])
    return table.filter(pl.col("month") == months[at]), table.filter(pl.col("month").is_in(reference))


def _usual(table: pl.DataFrame, months: Sequence[date], names: Sequence[str], watch: Drift) -> dict[str, float]:
    """How far columns moved in earlier months: a season moves electricity every summer, and nothing is broken."""
    usual = dict.fromkeys(names, 0.0)
    if not names:
        return usual
    for at in range(watch.reference_months, len(months) - 1):
        now, before = (feature_matrix(one, names) for one in _against(table, months, at, watch))
        for place, name in enumerate(names):
            usual[name] = max(usual[name], stability_index(before[:, place], now[:, place], watch.bins))
    return usual


def _stayed(last: pl.DataFrame, now: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The households of both months, in both."""
    return (
        last.join(now.select("household_id"), on="household_id", how="semi"),
        now.join(last.select("household_id"), on="household_id", how="semi"),
    )


def _moved(name: str, columns: Sequence[Vector], watch: Drift) -> Moved:
    before, now, stayed_last, stayed_now = columns
    power, share = _unit(before, now, watch)
    return Moved(
        feature=name,
        psi=stability_index(before, now, watch.bins),
        stayed_psi=stability_index(stayed_last, stayed_now, watch.bins),
        missing=float(np.isnan(now).mean()),
        missing_before=float(np.isnan(before).mean()),
        expected=float(np.isfinite(before).mean() * len(now)),
        unit_power=power,
        unit_share=share,
    )


def _unit(before: Vector, now: Vector, watch: Drift) -> tuple[int, float]:
    """The power of ten by which many more values than before lie off, and their share beyond what was so before."""
    old, new = (_logs(values) for values in (before, now))
    if min(len(old), len(new)) < watch.least_values:
        return 0, 0.0
    centre = float(np.median(old))
    best = (0, 0.0)
    for power in (sign * size for size in watch.unit_powers for sign in (-1, 1)):
        gain = _near(new, centre + power, watch) - _near(old, centre + power, watch)
        # Nearer to the other unit than to its own: those who left the own unit must be as many.
        lost = _near(old, centre, watch) - _near(new, centre, watch)
        if min(gain, lost) > best[1]:
            best = (power, min(gain, lost))
    return best


def _logs(values: Vector) -> Vector:
    known = np.abs(values[np.isfinite(values)])
    return np.asarray(np.log10(known[known > 0]))


def _near(logs: Vector, place: float, watch: Drift) -> float:
    return float((np.abs(logs - place) < watch.unit_tolerance).mean())


def findings_of(month: date, moved: Sequence[Moved], watch: Drift) -> list[Finding]:
    """From moved columns to what happened: dead, another unit, missing, one feed broken, or other people."""
    dead = [one.feature for one in moved if one.missing == 1.0 and one.expected >= watch.least_values]
    # A rare event that did not happen this month says nothing about its feed, either way.
    alive = {one.feature for one in moved if one.missing < 1.0}
    units = {one.feature: one for one in moved if one.unit_share >= watch.unit_share}
    missing = {one.feature: one for one in moved if one.feature not in dead and _rise(one) >= watch.missing_rise}
    told = {*dead, *units, *missing}
    shifted = {one.feature: one for one in moved if one.psi >= _limit(one, watch) and one.feature not in told}
    return [
        *_dead(month, dead, alive),
        *_of_feeds(month, UNIT, {name: one.unit_share for name, one in units.items()}, watch.unit_share),
        *_of_feeds(month, MISSING, {name: _rise(one) for name, one in missing.items()}, watch.missing_rise),
        *_shifted(month, shifted, watch),
    ]


def _rise(one: Moved) -> float:
    return one.missing - one.missing_before


def _limit(one: Moved, watch: Drift) -> float:
    return max(watch.psi, watch.usual_factor * one.usual_psi)


def _dead(month: date, dead: Sequence[str], alive: Collection[str]) -> list[Finding]:
    """Feeds none of whose columns came; a column that is gone while its feed is there is named by itself."""
    sources = feature_sources()
    silent = {feed for name in dead for feed in sources.get(name, {})}
    silent -= {feed for name in alive for feed in sources.get(name, {})}
    findings = []
    for feed, names in _explained(dead, silent).items():
        kind, column = (DEAD_FEED, "") if feed in silent else (DEAD_COLUMN, _column(names[0], feed))
        findings.append(Finding(month, kind, feed, column, tuple(names), 1.0, 1.0))
    return findings


def _explained(names: Sequence[str], preferred: Collection[str] = ()) -> dict[str, list[str]]:
    """Features by the fewest feeds that make them all, feeds `preferred` first; "" for those of no known feed."""
    sources = feature_sources()
    left, found = list(names), dict[str, list[str]]()
    while left:
        counts = Counter(feed for name in left for feed in sources.get(name, {}))
        if not counts:
            found[""] = left
            break
        feed = min(counts, key=lambda one: (one not in preferred, -counts[one], one))
        found[feed] = [name for name in left if feed in sources.get(name, {})]
        left = [name for name in left if name not in found[feed]]
    return found


def _of_feeds(month: date, kind: str, values: Mapping[str, float], threshold: float) -> list[Finding]:
    """One finding for each column of a feed that shows the kind.

    Features of several feeds do not tell which of them it was: the feed of a feature that only it makes is preferred,
    then the one that explains most.
    """
    sources = feature_sources()
    own = {next(iter(sources[name])) for name in values if len(sources.get(name, {})) == 1}
    findings = []
    for feed, names in _explained(list(values), own).items():
        for column in dict.fromkeys(_column(name, feed) for name in names):
            those = tuple(name for name in names if _column(name, feed) == column)
            findings.append(Finding(month, kind, feed, column, those, max(values[name] for name in those), threshold))
    return findings


def _shifted(month: date, shifted: Mapping[str, Moved], watch: Drift) -> list[Finding]:
    """Columns that moved without dying or changing their unit: other people, one feed, or the world."""
    if not shifted:
        return []
    stayed = {name: one for name, one in shifted.items() if one.stayed_psi >= watch.calm_psi}
    others = {name: one.psi for name, one in shifted.items() if name not in stayed}
    findings = []
    if others:
        findings.append(Finding(month, POPULATION, "", "", tuple(others), max(others.values()), watch.psi))
    feeds = _explained(list(stayed))
    if len(feeds) >= watch.population_feeds:
        worst = max(one.psi for one in stayed.values())
        return [*findings, Finding(month, WORLD, "", "", tuple(stayed), worst, watch.psi)]
    return findings + _of_feeds(month, BROKEN, {name: one.psi for name, one in stayed.items()}, watch.psi)


def _column(feature: str, feed: str) -> str:
    return feature_sources().get(feature, {}).get(feed, "")


def score_drift(scores: pl.DataFrame, month: date, watch: Drift | None = None) -> float | None:
    """Stability index of the scores of a month against the months before that the same model scored; None without."""
    watch = watch or load_watch().drift
    now = scores.filter(pl.col("month") == month)
    same = scores.filter(pl.col("month") < month).join(now.select("model_version").unique(), on="model_version")
    months = same["month"].unique().sort().to_list()[-watch.reference_months :]
    before = same.filter(pl.col("month").is_in(months))
    if min(now.height, before.height) < watch.least_rows:
        return None
    return stability_index(before["score"].to_numpy(), now["score"].to_numpy(), watch.bins)


def drift_figures(features: Source, scores: pl.DataFrame | None, experiment: Experiment, month: date) -> dict[str, Any]:
    """What a month showed, as plain figures for metadata and card.

    Of every feed how near its worst feature came to the index from which something is said (1: it did): a season that
    moves a column every year stays below.
    """
    watch = load_watch().drift
    found = month_drift(features, experiment, month, watch)
    by_feed: dict[str, float] = {}
    for one in found.moved:
        for feed in feature_sources().get(one.feature, {}):
            by_feed[feed] = max(by_feed.get(feed, 0.0), one.psi / _limit(one, watch))
    return {
        "month": month.isoformat(),
        "features": {one.feature: {"psi": one.psi, "missing": one.missing} for one in found.moved},
        "feeds": dict(sorted(by_feed.items())),
        "score_psi": None if scores is None else score_drift(scores, month),
        "findings": [finding_figures(one) for one in found.findings],
    }


def finding_figures(finding: Finding) -> dict[str, Any]:
    """A finding for JSON."""
    plain = replace(finding).__dict__
    return {**plain, "month": finding.month.isoformat(), "features": list(finding.features)}
