"""The letters of the sample city: examples lead to the rows at fault and show no value of any."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from models.contract import load_feeds
from orchestration.cli import app
from orchestration.home.published import read_published
from orchestration.home.settings import DataHome
from orchestration.reporting.letters import examples_of
from orchestration.trail.audit import entries_of
from orchestration.trail.manifest import fingerprint

MONTH = date(2023, 11, 1)


@pytest.fixture(scope="module")
def examples(sample_home: DataHome) -> pl.DataFrame:
    return examples_of(sample_home, load_feeds(), MONTH, read_published(sample_home, "check_result"))


def test_every_fault_of_the_month_has_an_example(sample_home: DataHome, examples: pl.DataFrame) -> None:
    defects = read_published(sample_home, "feed_defect_month").filter(pl.col("month") == MONTH)
    assert defects.height > 5
    found = examples.with_columns(pl.col("column").fill_null("")).select("feed", reason="what", column_name="column")
    assert defects.join(found.unique(), on=["feed", "reason", "column_name"], how="anti").is_empty()


def test_an_example_shows_a_shape_and_nothing_else(examples: pl.DataFrame) -> None:
    shapes = examples["shape"].drop_nulls()
    assert len(shapes) > 3
    for shape in shapes:
        assert not re.search(r"[0-9A-Zb-z\u4e00-\u9fff]", shape.replace("文", ""))


def test_the_scorecard_counts_what_the_ledger_says(sample_home: DataHome) -> None:
    cards = read_published(sample_home, "feed_scorecard").filter(pl.col("is_arrived"))
    ledger = pl.read_parquet(sample_home.reference / "delivery.parquet").filter(
        (pl.col("status") == "accepted") & pl.col("supplements").is_null()
    )
    rows = ledger.group_by("feed", "period").agg(stated=pl.col("rows_data").sum())
    both = cards.with_columns(period=pl.col("month").dt.strftime("%Y-%m")).join(rows, on=["feed", "period"])
    assert both.height == cards.height
    assert both.filter(pl.col("data_row_count") != pl.col("stated")).is_empty()
    assert set(cards["grade"].drop_nulls()) <= {"A", "B", "C", "D"}
    assert cards["score"].drop_nulls().is_between(0, 100).all()


def test_what_was_counted_is_what_was_set_aside(sample_home: DataHome) -> None:
    counts = read_published(sample_home, "rule_reconciliation")
    assert counts.height > 100
    assert counts.filter(pl.col("difference_count") != 0).is_empty()


def test_a_letter_is_named_in_a_manifest_and_in_the_log(
    sample_home: DataHome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZHAOREN_HOME", str(sample_home.root))
    arguments = ["--month", f"{MONTH:%Y-%m}", "--department", "civil_affairs", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, ["quality", "letter", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    files = {Path(name).name: fingerprint(Path(name)) for name in json.loads(done.stdout)}
    assert len(files) == 2
    (manifest,) = tmp_path.glob("manifest_*.json")
    assert {line["path"]: line["sha256"] for line in json.loads(manifest.read_text(encoding="utf-8"))["files"]} == files
    logged = json.loads(entries_of(sample_home)[-1].content)
    assert logged["what"] == "letter"
    assert logged["files"] == files | {manifest.name: fingerprint(manifest)}
