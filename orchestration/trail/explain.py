"""From an alert to the rows of the files it rests on, and from a delivery to the alerts that rest on it.

Belongs here: reading published tables, reference tables, ledger and lake for one subject. Does not belong here: words
and form (``workbench.explanation``), rules (dbt). Nothing here opens the vault: who it is about is not said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from models.contract import Column, Feed, load_feeds
from models.labels import label
from orchestration.console import CommandError
from orchestration.feeds.deliveries import ledger_frame
from orchestration.home.published import NotPublishedError, read_published
from orchestration.home.settings import DataHome
from orchestration.warehouse.dbt import manifest_file
from orchestration.warehouse.lineage import Lineage
from workbench.explanation import Explanation

ALERT_COLUMNS = (
    "alert_id", "month", "side", "level", "status", "household_id", "village_code", "first_month", "due_on",
)  # fmt: skip
FILE_COLUMNS = ("delivery_id", "feed", "feed_title", "file_name", "period", "received_at", "state", "sha256")
# What a fact is made of; names, free text and what is sensitive stay in the lake.
TOLD_TYPES = frozenset({"money", "wan", "int", "decimal", "date", "month", "code", "division"})
TOLD_CLASSES = frozenset({"internal", "public"})
FACTS = {"feed": pl.String, "file_name": pl.String, "row_number": pl.Int64, "fact": pl.String}
EVIDENCE = ["delivery_id", "row_number"]


def explain_alert(home: DataHome, alert_id: str, month: str | None, lang: str) -> Explanation:
    """What an alert of a month (default: its newest) rests on, down to file and row."""
    alert = _alert(home, alert_id, month)
    row = alert.row(0, named=True)
    here = (pl.col("month") == row["month"]) & (pl.col("household_id") == row["household_id"])
    hits = read_published(home, "indicator_hit").filter(here, pl.col("side") == row["side"])
    hits = hits.filter(pl.col("indicator").is_in(row["reasons"])).sort("indicator", "person_key", nulls_last=True)
    evidence = hits.explode("evidence").unnest("evidence").drop_nulls("delivery_id").unique([*EVIDENCE, "indicator"])
    deliveries, lineage = _deliveries(home, lang), _lineage(home)
    files = deliveries.join(evidence, on="delivery_id", how="semi").sort("feed", "delivery_id")
    tables = {
        "alert": alert.select(ALERT_COLUMNS),
        "indicators": _indicators(home, hits, lang),
        "policy": _policy(home, hits["indicator"].unique().sort(), str(row["county_code"]), row["month"], lineage),
        "facts": _facts(home, evidence, deliveries, lang),
        "files": files.select(FILE_COLUMNS),
        "models": _made_by(lineage, hits["indicator"].unique().sort(), files["feed"].unique().sort()),
    }
    return Explanation("alert", alert_id, lang, tables)


def explain_delivery(home: DataHome, delivery_id: str, lang: str) -> Explanation:
    """What became of a delivery: its rows, what corrects it, which tables and alerts rest on it."""
    known = _deliveries(home, lang)
    own = known.filter(pl.col("delivery_id") == delivery_id)
    if own.is_empty():
        raise CommandError(f"there is no delivery {delivery_id}", "`zhaoren deliveries` lists them")
    feed = str(own["feed"][0])
    lineage = _lineage(home)
    tables = {
        "delivery": own.select(FILE_COLUMNS),
        "rows": _rows(own.row(0, named=True), known, lang),
        "set_aside": _set_aside(home, delivery_id),
        "alerts": _alerts_on(home, delivery_id),
        "tables": lineage.steps(lineage.following(feed)),
    }
    return Explanation("delivery", delivery_id, lang, tables)


def _alert(home: DataHome, alert_id: str, month: str | None) -> pl.DataFrame:
    found = read_published(home, "alert").filter(pl.col("alert_id") == alert_id).sort("month")
    if month is not None:
        found = found.filter(pl.col("month").dt.strftime("%Y-%m") == month)
    if found.is_empty():
        of = f" in {month}" if month else ""
        raise CommandError(f"there is no alert {alert_id}{of}", "`zhaoren export alerts` lists them")
    return found.tail(1)


def _deliveries(home: DataHome, lang: str) -> pl.DataFrame:
    """Every delivery with the title of its feed and its state of now."""
    titles = {name: feed.title_zh if lang == "zh" else feed.title_en for name, feed in load_feeds().items()}
    file = home.reference / "delivery.parquet"
    ledger = pl.read_parquet(file) if file.is_file() else ledger_frame(home)
    title = pl.col("feed").replace_strict(titles, default=pl.col("feed"), return_dtype=pl.String)
    return ledger.with_columns(feed_title=title)


def _lineage(home: DataHome) -> Lineage:
    manifest = manifest_file(home)
    if not manifest.is_file():
        raise NotPublishedError("manifest")
    return Lineage(manifest)


def _indicators(home: DataHome, hits: pl.DataFrame, lang: str) -> pl.DataFrame:
    known = pl.read_parquet(home.reference / "indicator.parquet").select(
        "indicator", indicator_title=f"title_{lang}", explanation=f"explanation_{lang}"
    )
    columns = ("indicator", "indicator_title", "level", "value", "threshold", "first_month", "explanation")
    return hits.join(known, on="indicator", how="left", maintain_order="left").select(columns)


def _policy(home: DataHome, indicators: Iterable[str], county: str, month: Any, lineage: Lineage) -> pl.DataFrame:
    """Rows of policy that the indicators' models name, in force in the county and month: the nearest region's."""
    policy = pl.read_parquet(home.reference / "parameter.parquet")
    known = policy["parameter"].unique().to_list()
    models = [(one, lineage.model_of_indicator(one)) for one in indicators]
    named = [(one, name) for one, model in models if model for name in lineage.parameters_of(model, known)]
    wanted = pl.DataFrame(named, schema={"indicator": pl.String, "parameter": pl.String}, orient="row")
    regions = {county: 2, f"{county[:4]}00": 1, "000000": 0}
    inside = pl.col("region_code").is_in(list(regions)), pl.col("valid_from") <= month, pl.col("valid_to") > month
    nearest = pl.col("region_code").replace_strict(regions, default=-1, return_dtype=pl.Int64)
    one = ["indicator", "parameter", "dimension_key"]
    rows = wanted.join(policy.filter(*inside), on="parameter").with_columns(near=nearest)
    # Some parameters have a value an indicator: those of the others say nothing here.
    catalogue = pl.read_parquet(home.reference / "indicator.parquet")["indicator"].to_list()
    of_another = pl.col("dimension_key").is_in(catalogue) & (pl.col("dimension_key") != pl.col("indicator"))
    rows = rows.filter(~of_another.fill_null(value=False))
    rows = rows.sort([*one, "near"], descending=[False, False, False, True], nulls_last=True).unique(one, keep="first")
    value = pl.coalesce(pl.col("value").cast(pl.String), "value_text")
    columns = ("dimension_key", "value", "region_code", "valid_from", "valid_to", "source_document")
    return rows.with_columns(value=value).sort(one, nulls_last=True).select("indicator", "parameter", *columns)


def _facts(home: DataHome, evidence: pl.DataFrame, deliveries: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Rows of the files with what may be said of them: amounts, days and codes under the headings of the contract."""
    feeds = load_feeds()
    rows = evidence.unique(EVIDENCE).join(deliveries.select("delivery_id", "feed", "file_name"), on="delivery_id")
    found = [pl.DataFrame(schema=FACTS)]
    for (delivery, feed, file), part in rows.sort(EVIDENCE).group_by(
        "delivery_id", "feed", "file_name", maintain_order=True
    ):
        told = dict(_told(home, feeds[str(feed)], str(delivery), part["row_number"].to_list(), lang))
        facts = [(feed, file, number, told.get(number, "")) for number in part["row_number"]]
        found.append(pl.DataFrame(facts, schema=FACTS, orient="row"))
    return pl.concat(found)


def _told(home: DataHome, feed: Feed, delivery: str, numbers: list[int], lang: str) -> Iterator[tuple[int, str]]:
    """Row numbers of a delivery with their words; what is not in the lake (answers by workbook) has none."""
    columns = [column for column in feed.columns if _may_be_told(column)]
    for path in sorted((home.lake / feed.name).glob(f"**/{delivery}.parquet")):
        there = set(pl.read_parquet_schema(path))
        wanted = [column for column in columns if column.name in there]
        frame = pl.read_parquet(path, columns=["row_number", *(column.name for column in wanted)])
        for row in frame.filter(pl.col("row_number").is_in(numbers)).iter_rows(named=True):
            words = (
                f"{_heading(column, lang)} {row[column.name]}" for column in wanted if row[column.name] is not None
            )
            yield row["row_number"], "；".join(words) if lang == "zh" else "; ".join(words)


def _may_be_told(column: Column) -> bool:
    return column.type in TOLD_TYPES and column.classification in TOLD_CLASSES and not column.is_direct_identifier


def _heading(column: Column, lang: str) -> str:
    return column.header if lang == "zh" else column.name


def _made_by(lineage: Lineage, indicators: Iterable[str], feeds: Iterable[str]) -> pl.DataFrame:
    """The models between the feeds and the alert, each once, from the feed on."""
    keys: dict[str, None] = {}
    for indicator in indicators:
        model = lineage.model_of_indicator(indicator)
        for feed in feeds:
            keys |= dict.fromkeys(reversed(lineage.way(model, feed))) if model else {}
    keys |= dict.fromkeys(lineage.id_of(name) for name in ("indicator_hit", "alert", "alert_list"))
    return lineage.steps(keys)


def _rows(own: dict[str, Any], known: pl.DataFrame, lang: str) -> pl.DataFrame:
    """How many rows became what, and which other deliveries speak for them."""
    delivery = own["delivery_id"]
    counts = [("data", own["rows_data"]), ("accepted", own["rows_accepted"]), ("quarantined", own["rows_quarantined"])]
    rows = [(label(f"explain.kind.{kind}", lang), count, "") for kind, count in counts]
    later = known.filter(pl.col("supersedes") == delivery)["delivery_id"].sort()
    mended = known.filter(pl.col("supplements") == delivery)["delivery_id"].sort()
    earlier = [own["supersedes"]] if own["supersedes"] else []
    for kind, names in (("corrected", earlier), ("superseded", later), ("supplements", mended)):
        rows += [(label(f"explain.kind.{kind}", lang), None, name) for name in names]
    schema = {"kind": pl.String, "count": pl.Int64, "delivery_id": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _set_aside(home: DataHome, delivery: str) -> pl.DataFrame:
    rows = pl.read_parquet(home.reference / "quarantine_row.parquet").filter(pl.col("delivery_id") == delivery)
    columns = ("row_number", "reason", "state")
    return rows.sort("row_number", "column", nulls_last=True).select(columns).unique(maintain_order=True)


def _alerts_on(home: DataHome, delivery: str) -> pl.DataFrame:
    """Alerts with a reason of which a row of the delivery is evidence, with how many rows."""
    hits = read_published(home, "indicator_hit").explode("evidence").unnest("evidence")
    mine = hits.filter(pl.col("delivery_id") == delivery)
    counted = mine.group_by("month", "household_id", "side", "indicator").agg(count=pl.col("row_number").n_unique())
    alerts = read_published(home, "alert").select("alert_id", "month", "household_id", "side", "level", "reasons")
    joined = counted.join(alerts, on=["month", "household_id", "side"])
    named = joined.filter(pl.col("indicator").is_in(pl.col("reasons")))
    return named.select("alert_id", "month", "side", "level", "indicator", "count").sort(
        "month", "alert_id", "indicator"
    )


def write_page(text: str, out: Path) -> None:
    """A page for its reader alone, whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.part")
    aside.touch(mode=0o600)
    aside.write_text(text, encoding="utf-8")
    aside.replace(out)


def as_json(found: Explanation) -> str:
    """The document as text."""
    return json.dumps(found.document(), ensure_ascii=False, default=str, indent=1)
