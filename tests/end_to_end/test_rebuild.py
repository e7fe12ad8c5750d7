"""Lists of a day gone by, byte for byte, after all that may come later: a correction, a file that came late, a delivery
that was held and rejected, another policy, a newer model.

The sample city of the session is what was handed out then; what came later comes to a copy of it. The second month is
rebuilt, since a rebuild does no more than the months up to its own.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import ml
from ingestion import hold, ingest, reject
from ml.candidate import estimator_of
from ml.experiment import load_experiment
from ml.registry import promote, save_model
from ml.scorer import Scorer
from models.contract import load_feeds
from models.policy.catalogue import POLICY_DIRECTORY
from models.policy.place import POLICY_VARIABLE
from orchestration.cli import app
from orchestration.home.settings import DataHome
from orchestration.home.stores import ledger_of, store_of
from orchestration.trail.audit import entries_of
from tests.ingestion.conftest import as_csv, good_row
from tests.ml.test_registry import minimal_figures

pytestmark = pytest.mark.slow
MONTH = date(2023, 2, 1)
CORRECTED, LATE, WRONG = "death_record", "utility_usage", "medical_settlement"


def copied(source: str, target: str) -> str:
    """A link where files are only ever replaced, a copy of all that is written in place."""
    if source.endswith((".parquet", ".duckdb")):
        os.link(source, target)
        return target
    return str(shutil.copy2(source, target))


@pytest.fixture(scope="module")
def later(sample_home: DataHome, tmp_path_factory: pytest.TempPathFactory) -> tuple[DataHome, datetime]:
    """A copy of the sample city after all that came later, and the moment before it came."""
    root = tmp_path_factory.mktemp("later") / "home"
    shutil.copytree(sample_home.root, root, symlinks=True, copy_function=copied)
    home, moment = DataHome(root), datetime.now(UTC)
    take_in(home, root.with_name("inbox"))
    turn_away(home)
    learn(home)
    return home, moment


def take_in(home: DataHome, inbox: Path) -> None:
    """Another file of a month that had one, and one of a month that had ended: both count from now on."""
    for feed in (CORRECTED, LATE):
        rows = [good_row(load_feeds()[feed], at) for at in range(12)]
        (inbox / feed).mkdir(parents=True)
        file = inbox / feed / f"{feed}_{MONTH:%Y%m}.csv"
        file.write_text(as_csv(rows), encoding="utf-8")
        # Received before the run, as the file says, and taken in after it: it is the latter that counts.
        received = (datetime.now(UTC) - timedelta(hours=6)).timestamp()
        os.utime(file, (received, received))
    entered = ingest(inbox, store_of(home), load_feeds(), datetime.now(UTC))
    assert {(item.feed, item.status) for item in entered} == {(CORRECTED, "accepted"), (LATE, "accepted")}


def turn_away(home: DataHome) -> None:
    """A delivery of the month is found wrong, held and rejected."""
    known = ledger_of(home).deliveries()
    (wrong,) = (
        item.delivery_id
        for item in known
        if (item.feed, item.period, item.status) == (WRONG, f"{MONTH:%Y-%m}", "accepted")
    )
    hold(store_of(home), wrong, "wrong hospital", "clerk", datetime.now(UTC))
    reject(store_of(home), wrong, "wrong hospital", "clerk", datetime.now(UTC))


def learn(home: DataHome) -> None:
    """A model is registered and promoted that would speak for the month, and says something else of it."""
    experiment, rng = load_experiment(), np.random.default_rng(0)
    matrix = rng.normal(size=(400, len(experiment.features)))
    estimator = estimator_of(experiment.candidates[1], experiment).fit(matrix, (matrix[:, 0] > 0.5).astype(float))
    save_model(home.registry, [Scorer("newer", "model", "2023-01-01", estimator)], experiment, minimal_figures())
    promote(home.registry, "newer", by="chief", reason="test", at="2024-07-20")
    before = pl.read_parquet(home.reference / "household_score.parquet").filter(pl.col("month") == MONTH)
    now = ml.score(home.root / "exchange" / "household_month_feature.parquet", home.registry, months=[MONTH])
    assert not now.select("household_id", "rank_in_township").equals(before.select("household_id", "rank_in_township"))


def another_policy(folder: Path) -> Path:
    """The policy of now with a stay in hospital counting at a tenth of the line."""
    shutil.copytree(POLICY_DIRECTORY, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    line = folder / "parameters" / "n02_hospital_stay_line.yaml"
    text = line.read_text(encoding="utf-8")
    assert "6000" in text
    line.write_text(text.replace("6000", "600"), encoding="utf-8")
    return folder


def test_the_lists_come_back_byte_for_byte(
    sample_home: DataHome,
    later: tuple[DataHome, datetime],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, moment = later
    monkeypatch.setenv("ZHAOREN_HOME", str(home.root))
    monkeypatch.setenv(POLICY_VARIABLE, str(another_policy(tmp_path / "policy")))
    out = tmp_path / "rebuilt"
    arguments = ["--month", f"{MONTH:%Y-%m}", "--as-of", moment.isoformat(), "--out", str(out), "--why", "audit no. 4"]
    done = CliRunner().invoke(app, ["rebuild", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (set(told["files"].values()), told["gaps"], told["same_code"]) == ({"same"}, [], True)
    then = sample_home.outputs / f"{MONTH:%Y-%m}"
    files = {path.relative_to(then).as_posix() for path in then.rglob("*") if path.is_file()}
    assert set(told["files"]) == files
    assert {name.split("/")[0] for name in files} == {"lists", "summary", "statistics"}
    assert all((out / name).read_bytes() == (then / name).read_bytes() for name in files)
    assert told["models"] == [name for name in told["models"] if name != "newer"]
    record = json.loads(entries_of(home)[-1].content)
    assert (record["act"], record["reason"]) == ("export", "audit no. 4")
