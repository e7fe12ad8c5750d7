"""The public estimator on 1 million household-months and 100 columns: time and memory of learning, scoring, explaining.

Belongs here: a made table of that size, each way in a process of its own with wall and CPU seconds and peak memory of
each stage, beside bare scikit-learn boosting and LightGBM on the same rows. Does not belong here: how well it ranks on
real data (`estimator_panels`); the AUC on later rows is told only so that speed is not bought with it.

Run: ``nice .venv/bin/python -m benchmarks.estimator_million [--rows N] [--way NAME …]``; LightGBM needs ``uv sync
--group panels``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

import ml  # noqa: F401  first: it makes OpenMP wait passively

WIDTH, HOUSEHOLDS, SEED = 100, 360_000, 11
WAYS = ("zhaoren", "boosting", "lightgbm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--inside", action="store_true", help="measure here, in this process (used by itself)")
    arguments = parser.parse_args()
    if arguments.inside:
        print(json.dumps(measured(arguments.way[0], arguments.rows, arguments.households)))
        return
    for way in arguments.way:
        command = [sys.executable, "-m", "benchmarks.estimator_million", "--inside", "--way", way]
        size = ["--rows", str(arguments.rows), "--households", str(arguments.households)]
        print(subprocess.run([*command, *size], check=True, capture_output=True, text=True).stdout.strip(), flush=True)


def measured(way: str, rows: int, households: int) -> dict[str, Any]:
    """One way from learning to explaining."""
    table, label, month = made(rows, SEED)
    later, truth, _ = made(households, SEED + 1)
    told: dict[str, Any] = {"way": way, "rows": rows, "entries": int(label.sum()), "gib_data": _peak()}
    stages = _zhaoren(told) if way == "zhaoren" else _bare(way)
    model: Any = None
    found: Any = None
    for name, stage in stages.items():
        wall, cpu = time.perf_counter(), time.process_time()
        found = stage(model, table, label, month, later)
        model = found if name == "fit" else model
        told[name] = {"wall_s": round(time.perf_counter() - wall, 1), "cpu_s": round(time.process_time() - cpu, 1)}
        told[name]["gib_peak"] = _peak()
        if name == "score":
            told["auc"] = round(float(roc_auc_score(truth, found)), 4)
    return told | {"load": round(os.getloadavg()[0], 1)}


def made(rows: int, seed: int) -> tuple[pl.DataFrame, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A table, outcome (2 in 100) and month: counts, amounts with long tails, ratios, a twentieth missing."""
    rng = np.random.default_rng(seed)
    raw = np.full(rows, -5.0)
    columns = {}
    for place in range(WIDTH):
        value = rng.normal(size=rows)
        if place < 12:
            raw += (0.5 if place % 2 else -0.4) * value
        if place % 4 == 1:
            value = np.floor(np.abs(value) * 2)
        elif place % 4 == 2:
            value = np.round(np.exp(value) * 1000, 2)
        if place in (3, 7, 11):
            raw += 0.7 * (value > 0.5) * columns[f"x{place - 3}"]
        columns[f"x{place}"] = value
    label = (rng.random(rows) < 1 / (1 + np.exp(-raw))).astype(int)
    for value in columns.values():
        value[rng.random(rows) < 0.05] = np.nan
    return pl.DataFrame(columns).fill_nan(None), label, np.arange(rows) * 24 // rows


def _zhaoren(told: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    from ml.estimator import RiskClassifier

    def fit(_: Any, table: Any, label: Any, month: Any, __: Any) -> Any:
        model = RiskClassifier().fit(table, label, month=month)
        told["kind"] = model.kind_
        return model

    return {
        "fit": fit,
        "score": lambda model, _, __, ___, later: model.predict_proba(later)[:, 1],
        "explain": lambda model, _, __, ___, later: model.explain(later),
    }


def _bare(way: str) -> dict[str, Callable[..., Any]]:
    """100 rounds with default settings, no search, no reasons."""
    if way == "boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier

        kind: Any = HistGradientBoostingClassifier(early_stopping=False)
    else:
        import lightgbm

        kind = lightgbm.LGBMClassifier(n_jobs=2, verbose=-1)
    return {
        "fit": lambda _, table, label, __, ___: kind.fit(table.to_numpy(), label),
        "score": lambda model, _, __, ___, later: model.predict_proba(later.to_numpy())[:, 1],
    }


def _peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


if __name__ == "__main__":
    main()
