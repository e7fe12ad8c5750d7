"""From an alert of the sample city down to the row of a file, and back from a delivery to the alert.

The row is looked up in the lake by hand, so that the command cannot agree with itself alone.
"""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from models.policy.catalogue import load_indicators
from orchestration.cli import app
from orchestration.home.settings import DataHome
from orchestration.trail.audit import entries_of
from orchestration.warehouse.lineage import Lineage
from tests.browser import violations


@pytest.fixture(autouse=True)
def _at_home(sample_home: DataHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHAOREN_HOME", str(sample_home.root))


@pytest.fixture(scope="module")
def medical(sample_home: DataHome) -> dict[str, object]:
    """A hit of N02, in which one settlement alone is over the line, and its alert of that month."""
    hits = pl.read_parquet(sample_home.published / "indicator_hit.parquet").filter(pl.col("indicator") == "N02")
    alerts = pl.read_parquet(sample_home.published / "alert.parquet")
    both = hits.join(
        alerts.select("alert_id", "month", "household_id", "side", "reasons"), on=["month", "household_id", "side"]
    )
    both = both.filter(pl.col("reasons").list.contains("N02"), pl.col("evidence").list.len() == 1)
    return both.sort("month", "alert_id").row(0, named=True)


def call(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["explain", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_alert_leads_to_value_line_policy_file_and_row(sample_home: DataHome, medical: dict[str, object]) -> None:
    month = f"{medical['month']:%Y-%m}"
    told = json.loads(call(str(medical["alert_id"]), "--month", month, "--json"))
    (said,) = (one for one in told["indicators"] if one["indicator"] == "N02")
    assert (said["value"], said["threshold"]) == (float(medical["value"]), float(medical["threshold"]))  # type: ignore[arg-type]
    lines = {row["parameter"]: row for row in told["policy"] if row["indicator"] == "N02"}
    assert all(row["source_document"] for row in lines.values())
    others = {str(row["dimension_key"]) for row in told["policy"]} & (set(load_indicators()) - set(medical["reasons"]))  # type: ignore[call-overload]
    assert not others, "a value of another indicator says nothing about this one"
    assert said["threshold"] in {
        float(row["value"]) for row in told["policy"] if row["parameter"] == "n02_hospital_stay_line"
    }
    (evidence,) = medical["evidence"]  # type: ignore[misc]
    (path,) = sample_home.lake.glob(f"medical_settlement/**/{evidence['delivery_id']}.parquet")
    row = pl.read_parquet(path).filter(pl.col("row_number") == evidence["row_number"])
    (fact,) = (
        one for one in told["facts"]
        if (one["feed"], one["row_number"]) == ("medical_settlement", evidence["row_number"])
    )  # fmt: skip
    delivery = pl.read_parquet(sample_home.reference / "delivery.parquet")
    file = delivery.filter(pl.col("delivery_id") == evidence["delivery_id"])
    assert fact["file_name"] == file["file_name"][0]
    assert row.height == 1
    assert file["sha256"][0] in {one["sha256"] for one in told["files"]}
    models = [one["asset"] for one in told["models"]]
    assert "monitoring/indicator_hit" in models
    assert models.index("lake/medical_settlement") < models.index("alerts/alert")


def test_a_delivery_leads_to_its_rows_tables_and_that_alert(sample_home: DataHome, medical: dict[str, object]) -> None:
    (evidence,) = medical["evidence"]  # type: ignore[misc]
    told = json.loads(call("--delivery", evidence["delivery_id"], "--json", "--lang", "en"))
    counts = {row["kind"]: row["count"] for row in told["rows"] if row["count"] is not None}
    assert counts["rows in the file"] == counts["accepted"] + counts["set aside"]
    assert len({row["row_number"] for row in told["set_aside"]}) == counts["set aside"]
    month = medical["month"].isoformat()  # type: ignore[attr-defined]
    assert (medical["alert_id"], month, "N02") in {
        (row["alert_id"], row["month"], row["indicator"]) for row in told["alerts"]
    }
    assert {"monitoring/indicator_hit", "alerts/alert_list"} <= {row["asset"] for row in told["tables"]}
    lineage = Lineage(sample_home.dbt / "target" / "manifest.json")
    assert "model.zhaoren.stg_civil_affairs__assistance_register" not in lineage.following("medical_settlement")


def test_a_corrected_delivery_names_what_corrects_it(sample_home: DataHome) -> None:
    known = pl.read_parquet(sample_home.reference / "delivery.parquet").filter(pl.col("supersedes").is_not_null())
    later, earlier = known.sort("delivery_id").select("delivery_id", "supersedes").row(0)
    assert later in {row["delivery_id"] for row in json.loads(call("--delivery", earlier, "--json"))["rows"]}
    assert earlier in {row["delivery_id"] for row in json.loads(call("--delivery", later, "--json"))["rows"]}


def test_the_page_loads_nothing_names_columns_and_is_logged(
    sample_home: DataHome, medical: dict[str, object], tmp_path: Path
) -> None:
    out = tmp_path / "why.html"
    before = len(entries_of(sample_home))
    call(str(medical["alert_id"]), "--out", str(out), "--why", "complaint no. 3", "--by", "auditor")
    page = out.read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in page
    assert re.findall(r"(?:src|href)=|url\(|<script|https?://", page) == []
    assert page.count('scope="col"') > 10
    assert "需求预警" in page or "退出报警" in page, "codes are told in words"
    assert out.stat().st_mode & 0o777 == 0o600
    record = json.loads(entries_of(sample_home)[before].content)
    assert (record["act"], record["who"], record["reason"]) == ("look", "auditor", "complaint no. 3")
    assert len(record["area"]) == 12


def test_axe_finds_nothing_in_either_page(medical: dict[str, object], tmp_path: Path) -> None:
    (evidence,) = medical["evidence"]  # type: ignore[misc]
    for arguments in ([str(medical["alert_id"])], ["--delivery", evidence["delivery_id"]]):
        out = tmp_path / "page.html"
        call(*arguments, "--out", str(out))
        assert violations(out, tmp_path, 390) == []


def test_nothing_sensitive_and_no_text_is_told(sample_home: DataHome) -> None:
    from models.contract import load_feeds
    from orchestration.trail.explain import _may_be_told

    told = [column for feed in load_feeds().values() for column in feed.columns if _may_be_told(column)]
    assert told
    assert not [column.name for column in told if column.classification in ("direct_identifier", "sensitive")]
    assert not [column.name for column in told if column.type in ("text", "name", "phone", "address", "id", "uscc")]


def test_what_there_is_not_is_said() -> None:
    for arguments in (["N-nothing"], ["--delivery", "nothing"]):
        result = CliRunner().invoke(app, ["explain", *arguments])
        assert "there is no" in str(result.exception)
    assert CliRunner().invoke(app, ["explain"]).exit_code == 2
