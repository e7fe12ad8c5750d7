"""The public estimator on real panels, against a tuned LightGBM, logistic regression and default boosting.

Belongs here: splitting, the rivals, differences with intervals. Does not belong here: the panels (`panel_data`), speed
(`estimator_million`). Learnt on earlier months and judged on the later ones where a panel has time (about the last
30 %), else on 30 % of the groups or rows, drawn three times where there are few. Intervals: bootstrap by group.

Run: ``uv run --group panels python -m benchmarks.estimator_panels [--only NAME …] [--most ROWS]``.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ml  # noqa: F401  first, so that OpenMP waits passively
from benchmarks.panel_data import PANELS, Panel, city, load
from ml.estimator import RiskClassifier

SMALL, LARGE = 10_000, 30_000  # rows; in between neither aim is claimed, both differences are told
REPLICATES = 60
TRIES = 10  # settings of LightGBM that are tried
Scores = dict[str, np.ndarray[Any, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=list(PANELS))
    parser.add_argument("--most", type=int, default=150_000, help="rows of a panel; of a larger one groups are drawn")
    parser.add_argument("--city", type=Path, nargs=2, metavar=("FEATURES", "EVENTS"), help="Parquet of a city as well")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    panels = [load(name, arguments.most) for name in arguments.only]
    if arguments.city:
        panels.append(city(*arguments.city))
    for panel in panels:
        print(json.dumps(compare(panel)), flush=True)


def compare(panel: Panel) -> dict[str, Any]:
    """AUC of all on one panel, and the differences that the aims speak of, with 95 % intervals."""
    told: list[tuple[np.ndarray[Any, Any], Scores]] = []
    seconds: dict[str, float] = {}
    kinds = []
    for learn, judge in splits(panel, 3 if panel.month is None and len(panel.label) < SMALL else 1):
        scores, own, kind = _scores(panel.part(learn), panel.part(judge))
        told.append((judge, scores))
        kinds.append(kind)
        seconds = {name: round(seconds.get(name, 0.0) + own[name], 1) for name in own}
    area = {
        name: float(np.mean([roc_auc_score(panel.label[rows], own[name]) for rows, own in told])) for name in RIVALS
    }
    return {
        "panel": panel.name,
        "rows": len(panel.label),
        "columns": panel.table.shape[1],
        "entries": int(panel.label.sum()),
        "kind": kinds,
        "auc": {name: round(value, 4) for name, value in area.items()},
        "against": {name: _difference(panel, told, name) for name in RIVALS if name != "zhaoren"},
        "cpu_seconds": seconds,
    }


def splits(panel: Panel, times: int) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Learning and judging rows."""
    if panel.month is not None:
        months = np.unique(panel.month)[1:]
        later = np.array([(panel.month >= month).mean() for month in months])
        cut = months[np.argmin(np.abs(later - 0.3))]
        yield np.flatnonzero(panel.month < cut), np.flatnonzero(panel.month >= cut)
        return
    units = panel.group if panel.group is not None else np.arange(len(panel.label))
    yield from GroupShuffleSplit(times, test_size=0.3, random_state=0).split(panel.label, groups=units)


def _scores(learn: Panel, judge: Panel) -> tuple[Scores, dict[str, float], str]:
    scores, seconds, kind = {}, {}, ""
    for name, rival in RIVALS.items():
        start = time.process_time()
        scores[name], own = rival(learn, judge)
        seconds[name] = time.process_time() - start
        kind = own or kind
    return scores, seconds, kind


def _difference(panel: Panel, told: list[tuple[np.ndarray[Any, Any], Scores]], rival: str) -> list[float]:
    """Mean difference to a rival and its 95 % interval, groups (or rows) drawn again."""
    units = panel.group if panel.group is not None else np.arange(len(panel.label))
    names, place = np.unique(units, return_inverse=True)
    rng = np.random.default_rng(1)

    def gap(weight: np.ndarray[Any, Any] | None) -> float:
        areas = [
            roc_auc_score(panel.label[rows], own["zhaoren"], sample_weight=None if weight is None else weight[rows])
            - roc_auc_score(panel.label[rows], own[rival], sample_weight=None if weight is None else weight[rows])
            for rows, own in told
        ]
        return float(np.mean(areas))

    drawn = [
        gap(np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))[place].astype(float))
        for _ in range(REPLICATES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [round(gap(None), 4), round(float(low), 4), round(float(high), 4)]


def _zhaoren(learn: Panel, judge: Panel) -> tuple[np.ndarray[Any, Any], str]:
    """As anybody would call it: default arguments, month and group where there are any."""
    model = RiskClassifier().fit(learn.table, learn.label, month=learn.month, group=learn.group)
    scores = model.decision_function(judge.table)
    parts = model.explain(judge.table)
    assert np.abs(model.baseline_ + parts.sum(axis=1) - scores).max() < 1e-9
    return scores, model.kind_


def _lightgbm(learn: Panel, judge: Panel) -> tuple[np.ndarray[Any, Any], str]:
    """A random search, each setting stopped early on the later months (or other groups), the best learnt from all."""
    import lightgbm

    tables = [_with_categories(learn.table, learn.table), _with_categories(judge.table, learn.table)]
    rng = np.random.default_rng(0)
    inner = list(splits(learn, 1 if learn.month is not None or len(learn.label) > LARGE else 3))
    best: tuple[float, dict[str, Any]] = (-1.0, {})
    for _ in range(TRIES if len(learn.label) < LARGE else TRIES // 2):
        setting = _drawn(rng)
        areas, rounds = [], []
        for rows, held in inner:
            model = lightgbm.LGBMClassifier(**setting, n_estimators=1500).fit(
                tables[0].iloc[rows],
                learn.label[rows],
                eval_X=tables[0].iloc[held],
                eval_y=learn.label[held],
                eval_metric="auc",
                callbacks=[lightgbm.early_stopping(50, verbose=False, first_metric_only=True)],
            )
            areas.append(model.best_score_["valid_0"]["auc"])
            rounds.append(model.best_iteration_)
        if np.mean(areas) > best[0]:
            best = float(np.mean(areas)), setting | {"n_estimators": max(int(np.mean(rounds)), 1)}
    model = lightgbm.LGBMClassifier(**best[1]).fit(tables[0], learn.label)
    return model.predict_proba(tables[1])[:, 1], ""


def _drawn(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "learning_rate": float(rng.choice([0.03, 0.06, 0.1])),
        "num_leaves": int(rng.choice([4, 8, 16, 31, 63])),
        "min_child_samples": int(rng.choice([10, 20, 50, 150])),
        "reg_lambda": float(rng.choice([0.0, 1.0, 10.0])),
        "colsample_bytree": float(rng.choice([0.4, 0.7, 1.0])),
        "subsample": float(rng.choice([0.7, 1.0])),
        "subsample_freq": 1,
        "metric": "auc",
        "verbose": -1,
        "n_jobs": 2,
        "seed": 0,
    }


def _logistic(learn: Panel, judge: Panel) -> tuple[np.ndarray[Any, Any], str]:
    """Impute, standardise, one column a category, scikit-learn's default penalty."""
    text = [name for name in learn.table if learn.table[name].dtype.kind not in "ifb"]
    numbers = [name for name in learn.table if name not in text]
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (
            make_pipeline(SimpleImputer(strategy="constant", fill_value="-"), OneHotEncoder(handle_unknown="ignore")),
            text,
        ),
    )
    model = make_pipeline(prepare, LogisticRegression(max_iter=500))
    tables = [panel.table.astype(dict.fromkeys(text, object)) for panel in (learn, judge)]
    tables = [table.where(table.notna(), np.nan) for table in tables]
    return model.fit(tables[0], learn.label).predict_proba(tables[1])[:, 1], ""


def _boosting(learn: Panel, judge: Panel) -> tuple[np.ndarray[Any, Any], str]:
    """scikit-learn's boosting as it is; a category with more than 255 levels as the number of its level."""
    tables = [_with_categories(learn.table, learn.table), _with_categories(judge.table, learn.table)]
    for name in tables[0]:
        if tables[0][name].dtype == "category" and len(tables[0][name].cat.categories) > 250:
            tables = [table.assign(**{name: table[name].cat.codes.astype(float)}) for table in tables]
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
    return model.fit(tables[0], learn.label).predict_proba(tables[1])[:, 1], ""


def _with_categories(table: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Text columns as pandas' categories, those of the learning table."""
    text = [name for name in known if known[name].dtype.kind not in "ifb"]
    return table.assign(
        **{name: pd.Categorical(table[name], categories=sorted(known[name].dropna().unique())) for name in text}
    )


RIVALS: dict[str, Callable[[Panel, Panel], tuple[np.ndarray[Any, Any], str]]] = {
    "zhaoren": _zhaoren,
    "lightgbm": _lightgbm,
    "logistic": _logistic,
    "boosting": _boosting,
}

if __name__ == "__main__":
    main()
