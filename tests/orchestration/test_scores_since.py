"""From which month on a run follows other scores than those published, and that the plan keeps it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from orchestration.assets.model import SCORE_MONTHS, note_scores_since, score_months, scores_since
from orchestration.home.generation import FOLDER
from orchestration.home.settings import DataHome
from orchestration.warehouse.run_plan import RunPlan, read_plan

MARCH, APRIL, MAY = (date(2024, month, 1) for month in (3, 4, 5))
SCORES = pl.DataFrame({
    "month": [MARCH, MARCH, APRIL, APRIL],
    "household_id": ["a", "b", "a", "b"],
    "score": [0.1, 0.2, 0.3, 0.4],
})  # fmt: skip
NEXT = pl.DataFrame({"month": [MAY], "household_id": ["a"], "score": [0.5]})


def changed(month: date) -> pl.DataFrame:
    other = pl.when(pl.col("month") == month, pl.col("household_id") == "b").then(0.9).otherwise(pl.col("score"))
    return SCORES.with_columns(score=other)


def test_a_month_more_or_rows_in_another_order_score_nothing_anew() -> None:
    before = score_months(SCORES)
    assert scores_since(before, score_months(SCORES.reverse())) is None
    assert scores_since(before, score_months(pl.concat([SCORES, NEXT]))) == MAY


def test_the_first_month_with_another_score_counts() -> None:
    assert scores_since(score_months(SCORES), score_months(changed(APRIL))) == APRIL
    assert scores_since(score_months(SCORES), score_months(changed(MARCH))) == MARCH
    assert scores_since(score_months(SCORES), score_months(SCORES.filter(pl.col("month") == MARCH))) == APRIL


def test_the_plan_keeps_it_compared_with_what_is_published(tmp_path: Path) -> None:
    home = DataHome(tmp_path / "home").create()
    home.basis.mkdir(parents=True, exist_ok=True)
    plan = RunPlan(MARCH, APRIL, (APRIL,), datetime(2024, 6, 1, tzinfo=UTC), APRIL, facts_from=APRIL)
    note_scores_since(home, plan, SCORES)
    assert read_plan(home.plan_file) == replace(plan, scores_from=MARCH), "nothing published: all scores are new"
    (home.published / FOLDER).mkdir(parents=True)
    (home.basis / SCORE_MONTHS).rename(home.published / FOLDER / SCORE_MONTHS)
    note_scores_since(home, plan, changed(APRIL))
    assert read_plan(home.plan_file).scores_from == APRIL
    note_scores_since(home, plan, SCORES)
    assert read_plan(home.plan_file).scores_from is None
