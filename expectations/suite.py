"""The one place that knows Great Expectations: a suite in, positions of failing rows out.

Belongs here: the context, how a suite is run and how its answer is read. Does not belong here: which expectations
there are. No value of a row ever enters a result: only counts and positions are asked for.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

# The default result format writes real values into the results; this one leaves positions in the frame alone.
# Positions instead of index columns: a dict for each failing row costs seconds where many rows fail.
RESULT_FORMAT: Mapping[str, Any] = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
    "include_unexpected_rows": False,
    "return_unexpected_index_query": False,
}


@dataclass(frozen=True)
class Expected:
    """One expectation by the name of its Great Expectations class, with its arguments."""

    type: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations says of one check: rows looked at and positions of those that fail, or the error."""

    evaluated: int
    failing: pl.Series
    error: str | None = None

    @property
    def could_run(self) -> bool:
        return self.error is None


def _could_not_run(error: str) -> Outcome:
    return Outcome(0, pl.Series([], dtype=pl.UInt32), error)


@cache
def _library() -> Any:
    """Great Expectations, imported at first use (it costs seconds) and without its deprecation warnings."""
    # Read when it is imported: no telemetry.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.expectations
    return gx


@cache
def _context() -> Any:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = _library().get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def run_suite(name: str, frame: pl.DataFrame, expected: Mapping[str, Expected]) -> dict[str, Outcome]:
    """Validate ``frame`` once with everything ``expected`` (by check id); an outcome for each of them.

    One that cannot run (a column that is not there) is told apart from one that fails, and stops no other.
    """
    if not expected:
        return {}
    gx = _library()
    context = _context()
    # Results do not come back in the order of the suite: they are matched by meta.
    rules = [
        getattr(gx.expectations, item.type)(**item.arguments, meta={"check_id": check_id})
        for check_id, item in expected.items()
    ]
    source = context.data_sources.add_or_update_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    try:
        suite = gx.ExpectationSuite(name=name, expectations=rules)
        answer = batch.get_batch({"dataframe": frame.to_pandas()}).validate(suite, result_format=dict(RESULT_FORMAT))
    finally:
        context.data_sources.delete(name)
    found = {result.expectation_config.meta["check_id"]: _outcome(result) for result in answer.results}
    return {check_id: found.get(check_id, _could_not_run("no answer")) for check_id in expected}


def _outcome(result: Any) -> Outcome:
    # The message of an exception may quote a value: only what kind it was is kept.
    info = result.exception_info or {}
    details = [info] if "raised_exception" in info else list(info.values())
    if any(detail.get("raised_exception") for detail in details) or "element_count" not in result.result:
        return _could_not_run("the expectation raised an exception")
    answer = result.result
    failing = pl.Series(answer.get("unexpected_index_list") or [], dtype=pl.UInt32)
    if len(failing) != answer["unexpected_count"]:
        return _could_not_run("the count of failing rows differs from their list")
    return Outcome(answer["element_count"] - answer.get("missing_count", 0), failing)
